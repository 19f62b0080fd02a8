//! WebRTC data channels to many peers over one UDP port.
//!
//! A [`Hub`] is a thread that owns one UDP socket and all connections on it, or several such threads
//! with one certificate. Whoever wants connections takes a [`Client`] from it, names each connection by a number of its own and
//! trades descriptions (SDP) with the far end by whatever signalling it has:
//!
//! ```text
//! we offer:     offer_create  -> OfferReady  -> (signalling) -> answer_accept -> Opened
//! they offer:   (signalling)  -> offer_accept -> AnswerReady -> (signalling)  -> Opened
//! then:         send -> ... -> Drained, Message ..., and Closed exactly once, however it ends
//! ```
//!
//! From the socket up: `mux` finds whose a datagram is, `ice` finds the path to the peer and keeps it,
//! `dtls` makes it secure (handshake by `rtc-dtls`, records by ourselves), `sctp` carries messages
//! (association by `rtc-sctp`, the channel's two messages in `dcep`), and `pace` says how much may be
//! under way; `connection` puts them together. Nothing of that shows through this interface. The
//! hub's loop, written once in `run`: wait for a command, datagrams or a deadline; hand what came to
//! the `mux`; let it drive connections, those being set up first and of the others so many as a turn
//! has room for, one after the other; send what each gave.
//!
//! What protects one peer from another:
//! - A foreign description never reaches the stack. `sdp` reads the few values that matter, checks
//!   each, and writes a description of its own.
//! - A datagram reaches a connection when it is a STUN request signed with that connection's
//!   password, or comes from an address that sent one before.
//! - Whatever a connection does, even a panic in the stack, ends that connection only.

mod candidates;
mod client;
mod connection;
mod dcep;
mod dtls;
mod hub;
mod ice;
mod mux;
mod pace;
mod random;
mod routes;
mod run;
mod sctp;
mod sdp;
mod socket;
mod stun;
mod wire;

pub use client::{Client, HubEvent};
pub(crate) use hub::SHARDS_MAX;
pub use hub::{Hub, HubConfig, HubError, start};

/// Bytes of the largest message that we take, and say so in our descriptions. Chromium says the
/// same; p2p-media-loader sends at most 65,535.
pub const MESSAGE_BYTES_MAX: u32 = 262_144;

/// Bytes that one connection may have on the way unacknowledged over a short path; `pace` gives a
/// longer one more. Chromium's UDP receive buffer
/// holds 131,072 bytes; with 64 KiB in flight 4 of 4 runs lost no datagram there, with 128 KiB
/// each lost hundreds and was slower.
pub const SEND_WINDOW_BYTES: usize = 65_536;

/// Bytes that may wait behind the window of one connection. A caller that heeds
/// [`HubEvent::Drained`] stays below twice the window; one that does not loses the connection.
pub const SEND_QUEUE_BYTES_MAX: usize = 4 * 1024 * 1024;
