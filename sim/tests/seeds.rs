//! Hundreds of small worlds, in which everything is verified after everything that happens.
//!
//! A seed that fails is printed with the command that runs it alone.

#![expect(clippy::panic, reason = "tests may panic")]

use beekeepr_sim::{Config, Kind, Lines, MBPS, Origin, Report, World};

/// Worlds in the ordinary tests: they take well below a minute of one core.
const SEEDS: u64 = 300;

/// A wait that sharing may add: a look of the engine's at its state.
const WAIT_MS_MAX: u64 = 100;

fn seeds() -> Vec<u64> {
    match std::env::var("BEEKEEPR_SIM_SEED") {
        Ok(seed) => vec![seed.parse().expect("BEEKEEPR_SIM_SEED is a number")],
        Err(_) => (0..SEEDS).collect(),
    }
}

/// Runs the check on every seed and names those that it fails.
fn each(test: &str, check: impl Fn(u64) -> Result<(), String>) {
    let mut failed = Vec::new();
    for seed in seeds() {
        if let Err(fault) = check(seed) {
            failed.push(format!(
                "seed {seed}: {fault}\n  alone: BEEKEEPR_SIM_SEED={seed} cargo test -p beekeepr-sim --test seeds {test}"
            ));
        }
    }
    if !failed.is_empty() {
        panic!(
            "{} of {} seeds\n{}",
            failed.len(),
            seeds().len(),
            failed.join("\n")
        );
    }
}

fn run(config: Config) -> Report {
    World::new(config).run()
}

#[test]
fn invariants_hold_in_every_small_world() {
    each("invariants", |seed| {
        let report = run(Config::small(seed));
        match report.faults {
            0 => Ok(()),
            count => Err(format!("{count} faults, first {:#?}", report.fault_texts)),
        }
    });
}

/// Troubles and narrow lines: there some wait longer than with HTTP alone (docs/benchmarks/simulator.md), and more of them
/// shorter.
#[test]
fn on_bad_lines_all_together_wait_no_longer_than_with_plain_http() {
    let (mut hybrid_ms, mut plain_ms) = (0, 0);
    for seed in 0..SEEDS {
        let config = Config {
            audit: false,
            ..Config::small(seed)
        };
        plain_ms += run(config.plain()).waits_ms.iter().sum::<u64>();
        hybrid_ms += run(config).waits_ms.iter().sum::<u64>();
    }
    assert!(
        hybrid_ms <= plain_ms,
        "waited {hybrid_ms} ms, with plain HTTP {plain_ms} ms"
    );
}

/// Lines with room for twelve times the stream, and an origin without faults: nobody has a reason to wait.
#[test]
fn on_ordinary_lines_nobody_waits_longer_than_with_plain_http() {
    each("on_ordinary_lines", |seed| {
        let mut config = Config::small(seed);
        config.audit = false;
        config.media.kind = Kind::Live {
            window: 10,
            sync: None,
        };
        config.media.ladder = vec![2 * MBPS];
        config.lines = Lines::default();
        config.origin = Origin::default();
        config.audience.switch = None;
        let plain = run(config.plain());
        let hybrid = run(config);
        let pairs = hybrid.waits_ms.iter().zip(&plain.waits_ms);
        let worse: Vec<(usize, u64, u64)> = pairs
            .enumerate()
            .filter(|(_, (hybrid, plain))| **hybrid > **plain + WAIT_MS_MAX)
            .map(|(viewer, (&hybrid, &plain))| (viewer, hybrid, plain))
            .collect();
        match worse.is_empty() {
            true => Ok(()),
            false => Err(format!(
                "(viewer, waited ms, with plain HTTP ms): {worse:?}"
            )),
        }
    });
}

#[test]
fn one_seed_gives_one_run() {
    for seed in 0..10 {
        let (one, other) = (run(Config::small(seed)), run(Config::small(seed)));
        assert_eq!(one, other, "seed {seed}");
    }
}
