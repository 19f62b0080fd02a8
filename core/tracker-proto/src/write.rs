//! What a client says to the tracker.

use std::fmt::Write as _;

use beekeepr_json::push_string;
use beekeepr_model::{InfoHash, OfferId, PeerId};

/// Why a client announces, other than that the interval is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnnounceEvent {
    /// It joins the swarm.
    Started,
    /// It leaves the swarm.
    Stopped,
    /// It has everything (a notion of files; players do not use it).
    Completed,
}

impl AnnounceEvent {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Stopped => "stopped",
            Self::Completed => "completed",
        }
    }
}

/// An offer for the tracker to hand to one of the swarm's peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer<'a> {
    /// What the answer will carry back.
    pub offer_id: OfferId,
    /// The session description, candidates included.
    pub sdp: &'a str,
}

/// "I am in this swarm": on joining, then every interval, and on leaving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announce<'a> {
    /// Which swarm.
    pub info_hash: InfoHash,
    /// Who we are in it.
    pub peer_id: PeerId,
    /// How many peers we want to meet; as many as there are offers.
    pub numwant: u32,
    /// Bytes given to peers.
    pub uploaded: u64,
    /// Bytes taken from peers.
    pub downloaded: u64,
    /// Why; `None` when the interval is over.
    pub event: Option<AnnounceEvent>,
    /// The token that opens the tracker (a JWT), when it has to be told one. Other trackers ignore it.
    pub token: Option<&'a str>,
    /// One for each peer we want to meet.
    pub offers: &'a [Offer<'a>],
}

/// The answer to an offer that the tracker relayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// In which swarm.
    pub info_hash: InfoHash,
    /// Who answers.
    pub peer_id: PeerId,
    /// Who offered.
    pub to_peer_id: PeerId,
    /// The offer's id.
    pub offer_id: OfferId,
    /// The session description, candidates included.
    pub sdp: &'a str,
}

/// The JSON of an announce, in the order of fields that bittorrent-tracker 11.2.3 uses.
#[must_use]
pub fn write_announce(announce: &Announce<'_>) -> String {
    let Announce {
        numwant,
        uploaded,
        downloaded,
        ..
    } = announce;
    let mut out =
        format!(r#"{{"numwant":{numwant},"uploaded":{uploaded},"downloaded":{downloaded}"#);
    if let Some(event) = announce.event {
        let _ = write!(out, r#","event":"{}""#, event.as_str());
    }
    push_head(
        &mut out,
        r#","action":"announce""#,
        announce.info_hash,
        announce.peer_id,
    );
    if let Some(token) = announce.token {
        out.push_str(r#","jwt":"#);
        push_string(&mut out, token.chars());
    }
    out.push_str(r#","offers":["#);
    for (i, offer) in announce.offers.iter().enumerate() {
        out.push_str(if i == 0 { "" } else { "," });
        out.push_str(r#"{"offer":"#);
        push_description(&mut out, "offer", offer.sdp);
        out.push_str(r#","offer_id":"#);
        push_string(&mut out, offer.offer_id.chars());
        out.push('}');
    }
    out.push_str("]}");
    out
}

/// The JSON of an answer.
#[must_use]
pub fn write_answer(answer: &Answer<'_>) -> String {
    let mut out = String::new();
    push_head(
        &mut out,
        r#"{"action":"announce""#,
        answer.info_hash,
        answer.peer_id,
    );
    out.push_str(r#","to_peer_id":"#);
    push_string(&mut out, answer.to_peer_id.chars());
    out.push_str(r#","answer":"#);
    push_description(&mut out, "answer", answer.sdp);
    out.push_str(r#","offer_id":"#);
    push_string(&mut out, answer.offer_id.chars());
    out.push('}');
    out
}

fn push_head(out: &mut String, start: &str, info_hash: InfoHash, peer_id: PeerId) {
    out.push_str(start);
    out.push_str(r#","info_hash":"#);
    push_string(out, info_hash.chars());
    out.push_str(r#","peer_id":"#);
    push_string(out, peer_id.chars());
}

fn push_description(out: &mut String, kind: &str, sdp: &str) {
    let _ = write!(out, r#"{{"type":"{kind}","sdp":"#);
    push_string(out, sdp.chars());
    out.push('}');
}
