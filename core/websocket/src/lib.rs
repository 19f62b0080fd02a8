//! The server's end of WebSocket (RFC 6455) over buffers that somebody else owns.
//!
//! - [`read_request`] looks for a handshake at the start of what has come and gives the response.
//! - [`Decoder`] takes frames from the front of a buffer, unmasks them in place and gives messages
//!   that borrow from it. It owns memory only between the fragments of a message, so an idle
//!   connection costs next to nothing and all connections of a thread can share one read buffer.
//! - [`mod@write`] puts frames behind what is already in a buffer.
//!
//! The crate knows neither sockets nor what messages mean. There are no extensions: a client that
//! offers permessage-deflate is served without.

mod decoder;
mod error;
mod handshake;
mod mask;
pub mod write;

pub use decoder::{Decoder, Event, FRAME_HEADER_BYTES_MAX};
pub use error::ProtocolError;
pub use handshake::{HANDSHAKE_BYTES_MAX, Handshake, Upgrade, read_request, refusal};
