//! Who a viewer is: its line, its place, its conduct. All of it follows from the seed and its number.

use beekeepr_model::Random;

use crate::chance::{Purpose, between, stream, unit, wait_ms};
use crate::config::{Audience, Config, Kind, LineClass, Lines, NatMix};

/// A node's line and place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Profile {
    pub(crate) role: Role,
    pub(crate) up_bps: u64,
    pub(crate) down_bps: u64,
    pub(crate) region: u8,
    /// One way to the region's exchange.
    pub(crate) last_mile_ms: u64,
    pub(crate) nat: Nat,
    /// What it gives others is wrong.
    pub(crate) is_polluter: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Viewer,
    SuperPeer,
}

/// How a node can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nat {
    Open,
    /// Answers pass from whoever was spoken to: most home routers.
    Cone,
    Symmetric,
    /// No UDP passes.
    Blocked,
}

impl Nat {
    /// Whether two nodes behind these can connect when both try, without a relay (RFC 5128, section 3).
    fn reaches(self, other: Self) -> bool {
        match (self, other) {
            (Self::Blocked, _) | (_, Self::Blocked) => false,
            (Self::Open, _) | (_, Self::Open) | (Self::Cone, Self::Cone) => true,
            (Self::Symmetric, _) | (_, Self::Symmetric) => false,
        }
    }
}

/// What a viewer does and when, in the world's milliseconds.
#[derive(Clone, Debug)]
pub(crate) struct Conduct {
    pub(crate) joins_at_ms: u64,
    pub(crate) leaves_at_ms: Option<u64>,
    pub(crate) crashes: bool,
    pub(crate) rate_milli: u32,
    /// On demand: the first segment.
    pub(crate) first_segment: u64,
    /// Decides when and where to it seeks.
    pub(crate) random: Random,
}

/// Those behind one line of an exchange.
pub(crate) fn profile(config: &Config, number: u64) -> Profile {
    let mut random = stream(config.seed, Purpose::Profile, number);
    let line = line(&config.lines, &mut random);
    let (low, high) = config.lines.last_mile_ms;
    let last_mile_ms = between(&mut random, low, high);
    let region = random.below(usize::from(config.lines.regions.max(1))) as u8;
    let nat = nat(&config.nat, &mut random);
    let is_polluter = unit(&mut random) < config.audience.polluter_share;
    Profile {
        role: Role::Viewer,
        up_bps: line.up_bps.max(1),
        down_bps: line.down_bps.max(1),
        region,
        last_mile_ms,
        nat,
        is_polluter,
    }
}

/// A super-peer stands in a data centre of some region.
pub(crate) fn super_peer(config: &Config, number: u64) -> Profile {
    Profile {
        role: Role::SuperPeer,
        up_bps: config.super_peers.up_bps.max(1),
        down_bps: DATA_CENTRE_BPS,
        region: (number % u64::from(config.lines.regions.max(1))) as u8,
        last_mile_ms: 1,
        nat: Nat::Open,
        is_polluter: false,
    }
}

/// What a server in a data centre takes in.
const DATA_CENTRE_BPS: u64 = 10_000_000_000;

fn line(lines: &Lines, random: &mut Random) -> LineClass {
    let total: u32 = lines.classes.iter().map(|class| class.weight).sum();
    let mut drawn = random.below(total as usize) as u32;
    for class in &lines.classes {
        if drawn < class.weight {
            return *class;
        }
        drawn -= class.weight;
    }
    LineClass {
        weight: 1,
        up_bps: 1,
        down_bps: 1,
    }
}

fn nat(mix: &NatMix, random: &mut Random) -> Nat {
    let drawn = unit(random);
    if drawn < mix.blocked {
        Nat::Blocked
    } else if drawn < mix.blocked + mix.symmetric {
        Nat::Symmetric
    } else if drawn < mix.blocked + mix.symmetric + mix.open {
        Nat::Open
    } else {
        Nat::Cone
    }
}

/// What the viewer with this number does. `joins_at_ms` is given for those who take another one's place.
pub(crate) fn conduct(config: &Config, number: u64, joins_at_ms: Option<u64>) -> Conduct {
    let mut random = stream(config.seed, Purpose::Conduct, number);
    let audience = &config.audience;
    let evenly = audience.join_ms * number / u64::from(audience.viewers.max(1));
    let joins_at_ms = joins_at_ms.unwrap_or(evenly);
    let leaves_at_ms = leaves_at_ms(audience, joins_at_ms, &mut random);
    let crashes = unit(&mut random) < audience.crash_share;
    let is_quick = unit(&mut random) < audience.quick_share;
    let spread = match config.media.kind {
        Kind::OnDemand { segments } => audience.spread_segments.clamp(1, segments.max(1)),
        Kind::Live { .. } => 1,
    };
    Conduct {
        joins_at_ms,
        leaves_at_ms,
        crashes,
        rate_milli: if is_quick { 1_500 } else { 1_000 },
        first_segment: random.below(spread as usize) as u64,
        random,
    }
}

fn leaves_at_ms(audience: &Audience, joins_at_ms: u64, random: &mut Random) -> Option<u64> {
    let of_itself = match audience.stay_ms {
        0 => None,
        mean => Some(joins_at_ms + wait_ms(random, mean).max(1)),
    };
    let with_many = audience.mass_leave.and_then(|mass| {
        (joins_at_ms < mass.at_ms && unit(random) < mass.share).then_some(mass.at_ms)
    });
    of_itself.into_iter().chain(with_many).min()
}

/// Whether two nodes can connect to each other at all.
pub(crate) fn can_connect(
    config: &Config,
    one: (usize, &Profile),
    other: (usize, &Profile),
) -> bool {
    if !one.1.nat.reaches(other.1.nat) {
        return false;
    }
    let viewers = one.1.role == Role::Viewer && other.1.role == Role::Viewer;
    let pair = (one.0.min(other.0) as u64) << 32 | one.0.max(other.0) as u64;
    !viewers || unit(&mut stream(config.seed, Purpose::Pair, pair)) < config.nat.pair_success
}

/// One way between two nodes.
pub(crate) fn distance_ms(lines: &Lines, one: &Profile, other: &Profile) -> u64 {
    let regions = u64::from(one.region.abs_diff(other.region));
    one.last_mile_ms + other.last_mile_ms + regions * lines.far_ms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symmetric_nat_reaches_only_the_open() {
        use Nat::{Blocked, Cone, Open, Symmetric};
        for (one, other, expected) in [
            (Open, Symmetric, true),
            (Cone, Cone, true),
            (Cone, Symmetric, false),
            (Symmetric, Symmetric, false),
            (Open, Blocked, false),
        ] {
            assert_eq!(one.reaches(other), expected, "{one:?} {other:?}");
            assert_eq!(other.reaches(one), expected, "{other:?} {one:?}");
        }
    }

    #[test]
    fn the_part_of_pairs_that_connect_is_as_configured() {
        let mut config = Config::default();
        config.nat.pair_success = 0.6;
        let profiles: Vec<_> = (0..100).map(|it| profile(&config, it)).collect();
        let mut connected = 0;
        for one in 0..100 {
            for other in 0..one {
                let pair = can_connect(&config, (one, &profiles[one]), (other, &profiles[other]));
                connected += u32::from(pair);
            }
        }
        assert!((2_850..3_090).contains(&connected), "{connected} of 4950");
    }
}
