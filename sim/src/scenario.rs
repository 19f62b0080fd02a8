//! Named worlds with what is expected of them.

use crate::config::{
    Audience, Config, Fault, FaultKind, Kind, LineClass, Lines, MBPS, MassLeave, Media, NatMix,
    Origin, SuperPeers, Tracker,
};
use crate::report::Report;
use crate::world::World;

/// A world that is kept, with its bounds.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What it is about, in a line.
    pub about: &'static str,
    /// How many viewers it has at its full size.
    pub viewers: u32,
    /// Makes its world for so many viewers.
    make: fn(u32) -> Config,
    bounds: Bounds,
}

/// What must come of a scenario, from 60 viewers on.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// At least this part of the bytes comes from viewers and super-peers once they have met.
    offload: f64,
    /// At most this part of the time that viewers watch is spent in stalls.
    stalled: f64,
    /// First pictures of 95 % within this time, in milliseconds.
    startup_ms: u64,
    /// At most this part of the bytes is of no use.
    wasted: f64,
}

impl Scenario {
    /// Its world at its full size, or with another number of viewers.
    #[must_use]
    pub fn config(&self, viewers: Option<u32>, seed: u64) -> Config {
        Config {
            seed,
            ..(self.make)(viewers.unwrap_or(self.viewers))
        }
    }

    /// Runs it.
    #[must_use]
    pub fn run(&self, viewers: Option<u32>, seed: u64) -> Report {
        World::new(self.config(viewers, seed)).run()
    }

    /// What a report misses of what is expected, in words; empty when nothing.
    #[must_use]
    pub fn misses(&self, report: &Report, duration_ms: u64) -> Vec<String> {
        let bounds = &self.bounds;
        let mut misses = Vec::new();
        let offload = 1.0 - report.share_origin;
        if offload < bounds.offload {
            misses.push(format!(
                "offload {offload:.3}, expected {} or more",
                bounds.offload
            ));
        }
        let watched_ms = u64::from(report.viewers) * duration_ms;
        let stalled = report.stalled_ms as f64 / watched_ms.max(1) as f64;
        if stalled > bounds.stalled {
            misses.push(format!(
                "{stalled:.5} of the time stalled, expected {} or less",
                bounds.stalled
            ));
        }
        let startup_ms = report.startup_p95_ms;
        if startup_ms > bounds.startup_ms {
            misses.push(format!(
                "first picture within {startup_ms} ms for 95 %, expected {}",
                bounds.startup_ms
            ));
        }
        if report.wasted > bounds.wasted {
            misses.push(format!(
                "{:.4} of the bytes wasted, expected {} or less",
                report.wasted, bounds.wasted
            ));
        }
        if report.faults > 0 {
            misses.push(format!(
                "{} faults, first {:?}",
                report.faults, report.fault_texts
            ));
        }
        misses
    }
}

/// The scenario with this name.
#[must_use]
pub fn scenario(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}

/// A bound that differs from the usual ones has its reason beside it.
const USUAL: Bounds = Bounds {
    offload: 0.9,
    stalled: 0.001,
    startup_ms: 1_500,
    wasted: 0.03,
};

/// All that are kept.
pub const SCENARIOS: [Scenario; 11] = [
    Scenario {
        name: "flash-crowd",
        about: "10,000 viewers of a live stream join within 30 s",
        viewers: 10_000,
        make: flash_crowd,
        bounds: Bounds {
            offload: 0.85,
            ..USUAL
        },
    },
    Scenario {
        name: "steady-live",
        about: "a live stream whose viewers come and go, staying for 10 minutes on average",
        viewers: 1_000,
        make: steady_live,
        bounds: Bounds {
            offload: 0.8,
            ..USUAL
        },
    },
    Scenario {
        name: "vod-seeks",
        about: "a film of half an hour; everybody is somewhere else and seeks once in 90 s",
        viewers: 300,
        make: vod_seeks,
        // Who seeks waits for a segment that often nobody near has.
        bounds: Bounds {
            offload: 0.5,
            stalled: 0.003,
            wasted: 0.1,
            ..USUAL
        },
    },
    Scenario {
        name: "mass-leave",
        about: "60 % of the viewers leave at the same moment, half of them without a word",
        viewers: 500,
        make: mass_leave,
        bounds: Bounds {
            offload: 0.85,
            ..USUAL
        },
    },
    Scenario {
        name: "tracker-dead",
        about: "the tracker is dead for a minute while viewers go on joining",
        viewers: 300,
        make: tracker_dead,
        // Whoever comes in that minute meets nobody until it is over.
        bounds: Bounds {
            offload: 0.7,
            ..USUAL
        },
    },
    Scenario {
        name: "origin-503",
        about: "the origin answers 503 for 20 s",
        viewers: 300,
        make: origin_503,
        // Playlists fail as well: nobody can know of new segments for longer than the playlist's window lasts.
        bounds: Bounds {
            stalled: 0.02,
            ..USUAL
        },
    },
    Scenario {
        name: "super-peer-dead",
        about: "the super-peers that carry the swarm die in the middle",
        viewers: 300,
        make: super_peer_dead,
        bounds: USUAL,
    },
    Scenario {
        name: "symmetric-nat",
        about: "30 % of the viewers are behind symmetric NAT and 5 % without UDP",
        viewers: 500,
        make: symmetric_nat,
        bounds: Bounds {
            offload: 0.7,
            ..USUAL
        },
    },
    Scenario {
        name: "narrow-uplinks",
        about: "home lines whose uplinks carry 0.4 to 2 copies of the stream",
        viewers: 500,
        make: narrow_uplinks,
        // All uplinks together carry little more than is watched.
        bounds: Bounds {
            offload: 0.5,
            stalled: 0.002,
            wasted: 0.15,
            ..USUAL
        },
    },
    Scenario {
        name: "polluters",
        about: "every tenth viewer gives wrong bytes; segments are checked",
        viewers: 200,
        make: polluters,
        bounds: Bounds {
            offload: 0.7,
            wasted: 0.1,
            ..USUAL
        },
    },
    Scenario {
        name: "switch",
        about: "everybody changes to another rendition at the same moment",
        viewers: 300,
        make: switch,
        // All meet anew, and what was loaded ahead of the old rendition is never played.
        bounds: Bounds {
            offload: 0.8,
            wasted: 0.12,
            ..USUAL
        },
    },
];

fn base(viewers: u32) -> Config {
    Config {
        duration_ms: 300_000,
        audience: Audience {
            viewers,
            ..Audience::default()
        },
        ..Config::default()
    }
}

fn flash_crowd(viewers: u32) -> Config {
    Config {
        duration_ms: 120_000,
        super_peers: SuperPeers {
            count: 2,
            ..SuperPeers::default()
        },
        ..base(viewers)
    }
}

fn steady_live(viewers: u32) -> Config {
    let mut config = base(viewers);
    config.duration_ms = 600_000;
    config.audience.stay_ms = 600_000;
    config.audience.replace = true;
    config
}

fn vod_seeks(viewers: u32) -> Config {
    let mut config = base(viewers);
    config.media = Media {
        kind: Kind::OnDemand { segments: 450 },
        ..Media::default()
    };
    config.audience.seek_ms = 90_000;
    config.audience.spread_segments = 400;
    config.audience.quick_share = 0.05;
    config
}

fn mass_leave(viewers: u32) -> Config {
    let mut config = base(viewers);
    config.audience.crash_share = 0.5;
    config.audience.mass_leave = Some(MassLeave {
        at_ms: 150_000,
        share: 0.6,
    });
    config
}

fn tracker_dead(viewers: u32) -> Config {
    let mut config = base(viewers);
    config.audience.join_ms = 200_000;
    config.tracker = Tracker {
        down: vec![(90_000, 150_000)],
        ..Tracker::default()
    };
    config
}

fn origin_503(viewers: u32) -> Config {
    Config {
        origin: Origin {
            faults: vec![Fault {
                from_ms: 120_000,
                to_ms: 140_000,
                kind: FaultKind::Status(503),
            }],
            ..Origin::default()
        },
        ..base(viewers)
    }
}

fn super_peer_dead(viewers: u32) -> Config {
    Config {
        super_peers: SuperPeers {
            count: 2,
            die_at_ms: Some(150_000),
            ..SuperPeers::default()
        },
        ..base(viewers)
    }
}

fn symmetric_nat(viewers: u32) -> Config {
    Config {
        nat: NatMix {
            open: 0.2,
            symmetric: 0.3,
            blocked: 0.05,
            pair_success: 1.0,
        },
        ..base(viewers)
    }
}

fn narrow_uplinks(viewers: u32) -> Config {
    let class = |weight, up, down| LineClass {
        weight,
        up_bps: up * MBPS,
        down_bps: down * MBPS,
    };
    Config {
        lines: Lines {
            classes: vec![class(3, 2, 16), class(4, 5, 50), class(3, 10, 100)],
            ..Lines::default()
        },
        ..base(viewers)
    }
}

fn polluters(viewers: u32) -> Config {
    let mut config = base(viewers);
    config.audience.polluter_share = 0.1;
    config
}

fn switch(viewers: u32) -> Config {
    let mut config = base(viewers);
    config.media.ladder = vec![2 * MBPS, 5 * MBPS];
    config.audience.switch = Some((150_000, 0));
    config
}
