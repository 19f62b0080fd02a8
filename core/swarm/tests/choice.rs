//! Whom viewers are introduced to: measured over many introductions from fixed seeds.

#![cfg(test)]

use beekeepr_model::{InfoHash, OfferId, PeerId, Time};
use beekeepr_swarm::{Announce, Config, ConnKey, Network, Place, Privacy, Role, Standing, Swarms};

const HASH: InfoHash = InfoHash([7; 20]);
const NOW: Time = Time::from_ms(1_000);
/// Who asks.
const ASKER: u32 = u32::MAX;

/// A swarm of numbered peers.
struct Crowd {
    swarms: Swarms,
    members: u32,
}

impl Crowd {
    fn new(config: Config) -> Self {
        Self {
            swarms: Swarms::new(config, 1, NOW),
            members: 0,
        }
    }

    fn with(mut self, count: u32, standing: impl Fn(u32) -> Standing) -> Self {
        for number in self.members..self.members + count {
            self.announce(number, standing(number), 0);
        }
        self.members += count;
        self
    }

    fn announce(&mut self, number: u32, standing: Standing, offers: usize) -> Vec<u32> {
        let mut peer_id = [b'x'; 20];
        peer_id[..4].copy_from_slice(&number.to_be_bytes());
        let announce = Announce {
            info_hash: HASH,
            peer_id: PeerId(peer_id),
            has_all: false,
            standing,
            offers: &vec![OfferId([1; 20]); offers],
        };
        let mut targets = Vec::new();
        let conn = ConnKey(number.into());
        self.swarms
            .announce(NOW, conn, &announce, &mut targets)
            .expect("there should be room");
        let mut met: Vec<u32> = targets.iter().map(|conn| conn.0 as u32).collect();
        let all = met.len();
        met.sort_unstable();
        met.dedup();
        assert_eq!(met.len(), all, "nobody gets two offers");
        assert!(!met.contains(&number), "nobody meets itself");
        met
    }

    /// How often each member is met in so many rounds.
    fn rounds(&mut self, rounds: usize, standing: Standing, offers: usize) -> Vec<usize> {
        let mut counts = vec![0; self.members as usize];
        for _ in 0..rounds {
            for met in self.announce(ASKER, standing, offers) {
                counts[met as usize] += 1;
            }
        }
        counts
    }
}

fn viewer(_: u32) -> Standing {
    Standing::default()
}

fn super_peer(_: u32) -> Standing {
    Standing {
        role: Role::SuperPeer,
        ..Standing::default()
    }
}

fn at(network: [u8; 3]) -> Standing {
    let [a, b, c] = network;
    let network = Some(Network::of([a, b, c, 1].into()));
    Standing {
        place: Place {
            network,
            ..Place::default()
        },
        ..Standing::default()
    }
}

/// Each in a network of its own.
fn scattered(number: u32) -> Standing {
    let [_, a, b, c] = (number + 1).to_be_bytes();
    at([a, b, c])
}

fn sum(counts: &[usize]) -> usize {
    counts.iter().sum()
}

#[test]
fn everybody_is_equally_likely() {
    for standing in [viewer, scattered] {
        let counts =
            Crowd::new(Config::default())
                .with(100, standing)
                .rounds(10_000, standing(5_000), 5);
        // 500 each; the deviation allowed is five times the standard one (22).
        assert!(
            counts.iter().all(|&count| count.abs_diff(500) < 110),
            "{counts:?}"
        );
    }
}

#[test]
fn a_small_swarm_is_met_whole() {
    let mut crowd = Crowd::new(Config::default())
        .with(9, viewer)
        .with(1, super_peer);
    assert_eq!(crowd.rounds(1, viewer(0), 20), [1; 10]);
    assert_eq!(crowd.rounds(1, viewer(0), 0), [0; 10]);
}

#[test]
fn one_place_is_kept_for_a_super_peer() {
    let mut crowd = Crowd::new(Config::default())
        .with(1_000, viewer)
        .with(2, super_peer);
    let counts = crowd.rounds(1_000, viewer(0), 3);
    let super_peers = sum(&counts[1_000..]);
    assert!((1_000..1_050).contains(&super_peers), "{super_peers}");
    assert_eq!(sum(&counts), 3_000);
}

#[test]
fn as_many_places_are_kept_as_configured() {
    let config = Config {
        super_peer_places: 2,
        ..Config::default()
    };
    let mut crowd = Crowd::new(config).with(1_000, viewer).with(5, super_peer);
    let super_peers = sum(&crowd.rounds(100, viewer(0), 5)[1_000..]);
    assert!((200..230).contains(&super_peers), "{super_peers}");
}

#[test]
fn super_peers_meet_every_viewer_and_no_super_peer() {
    let leech = |_| Standing {
        is_leech: true,
        ..Standing::default()
    };
    let mut crowd = Crowd::new(Config::default())
        .with(5, super_peer)
        .with(3, viewer)
        .with(2, leech);
    let counts = crowd.rounds(1, super_peer(0), 20);
    assert_eq!(counts, [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
}

#[test]
fn leeches_meet_others_and_are_not_met() {
    let leech = |_| Standing {
        is_leech: true,
        ..Standing::default()
    };
    let mut crowd = Crowd::new(Config::default())
        .with(3, viewer)
        .with(1, super_peer)
        .with(4, leech);
    let expected = [1, 1, 1, 1, 0, 0, 0, 0];
    assert_eq!(crowd.rounds(1, viewer(0), 20), expected);
    assert_eq!(crowd.rounds(1, leech(0), 20), expected);
}

#[test]
fn private_viewers_and_other_viewers_never_meet() {
    let private = |_| Standing {
        privacy: Privacy::SuperPeerOnly,
        ..Standing::default()
    };
    let mut crowd = Crowd::new(Config::default())
        .with(3, viewer)
        .with(1, super_peer)
        .with(3, private);
    assert_eq!(crowd.rounds(1, private(0), 20), [0, 0, 0, 1, 0, 0, 0]);
    assert_eq!(crowd.rounds(1, viewer(0), 20), [1, 1, 1, 1, 0, 0, 0]);
    assert_eq!(crowd.rounds(1, super_peer(0), 20), [1, 1, 1, 0, 1, 1, 1]);
}

/// In the group or system or country of this number.
fn near(ring: &str, number: u8, network: u32) -> Standing {
    let mut standing = scattered(network);
    match ring {
        "group" => standing.place.group = Some(number.into()),
        "asn" => standing.place.asn = Some(number.into()),
        _ => standing.place.country = Some([b'A', number]),
    }
    standing
}

#[test]
fn the_near_are_met_first_and_found_among_many() {
    for ring in ["group", "asn", "country"] {
        let config = Config {
            crowd_percent_max: 100,
            ..Config::default()
        };
        let mut crowd = Crowd::new(config)
            .with(3_000, |number| near(ring, 1, number))
            .with(3, |number| near(ring, 2, number));
        let counts = crowd.rounds(100, near(ring, 2, 9_000), 5);
        assert_eq!(counts[3_000..], [100; 3], "{ring}");
        assert_eq!(sum(&counts), 500, "{ring}: the other places are for all");
    }
}

#[test]
fn the_group_comes_before_the_system_and_that_before_the_country() {
    let everything = |group: u16, asn, country, number| {
        let mut standing = scattered(number);
        standing.place.group = Some(group);
        standing.place.asn = Some(asn);
        standing.place.country = Some([b'A', country]);
        standing
    };
    let config = Config {
        crowd_percent_max: 100,
        ..Config::default()
    };
    let mut crowd = Crowd::new(config)
        .with(50, |number| everything(2, 2, 2, number))
        .with(2, |number| everything(2, 2, 1, number))
        .with(2, |number| everything(2, 1, 1, number))
        .with(2, |number| everything(1, 1, 1, number));
    let asker = everything(1, 1, 1, 9_000);
    for (wanted, expected) in [(2, [0, 0, 2]), (4, [0, 2, 2]), (6, [2, 2, 2])] {
        let counts = crowd.rounds(1, asker, wanted);
        let met = [
            sum(&counts[50..52]),
            sum(&counts[52..54]),
            sum(&counts[54..]),
        ];
        assert_eq!(met, expected);
    }
}

#[test]
fn one_networks_many_peers_do_not_surround_anybody() {
    // 990 peers of one block among 10 others.
    let mut crowd = Crowd::new(Config::default())
        .with(990, |_| at([10, 0, 0]))
        .with(10, scattered);
    for round in 0..200 {
        let met = crowd.announce(ASKER, scattered(9_000), 5);
        let many = met.iter().filter(|&&it| it < 990).count();
        assert!(many <= 3, "round {round}: {many} of one network");
        assert_eq!(met.len(), 5);
    }
}

#[test]
fn one_groups_many_peers_do_not_surround_anybody() {
    let mut crowd = Crowd::new(Config::default())
        .with(100, |number| near("group", 1, number))
        .with(100, scattered);
    for _ in 0..200 {
        let met = crowd.announce(ASKER, near("group", 1, 9_000), 5);
        assert_eq!(met.iter().filter(|&&it| it < 100).count(), 3);
    }
}

#[test]
fn where_everybody_is_in_one_network_they_all_meet() {
    let mut crowd = Crowd::new(Config::default()).with(6, |_| at([10, 0, 0]));
    assert_eq!(crowd.rounds(1, at([10, 0, 0]), 6), [1; 6]);
    let mut crowd = crowd.with(1, scattered);
    assert_eq!(
        crowd.rounds(1, at([10, 0, 0]), 7),
        [1; 7],
        "the guard gives way"
    );
}

#[test]
fn one_seed_gives_one_choice() {
    let choose = || {
        Crowd::new(Config::default())
            .with(500, scattered)
            .rounds(50, scattered(9_000), 5)
    };
    assert_eq!(choose(), choose());
}
