//! What a client says to the tracker, as slices of what it sent.

use std::fmt;

use beekeepr_json::ReadError;
use beekeepr_model::{InfoHash, OfferId, PeerId};

/// Most swarms that one scrape is told about. aquatic_ws 0.9 takes 255; the reply is then about 20 KB.
pub const SCRAPE_HASHES_MAX: usize = 255;

/// An id, and how the client wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawId<'a, T> {
    /// What to compare.
    pub id: T,
    /// What to relay: a string of JSON with its quotes.
    pub raw: &'a str,
}

/// A token, which no log shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenIn<'a>(
    /// The text between its quotes; a token has no characters that JSON escapes.
    pub &'a str,
);

impl fmt::Debug for TokenIn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenIn(..)")
    }
}

/// Why a client announces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Event {
    /// The interval is over, or the client says "update", "paused", "empty" or nothing.
    #[default]
    Update,
    /// It joins.
    Started,
    /// It leaves.
    Stopped,
    /// It has everything.
    Completed,
}

/// An offer to be relayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfferIn<'a> {
    /// Its id. Some clients do not send 20 characters (bittorrent-tracker issue 525): those are filled
    /// up with zero bytes or cut here, and relayed as they came.
    pub offer_id: RawId<'a, OfferId>,
    /// The session description: a string of JSON with its quotes.
    pub sdp: &'a str,
}

/// A client is in a swarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnounceRequest<'a> {
    /// Which swarm.
    pub info_hash: RawId<'a, InfoHash>,
    /// Who the client is in it.
    pub peer_id: RawId<'a, PeerId>,
    /// How many peers it wants to meet, when it says so.
    pub numwant: Option<u64>,
    /// Whether it says that nothing is left to load.
    pub has_all: bool,
    /// Why it announces.
    pub event: Event,
    /// A token that replaces the connection's: an addition of ours, which other trackers ignore.
    pub token: Option<TokenIn<'a>>,
    /// At most [`beekeepr_model::limits::OFFERS_PER_ANNOUNCE_MAX`]; what a client sends beyond is left out.
    pub offers: Vec<OfferIn<'a>>,
}

/// A client answers a relayed offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerRequest<'a> {
    /// In which swarm.
    pub info_hash: RawId<'a, InfoHash>,
    /// Who answers.
    pub peer_id: RawId<'a, PeerId>,
    /// Who offered.
    pub to_peer_id: PeerId,
    /// The offer's id.
    pub offer_id: RawId<'a, OfferId>,
    /// The session description: a string of JSON with its quotes.
    pub sdp: &'a str,
}

/// A client asks how many peers there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScrapeRequest<'a> {
    /// In which swarms, at most [`SCRAPE_HASHES_MAX`]; `None` when it names none and means all.
    pub info_hashes: Option<Vec<RawId<'a, InfoHash>>>,
}

/// A message from a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientMessage<'a> {
    /// A client is in a swarm.
    Announce(AnnounceRequest<'a>),
    /// A client answers a relayed offer.
    Answer(AnswerRequest<'a>),
    /// A client asks how many peers there are.
    Scrape(ScrapeRequest<'a>),
}

/// What a message, and the reply to it, is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Action {
    /// Being in a swarm, offers and answers.
    #[default]
    Announce,
    /// Counting peers.
    Scrape,
}

/// A message that the tracker does not understand, and what its reply needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused<'a> {
    /// What it is about, as far as one can tell.
    pub action: Action,
    /// Its info_hash, right or wrong: a string of JSON. Clients drop replies without it.
    pub info_hash: Option<&'a str>,
    /// What is wrong.
    pub error: ReadError,
}
