//! One STUN datagram in, at most one datagram out.
//!
//! The server's side of the Binding method: RFC 8489, and RFC 3489 for requests without the magic
//! cookie. No sockets, no clock, no sessions, and, being `no_std` without `alloc`, no allocation:
//! what a datagram costs does not depend on who sends it or how often.
//!
//! Answers are as small as they can be, because anybody can have them sent to anybody by forging the
//! source: a browser's 20 bytes are answered with 32 (IPv4) or 44 (IPv6), and no answer is longer
//! than its request by more than that. What is not a request gets no answer at all, else two
//! servers could be made to talk to each other for ever.
//!
//! Not known here: credentials (a Binding server has none to check), TURN, ICE, RFC 5780.

#![no_std]
#![forbid(unsafe_code)]

mod fingerprint;
mod reply;
mod request;
mod wire;

use core::net::{IpAddr, SocketAddr};

use reply::Reply;
use request::Request;
pub use request::UNKNOWN_LISTED_MAX;

/// The longest reply: a header, an error code without words, a full list of unknown attributes and
/// a fingerprint.
pub const REPLY_BYTES_MAX: usize = 20 + 8 + (4 + 2 * UNKNOWN_LISTED_MAX) + 8;

/// What became of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The first `bytes` of the output are to be sent to the source, from the address that the
    /// datagram was sent to.
    Reply {
        /// How many.
        bytes: usize,
        /// What they say.
        kind: ReplyKind,
    },
    /// Nothing is to be sent.
    Dropped(DropReason),
}

/// What a reply says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReplyKind {
    /// The source's address, in XOR-MAPPED-ADDRESS.
    Mapped,
    /// The source's address, in MAPPED-ADDRESS, to an RFC 3489 client.
    MappedRfc3489,
    /// Error 420: the request demands things that are not known here.
    UnknownAttributes,
}

/// Why a datagram gets no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DropReason {
    /// The source cannot be answered: port 0, or an unspecified, multicast or broadcast address.
    Source,
    /// Shorter than a header, or its first two bits are not zero.
    NotStun,
    /// The header's length is not that of the datagram, or no multiple of four.
    Length,
    /// An answer, not a request.
    Response,
    /// A message that wants no answer.
    Indication,
    /// A request for something other than Binding.
    Method,
    /// An attribute is longer than what is left, or has a length that its type does not have.
    Attribute,
    /// The fingerprint does not fit the message, so it is damaged or another protocol's.
    Fingerprint,
}

impl ReplyKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Mapped, Self::MappedRfc3489, Self::UnknownAttributes];

    /// For metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mapped => "mapped",
            Self::MappedRfc3489 => "mapped_rfc3489",
            Self::UnknownAttributes => "unknown_attributes",
        }
    }
}

impl DropReason {
    /// Every reason.
    pub const ALL: [Self; 8] = [
        Self::Source,
        Self::NotStun,
        Self::Length,
        Self::Response,
        Self::Indication,
        Self::Method,
        Self::Attribute,
        Self::Fingerprint,
    ];

    /// For metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::NotStun => "not_stun",
            Self::Length => "length",
            Self::Response => "response",
            Self::Indication => "indication",
            Self::Method => "method",
            Self::Attribute => "attribute",
            Self::Fingerprint => "fingerprint",
        }
    }
}

/// Reads a datagram that came from `source` and writes the answer, if it gets one, to `out`.
pub fn respond(datagram: &[u8], source: SocketAddr, out: &mut [u8; REPLY_BYTES_MAX]) -> Outcome {
    if !is_answerable(source) {
        return Outcome::Dropped(DropReason::Source);
    }
    let request = match Request::read(datagram) {
        Ok(request) => request,
        Err(reason) => return Outcome::Dropped(reason),
    };
    let kind = if !request.unknown.is_empty() {
        ReplyKind::UnknownAttributes
    } else if request.has_cookie() {
        ReplyKind::Mapped
    } else {
        ReplyKind::MappedRfc3489
    };
    let mut reply = Reply::new(out, &request.cookie_and_id);
    match kind {
        ReplyKind::Mapped => reply.mapped_xored(source),
        ReplyKind::MappedRfc3489 => reply.mapped(source),
        ReplyKind::UnknownAttributes => {
            reply.unknown_attributes(request.unknown.as_slice(), request.has_cookie());
        }
    }
    if request.has_fingerprint {
        reply.fingerprint();
    }
    Outcome::Reply {
        bytes: reply.finish(),
        kind,
    }
}

/// An answer to any other source would reach nobody, or many.
fn is_answerable(source: SocketAddr) -> bool {
    let is_one_host = match source.ip().to_canonical() {
        IpAddr::V4(ip) => !ip.is_unspecified() && !ip.is_multicast() && !ip.is_broadcast(),
        IpAddr::V6(ip) => !ip.is_unspecified() && !ip.is_multicast(),
    };
    is_one_host && source.port() != 0
}
