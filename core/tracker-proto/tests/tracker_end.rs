//! The tracker's end: messages as real clients send them, and as nobody should.

#![cfg(test)]

use beekeepr_model::{InfoHash, PeerId, limits};
use beekeepr_tracker_proto::{
    Action, AnnounceRequest, AnswerRequest, ClientMessage, Event, Refused, SCRAPE_HASHES_MAX,
    read_client_message, read_server_message, reply,
};
use proptest::prelude::*;

/// The first announce of p2p-media-loader 2.3.1 (bittorrent-tracker 11.2.3), as captured, with its
/// SDPs shortened and one offer of the five.
const FIRST_ANNOUNCE: &str = concat!(
    r#"{"numwant":5,"uploaded":0,"downloaded":0,"event":"started","action":"announce","#,
    r#""info_hash":"hpw5DN1BrHoy/nDyIVbD","peer_id":"-PM0203-Zx81kQ0aPw2c","#,
    r#""offers":[{"offer":{"type":"offer","sdp":"v=0\r\no=- 46 2 IN IP4 127.0.0.1\r\n"},"#,
    r#""offer_id":"Ù\u0012ÿ\\'\"\u0000\b\tabcdefghijk"}]}"#
);

const ANSWER: &str = concat!(
    r#"{"action":"announce","info_hash":"hpw5DN1BrHoy/nDyIVbD","peer_id":"-PM0203-Zx81kQ0aPw2c","#,
    r#""to_peer_id":"-BK0001-mnopqrstuvwx","answer":{"type":"answer","sdp":"v=0\r\n"},"#,
    r#""offer_id":"abcdefghijklmnopqrst","trackerid":null}"#
);

fn announce(text: &str) -> AnnounceRequest<'_> {
    match read_client_message(text.as_bytes()) {
        Ok(ClientMessage::Announce(announce)) => announce,
        other => panic!("expected an announce, got {other:?}"),
    }
}

fn answer(text: &str) -> AnswerRequest<'_> {
    match read_client_message(text.as_bytes()) {
        Ok(ClientMessage::Answer(answer)) => answer,
        other => panic!("expected an answer, got {other:?}"),
    }
}

fn refused(text: &str) -> Refused<'_> {
    read_client_message(text.as_bytes()).unwrap_err()
}

/// An announce with one field replaced or added.
fn announce_with(field: &str) -> String {
    FIRST_ANNOUNCE.replacen('{', &format!("{{{field},"), 1)
}

#[test]
fn the_first_announce_of_p2p_media_loader_is_read() {
    let announce = announce(FIRST_ANNOUNCE);
    assert_eq!(announce.info_hash.id, InfoHash(*b"hpw5DN1BrHoy/nDyIVbD"));
    assert_eq!(announce.peer_id.id, PeerId(*b"-PM0203-Zx81kQ0aPw2c"));
    assert_eq!(
        (announce.numwant, announce.event),
        (Some(5), Event::Started)
    );
    assert!(!announce.has_all);
    assert_eq!(
        announce.offers[0].offer_id.id.0,
        *b"\xd9\x12\xff\\'\"\0\x08\tabcdefghijk"
    );
}

#[test]
fn ids_and_descriptions_are_relayed_as_they_were_written() {
    let announce = announce(FIRST_ANNOUNCE);
    let mut out = Vec::new();
    reply::offer(
        &mut out,
        announce.info_hash.raw,
        announce.peer_id.raw,
        &announce.offers[0],
    );
    let expected = concat!(
        r#"{"action":"announce","info_hash":"hpw5DN1BrHoy/nDyIVbD","#,
        r#""offer_id":"Ù\u0012ÿ\\'\"\u0000\b\tabcdefghijk","peer_id":"-PM0203-Zx81kQ0aPw2c","#,
        r#""offer":{"type":"offer","sdp":"v=0\r\no=- 46 2 IN IP4 127.0.0.1\r\n"}}"#
    );
    assert_eq!(String::from_utf8(out).unwrap(), expected);

    let mut out = Vec::new();
    reply::answer(&mut out, &answer(ANSWER));
    let expected = concat!(
        r#"{"action":"announce","info_hash":"hpw5DN1BrHoy/nDyIVbD","#,
        r#""peer_id":"-PM0203-Zx81kQ0aPw2c","offer_id":"abcdefghijklmnopqrst","#,
        r#""answer":{"type":"answer","sdp":"v=0\r\n"}}"#
    );
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn an_answer_names_both_peers() {
    let answer = answer(ANSWER);
    assert_eq!(answer.peer_id.id, PeerId(*b"-PM0203-Zx81kQ0aPw2c"));
    assert_eq!(answer.to_peer_id, PeerId(*b"-BK0001-mnopqrstuvwx"));
}

#[test]
fn every_event_that_some_tracker_accepts_is_accepted() {
    for (text, event) in [
        ("\"\"", Event::Update),
        ("\"update\"", Event::Update),
        ("\"paused\"", Event::Update),
        ("\"empty\"", Event::Update),
        ("null", Event::Update),
        ("\"stopped\"", Event::Stopped),
        ("\"completed\"", Event::Completed),
    ] {
        let message = FIRST_ANNOUNCE.replace("\"started\"", text);
        assert_eq!(announce(&message).event, event, "{text}");
    }
    let message = FIRST_ANNOUNCE.replace("started", "dancing");
    assert!(refused(&message).error.seen.contains("unknown event"));
}

#[test]
fn numbers_of_any_shape_are_accepted() {
    for (text, numwant) in [
        ("0", Some(0)),
        ("-1", Some(0)),
        ("2.5", Some(2)),
        ("null", None),
        ("\"5\"", None),
        ("[5]", None),
        ("1e400", Some(u64::MAX)),
    ] {
        let message = FIRST_ANNOUNCE.replace("\"numwant\":5", &format!("\"numwant\":{text}"));
        assert_eq!(announce(&message).numwant, numwant, "{text}");
    }
    assert_eq!(
        announce(&FIRST_ANNOUNCE.replace("\"numwant\":5,", "")).numwant,
        None
    );
    assert!(announce(&announce_with("\"left\":0")).has_all);
    assert!(!announce(&announce_with("\"left\":null")).has_all);
}

#[test]
fn short_offer_ids_are_accepted_and_relayed_as_they_are() {
    let message = ANSWER.replace("abcdefghijklmnopqrst", "abc");
    let answer = answer(&message);
    assert_eq!(
        answer.offer_id.id.0,
        *b"abc\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
    );
    assert_eq!(answer.offer_id.raw, "\"abc\"");
    assert!(read_client_message(ANSWER.replace("abcdefghijklmnopqrst", "").as_bytes()).is_err());
}

#[test]
fn long_offer_ids_are_accepted_and_relayed_as_they_are() {
    let long = "abcdefghijklmnopqrstuvwxyz";
    let message = ANSWER.replace("abcdefghijklmnopqrst", long);
    let answer = answer(&message);
    assert_eq!(answer.offer_id.id.0, *b"abcdefghijklmnopqrst");
    assert_eq!(answer.offer_id.raw, format!("\"{long}\""));
    let endless = ANSWER.replace("abcdefghijklmnopqrst", &"x".repeat(65));
    assert!(read_client_message(endless.as_bytes()).is_err());
}

#[test]
fn names_and_words_may_be_escaped() {
    let message = FIRST_ANNOUNCE
        .replace("\"action\"", r#""\u0061ction""#)
        .replace("\"announce\"", r#""ann\u006funce""#)
        .replace("\"started\"", r#""st\u0061rted""#)
        .replace("\"hpw5", r#""\u0068pw5"#);
    let announce = announce(&message);
    assert_eq!(announce.event, Event::Started);
    assert_eq!(announce.info_hash.id, InfoHash(*b"hpw5DN1BrHoy/nDyIVbD"));
    assert!(
        announce.info_hash.raw.starts_with(r#""\u0068"#),
        "relayed as it came"
    );
}

#[test]
fn offers_that_are_no_list_are_none() {
    for text in ["{}", "7", "\"x\"", "false"] {
        let start = FIRST_ANNOUNCE.find("\"offers\":").unwrap();
        let message = format!("{}\"offers\":{text}}}", &FIRST_ANNOUNCE[..start]);
        assert_eq!(announce(&message).offers, [], "{text}");
    }
}

#[test]
fn ids_of_other_lengths_and_characters_are_refused_by_name() {
    let seen = |from: &str, to: &str| refused(&FIRST_ANNOUNCE.replace(from, to)).error.seen;
    assert_eq!(
        seen("hpw5DN1BrHoy/nDyIVbD", "short"),
        "an id of 5 characters"
    );
    assert_eq!(seen("-PM0203-", ""), "an id of 12 characters");
    assert_eq!(seen("-PM0203-", "-PM0203\u{20ac}"), "an id with '€'");
    assert_eq!(seen("-PM0203-", r"-PM0203\u20ac"), "an id with '€'");
}

#[test]
fn of_a_name_that_comes_twice_the_last_counts() {
    let message = announce_with("\"numwant\":1,\"event\":\"stopped\"");
    assert_eq!(announce(&message).numwant, Some(5));
    assert_eq!(announce(&message).event, Event::Started);
}

#[test]
fn the_reply_to_an_announce_is_that_of_wt_tracker() {
    let announced = reply::Announced {
        interval_s: 60,
        complete: 1,
        incomplete: 2,
        warning: None,
    };
    let write = |announced| {
        let mut out = Vec::new();
        reply::announced(&mut out, "\"hpw5DN1BrHoy/nDyIVbD\"", &announced);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(
        write(announced),
        concat!(
            r#"{"action":"announce","interval":60,"info_hash":"hpw5DN1BrHoy/nDyIVbD","#,
            r#""complete":1,"incomplete":2}"#
        )
    );
    let warned = write(reply::Announced {
        warning: Some("a \"word\""),
        ..announced
    });
    assert!(
        warned.ends_with(r#","warning message":"a \"word\""}"#),
        "{warned}"
    );
    assert!(read_server_message(warned.as_bytes()).is_ok());
}

#[test]
fn offers_beyond_the_limit_are_left_out() {
    let one = r#"{"offer":{"type":"offer","sdp":""},"offer_id":"abcdefghijklmnopqrst"}"#;
    let many = vec![one; limits::OFFERS_PER_ANNOUNCE_MAX + 1].join(",");
    let message = FIRST_ANNOUNCE.replace("\"offers\":[", &format!("\"offers\":[{many},"));
    assert_eq!(
        announce(&message).offers.len(),
        limits::OFFERS_PER_ANNOUNCE_MAX
    );
}

#[test]
fn an_sdp_above_the_limit_is_refused() {
    let long = "x".repeat(limits::SDP_BYTES_MAX);
    assert!(
        refused(&ANSWER.replace("v=0", &long))
            .error
            .seen
            .contains("an sdp of")
    );
}

#[test]
fn a_refusal_says_to_which_swarm_it_belongs_wherever_the_fault_is() {
    for (from, to) in [
        ("\"offers\":[", "\"offers\":[null,"),
        ("\"offers\":[", "\"offers\":[7,"),
        ("\"offers\":[", "\"offers\":[{},"),
        ("\"peer_id\":\"-PM0203-", "\"peer_id\":\""),
        ("\"action\":\"announce\"", "\"action\":\"dance\""),
        ("{\"numwant\":5", "{\"event\":{},\"numwant\":5"),
        ("]}", "]"),
    ] {
        let message = FIRST_ANNOUNCE.replacen(from, to, 1);
        let refused = refused(&message);
        assert_eq!(
            refused.info_hash,
            Some("\"hpw5DN1BrHoy/nDyIVbD\""),
            "{message}"
        );
    }
    let message = FIRST_ANNOUNCE.replace("hpw5DN1BrHoy/nDyIVbD", "short");
    assert_eq!(refused(&message).info_hash, Some("\"short\""));
}

#[test]
fn a_failure_is_what_clients_show_as_a_warning() {
    let message = FIRST_ANNOUNCE.replace("-PM0203-", "");
    let refused = refused(&message);
    let mut out = Vec::new();
    reply::failure(&mut out, refused.action, refused.info_hash, &refused.error);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        concat!(
            r#"{"action":"announce","info_hash":"hpw5DN1BrHoy/nDyIVbD","#,
            r#""failure reason":"an id of 12 characters at byte 124, expected 20 characters"}"#
        )
    );
}

#[test]
fn scrapes_name_one_swarm_several_or_none() {
    let read = |text: &'static str| match read_client_message(text.as_bytes()) {
        Ok(ClientMessage::Scrape(scrape)) => scrape.info_hashes.map(|list| list.len()),
        other => panic!("expected a scrape, got {other:?}"),
    };
    assert_eq!(read(r#"{"action":"scrape"}"#), None);
    assert_eq!(
        read(r#"{"action":"scrape","info_hash":"hpw5DN1BrHoy/nDyIVbD"}"#),
        Some(1)
    );
    assert_eq!(read(r#"{"action":"scrape","info_hash":[]}"#), Some(0));
    let hashes = vec!["\"hpw5DN1BrHoy/nDyIVbD\""; SCRAPE_HASHES_MAX + 1].join(",");
    let text = format!(r#"{{"action":"scrape","info_hash":[{hashes}]}}"#);
    let Ok(ClientMessage::Scrape(scrape)) = read_client_message(text.as_bytes()) else {
        panic!("expected a scrape");
    };
    assert_eq!(
        scrape.info_hashes.map(|list| list.len()),
        Some(SCRAPE_HASHES_MAX)
    );
    assert_eq!(
        refused(r#"{"action":"scrape","info_hash":["x"]}"#).action,
        Action::Scrape
    );
}

#[test]
fn the_reply_to_a_scrape_is_json() {
    let mut out = Vec::new();
    reply::scraped(&mut out, [("\"a\"", 1, 2), ("\"b\"", 0, 0)].into_iter());
    let expected = serde_json::json!({"action": "scrape", "files": {
        "a": {"complete": 1, "incomplete": 2, "downloaded": 1},
        "b": {"complete": 0, "incomplete": 0, "downloaded": 0},
    }});
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&out).unwrap(),
        expected
    );
}

#[test]
fn what_is_no_message_is_refused() {
    for text in [
        "",
        "null",
        "[]",
        "7",
        "\"x\"",
        "{",
        "{}",
        "{\"action\":\"announce\"}",
        "nul",
        "\0",
    ] {
        assert!(read_client_message(text.as_bytes()).is_err(), "{text:?}");
    }
    assert!(read_client_message(&[0xff, 0xfe, 0x00]).is_err());
}

/// A real message with some bytes cut, put in or overwritten.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let original = prop::sample::select(vec![FIRST_ANNOUNCE, ANSWER]);
    let piece = prop::collection::vec(any::<u8>(), 0..4);
    (original, any::<prop::sample::Index>(), 0..4usize, piece).prop_map(|(text, at, cut, piece)| {
        let mut bytes = text.as_bytes().to_vec();
        let start = at.index(bytes.len());
        let end = (start + cut).min(bytes.len());
        bytes.splice(start..end, piece);
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes: Vec<u8>) {
        let _ = read_client_message(&bytes);
        let _ = read_server_message(&bytes);
    }

    #[test]
    fn whatever_comes_in_only_json_goes_out(bytes in damaged()) {
        let mut out = Vec::new();
        match read_client_message(&bytes) {
            Ok(ClientMessage::Announce(announce)) => {
                for offer in &announce.offers {
                    out.clear();
                    reply::offer(&mut out, announce.info_hash.raw, announce.peer_id.raw, offer);
                    prop_assert!(serde_json::from_slice::<serde_json::Value>(&out).is_ok());
                }
                return Ok(());
            }
            Ok(ClientMessage::Answer(answer)) => reply::answer(&mut out, &answer),
            Ok(ClientMessage::Scrape(_)) => return Ok(()),
            Err(refused) => {
                reply::failure(&mut out, refused.action, refused.info_hash, &refused.error);
            }
        }
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&out).is_ok());
    }
}

#[test]
fn a_token_is_taken_from_an_announce_and_does_not_show() {
    let text = FIRST_ANNOUNCE.replace("\"numwant\":5", "\"jwt\":\"a.b.c\"");
    let request = announce(&text);
    assert_eq!(request.token.map(|it| it.0), Some("a.b.c"));
    assert!(!format!("{request:?}").contains("a.b.c"));
    assert_eq!(announce(&text.replace("\"a.b.c\"", "null")).token, None);
    let wrong = text.replace("\"a.b.c\"", "7");
    assert!(read_client_message(wrong.as_bytes()).is_err());
}
