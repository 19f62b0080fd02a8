//! The client end: what it writes a tracker understands, and what trackers send it understands.

#![cfg(test)]

use beekeepr_model::{InfoHash, OfferId, PeerId};
use beekeepr_tracker_proto::{
    Announce, AnnounceEvent, Answer, ClientMessage, Event, Offer, ServerMessage,
    read_client_message, read_server_message, write_announce, write_answer,
};

const HASH: InfoHash = InfoHash(*b"hpw5DN1BrHoy/nDyIVbD");
const PEER: PeerId = PeerId(*b"-PM0203-abcdefghijkl");
/// Bytes that need every kind of escaping.
const OFFER_ID: OfferId = OfferId(*b"\"\\\n\x00\xff\xe9abcdefghijklm/");
const SDP: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=\"\u{e9}\"\r\n";

#[test]
fn the_tracker_reads_what_write_announce_writes() {
    let text = write_announce(&Announce {
        info_hash: HASH,
        peer_id: PEER,
        numwant: 1,
        uploaded: 2,
        downloaded: 3,
        event: Some(AnnounceEvent::Started),
        token: Some("a.b.c"),
        offers: &[Offer {
            offer_id: OFFER_ID,
            sdp: SDP,
        }],
    });
    let Ok(ClientMessage::Announce(announce)) = read_client_message(text.as_bytes()) else {
        panic!("{text} should be an announce");
    };
    assert_eq!((announce.info_hash.id, announce.peer_id.id), (HASH, PEER));
    assert_eq!(
        (announce.event, announce.numwant),
        (Event::Started, Some(1))
    );
    assert_eq!(announce.offers[0].offer_id.id, OFFER_ID);
    assert_eq!(
        serde_json::from_str::<String>(announce.offers[0].sdp).unwrap(),
        SDP
    );
}

#[test]
fn a_foreign_reader_finds_every_field_of_an_announce() {
    let text = write_announce(&Announce {
        info_hash: HASH,
        peer_id: PEER,
        numwant: 0,
        uploaded: 2,
        downloaded: 3,
        event: None,
        token: None,
        offers: &[],
    });
    let expected = serde_json::json!({
        "action": "announce", "info_hash": "hpw5DN1BrHoy/nDyIVbD", "peer_id": "-PM0203-abcdefghijkl",
        "numwant": 0, "uploaded": 2, "downloaded": 3, "offers": [],
    });
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&text).unwrap(),
        expected
    );
}

#[test]
fn the_tracker_reads_what_write_answer_writes() {
    let other = PeerId(*b"-BK0001-mnopqrstuvwx");
    let text = write_answer(&Answer {
        info_hash: HASH,
        peer_id: PEER,
        to_peer_id: other,
        offer_id: OFFER_ID,
        sdp: SDP,
    });
    let Ok(ClientMessage::Answer(answer)) = read_client_message(text.as_bytes()) else {
        panic!("{text} should be an answer");
    };
    assert_eq!((answer.info_hash.id, answer.peer_id.id), (HASH, PEER));
    assert_eq!((answer.to_peer_id, answer.offer_id.id), (other, OFFER_ID));
    assert_eq!(serde_json::from_str::<String>(answer.sdp).unwrap(), SDP);
}

fn read(text: &str) -> ServerMessage {
    read_server_message(text.as_bytes()).unwrap()
}

// The shapes are those of bittorrent-tracker 11.2.3, wt-tracker and aquatic_ws 0.9.
#[test]
fn replies_of_every_tracker_are_read() {
    let announced = |warning: Option<&str>| ServerMessage::Announced {
        info_hash: HASH,
        interval_s: 120,
        complete: 1,
        incomplete: 2,
        warning: warning.map(str::to_owned),
    };
    let text = r#"{"complete":1,"incomplete":2,"action":"announce","interval":120,
                   "info_hash":"hpw5DN1BrHoy/nDyIVbD"}"#;
    assert_eq!(read(text), announced(None));
    let text = r#"{"action":"announce","interval":120.0,"info_hash":"hpw5DN1BrHoy\/nDyIVbD",
                   "complete":1,"incomplete":2,"warning message":"soon \u00e9","tracker id":"x"}"#;
    assert_eq!(read(text), announced(Some("soon é")));
}

#[test]
fn relayed_offers_and_answers_are_read() {
    let offer = r#"{"action":"announce","info_hash":"hpw5DN1BrHoy/nDyIVbD",
        "offer_id":"\"\\\n\u0000ÿ\u00e9abcdefghijklm/","peer_id":"-PM0203-abcdefghijkl",
        "offer":{"type":"offer","sdp":"v=0\r\n"}}"#;
    let sdp = "v=0\r\n".to_owned();
    assert_eq!(
        read(offer),
        ServerMessage::Offer {
            info_hash: HASH,
            peer_id: PEER,
            offer_id: OFFER_ID,
            sdp: sdp.clone()
        }
    );
    let answer = offer.replace(
        "\"offer\":{\"type\":\"offer\"",
        "\"answer\":{\"type\":\"answer\"",
    );
    assert_eq!(
        read(&answer),
        ServerMessage::Answer {
            info_hash: HASH,
            peer_id: PEER,
            offer_id: OFFER_ID,
            sdp
        }
    );
}

#[test]
fn failures_are_read_with_and_without_their_swarm() {
    let failure = |info_hash| ServerMessage::Failure {
        info_hash,
        reason: "no".to_owned(),
    };
    let with = r#"{"action":"announce","info_hash":"hpw5DN1BrHoy/nDyIVbD","failure reason":"no"}"#;
    assert_eq!(read(with), failure(Some(HASH)));
    assert_eq!(read(r#"{"failure reason":"no"}"#), failure(None));
}

#[test]
fn what_a_player_does_not_need_is_other() {
    assert_eq!(
        read(r#"{"action":"scrape","files":{}}"#),
        ServerMessage::Other
    );
    assert_eq!(read(r#"{"action":"dance"}"#), ServerMessage::Other);
    assert_eq!(read(r#"{"action":"announce"}"#), ServerMessage::Other);
}

#[test]
fn an_error_names_what_is_missing() {
    let text = br#"{"action":"announce","offer":{"sdp":""}}"#;
    let error = read_server_message(text).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a message without info_hash at byte 0, expected info_hash"
    );
}
