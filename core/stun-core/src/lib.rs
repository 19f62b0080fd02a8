//! One STUN message in, at most one message out.
//!
//! The server's side of the Binding method: RFC 8489, RFC 3489 for requests without the magic
//! cookie, and RFC 5780 where a server offers it. No sockets, no clock, no sessions:
//!
//! ```text
//! worker starts     Server::new(own addresses, limits, key)
//! a datagram came   server.handle(now, bytes, arrival, out) -> reply and route, or why none
//! a stream grew     frame(bytes) -> where the message ends, then as above
//! ```
//!
//! What a message costs does not depend on who sends it or how often: a server allocates when it is
//! made and never after.
//!
//! Answers are as small as they can be, because anybody can have them sent to anybody by forging the
//! source: a browser's 20 bytes are answered with 32 (IPv4) or 44 (IPv6), and no answer is longer
//! than its request by more than that, unless RFC 5780 is offered, which takes 36 (IPv4) or 72 (IPv6)
//! more. What is not a request gets no answer at all, else two servers could be made to talk to each
//! other for ever.
//!
//! Not known here: credentials (a Binding server has none to check), TURN, ICE.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod behaviour;
pub mod client;
mod fingerprint;
mod frame;
mod limit;
mod mapping;
mod outcome;
mod reply;
mod request;
mod respond;
mod server;
mod siphash;
mod wire;

pub use behaviour::{Behaviour, Change, Place};
pub use frame::{Frame, frame};
pub use limit::{Limiter, Limits};
pub use mapping::{Mapping, Mappings};
pub use outcome::{DropReason, Outcome, ReplyKind, Route};
pub use respond::{respond, respond_at};
pub use server::{Arrival, Server};
pub use siphash::Key;

/// The longest datagram that is read. Requests with PADDING (RFC 5780 section 7.6) are to be a little
/// longer than the path's MTU, which is 1500 bytes nearly everywhere; all others are far shorter.
pub const REQUEST_BYTES_MAX: usize = 2048;

/// The longest reply: one to the longest request with PADDING.
pub const REPLY_BYTES_MAX: usize = REQUEST_BYTES_MAX;

/// The longest message of a stream; nobody needs to pad there.
pub const STREAM_MESSAGE_BYTES_MAX: usize = 1024;

/// Unknown attributes listed in one answer at most. A real client has one or two; a list that is cut
/// still tells it that the request cannot be answered.
pub const UNKNOWN_LISTED_MAX: usize = 16;

/// The lowest port to which RFC 5780's RESPONSE-PORT may send an answer: below are the services of
/// the source's host, and no client's sockets.
pub const PORT_ASKED_FOR_MIN: u16 = 1024;

/// How many plain answers one counts for that goes elsewhere or is padded. A client that examines its
/// NAT sends ten requests a second at most (RFC 5780 section 5); viewers send none.
pub const BEHAVIOUR_COST: u32 = 50;

/// What FINGERPRINT takes.
const FINGERPRINT_BYTES: usize = 8;
