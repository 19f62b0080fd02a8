//! The same shapes as in the browser tests: what the simulator says must be what browsers did.
//!
//! Measured in Chromium with hls.js as it comes (`tests/e2e/scenarios/warm.mjs`): once everybody has met everybody,
//! and from the first byte on.

use beekeepr_sim::{Audience, Config, Kind, LineClass, Lines, MBPS, Media, NatMix, Report, World};

/// How far a simulated share may be from the measured one.
const TOLERANCE: f64 = 0.05;
/// Pages of one browser open one after the other.
const PAGE_MS: u64 = 1_500;
/// Playback before it is counted, and while it is: `WARM_S` and `COUNTED_BESIDE_S` there.
const WARM_MS: u64 = 15_000;
const COUNTED_MS: u64 = 60_000;
/// From a segment to the request for the next one, where eight to sixteen pages share two cores. With 30 ms, as on a
/// machine of its own, buffers are full before the first connections are open: 0.07 less overall.
const APPEND_MS: u64 = 100;
/// Runs that are averaged.
const SEEDS: u64 = 8;

/// Viewers on one machine: the clip of the browser tests, their playlist, lines without limits.
fn world(viewers: u32, seed: u64) -> Config {
    let join_ms = u64::from(viewers) * PAGE_MS;
    Config {
        seed,
        duration_ms: join_ms + WARM_MS + COUNTED_MS,
        warm_ms: join_ms + WARM_MS,
        media: Media {
            kind: Kind::Live {
                window: 12,
                sync: None,
            },
            segment_ms: 2_000,
            ladder: vec![320_000, 700_000],
            vary_percent: 5,
        },
        audience: Audience {
            viewers,
            join_ms,
            append_ms: APPEND_MS,
            ..Audience::default()
        },
        lines: Lines {
            classes: vec![LineClass {
                weight: 1,
                up_bps: 300 * MBPS,
                down_bps: 300 * MBPS,
            }],
            regions: 1,
            last_mile_ms: (0, 1),
            far_ms: 0,
            loss: 0.0,
        },
        nat: NatMix::default(),
        ..Config::default()
    }
}

/// The shares once warm and overall.
fn shares(viewers: u32) -> (f64, f64) {
    let reports: Vec<Report> = (0..SEEDS)
        .map(|seed| World::new(world(viewers, seed)).run())
        .collect();
    let mean = |of: fn(&Report) -> f64| reports.iter().map(of).sum::<f64>() / SEEDS as f64;
    (mean(|it| it.share_viewers), mean(|it| it.share_overall))
}

fn near(what: &str, simulated: f64, measured: f64) {
    let distance = (simulated - measured).abs();
    assert!(
        distance <= TOLERANCE,
        "{what}: simulated {simulated:.3}, measured {measured:.3}"
    );
}

#[test]
fn two_viewers_share_as_in_the_browser() {
    near("2, warm", shares(2).0, 0.50);
}

#[test]
fn four_viewers_share_as_in_the_browser() {
    let (warm, overall) = shares(4);
    near("4, warm", warm, 0.74);
    near("4, overall", overall, 0.716);
}

#[test]
fn eight_viewers_share_as_in_the_browser() {
    let (warm, overall) = shares(8);
    near("8, warm", warm, 0.875);
    near("8, overall", overall, 0.815);
}
