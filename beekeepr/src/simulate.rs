//! `beekeepr simulate`: what sharing would save, and what happens when things go wrong.

mod args;
mod output;

use std::time::Instant;

use beekeepr_sim::{
    Audience, Config, Kind, LineClass, Lines, Media, NatMix, Origin, Report, SCENARIOS, Scenario,
    SuperPeers, World, scenario,
};

pub(crate) use args::Simulate;

use crate::failure::Failure;
use crate::operator::say;

/// How long it is watched when nothing is said.
const DURATION_MS: u64 = 300_000;
/// Until viewers have met: two announces.
const WARM_MS: u64 = 60_000;
/// A downlink in multiples of its uplink: what is sold.
const DOWN_PER_UP: u64 = 5;

/// One run and how long it took.
#[derive(Debug)]
struct Run {
    viewers: u32,
    report: Report,
    /// The same viewers with plain HTTP.
    plain: Option<Report>,
    seconds: f64,
}

/// `beekeepr simulate`
pub(crate) fn run(args: &Simulate) -> Result<(), Failure> {
    if args.scenario.as_deref() == Some("list") {
        SCENARIOS
            .iter()
            .for_each(|it| say(&format!("{:16} {}", it.name, it.about)));
        return Ok(());
    }
    let kept = args.scenario.as_deref().map(find).transpose()?;
    check(args)?;
    let sizes = match args.sweep.as_slice() {
        [] => vec![args.viewers],
        sizes => sizes.iter().copied().map(Some).collect(),
    };
    let runs: Vec<Run> = sizes
        .into_iter()
        .map(|viewers| run_one(args, config(args, kept, viewers)))
        .collect();
    output::show(args, &runs)?;
    let misses = kept.map_or_else(Vec::new, |kept| misses(args, kept, &runs));
    match misses.is_empty() {
        true => Ok(()),
        false => Err(Failure::Other(misses.join("; "))),
    }
}

fn find(name: &str) -> Result<&'static Scenario, Failure> {
    scenario(name).ok_or_else(|| {
        let names: Vec<&str> = SCENARIOS.iter().map(|it| it.name).collect();
        Failure::Usage(format!(
            "--scenario {name:?} is none, expected one of {}",
            names.join(", ")
        ))
    })
}

/// What no flag can see alone.
fn check(args: &Simulate) -> Result<(), Failure> {
    if !args.bitrate.is_sorted_by_key(|rate| rate.0) {
        return Err(Failure::Usage(
            "--bitrate: expected the lowest rendition first".to_owned(),
        ));
    }
    if args.bitrate.len() > RENDITIONS_MAX {
        let seen = args.bitrate.len();
        return Err(Failure::Usage(format!(
            "--bitrate: {seen} renditions, expected {RENDITIONS_MAX} at most"
        )));
    }
    if args
        .sweep
        .iter()
        .any(|&it| !(1..=VIEWERS_MAX).contains(&it))
    {
        return Err(Failure::Usage(format!(
            "--sweep: expected numbers from 1 to {VIEWERS_MAX}"
        )));
    }
    Ok(())
}

/// More than any ladder has.
const RENDITIONS_MAX: usize = 16;
/// What 24 GB of memory hold.
const VIEWERS_MAX: u32 = 200_000;

fn run_one(args: &Simulate, config: Config) -> Run {
    let begun = Instant::now();
    let plain = args.compare.then(|| World::new(config.plain()).run());
    let viewers = config.audience.viewers;
    let report = World::new(config).run();
    Run {
        viewers,
        report,
        plain,
        seconds: begun.elapsed().as_secs_f64(),
    }
}

/// The bounds are those of a run without changes.
fn misses(args: &Simulate, kept: &Scenario, runs: &[Run]) -> Vec<String> {
    let all = runs.iter().flat_map(|run| {
        let duration_ms = config(args, Some(kept), Some(run.viewers)).duration_ms;
        kept.misses(&run.report, duration_ms)
    });
    all.collect()
}

fn config(args: &Simulate, kept: Option<&Scenario>, viewers: Option<u32>) -> Config {
    let duration_ms = args.duration.map(|it| it.as_millis() as u64);
    let config = match kept {
        Some(kept) => kept.config(viewers, args.seed),
        None => free(args, viewers),
    };
    let duration_ms = duration_ms.unwrap_or(config.duration_ms);
    Config {
        duration_ms,
        warm_ms: config.warm_ms.min(duration_ms / 2),
        ..config
    }
}

/// A world as the flags say.
fn free(args: &Simulate, viewers: Option<u32>) -> Config {
    let segment_ms = args.segment.as_millis() as u64;
    let film = args
        .vod
        .map(|it| (it.as_millis() as u64 / segment_ms).max(1));
    let kind = match film {
        Some(segments) => Kind::OnDemand { segments },
        None => Kind::Live {
            window: args.window,
            sync: None,
        },
    };
    Config {
        seed: args.seed,
        duration_ms: DURATION_MS,
        warm_ms: WARM_MS.max(args.join.as_millis() as u64 + WARM_MS / 2),
        media: Media {
            kind,
            segment_ms,
            ladder: args.bitrate.iter().map(|rate| rate.0).collect(),
            ..Media::default()
        },
        audience: Audience {
            viewers: viewers.unwrap_or(Audience::default().viewers),
            join_ms: args.join.as_millis() as u64,
            stay_ms: args.stay.map_or(0, |it| it.as_millis() as u64),
            replace: args.stay.is_some(),
            spread_segments: film.unwrap_or(1),
            ..Audience::default()
        },
        lines: lines(args),
        nat: NatMix {
            blocked: args.udp_blocked.0,
            pair_success: args.nat_success.0,
            ..NatMix::default()
        },
        origin: Origin {
            egress_bps: args.origin_rate.map_or(0, |rate| rate.0),
            ..Origin::default()
        },
        super_peers: SuperPeers {
            count: args.super_peers,
            up_bps: args.super_peer_rate.0,
            ..SuperPeers::default()
        },
        ..Config::default()
    }
}

fn lines(args: &Simulate) -> Lines {
    let usual = Lines::default();
    let classes = usual.classes.iter().map(|class| {
        let up_bps = args.uplink.map_or(class.up_bps, |rate| rate.0);
        let down = args.downlink.map(|rate| rate.0);
        LineClass {
            up_bps,
            down_bps: down.unwrap_or(DOWN_PER_UP * up_bps),
            ..*class
        }
    });
    Lines {
        classes: classes.collect(),
        loss: args.loss.0,
        ..usual
    }
}
