//! What a peer can do, and what it cannot do to others.

use beekeepr_model::PeerId;
use beekeepr_swarm::{Announce, Config, ConnKey, Counts, Holder, PROBE_MS, Refusal, Standing};

use crate::util::{A, B, C, Client, HASH, INTERVAL_MS, OFFER, OTHER_HASH, Tracker, incomplete};

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
    let taken = |probe| Refusal::PeerIdTaken { probe };
    assert_eq!(tracker.announce(thief, &[OFFER]), Err(taken(Some(A.conn))));
    let leave = tracker
        .swarms
        .leave(tracker.now, thief.conn, HASH, A.peer_id);
    assert_eq!(leave, Err(taken(None)), "it is being probed already");
    assert_eq!(
        tracker.announce(B, &[OFFER]),
        Ok(vec![A.conn]),
        "offers still go to the owner"
    );
    tracker.swarms.close(A.conn);
    assert!(tracker.announce(thief, &[]).is_ok(), "the id is free again");
}

#[test]
fn a_connection_is_probed_again_once_it_had_its_time() {
    let mut tracker = Tracker::new();
    tracker.announce(A, &[]).unwrap();
    let other = Client { conn: C.conn, ..A };
    let probes: Vec<_> = (0..3)
        .map(|_| {
            let refusal = tracker.announce(other, &[]);
            tracker.wait(PROBE_MS / 2);
            refusal
        })
        .collect();
    let taken = |probe| Err(Refusal::PeerIdTaken { probe });
    assert_eq!(
        probes,
        [taken(Some(A.conn)), taken(None), taken(Some(A.conn))]
    );
}

#[test]
fn the_holder_of_the_same_token_takes_over_and_nobody_else() {
    let mut tracker = Tracker::introduced();
    let held = |number| Standing {
        holder: Some(Holder(number)),
        ..Standing::default()
    };
    let old = Client {
        conn: ConnKey(7),
        peer_id: PeerId([b'd'; 20]),
    };
    let new = Client {
        conn: ConnKey(8),
        ..old
    };
    tracker.announce_as(HASH, old, held(1), &[]).unwrap();
    for standing in [held(2), Standing::default()] {
        let refused = tracker.announce_as(HASH, new, standing, &[]);
        assert!(matches!(refused, Err(Refusal::PeerIdTaken { .. })));
    }
    tracker.announce_as(HASH, new, held(1), &[]).unwrap();
    assert_eq!(tracker.swarms.peers_of(old.conn), []);
    let met = tracker.announce(B, &[OFFER; 9]).unwrap();
    assert!(met.contains(&new.conn) && !met.contains(&old.conn));
    let refused = tracker.announce_as(HASH, old, held(2), &[]);
    assert!(
        refused.is_err(),
        "the old socket has no more right to it than others"
    );
}

#[test]
fn a_full_connection_takes_nothing_over() {
    let mut tracker = Tracker::with(Config {
        peers_per_connection_max: 1,
        ..Config::default()
    });
    let held = Standing {
        holder: Some(Holder(1)),
        ..Standing::default()
    };
    tracker.announce_as(HASH, A, held, &[]).unwrap();
    tracker.announce(B, &[]).unwrap();
    let full = Client { conn: B.conn, ..A };
    let refused = tracker.announce_as(HASH, full, held, &[]);
    assert_eq!(refused, Err(Refusal::ConnectionFull));
    assert_eq!(tracker.swarms.peers_of(A.conn), [(HASH, A.peer_id)]);
}

#[test]
fn two_players_of_one_token_on_one_socket_are_not_introduced() {
    let mut tracker = Tracker::new();
    let held = Standing {
        holder: Some(Holder(1)),
        ..Standing::default()
    };
    let second = Client { conn: A.conn, ..B };
    tracker.announce_as(HASH, A, held, &[]).unwrap();
    assert_eq!(
        tracker.announce_as(HASH, second, held, &[OFFER]),
        Ok(vec![])
    );
    tracker.announce_as(HASH, C, held, &[]).unwrap();
    let met = tracker.announce_as(HASH, second, held, &[OFFER]);
    assert_eq!(
        met,
        Ok(vec![C.conn]),
        "another socket of the same viewer is another device"
    );
}

#[test]
fn a_standing_that_changes_changes_the_place() {
    let mut tracker = Tracker::new();
    let leech = Standing {
        is_leech: true,
        ..Standing::default()
    };
    tracker.announce(A, &[]).unwrap();
    tracker.announce_as(HASH, A, leech, &[]).unwrap();
    assert_eq!(tracker.announce(B, &[OFFER]), Ok(vec![]));
    tracker.announce(A, &[]).unwrap();
    assert_eq!(tracker.announce(B, &[OFFER]), Ok(vec![A.conn]));
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
        tracker.swarms.leave(tracker.now, A.conn, HASH, A.peer_id),
        Ok(incomplete(1))
    );
    assert_eq!(
        tracker.swarms.leave(tracker.now, A.conn, HASH, A.peer_id),
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
    let late_ms = INTERVAL_MS / 2;
    assert_eq!(tracker.wait(late_ms), 0, "one announce may come late");
    assert_eq!(tracker.announce(B, &[OFFER]), Ok(vec![A.conn]));
    assert_eq!(
        tracker.wait(INTERVAL_MS - late_ms),
        1,
        "within two intervals"
    );
    assert_eq!(tracker.announce(B, &[OFFER]), Ok(vec![]));
    assert_eq!(tracker.swarms.peers_of(A.conn), []);
}

#[test]
fn nobody_is_introduced_to_the_overdue_even_before_the_sweep() {
    let mut tracker = Tracker::new();
    tracker.announce(A, &[]).unwrap();
    tracker.now = tracker.now + 2 * INTERVAL_MS;
    assert_eq!(tracker.announce(B, &[OFFER]), Ok(vec![]));
    let again = Client { conn: C.conn, ..A };
    assert!(tracker.announce(again, &[]).is_ok(), "its id is free");
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
            standing: Standing::default(),
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
