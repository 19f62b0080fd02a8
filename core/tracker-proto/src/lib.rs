//! WebTorrent tracker messages, read and written, both ends.
//!
//! The messages are JSON objects in WebSocket text frames. This crate knows the JSON, not the
//! frames, and nothing of who is in which swarm.
//!
//! - The client end ([`write_announce`], [`write_answer`], [`read_server_message`]) owns what it
//!   reads: an engine handles a few messages a minute.
//! - The tracker's end ([`read_client_message`], [`reply`]) borrows: ids and session descriptions
//!   stay the slices of JSON they came as, and are relayed verbatim. What is relayed has been checked
//!   to be JSON, so nobody can make the tracker send another client something that does not parse.
//!
//! The protocol has no specification. What is accepted here is the union of what bittorrent-tracker
//! 11.2.3, wt-tracker and aquatic_ws 0.9 accept, so that every client that works with one of them
//! works here.

mod client_message;
mod client_read;
mod client_value;
pub mod reply;
mod sdp;
mod server_message;
mod text;
mod write;

pub use beekeepr_json::ReadError;
pub use client_message::{
    Action, AnnounceRequest, AnswerRequest, ClientMessage, Event, OfferIn, RawId, Refused,
    SCRAPE_HASHES_MAX, ScrapeRequest, TokenIn,
};
pub use client_read::read_client_message;
pub use sdp::{CANDIDATES_MAX, SdpFault, SdpRules, check_sdp, is_private};
pub use server_message::{ServerMessage, read_server_message};
pub use write::{Announce, AnnounceEvent, Answer, Offer, write_announce, write_answer};
