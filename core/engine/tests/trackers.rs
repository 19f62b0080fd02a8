//! Announces, several trackers, and their tokens.

mod bench;

use beekeepr_engine::{
    Config, ConnKey, Input, ListedSegment, Output, Role, TrackerKey, TrackerMessage,
    read_tracker_text,
};
use beekeepr_model::{PeerId, SegmentId};

use bench::{Bench, FOREIGN, STREAM};

const FIRST: TrackerKey = TrackerKey(0);
const SECOND: TrackerKey = TrackerKey(1);
const OURS: PeerId = PeerId(*b"-BK0001-zzzzzzzzzzzz");

/// A super-peer with as many trackers, whose sockets are open.
fn super_peer(trackers: u32) -> Bench {
    let config = Config {
        role: Role::SuperPeer,
        trackers,
        ..Config::default()
    };
    let mut bench = Bench::new(config);
    for tracker in 0..trackers {
        bench.input(Input::TrackerOpened(TrackerKey(tracker)));
    }
    bench
}

fn hears(bench: &mut Bench, tracker: TrackerKey, text: &str) {
    let message = &read_tracker_text(text.as_bytes());
    bench.input(Input::TrackerMessage { tracker, message });
}

fn replies(bench: &mut Bench, tracker: TrackerKey, others: u32) {
    let all = others + 1;
    let text = format!(
        r#"{{"action":"announce","info_hash":"swarmswarmswarmswarm","interval":120,"complete":0,"incomplete":{all}}}"#
    );
    hears(bench, tracker, &text);
}

/// `peer` offers over a tracker.
fn offers(bench: &mut Bench, tracker: TrackerKey, peer: PeerId) {
    let id: String = peer.chars().collect();
    let text = format!(
        r#"{{"action":"announce","info_hash":"swarmswarmswarmswarm","peer_id":"{id}",
            "offer_id":"offerofferofferoffe{}","offer":{{"type":"offer","sdp":"v=0"}}}}"#,
        tracker.0
    );
    hears(bench, tracker, &text);
}

fn accepted(bench: &Bench) -> Vec<ConnKey> {
    let accepts = bench.outputs.iter().filter_map(|output| match output {
        Output::OfferAccept { conn, .. } => Some(*conn),
        _ => None,
    });
    accepts.collect()
}

/// The announces on a tracker so far: how many offers, and whether with the token.
fn announces(bench: &Bench, on: TrackerKey) -> Vec<(usize, bool)> {
    let announces = bench.outputs.iter().filter_map(|output| match output {
        Output::TrackerSend {
            tracker,
            message: TrackerMessage::Announce {
                offers, with_token, ..
            },
        } if *tracker == on => Some((offers.len(), *with_token)),
        _ => None,
    });
    announces.collect()
}

/// Completes every offer that was asked for.
fn make_offers(bench: &mut Bench) {
    let wanted = bench.outputs.iter().filter_map(|output| match output {
        Output::OfferCreate(conn) => Some(*conn),
        _ => None,
    });
    let wanted: Vec<ConnKey> = wanted.collect();
    for conn in wanted {
        bench.input(Input::OfferReady { conn, sdp: "v=0" });
    }
}

fn answers(bench: &mut Bench, tracker: TrackerKey, peer: PeerId) -> Option<ConnKey> {
    let offer = bench.outputs.iter().rev().find_map(|output| match output {
        Output::TrackerSend {
            message: TrackerMessage::Announce { offers, .. },
            ..
        } => offers.first().cloned(),
        _ => None,
    });
    let (offer_id, _) = offer.expect("an offer is out");
    let (id, offer_id): (String, String) = (peer.chars().collect(), offer_id.chars().collect());
    let text = serde_json::json!({
        "action": "announce", "info_hash": "swarmswarmswarmswarm", "peer_id": id,
        "offer_id": offer_id, "answer": { "type": "answer", "sdp": "v=0" },
    });
    hears(bench, tracker, &text.to_string());
    bench.outputs.iter().find_map(|output| match output {
        Output::AnswerAccept { conn, .. } => Some(*conn),
        _ => None,
    })
}

#[test]
fn a_viewer_who_offers_over_two_trackers_is_connected_once() {
    for viewer in [FOREIGN, OURS] {
        let mut bench = super_peer(2);
        offers(&mut bench, FIRST, viewer);
        offers(&mut bench, SECOND, viewer);
        assert_eq!(accepted(&bench).len(), 1, "{viewer}");
    }
}

#[test]
fn a_viewer_of_ours_met_over_both_trackers_at_once_keeps_one_connection() {
    let mut bench = super_peer(2);
    replies(&mut bench, FIRST, 1);
    make_offers(&mut bench);
    let made = answers(&mut bench, FIRST, OURS).expect("the answer is taken");
    offers(&mut bench, SECOND, OURS);
    let open = accepted(&bench);
    let closed = |conn: &ConnKey| bench.saw(&Output::ConnClose(*conn));
    let left = open.iter().chain([&made]).filter(|conn| !closed(conn));
    assert_eq!(left.count(), 1);
}

#[test]
fn a_super_peer_asks_first_then_offers_then_asks_rarely_where_nobody_answers() {
    let mut bench = super_peer(1);
    assert_eq!(announces(&bench, FIRST), [(0, false)]);
    replies(&mut bench, FIRST, 9);
    make_offers(&mut bench);
    assert_eq!(announces(&bench, FIRST)[1..], [(5, false)]);
    replies(&mut bench, FIRST, 9);
    bench.outputs.clear();
    for _ in 0..120 {
        bench.wait_ms(1_000);
        make_offers(&mut bench);
    }
    assert_eq!(announces(&bench, FIRST), [(1, false)]);
}

#[test]
fn where_offers_are_answered_there_are_as_many_again() {
    let mut bench = super_peer(1);
    replies(&mut bench, FIRST, 9);
    make_offers(&mut bench);
    let conn = answers(&mut bench, FIRST, FOREIGN).expect("the answer is taken");
    bench.input(Input::ChannelOpened(conn));
    replies(&mut bench, FIRST, 9);
    bench.outputs.clear();
    for _ in 0..120 {
        bench.wait_ms(1_000);
        make_offers(&mut bench);
    }
    assert_eq!(announces(&bench, FIRST), [(5, false)]);
}

#[test]
fn an_empty_swarm_is_never_sent_offers() {
    let mut bench = super_peer(1);
    for _ in 0..5 {
        replies(&mut bench, FIRST, 0);
        bench.wait_ms(120_000);
    }
    assert!(announces(&bench, FIRST).len() >= 5);
    assert!(announces(&bench, FIRST).iter().all(|it| *it == (0, false)));
}

/// Many swarms that began at the same moment do not stay in step.
#[test]
fn announces_come_up_to_an_eighth_before_their_time() {
    let mut seen = Vec::new();
    let mut bench = super_peer(1);
    for _ in 0..20 {
        replies(&mut bench, FIRST, 0);
        let (from, before) = (bench.now, announces(&bench, FIRST).len());
        while announces(&bench, FIRST).len() == before {
            bench.wait_ms(100);
        }
        seen.push(bench.now.since_ms(from));
    }
    assert!(
        seen.iter().all(|ms| (104_000..=121_500).contains(ms)),
        "{seen:?}"
    );
    let (least, most) = (seen.iter().min(), seen.iter().max());
    assert!(
        most.zip(least)
            .is_some_and(|(most, least)| most - least > 5_000),
        "{seen:?}"
    );
}

#[test]
fn a_tracker_that_hangs_up_on_us_is_asked_ever_more_rarely() {
    let mut bench = super_peer(1);
    let mut tries = 0;
    for _ in 0..3_000 {
        if bench.outputs.contains(&Output::TrackerConnect(FIRST)) {
            bench.outputs.clear();
            tries += 1;
            bench.input(Input::TrackerOpened(FIRST));
            bench.input(Input::TrackerClosed(FIRST));
        }
        bench.wait_ms(100);
    }
    // 1, 2, 4, ... 60 s, each up to half less, in 300 s.
    assert!((8..=16).contains(&tries), "{tries}");
}

fn given(lives_ms: Option<u64>) -> Input<'static> {
    let tracker = FIRST;
    Input::TokenGiven { tracker, lives_ms }
}

fn asked_for_tokens(bench: &Bench) -> usize {
    let asks = |output: &&Output| **output == Output::TokenWanted(FIRST);
    bench.outputs.iter().filter(asks).count()
}

/// A super-peer that had a token before its socket opened.
fn with_token(lives_ms: Option<u64>) -> Bench {
    let config = Config {
        role: Role::SuperPeer,
        ..Config::default()
    };
    let mut bench = Bench::new(config);
    bench.input(given(lives_ms));
    bench.input(Input::TrackerOpened(FIRST));
    bench
}

#[test]
fn the_first_announce_of_a_connection_carries_the_token_and_no_other() {
    let mut bench = with_token(None);
    replies(&mut bench, FIRST, 0);
    bench.wait_ms(130_000);
    assert_eq!(announces(&bench, FIRST), [(0, true), (0, false)]);
    bench.input(Input::TrackerClosed(FIRST));
    bench.wait_ms(2_000);
    bench.input(Input::TrackerOpened(FIRST));
    assert_eq!(announces(&bench, FIRST)[2..], [(0, true)]);
}

#[test]
fn a_newer_token_is_told_at_once_and_the_connection_stays() {
    let mut bench = with_token(None);
    replies(&mut bench, FIRST, 0);
    bench.input(given(None));
    assert_eq!(announces(&bench, FIRST), [(0, true), (0, true)]);
    assert!(!bench.saw(&Output::TrackerDisconnect(FIRST)));
}

#[test]
fn a_new_token_is_asked_for_before_the_old_one_expires() {
    let mut bench = with_token(Some(400_000));
    replies(&mut bench, FIRST, 0);
    bench.wait_ms(240_000);
    assert_eq!(asked_for_tokens(&bench), 0);
    bench.wait_ms(61_000);
    assert!(asked_for_tokens(&bench) >= 1);
    // Nobody gave one: asked again, but not all the time.
    bench.wait_ms(60_000);
    assert!((3..=8).contains(&asked_for_tokens(&bench)));
    bench.outputs.clear();
    bench.input(given(Some(400_000)));
    bench.wait_ms(200_000);
    assert_eq!(asked_for_tokens(&bench), 0);
}

#[test]
fn a_refused_token_is_asked_for_and_retried_as_soon_as_it_is_there() {
    let mut bench = with_token(None);
    hears(
        &mut bench,
        FIRST,
        r#"{"action":"announce","failure reason":"the token expired 3 s ago; get a new one"}"#,
    );
    assert_eq!(asked_for_tokens(&bench), 1);
    bench.input(Input::TrackerClosed(FIRST));
    bench.outputs.clear();
    bench.input(given(None));
    assert!(bench.saw(&Output::TrackerConnect(FIRST)));
}

#[test]
fn a_token_that_has_expired_already_is_not_asked_for_without_end() {
    let mut bench = with_token(Some(0));
    for _ in 0..50 {
        bench.input(given(Some(0)));
    }
    assert!(asked_for_tokens(&bench) <= 1);
}

#[test]
fn other_refusals_have_nothing_to_do_with_tokens() {
    let mut bench = with_token(None);
    hears(&mut bench, FIRST, r#"{"failure reason":"swarm is full"}"#);
    bench.wait_ms(30_000);
    assert_eq!(asked_for_tokens(&bench), 0);
}

#[test]
fn a_shell_without_a_token_sends_none() {
    let mut bench = super_peer(1);
    let segments = [ListedSegment {
        id: SegmentId(1),
        start_ms: 0,
        end_ms: 4_000,
    }];
    bench.input(Input::SegmentsListed {
        stream: STREAM,
        live: true,
        segments: &segments,
    });
    let with = TrackerMessage::text_with;
    let texts = bench.outputs.iter().filter_map(|output| match output {
        Output::TrackerSend { message, .. } => Some(with(message, Some("a.b.c"))),
        _ => None,
    });
    assert!(texts.into_iter().all(|text| !text.contains("jwt")));
}

/// Offers of the announce after the tracker has counted seven others, of whom so many were met.
fn offers_after_meeting(met: u8) -> Option<(usize, bool)> {
    let mut bench = Bench::new(Config::default());
    bench.input(Input::TrackerOpened(FIRST));
    bench.load(0);
    for number in 0..met {
        let mut id = FOREIGN.0;
        id[19] = b'A' + number;
        bench.connect(PeerId(id));
    }
    make_offers(&mut bench);
    // Offers that nobody took have run out.
    bench.wait_ms(60_000);
    replies(&mut bench, FIRST, 7);
    bench.outputs.clear();
    for _ in 0..121 {
        bench.wait_ms(1_000);
        make_offers(&mut bench);
    }
    announces(&bench, FIRST).first().copied()
}

/// The tracker hands an offer to anybody, most often to one who is connected already.
#[test]
fn who_misses_one_of_many_makes_several_offers() {
    assert_eq!(offers_after_meeting(6), Some((5, false)));
    assert_eq!(offers_after_meeting(7), Some((0, false)));
}
