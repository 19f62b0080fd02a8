//! What becomes of a datagram.

use core::net::SocketAddr;

use crate::behaviour::Change;

/// What became of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The first `bytes` of the output are to be sent.
    Reply {
        /// How many.
        bytes: usize,
        /// What they say.
        kind: ReplyKind,
        /// From where to where.
        route: Route,
    },
    /// Nothing is to be sent.
    Dropped(DropReason),
}

/// From where to where a reply goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The source of the request, maybe with another port.
    pub to: SocketAddr,
    /// From the address that was asked, but for what is to be changed of it.
    pub from: Change,
}

/// What a reply says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReplyKind {
    /// The source's address, in XOR-MAPPED-ADDRESS.
    Mapped,
    /// The source's address, in MAPPED-ADDRESS, to an RFC 3489 client.
    MappedRfc3489,
    /// The source's address, to a request that asks for something of RFC 5780: an answer from or to
    /// elsewhere, or a padded one.
    Behaviour,
    /// Error 420: the request demands things that are not known here.
    UnknownAttributes,
    /// Error 400: the request asks for what nobody gets.
    BadRequest,
}

/// Why a datagram gets no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DropReason {
    /// The source cannot be answered: port 0, or an unspecified, multicast or broadcast address.
    Source,
    /// The source is an address of this server, so it is forged.
    OwnAddress,
    /// It was sent to many at once, by broadcast or multicast.
    Broadcast,
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
    /// The source has had its share of answers.
    SourceLimit,
    /// All sources together have had theirs.
    TotalLimit,
}

impl ReplyKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::Mapped,
        Self::MappedRfc3489,
        Self::Behaviour,
        Self::UnknownAttributes,
        Self::BadRequest,
    ];

    /// For metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mapped => "mapped",
            Self::MappedRfc3489 => "mapped_rfc3489",
            Self::Behaviour => "behaviour",
            Self::UnknownAttributes => "unknown_attributes",
            Self::BadRequest => "bad_request",
        }
    }
}

impl DropReason {
    /// Every reason.
    pub const ALL: [Self; 12] = [
        Self::Source,
        Self::OwnAddress,
        Self::Broadcast,
        Self::NotStun,
        Self::Length,
        Self::Response,
        Self::Indication,
        Self::Method,
        Self::Attribute,
        Self::Fingerprint,
        Self::SourceLimit,
        Self::TotalLimit,
    ];

    /// For metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::OwnAddress => "own_address",
            Self::Broadcast => "broadcast",
            Self::NotStun => "not_stun",
            Self::Length => "length",
            Self::Response => "response",
            Self::Indication => "indication",
            Self::Method => "method",
            Self::Attribute => "attribute",
            Self::Fingerprint => "fingerprint",
            Self::SourceLimit => "source_limit",
            Self::TotalLimit => "total_limit",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_stand_in_the_order_of_their_numbers() {
        let kinds = ReplyKind::ALL.iter().enumerate();
        assert!({ kinds }.all(|(index, kind)| *kind as usize == index));
        let reasons = DropReason::ALL.iter().enumerate();
        assert!({ reasons }.all(|(index, reason)| *reason as usize == index));
    }
}
