//! What the tracker says to a client, written behind what is already in a buffer.
//!
//! Arguments named `raw` or `sdp` are strings of JSON with their quotes, as
//! [`crate::read_client_message`] gives them.

use std::fmt::Display;
use std::io::Write as _;

use beekeepr_json::push_string;

use crate::client_message::{Action, AnswerRequest, OfferIn};

/// What an announce is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Announced<'a> {
    /// When to announce again, in seconds.
    pub interval_s: u32,
    /// Peers that have everything.
    pub complete: u32,
    /// The others.
    pub incomplete: u32,
    /// What was not done, and why. Clients show it and go on.
    pub warning: Option<&'a str>,
}

/// The reply to an announce: the size of the swarm, and when to announce again. Fields in wt-tracker's
/// order.
pub fn announced(out: &mut Vec<u8>, info_hash_raw: &str, reply: &Announced<'_>) {
    let Announced {
        interval_s,
        complete,
        incomplete,
        warning,
    } = reply;
    // Writing to a Vec cannot fail.
    let _ = write!(
        out,
        r#"{{"action":"announce","interval":{interval_s},"info_hash":{info_hash_raw},"#
    );
    let _ = write!(out, r#""complete":{complete},"incomplete":{incomplete}"#);
    if let Some(warning) = warning {
        let mut text = String::new();
        push_string(&mut text, warning.chars());
        push(out, &[r#","warning message":"#, &text]);
    }
    out.push(b'}');
}

/// An offer, for the peer it was given to.
pub fn offer(out: &mut Vec<u8>, info_hash_raw: &str, from_peer_raw: &str, offer: &OfferIn<'_>) {
    push(
        out,
        &[
            r#"{"action":"announce","info_hash":"#,
            info_hash_raw,
            r#","offer_id":"#,
            offer.offer_id.raw,
            r#","peer_id":"#,
            from_peer_raw,
            r#","offer":{"type":"offer","sdp":"#,
            offer.sdp,
            "}}",
        ],
    );
}

/// An answer, for the peer that made the offer.
pub fn answer(out: &mut Vec<u8>, answer: &AnswerRequest<'_>) {
    push(
        out,
        &[
            r#"{"action":"announce","info_hash":"#,
            answer.info_hash.raw,
            r#","peer_id":"#,
            answer.peer_id.raw,
            r#","offer_id":"#,
            answer.offer_id.raw,
            r#","answer":{"type":"answer","sdp":"#,
            answer.sdp,
            "}}",
        ],
    );
}

/// Why something was refused. bittorrent-tracker's client drops its socket for minutes when it is
/// closed or told an unknown action, but only shows a warning for this.
pub fn failure(
    out: &mut Vec<u8>,
    action: Action,
    info_hash_raw: Option<&str>,
    reason: &impl Display,
) {
    out.extend_from_slice(match action {
        Action::Announce => br#"{"action":"announce""#,
        Action::Scrape => br#"{"action":"scrape""#,
    });
    if let Some(raw) = info_hash_raw {
        push(out, &[r#","info_hash":"#, raw]);
    }
    let mut text = String::new();
    push_string(&mut text, reason.to_string().chars());
    push(out, &[r#","failure reason":"#, &text, "}"]);
}

/// The reply to a scrape, from the raw info_hash, `complete` and `incomplete` of each swarm.
///
/// Nobody counts finished downloads of a stream, so `downloaded` repeats `complete`, as in wt-tracker
/// and bittorrent-tracker.
pub fn scraped<'a>(out: &mut Vec<u8>, files: impl Iterator<Item = (&'a str, u32, u32)>) {
    out.extend_from_slice(br#"{"action":"scrape","files":{"#);
    for (i, (raw, complete, incomplete)) in files.enumerate() {
        push(out, &[if i == 0 { "" } else { "," }, raw]);
        let _ = write!(
            out,
            r#":{{"complete":{complete},"incomplete":{incomplete},"downloaded":{complete}}}"#
        );
    }
    out.extend_from_slice(b"}}");
}

/// The characters of an id as the string of JSON that the functions above take.
#[must_use]
pub fn id_text(chars: impl Iterator<Item = char>) -> String {
    let mut text = String::new();
    push_string(&mut text, chars);
    text
}

fn push(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}
