//! Thousands of random steps, beside a far simpler tracker.

use std::collections::{HashMap, HashSet};

use beekeepr_model::{InfoHash, PeerId, Time};
use beekeepr_swarm::{Answer, Config, ConnKey, Holder, Network, Place, Privacy, Role, Standing};
use proptest::prelude::*;

use crate::util::{Client, INTERVAL_MS, OFFER, Tracker};

#[derive(Clone, Copy, Debug)]
enum Step {
    Announce(u64, u8, u8, usize, Standing),
    Answer(u64, u8, u8, u8),
    Leave(u64, u8, u8),
    Close(u64),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let (conn, hash, peer) = (0..6u64, 0..3u8, 0..6u8);
    let who = || (conn.clone(), hash.clone(), peer.clone());
    prop_oneof![
        4 => (who(), 0..4usize, standing())
            .prop_map(|((c, h, p), n, s)| Step::Announce(c, h, p, n, s)),
        2 => (who(), peer.clone()).prop_map(|((c, h, p), to)| Step::Answer(c, h, p, to)),
        1 => who().prop_map(|(c, h, p)| Step::Leave(c, h, p)),
        1 => conn.clone().prop_map(Step::Close),
        1 => (0..2 * INTERVAL_MS).prop_map(Step::Wait),
    ]
}

fn standing() -> impl Strategy<Value = Standing> {
    let small = || prop::option::of(0..3u8);
    let flags = (
        any::<bool>(),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.2),
    );
    (flags, (small(), small(), small())).prop_map(|((is_super, is_leech, is_private), places)| {
        let (holder, network, group) = places;
        Standing {
            role: if is_super {
                Role::SuperPeer
            } else {
                Role::Viewer
            },
            is_leech,
            privacy: if is_private {
                Privacy::SuperPeerOnly
            } else {
                Privacy::Mesh
            },
            holder: holder.map(|it| Holder(it.into())),
            place: Place {
                network: network.map(|it| Network::of([10, 0, it, 1].into())),
                group: group.map(u16::from),
                asn: network.map(u32::from),
                country: group.map(|it| [b'A', b'A' + it]),
            },
        }
    })
}

fn peer_id(number: u8) -> PeerId {
    PeerId([number; 20])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_clients_do_the_invariants_hold(steps in prop::collection::vec(step(), 1..200)) {
        let config = Config {
            peers_per_swarm_max: 5,
            peers_per_connection_max: 6,
            offers_pending_max: 6,
            ..Config::default()
        };
        let mut world = World::new(config);
        for step in steps {
            world.take(step)?;
        }
        (0..6).for_each(|conn| world.tracker.swarms.close(ConnKey(conn)));
        let swarms = &world.tracker.swarms;
        prop_assert_eq!((swarms.swarms(), swarms.peers()), (0, 0));
    }
}

/// A tracker, and what a far simpler one knows of it.
struct World {
    tracker: Tracker,
    /// Who is in which swarm, with what, since when.
    members: HashMap<(u8, u8), (u64, Standing, Time)>,
    /// Which offers were handed to whom: swarm, from, to, at connections.
    handed: HashSet<(u8, u8, u8)>,
}

impl World {
    fn new(config: Config) -> Self {
        Self {
            tracker: Tracker::with(config),
            members: HashMap::new(),
            handed: HashSet::new(),
        }
    }

    fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Announce(conn, hash, peer, offers, standing) => {
                self.announce(conn, hash, peer, offers, standing)?;
            }
            Step::Answer(conn, hash, peer, to) => self.answer(conn, hash, peer, to)?,
            Step::Leave(conn, hash, peer) => {
                let hash_id = InfoHash([hash; 20]);
                let now = self.tracker.now;
                let left = self
                    .tracker
                    .swarms
                    .leave(now, ConnKey(conn), hash_id, peer_id(peer));
                let holder = self.members.get(&(hash, peer)).map(|it| it.0);
                prop_assert_eq!(left.is_ok(), holder.is_none_or(|it| it == conn));
                if left.is_ok() {
                    self.forget(|key, _| *key == (hash, peer));
                }
            }
            Step::Close(conn) => {
                self.tracker.swarms.close(ConnKey(conn));
                self.forget(|_, member| member.0 == conn);
                prop_assert_eq!(self.tracker.swarms.peers_of(ConnKey(conn)), []);
            }
            Step::Wait(ms) => {
                self.tracker.wait(ms);
                let now = self.tracker.now;
                let known: HashSet<(u8, u8)> = self.known();
                for (key, (_, _, seen)) in &self.members {
                    let silent_ms = now.since_ms(*seen);
                    if silent_ms >= 2 * INTERVAL_MS {
                        prop_assert!(!known.contains(key), "a ghost of {} ms", silent_ms);
                    } else if silent_ms <= INTERVAL_MS {
                        prop_assert!(known.contains(key), "forgotten after {} ms", silent_ms);
                    }
                }
                self.forget(|key, _| !known.contains(key));
            }
        }
        self.tracker.swarms.check().map_err(TestCaseError::fail)
    }

    fn announce(
        &mut self,
        conn: u64,
        hash: u8,
        peer: u8,
        offers: usize,
        standing: Standing,
    ) -> Result<(), TestCaseError> {
        let who = Client {
            conn: ConnKey(conn),
            peer_id: peer_id(peer),
        };
        let offers = vec![OFFER; offers];
        let announced = self
            .tracker
            .announce_as(InfoHash([hash; 20]), who, standing, &offers);
        let before = self.members.get(&(hash, peer)).copied();
        let Ok(targets) = announced else {
            return Ok(());
        };
        if let Some((holder, old, seen)) = before
            && holder != conn
        {
            let is_proven = old.holder.is_some() && old.holder == standing.holder;
            let silent_ms = self.tracker.now.since_ms(seen);
            prop_assert!(is_proven || silent_ms > INTERVAL_MS, "an id was taken");
            self.forget(|key, _| *key == (hash, peer));
        }
        self.members
            .insert((hash, peer), (conn, standing, self.tracker.now));
        prop_assert!(targets.len() <= offers.len());
        let mut candidates: Vec<(u8, u64)> = self
            .members
            .iter()
            .filter(|((h, p), (_, other, _))| {
                *h == hash && *p != peer && may_meet(&standing, other)
            })
            .map(|((_, p), (conn, _, _))| (*p, *conn))
            .collect();
        for target in targets {
            let at = candidates
                .iter()
                .position(|(_, conn)| ConnKey(*conn) == target);
            prop_assert!(at.is_some(), "somebody was met who should not have been");
            // Which of a connection's peers was meant is not told, so all may answer here.
            for (other, other_conn) in candidates.clone() {
                if ConnKey(other_conn) == target {
                    self.handed.insert((hash, peer, other));
                }
            }
            candidates.remove(at.unwrap_or_default());
        }
        Ok(())
    }

    fn answer(&mut self, conn: u64, hash: u8, peer: u8, to: u8) -> Result<(), TestCaseError> {
        let answer = Answer {
            info_hash: InfoHash([hash; 20]),
            peer_id: peer_id(peer),
            to_peer_id: peer_id(to),
            offer_id: OFFER,
        };
        let (swarms, now) = (&mut self.tracker.swarms, self.tracker.now);
        if let Ok(target) = swarms.answer(now, ConnKey(conn), &answer) {
            prop_assert!(self.handed.contains(&(hash, to, peer)), "nobody offered");
            let holder = |peer| self.members.get(&(hash, peer)).map(|it| ConnKey(it.0));
            prop_assert_eq!(holder(to), Some(target));
            prop_assert_eq!(holder(peer), Some(ConnKey(conn)));
        }
        Ok(())
    }

    fn known(&self) -> HashSet<(u8, u8)> {
        let peers = (0..6).flat_map(|conn| self.tracker.swarms.peers_of(ConnKey(conn)));
        peers.map(|(hash, peer)| (hash.0[0], peer.0[0])).collect()
    }

    /// Members leave, and all offers from and to them with them.
    fn forget(&mut self, goes: impl Fn(&(u8, u8), &(u64, Standing, Time)) -> bool) {
        let gone: Vec<(u8, u8)> = self
            .members
            .iter()
            .filter(|(key, member)| goes(key, member))
            .map(|(key, _)| *key)
            .collect();
        for (hash, peer) in gone {
            self.members.remove(&(hash, peer));
            self.handed
                .retain(|it| it.0 != hash || (it.1 != peer && it.2 != peer));
        }
    }
}

/// Who may see whose address.
fn may_meet(asker: &Standing, other: &Standing) -> bool {
    let is_private = |it: &Standing| it.privacy == Privacy::SuperPeerOnly;
    match (asker.role, other.role) {
        (Role::SuperPeer, Role::SuperPeer) => false,
        (Role::SuperPeer, Role::Viewer) | (Role::Viewer, Role::SuperPeer) => true,
        (Role::Viewer, Role::Viewer) => !is_private(asker) && !is_private(other) && !other.is_leech,
    }
}
