//! What must hold for any bytes from outside, as functions that fuzzers and ordinary tests call.
//!
//! Each function takes what a fuzzer made up and panics when something does not hold: not only that
//! nothing panics by itself, but that what is read can be written and read again, that lists and
//! numbers keep their bounds, that it does not matter in which pieces bytes arrive, and that foreign
//! implementations read the same. `tests/replay.rs` calls them with all committed inputs,
//! `cargo-fuzz/` with all that libFuzzer thinks of.

#![expect(
    clippy::panic,
    reason = "to panic is how a target says that something does not hold"
)]

mod address;
mod commands;
mod dash;
mod handshake;
mod hls;
mod identity;
mod joiner;
mod manifest;
mod sidx;
mod stun;
mod token;
mod tracker_messages;
mod tracker_writers;
mod websocket;

pub use address::address;
pub use commands::commands;
pub use dash::dash;
pub use handshake::handshake;
pub use hls::hls;
pub use identity::identity;
pub use joiner::joiner;
pub use sidx::sidx;
pub use stun::stun;
pub use token::token;
pub use tracker_messages::tracker_messages;
pub use tracker_writers::tracker_writers;
pub use websocket::websocket;

/// A function that fuzzers call, under the name of its folder in `corpus/`.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 13] = [
    ("address", address),
    ("commands", commands),
    ("dash", dash),
    ("handshake", handshake),
    ("hls", hls),
    ("identity", identity),
    ("joiner", joiner),
    ("sidx", sidx),
    ("stun", stun),
    ("token", token),
    ("tracker_messages", tracker_messages),
    ("tracker_writers", tracker_writers),
    ("websocket", websocket),
];

/// The longest text of an error: some quote 40 characters of what they saw, and escapes make up to
/// ten of each. It ends up in logs, and must not carry a whole message there.
const ERROR_CHARS_MAX: usize = 600;

/// An error's text says something and is short.
fn check_error(error: &impl std::fmt::Display) {
    let chars = error.to_string().chars().count();
    assert!((1..=ERROR_CHARS_MAX).contains(&chars), "{error}");
}
