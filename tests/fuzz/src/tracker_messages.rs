//! What clients and trackers say, read by us and by serde_json.

use std::collections::HashMap;

use beekeepr_model::limits;
use beekeepr_tracker_proto::{
    ClientMessage, OfferIn, RawId, Refused, SCRAPE_HASHES_MAX, ServerMessage, read_client_message,
    read_server_message, reply,
};
use serde_json::value::RawValue;

use crate::check_error;

/// Any reply to an announce; what is in doubt is what stands around it.
const ANNOUNCED: reply::Announced<'static> = reply::Announced {
    interval_s: 120,
    complete: 1,
    incomplete: 2,
    warning: Some("\"\\\n€"),
};

/// The text of a message, from a client or from a tracker.
///
/// What we read of it serde_json reads, too, field by field; what the tracker says in answer is JSON
/// that the client's end reads.
pub fn tracker_messages(data: &[u8]) {
    match read_client_message(data) {
        Ok(message) => {
            check_fields(data, &message);
            check_relayed(&message);
        }
        Err(refused) => {
            check_error(&refused.error);
            check_failure(&refused);
        }
    }
    if let Err(error) = read_server_message(data) {
        check_error(&error);
    } else {
        assert!(is_json(data), "we read what is no JSON");
    }
}

/// Whether serde_json reads it, as far as it can: its numbers end at 1.8e308, ours do not.
fn is_json(text: &[u8]) -> bool {
    match serde_json::from_slice::<&RawValue>(text) {
        Ok(_) => true,
        Err(error) => error.to_string().contains("out of range"),
    }
}

type Fields<'a> = HashMap<&'a str, &'a RawValue>;

/// The fields of an object, the last of each name. `None` when a name is written with escapes, which
/// serde_json undoes and we do not: no client escapes the names of fields.
fn fields(text: &str) -> Option<Fields<'_>> {
    serde_json::from_str(text).ok()
}

fn check_fields(data: &[u8], message: &ClientMessage<'_>) {
    assert!(is_json(data), "we read what is no JSON");
    let text = std::str::from_utf8(data).expect("JSON is UTF-8");
    let Some(fields) = fields(text) else {
        return;
    };
    match message {
        ClientMessage::Announce(announce) => {
            check_id(&fields, "info_hash", announce.info_hash);
            check_id(&fields, "peer_id", announce.peer_id);
            assert!(announce.offers.len() <= limits::OFFERS_PER_ANNOUNCE_MAX);
            check_offers(&fields, &announce.offers);
        }
        ClientMessage::Answer(answer) => {
            check_id(&fields, "info_hash", answer.info_hash);
            check_id(&fields, "peer_id", answer.peer_id);
            check_id(&fields, "offer_id", answer.offer_id);
            check_sdp(fields.get("answer").copied(), answer.sdp);
        }
        ClientMessage::Scrape(scrape) => {
            if let Some(list) = &scrape.info_hashes {
                assert!(list.len() <= SCRAPE_HASHES_MAX);
            }
        }
    }
}

/// The slice is the field's, and the id is its characters as serde_json reads them, one byte each.
fn check_id<T: IdBytes>(fields: &Fields<'_>, name: &str, id: RawId<'_, T>) {
    let raw = fields.get(name).expect("the field is there").get();
    assert_eq!(raw, id.raw, "{name}");
    let text: String = serde_json::from_str(raw).expect("an id is a string");
    let bytes: Vec<u8> = text
        .chars()
        .map(|char| u8::try_from(char).expect("an id has no other characters"))
        .collect();
    // Offer ids of other lengths are cut or filled up.
    let length = bytes.len().min(20);
    let (own, padding) = id.id.bytes().split_at(length);
    assert_eq!(own, &bytes[..length]);
    assert!(padding.iter().all(|&byte| byte == 0));
}

fn check_offers(fields: &Fields<'_>, offers: &[OfferIn<'_>]) {
    let Some(list) = fields.get("offers") else {
        return assert!(offers.is_empty());
    };
    // What is no list counts as none.
    let list: Vec<&RawValue> = serde_json::from_str(list.get()).unwrap_or_default();
    assert!(offers.len() <= list.len());
    for (offer, text) in offers.iter().zip(list) {
        let Some(fields) = self::fields(text.get()) else {
            continue;
        };
        check_id(&fields, "offer_id", offer.offer_id);
        check_sdp(fields.get("offer").copied(), offer.sdp);
    }
}

fn check_sdp(description: Option<&RawValue>, sdp: &str) {
    assert!(sdp.len() <= limits::SDP_BYTES_MAX);
    let description = description.expect("the field is there").get();
    if let Some(fields) = fields(description) {
        assert_eq!(fields.get("sdp").map(|it| it.get()), Some(sdp));
    }
    serde_json::from_str::<String>(sdp).expect("an sdp is a string");
}

/// An id's bytes.
trait IdBytes: Copy {
    fn bytes(&self) -> &[u8; 20];
}

macro_rules! id_bytes {
    ($($name:ident),*) => {
        $(impl IdBytes for beekeepr_model::$name {
            fn bytes(&self) -> &[u8; 20] {
                &self.0
            }
        })*
    };
}

id_bytes!(InfoHash, PeerId, OfferId);

/// What the tracker makes of a message, for somebody else to read.
fn check_relayed(message: &ClientMessage<'_>) {
    let mut out = Vec::new();
    match message {
        ClientMessage::Announce(announce) => {
            let (info_hash, peer_id) = (announce.info_hash, announce.peer_id);
            reply::announced(&mut out, info_hash.raw, &ANNOUNCED);
            assert!(matches!(
                read_reply(&out),
                ServerMessage::Announced { info_hash: seen, warning, .. }
                    if seen == info_hash.id && warning.as_deref() == ANNOUNCED.warning
            ));
            for offer in &announce.offers {
                out.clear();
                reply::offer(&mut out, info_hash.raw, peer_id.raw, offer);
                check_offer(&out, offer);
            }
        }
        ClientMessage::Answer(answer) => {
            reply::answer(&mut out, answer);
            assert!(is_json(&out));
        }
        ClientMessage::Scrape(scrape) => {
            let hashes = scrape.info_hashes.iter().flatten();
            reply::scraped(&mut out, hashes.map(|it| (it.raw, 1, 2)));
            assert_eq!(read_reply(&out), ServerMessage::Other);
        }
    }
}

/// A failure repeats the info_hash that the client sent, right or wrong; a wrong one our own client,
/// which never sends such, does not take.
fn check_failure(refused: &Refused<'_>) {
    let mut out = Vec::new();
    reply::failure(&mut out, refused.action, refused.info_hash, &refused.error);
    assert!(is_json(&out));
    match read_server_message(&out) {
        Ok(message) => assert!(matches!(message, ServerMessage::Failure { .. })),
        Err(_) => assert!(refused.info_hash.is_some()),
    }
}

/// Offer ids of other lengths are relayed as they came, and refused by our own client.
fn check_offer(out: &[u8], offer: &OfferIn<'_>) {
    assert!(is_json(out));
    if let Ok(message) = read_server_message(out) {
        let ServerMessage::Offer { sdp, .. } = message else {
            panic!("an offer became {message:?}");
        };
        let expected: String = serde_json::from_str(offer.sdp).expect("an sdp is a string");
        assert_eq!(sdp, expected);
    }
}

fn read_reply(out: &[u8]) -> ServerMessage {
    assert!(is_json(out), "{}", String::from_utf8_lossy(out));
    read_server_message(out).expect("the client's end reads what the tracker's end writes")
}
