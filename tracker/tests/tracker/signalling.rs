//! What clients of the tracker can do, and what they cannot do to each other.

use beekeepr_tracker::Config;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::util::{HASH, Tracker, peer_id};

/// Needs escaping, as the random ids of real clients do.
const OFFER_ID: &str = "\"\\\u{0}\u{7f}\u{e9}ffer-id-15-more";

#[tokio::test]
async fn an_announce_is_told_the_interval_and_the_size_of_the_swarm() {
    let tracker = Tracker::start().await;
    let mut a = tracker.client('a').await;
    let reply = a.ask(a.announce(&[OFFER_ID])).await;
    let expected = json!({
        "action": "announce", "info_hash": HASH, "interval": 60, "complete": 0, "incomplete": 1,
    });
    assert_eq!(reply, expected);
}

#[tokio::test]
async fn two_peers_are_introduced() {
    let tracker = Tracker::start().await;
    let (mut a, mut b) = (tracker.client('a').await, tracker.client('b').await);
    b.join().await;
    a.ask(a.announce(&[OFFER_ID])).await;
    let offer = json!({
        "action": "announce", "info_hash": HASH, "peer_id": peer_id('a'), "offer_id": OFFER_ID,
        "offer": {"type": "offer", "sdp": "v=0\r\no\r\n"},
    });
    assert_eq!(b.receive_json().await, offer);
    b.send_json(b.answer(&peer_id('a'), OFFER_ID)).await;
    let answer = json!({
        "action": "announce", "info_hash": HASH, "peer_id": peer_id('b'), "offer_id": OFFER_ID,
        "answer": {"type": "answer", "sdp": "v=0\r\na\r\n"},
    });
    assert_eq!(a.receive_json().await, answer);
}

#[tokio::test]
async fn peers_on_one_connection_are_introduced_to_each_other() {
    let tracker = Tracker::start().await;
    let mut client = tracker.client('a').await;
    client.join().await;
    client.peer_id = peer_id('b');
    let reply = client.ask(client.announce(&[OFFER_ID])).await;
    assert_eq!(reply["incomplete"], 2);
    assert_eq!(client.receive_json().await["peer_id"], peer_id('b'));
}

#[tokio::test]
async fn offers_are_relayed_when_numwant_is_absent_or_zero() {
    let tracker = Tracker::start().await;
    let (mut a, mut b) = (tracker.client('a').await, tracker.client('b').await);
    b.join().await;
    for numwant in [json!(0), json!(null)] {
        let mut announce = a.announce(&[OFFER_ID]);
        announce["numwant"] = numwant;
        a.ask(announce).await;
        assert_eq!(b.receive_json().await["offer_id"], OFFER_ID);
    }
}

#[tokio::test]
async fn stopping_and_closing_leave_the_swarm() {
    let tracker = Tracker::start().await;
    let (mut a, mut b) = (tracker.client('a').await, tracker.client('b').await);
    let mut c = tracker.client('c').await;
    for client in [&mut a, &mut b, &mut c] {
        client.join().await;
    }
    let mut stopped = b.announce(&[]);
    stopped["event"] = json!("stopped");
    assert_eq!(b.ask(stopped).await["incomplete"], 2);
    drop(c);
    a.count_becomes(1).await;
}

#[tokio::test]
async fn a_peer_that_misses_two_announces_is_forgotten() {
    let config = Config {
        announce_interval_s: 1,
        limits: crate::connections::unhurried(),
        ..Config::default()
    };
    let tracker = Tracker::with(config).await.unwrap();
    let (mut a, mut b) = (tracker.client('a').await, tracker.client('b').await);
    b.join().await;
    a.join().await;
    while a.count().await != 1 {
        a.join().await;
    }
    b.join().await;
    assert_eq!(
        a.count().await,
        2,
        "its connection lived on and can come back"
    );
}

#[tokio::test]
async fn nobody_can_use_a_peer_id_of_another_connection() {
    let tracker = Tracker::start().await;
    let (mut a, mut b) = (tracker.client('a').await, tracker.client('b').await);
    a.join().await;
    let mut thief = tracker.client('a').await;
    let mut stopped = thief.announce(&[]);
    stopped["event"] = json!("stopped");
    for message in [thief.announce(&[OFFER_ID]), stopped] {
        let reply = thief.ask(message).await;
        assert!(
            reply["failure reason"]
                .as_str()
                .unwrap()
                .contains("peer_id is in use"),
            "{reply}"
        );
        assert_eq!(reply["info_hash"], HASH);
    }
    b.ask(b.announce(&[OFFER_ID])).await;
    assert_eq!(
        a.receive_json().await["offer_id"],
        OFFER_ID,
        "the owner still gets offers"
    );
}

#[tokio::test]
async fn an_answer_is_let_through_only_from_who_got_the_offer_and_once() {
    let tracker = Tracker::start().await;
    let (mut a, mut b) = (tracker.client('a').await, tracker.client('b').await);
    b.join().await;
    a.ask(a.announce(&[OFFER_ID])).await;
    b.receive_json().await;
    let mut forger = tracker.client('b').await;
    let refused = forger.ask(forger.answer(&peer_id('a'), OFFER_ID)).await;
    assert!(
        refused["failure reason"]
            .as_str()
            .unwrap()
            .contains("unknown offer"),
        "{refused}"
    );
    b.send_json(b.answer(&peer_id('a'), OFFER_ID)).await;
    assert_eq!(a.receive_json().await["peer_id"], peer_id('b'));
    let again = b.ask(b.answer(&peer_id('a'), OFFER_ID)).await;
    assert!(again.get("failure reason").is_some());
}

#[tokio::test]
async fn bad_messages_get_a_failure_and_the_connection_goes_on() {
    let tracker = Tracker::start().await;
    let (mut a, mut b) = (tracker.client('a').await, tracker.client('b').await);
    b.join().await;
    let mut offers_null = a.announce(&[]);
    offers_null["offers"] = json!([null]);
    for message in [
        Message::text("null"),
        Message::text(""),
        Message::text("{"),
        Message::text("[".repeat(60_000)),
        Message::binary(vec![0xff, 0x00, 0xfe]),
        Message::text(offers_null.to_string()),
        Message::text(r#"{"action":"dance"}"#),
    ] {
        a.send(message.clone()).await;
        let reply = a.receive_json().await;
        assert!(
            reply["failure reason"].is_string(),
            "{reply} for {message:?}"
        );
        assert_eq!(reply["action"], "announce");
    }
    a.join().await;
    assert_eq!(b.count().await, 2);
}

#[tokio::test]
async fn binary_and_fragmented_messages_are_understood() {
    let tracker = Tracker::start().await;
    let mut a = tracker.client('a').await;
    let text = a.announce(&[]).to_string();
    a.send(Message::binary(text.clone())).await;
    assert_eq!(a.receive_json().await["interval"], 60);
    let (first, last) = text.split_at(20);
    for (part, code, is_last) in [(first, Data::Text, false), (last, Data::Continue, true)] {
        let frame = Frame::message(part.to_owned(), OpCode::Data(code), is_last);
        a.send(Message::Frame(frame)).await;
    }
    assert_eq!(a.receive_json().await["interval"], 60);
}

#[tokio::test]
async fn scrapes_tell_of_named_swarms_or_of_ones_own() {
    let tracker = Tracker::start().await;
    let (mut a, mut b) = (tracker.client('a').await, tracker.client('b').await);
    a.join().await;
    let other = "dWzShRMpT2iw023W5NAw";
    let files = |hashes: &[(&str, u32)]| {
        let counts = |n| json!({"complete": 0, "incomplete": n, "downloaded": 0});
        let files: serde_json::Map<_, _> = hashes
            .iter()
            .map(|(hash, n)| ((*hash).to_owned(), counts(n)))
            .collect();
        json!({"action": "scrape", "files": files})
    };
    let named = b
        .ask(json!({"action": "scrape", "info_hash": [HASH, other]}))
        .await;
    assert_eq!(named, files(&[(HASH, 1), (other, 0)]));
    assert_eq!(b.ask(json!({"action": "scrape"})).await, files(&[]));
    assert_eq!(
        a.ask(json!({"action": "scrape"})).await,
        files(&[(HASH, 1)])
    );
}

#[tokio::test]
async fn descriptions_that_are_not_relayed_are_counted_by_what_is_wrong() {
    let tracker = Tracker::start().await;
    let mut a = tracker.client('a').await;
    let mut announce = a.announce(&["offer-id-of-20-bytes", "other-id-of-20-bytes"]);
    announce["offers"][0]["offer"]["sdp"] = "v=0\r\nm=audio 9 RTP/AVP 0\r\n".into();
    announce["offers"][1]["offer"]["sdp"] = "a=candidate:1 1 udp 1 224.0.0.1 9 typ host\r\n".into();
    a.ask(announce).await;
    for reason in ["media", "address"] {
        let refused = format!(r#"descriptions_refused_total{{reason="{reason}"}}"#);
        assert_eq!(tracker.metric(&refused), 1.0);
    }
}
