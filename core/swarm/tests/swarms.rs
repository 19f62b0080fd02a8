//! How the swarms treat honest clients, and those that are not.

use beekeepr_model::{InfoHash, OfferId, PeerId, Time};
use beekeepr_swarm::{Announce, Answer, Config, ConnKey, Counts, Refusal, Swarms};
use proptest::prelude::*;

const HASH: InfoHash = InfoHash(*b"hpw5DN1BrHoy/nDyIVbD");
const OTHER_HASH: InfoHash = InfoHash(*b"dWzShRMpT2iw023W5NAw");
const A: Client = Client {
    conn: ConnKey(1),
    peer_id: PeerId([b'a'; 20]),
};
const B: Client = Client {
    conn: ConnKey(2),
    peer_id: PeerId([b'b'; 20]),
};
const C: Client = Client {
    conn: ConnKey(3),
    peer_id: PeerId([b'c'; 20]),
};
const OFFER: OfferId = OfferId([b'o'; 20]);
/// The default interval.
const INTERVAL_MS: u64 = 60_000;

#[derive(Clone, Copy)]
struct Client {
    conn: ConnKey,
    peer_id: PeerId,
}

/// Swarms with a clock, checked after every step.
struct Tracker {
    swarms: Swarms,
    now: Time,
}

impl Tracker {
    fn new() -> Self {
        Self::with(Config::default())
    }

    fn with(config: Config) -> Self {
        let now = Time::from_ms(1_000);
        Self {
            swarms: Swarms::new(config, 1, now),
            now,
        }
    }

    fn wait(&mut self, ms: u64) -> usize {
        self.now = self.now + ms;
        let expired = self.swarms.expire(self.now);
        self.swarms
            .check()
            .expect("invariants should hold after every step");
        expired
    }

    fn announce(&mut self, who: Client, offers: &[OfferId]) -> Result<Vec<ConnKey>, Refusal> {
        self.announce_in(HASH, who, offers)
    }

    fn announce_in(
        &mut self,
        info_hash: InfoHash,
        who: Client,
        offers: &[OfferId],
    ) -> Result<Vec<ConnKey>, Refusal> {
        let mut targets = Vec::new();
        let announce = Announce {
            info_hash,
            peer_id: who.peer_id,
            has_all: false,
            offers,
        };
        let result = self
            .swarms
            .announce(self.now, who.conn, &announce, &mut targets);
        self.swarms
            .check()
            .expect("invariants should hold after every step");
        result.map(|_| targets)
    }

    fn answer(&mut self, who: Client, to: Client) -> Result<ConnKey, Refusal> {
        let answer = Answer {
            info_hash: HASH,
            peer_id: who.peer_id,
            to_peer_id: to.peer_id,
            offer_id: OFFER,
        };
        self.swarms.answer(self.now, who.conn, &answer)
    }

    /// B is there, A offers to it.
    fn introduced() -> Self {
        let mut tracker = Self::new();
        tracker
            .announce(B, &[])
            .expect("an empty tracker should take anybody");
        assert_eq!(tracker.announce(A, &[OFFER]), Ok(vec![B.conn]));
        tracker
    }

    fn count(&self) -> Counts {
        self.swarms.counts(HASH)
    }
}

fn incomplete(incomplete: u32) -> Counts {
    Counts {
        complete: 0,
        incomplete,
    }
}

#[test]
fn offers_go_to_others_of_the_same_swarm() {
    let mut tracker = Tracker::new();
    assert_eq!(tracker.announce(A, &[OFFER; 5]), Ok(vec![]));
    tracker.announce_in(OTHER_HASH, C, &[]).unwrap();
    assert_eq!(tracker.announce(B, &[OFFER; 5]), Ok(vec![A.conn]));
    assert_eq!(tracker.count(), incomplete(2));
}

#[test]
fn two_peers_on_one_connection_meet_each_other() {
    let mut tracker = Tracker::new();
    tracker.announce(A, &[]).unwrap();
    let second = Client {
        conn: A.conn,
        peer_id: B.peer_id,
    };
    assert_eq!(tracker.announce(second, &[OFFER]), Ok(vec![A.conn]));
}

#[test]
fn an_answer_goes_back_to_the_offerer_once() {
    let mut tracker = Tracker::introduced();
    assert_eq!(tracker.answer(B, A), Ok(A.conn));
    assert_eq!(tracker.answer(B, A), Err(Refusal::OfferUnknown));
}

#[test]
fn only_the_connection_that_was_offered_can_answer() {
    let mut tracker = Tracker::introduced();
    tracker.announce(C, &[]).unwrap();
    assert_eq!(tracker.answer(C, A), Err(Refusal::OfferUnknown));
    let forger = Client {
        conn: C.conn,
        peer_id: B.peer_id,
    };
    assert_eq!(tracker.answer(forger, A), Err(Refusal::OfferUnknown));
    assert_eq!(tracker.answer(B, C), Err(Refusal::OfferUnknown));
    assert_eq!(
        tracker.answer(B, A),
        Ok(A.conn),
        "forgeries must not use the offer up"
    );
}

#[test]
fn an_answer_can_come_too_late() {
    let mut tracker = Tracker::introduced();
    tracker.wait(59_000);
    tracker.announce(A, &[]).unwrap();
    tracker.announce(B, &[]).unwrap();
    tracker.wait(2_000);
    assert_eq!(tracker.answer(B, A), Err(Refusal::OfferUnknown));
}

#[test]
fn nobody_answers_for_a_peer_that_came_back() {
    let mut tracker = Tracker::introduced();
    tracker.swarms.close(A.conn);
    let again = Client {
        conn: ConnKey(9),
        ..A
    };
    tracker.announce(again, &[]).unwrap();
    assert_eq!(tracker.answer(B, A), Err(Refusal::OfferUnknown));
}

#[test]
fn a_peer_id_belongs_to_its_connection_while_that_lives() {
    let mut tracker = Tracker::new();
    tracker.announce(A, &[]).unwrap();
    let thief = Client { conn: C.conn, ..A };
    let taken = Refusal::PeerIdTaken { holder: A.conn };
    assert_eq!(tracker.announce(thief, &[OFFER]), Err(taken));
    assert_eq!(
        tracker.swarms.leave(thief.conn, HASH, A.peer_id),
        Err(taken)
    );
    assert_eq!(
        tracker.announce(B, &[OFFER]),
        Ok(vec![A.conn]),
        "offers still go to the owner"
    );
    tracker.swarms.close(A.conn);
    assert!(tracker.announce(thief, &[]).is_ok(), "the id is free again");
}

#[test]
fn the_same_peer_id_in_another_swarm_is_another_peer() {
    let mut tracker = Tracker::new();
    tracker.announce(A, &[]).unwrap();
    let other = Client { conn: C.conn, ..A };
    assert!(tracker.announce_in(OTHER_HASH, other, &[]).is_ok());
    assert_eq!(tracker.announce(B, &[OFFER]), Ok(vec![A.conn]));
}

#[test]
fn closing_removes_all_peers_of_a_connection() {
    let mut tracker = Tracker::new();
    tracker.announce(A, &[]).unwrap();
    tracker.announce(Client { conn: A.conn, ..B }, &[]).unwrap();
    tracker.announce_in(OTHER_HASH, A, &[]).unwrap();
    tracker.announce(C, &[]).unwrap();
    tracker.swarms.close(A.conn);
    tracker.swarms.check().unwrap();
    assert_eq!((tracker.swarms.swarms(), tracker.swarms.peers()), (1, 1));
}

#[test]
fn leaving_removes_one_peer_and_leaving_again_nothing() {
    let mut tracker = Tracker::new();
    tracker.announce(A, &[]).unwrap();
    tracker.announce(B, &[]).unwrap();
    assert_eq!(
        tracker.swarms.leave(A.conn, HASH, A.peer_id),
        Ok(incomplete(1))
    );
    assert_eq!(
        tracker.swarms.leave(A.conn, HASH, A.peer_id),
        Ok(incomplete(1))
    );
    assert_eq!(tracker.swarms.peers_of(A.conn), []);
}

#[test]
fn a_peer_is_forgotten_after_two_missed_announces() {
    let mut tracker = Tracker::new();
    tracker.announce(A, &[]).unwrap();
    tracker.announce(B, &[]).unwrap();
    tracker.wait(INTERVAL_MS);
    tracker.announce(B, &[]).unwrap();
    assert_eq!(tracker.wait(INTERVAL_MS), 0, "one announce may come late");
    tracker.announce(B, &[]).unwrap();
    assert_eq!(tracker.wait(INTERVAL_MS), 1);
    assert_eq!(tracker.announce(B, &[OFFER]), Ok(vec![]));
    assert_eq!(tracker.swarms.peers_of(A.conn), []);
}

#[test]
fn who_has_everything_keeps_it() {
    let mut tracker = Tracker::new();
    let mut announce = |has_all| {
        let announce = Announce {
            info_hash: HASH,
            peer_id: A.peer_id,
            has_all,
            offers: &[],
        };
        tracker
            .swarms
            .announce(tracker.now, A.conn, &announce, &mut Vec::new())
    };
    announce(true).unwrap();
    assert_eq!(
        announce(false),
        Ok(Counts {
            complete: 1,
            incomplete: 0
        })
    );
}

#[test]
fn every_limit_refuses_newcomers_only() {
    let config = Config {
        swarms_max: 1,
        peers_per_swarm_max: 2,
        peers_per_connection_max: 1,
        ..Config::default()
    };
    let mut tracker = Tracker::with(config);
    tracker.announce(A, &[]).unwrap();
    assert_eq!(
        tracker.announce_in(OTHER_HASH, B, &[]),
        Err(Refusal::SwarmsFull)
    );
    let second = Client { conn: A.conn, ..B };
    assert_eq!(tracker.announce(second, &[]), Err(Refusal::ConnectionFull));
    tracker.announce(B, &[]).unwrap();
    assert_eq!(tracker.announce(C, &[]), Err(Refusal::SwarmFull));
    assert_eq!(tracker.announce(A, &[OFFER]), Ok(vec![B.conn]));
}

#[derive(Clone, Debug)]
enum Step {
    Announce(u64, u8, u8, usize),
    Answer(u64, u8, u8, u8),
    Leave(u64, u8, u8),
    Close(u64),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let (conn, hash, peer) = (0..6u64, 0..3u8, 0..6u8);
    let who = || (conn.clone(), hash.clone(), peer.clone());
    prop_oneof![
        4 => (who(), 0..4usize).prop_map(|((c, h, p), n)| Step::Announce(c, h, p, n)),
        2 => (who(), peer.clone()).prop_map(|((c, h, p), to)| Step::Answer(c, h, p, to)),
        1 => who().prop_map(|(c, h, p)| Step::Leave(c, h, p)),
        1 => conn.clone().prop_map(Step::Close),
        1 => (0..2 * INTERVAL_MS).prop_map(Step::Wait),
    ]
}

/// Half of the peers are super-peers.
fn peer_id(number: u8) -> PeerId {
    let mut bytes = [number; 20];
    bytes[..3].copy_from_slice(if number.is_multiple_of(2) {
        b"-BS"
    } else {
        b"-BK"
    });
    PeerId(bytes)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_clients_do_the_invariants_hold(steps in prop::collection::vec(step(), 1..80)) {
        let config = Config {
            peers_per_swarm_max: 4,
            peers_per_connection_max: 4,
            offers_pending_max: 6,
            ..Config::default()
        };
        let mut tracker = Tracker::with(config);
        for step in steps {
            match step {
                Step::Announce(conn, hash, peer, offers) => {
                    let who = Client { conn: ConnKey(conn), peer_id: peer_id(peer) };
                    let offers = vec![OFFER; offers];
                    let targets = tracker.announce_in(InfoHash([hash; 20]), who, &offers);
                    prop_assert!(targets.is_err() || targets.unwrap().len() <= offers.len());
                }
                Step::Answer(conn, hash, peer, to) => {
                    let (peer_id, to_peer_id) = (peer_id(peer), peer_id(to));
                    let info_hash = InfoHash([hash; 20]);
                    let answer = Answer { info_hash, peer_id, to_peer_id, offer_id: OFFER };
                    if let Ok(target) = tracker.swarms.answer(tracker.now, ConnKey(conn), &answer) {
                        let known = tracker.swarms.peers_of(target);
                        prop_assert!(known.contains(&(info_hash, to_peer_id)));
                        let own = tracker.swarms.peers_of(ConnKey(conn));
                        prop_assert!(own.contains(&(info_hash, peer_id)));
                    }
                }
                Step::Leave(conn, hash, peer) => {
                    let info_hash = InfoHash([hash; 20]);
                    let _ = tracker.swarms.leave(ConnKey(conn), info_hash, peer_id(peer));
                }
                Step::Close(conn) => {
                    tracker.swarms.close(ConnKey(conn));
                    prop_assert_eq!(tracker.swarms.peers_of(ConnKey(conn)), []);
                }
                Step::Wait(ms) => {
                    tracker.wait(ms);
                }
            }
            tracker.swarms.check().map_err(TestCaseError::fail)?;
        }
        (0..6).for_each(|conn| tracker.swarms.close(ConnKey(conn)));
        prop_assert_eq!((tracker.swarms.swarms(), tracker.swarms.peers()), (0, 0));
    }
}
