//! Small worlds with random troubles, for tests that run hundreds of them.

use beekeepr_model::Random;

use crate::chance::{between, unit};
use crate::config::{
    Audience, Config, Fault, FaultKind, Kind, LineClass, Lines, MBPS, MassLeave, Media, NatMix,
    Origin, SuperPeers, Tracker,
};

impl Config {
    /// A world of 3 to 12 viewers for a minute or two. Its stream, lines and troubles follow from the seed, and every
    /// invariant is verified after everything that happens.
    #[must_use]
    pub fn small(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let random = &mut random;
        let media = media(random);
        let lines = lines(random, media.ladder[media.ladder.len() - 1]);
        let duration_ms = between(random, 60_000, 120_000);
        let audience = audience(random, &media, duration_ms);
        Self {
            seed,
            duration_ms,
            warm_ms: 0,
            nat: nat(random),
            origin: origin(random, duration_ms),
            tracker: tracker(random, duration_ms),
            super_peers: super_peers(random, duration_ms),
            media,
            lines,
            audience,
            audit: true,
            ..Self::default()
        }
    }
}

fn one_in(random: &mut Random, parts: usize) -> bool {
    random.one_in(parts)
}

fn media(random: &mut Random) -> Media {
    let segment_ms = [2_000, 4_000, 6_000][random.below(3)];
    let kind = match random.below(3) {
        0 => Kind::OnDemand {
            segments: between(random, 20, 60),
        },
        _ => Kind::Live {
            window: between(random, 4, 12),
            sync: None,
        },
    };
    let top = MBPS * between(random, 1, 6);
    let ladder = match random.below(4) {
        0 => vec![top / 4, top / 2, top],
        _ => vec![top],
    };
    Media {
        kind,
        segment_ms,
        ladder,
        vary_percent: between(random, 0, 40),
    }
}

/// Lines that carry the stream over HTTP alone, some with little to spare.
fn lines(random: &mut Random, bps: u64) -> Lines {
    let classes = (0..3).map(|_| LineClass {
        weight: 1,
        up_bps: bps * between(random, 5, 60) / 10,
        down_bps: bps * between(random, 15, 120) / 10,
    });
    let classes = classes.collect();
    let loss = match random.below(4) {
        0 => 0.002 * unit(random),
        _ => 0.0,
    };
    Lines {
        classes,
        regions: between(random, 1, 3) as u8,
        last_mile_ms: (2, between(random, 5, 40)),
        far_ms: between(random, 10, 60),
        loss,
    }
}

fn audience(random: &mut Random, media: &Media, duration_ms: u64) -> Audience {
    let viewers = between(random, 3, 12) as u32;
    let comes_and_goes = one_in(random, 3);
    let mass_leave = one_in(random, 6).then(|| MassLeave {
        at_ms: between(random, 20_000, duration_ms),
        share: 0.5,
    });
    let switch = one_in(random, 6).then(|| {
        let at_ms = between(random, 20_000, duration_ms);
        (at_ms, random.below(media.ladder.len()))
    });
    Audience {
        viewers,
        join_ms: between(random, 0, 20_000),
        stay_ms: if comes_and_goes { 30_000 } else { 0 },
        replace: comes_and_goes,
        mass_leave,
        crash_share: unit(random),
        seek_ms: if one_in(random, 2) { 20_000 } else { 0 },
        spread_segments: between(random, 1, 5),
        quick_share: if media.is_live() { 0.0 } else { 0.2 },
        polluter_share: if one_in(random, 5) { 0.3 } else { 0.0 },
        append_ms: between(random, 0, 100),
        switch,
    }
}

fn nat(random: &mut Random) -> NatMix {
    match random.below(3) {
        0 => NatMix {
            open: 0.2,
            symmetric: 0.3,
            blocked: 0.1,
            pair_success: 0.8,
        },
        _ => NatMix::default(),
    }
}

fn origin(random: &mut Random, duration_ms: u64) -> Origin {
    let mut faults = Vec::new();
    if one_in(random, 3) {
        let from_ms = between(random, 10_000, duration_ms);
        let kind = match random.below(3) {
            0 => FaultKind::Status(503),
            1 => FaultKind::Hang,
            _ => FaultKind::Slow(MBPS),
        };
        faults.push(Fault {
            from_ms,
            to_ms: from_ms + between(random, 500, 8_000),
            kind,
        });
    }
    Origin {
        egress_bps: 0,
        latency_ms: between(random, 5, 150),
        requests_max: 0,
        faults,
    }
}

fn tracker(random: &mut Random, duration_ms: u64) -> Tracker {
    let dies = one_in(random, 5);
    let from_ms = between(random, 5_000, duration_ms);
    Tracker {
        interval_s: between(random, 10, 60) as u32,
        down: match dies {
            true => vec![(from_ms, from_ms + 20_000)],
            false => Vec::new(),
        },
        ..Tracker::default()
    }
}

fn super_peers(random: &mut Random, duration_ms: u64) -> SuperPeers {
    let count = u32::from(one_in(random, 3));
    let dies = one_in(random, 3);
    SuperPeers {
        count,
        up_bps: MBPS * between(random, 5, 200),
        logical: between(random, 1, 3) as u32,
        die_at_ms: dies.then(|| between(random, 10_000, duration_ms)),
        ..SuperPeers::default()
    }
}
