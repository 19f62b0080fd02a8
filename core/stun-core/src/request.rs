//! Reading a Binding request.

use crate::DropReason;
use crate::fingerprint;
use crate::wire::{HEADER_BYTES, MAGIC_COOKIE, attribute, message};

/// Unknown attributes listed in one answer at most. A real client has one or two; a list that is cut
/// still tells it that the request cannot be answered.
pub const UNKNOWN_LISTED_MAX: usize = 16;

/// Bytes of an attribute's type and length.
const ATTRIBUTE_HEADER_BYTES: usize = 4;

/// What must be known of a request to answer it.
#[derive(Debug)]
pub(crate) struct Request {
    /// Bytes 4 to 19 of the header: the cookie and the transaction id, or RFC 3489's longer id.
    pub(crate) cookie_and_id: [u8; 16],
    /// Attributes that the client demands us to understand and we do not.
    pub(crate) unknown: UnknownAttributes,
    pub(crate) has_fingerprint: bool,
}

impl Request {
    pub(crate) fn read(datagram: &[u8]) -> Result<Self, DropReason> {
        let (header, body) = datagram
            .split_first_chunk::<HEADER_BYTES>()
            .ok_or(DropReason::NotStun)?;
        let [
            type_high,
            type_low,
            length_high,
            length_low,
            cookie_and_id @ ..,
        ] = *header;
        check_type(u16::from_be_bytes([type_high, type_low]))?;
        let length = usize::from(u16::from_be_bytes([length_high, length_low]));
        if length != body.len() || !length.is_multiple_of(4) {
            return Err(DropReason::Length);
        }
        let mut request = Self {
            cookie_and_id,
            unknown: UnknownAttributes::default(),
            has_fingerprint: false,
        };
        request.read_attributes(datagram)?;
        Ok(request)
    }

    pub(crate) fn has_cookie(&self) -> bool {
        self.cookie_and_id.starts_with(&MAGIC_COOKIE)
    }

    fn read_attributes(&mut self, datagram: &[u8]) -> Result<(), DropReason> {
        let mut attributes = Attributes {
            datagram,
            offset: HEADER_BYTES,
        };
        // What follows the integrity is not protected by it and does not count (RFC 8489 section
        // 14.5), except the fingerprint.
        let mut is_after_integrity = false;
        while let Some(attribute) = attributes.next()? {
            match attribute.kind {
                attribute::FINGERPRINT if self.has_cookie() => {
                    check_fingerprint(datagram, &attribute)?;
                    self.has_fingerprint = true;
                }
                attribute::MESSAGE_INTEGRITY | attribute::MESSAGE_INTEGRITY_SHA256 => {
                    is_after_integrity = true;
                }
                kind if !is_after_integrity && !self.understands(kind, attribute.value) => {
                    self.unknown.push(kind);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether the attribute may be ignored, or asks for nothing that we do not do anyway.
    ///
    /// What belongs to credentials is understood: a server that asks for none ignores them.
    fn understands(&self, kind: u16, value: &[u8]) -> bool {
        match kind {
            // RFC 3489 clients send it in every request; without a flag it asks for no change. With
            // one we cannot obey: RFC 8489 section 11 by way of RFC 5389 section 12.2.
            attribute::CHANGE_REQUEST => !self.has_cookie() && value == [0; 4],
            attribute::MAPPED_ADDRESS
            | attribute::USERNAME
            | attribute::MESSAGE_INTEGRITY
            | attribute::ERROR_CODE
            | attribute::UNKNOWN_ATTRIBUTES
            | attribute::REALM
            | attribute::NONCE
            | attribute::MESSAGE_INTEGRITY_SHA256
            | attribute::PASSWORD_ALGORITHM
            | attribute::USERHASH
            | attribute::XOR_MAPPED_ADDRESS => true,
            other => other >= attribute::OPTIONAL_FROM,
        }
    }
}

fn check_type(kind: u16) -> Result<(), DropReason> {
    if kind & 0xc000 != 0 {
        return Err(DropReason::NotStun);
    }
    match kind & message::CLASS_MASK {
        message::CLASS_REQUEST => {}
        message::CLASS_INDICATION => return Err(DropReason::Indication),
        _ => return Err(DropReason::Response),
    }
    if kind & !message::CLASS_MASK == message::METHOD_BINDING {
        Ok(())
    } else {
        Err(DropReason::Method)
    }
}

/// The fingerprint is the last attribute, has 4 bytes and fits the message (RFC 8489 section 14.7).
fn check_fingerprint(datagram: &[u8], attribute: &Attribute<'_>) -> Result<(), DropReason> {
    let value: [u8; 4] = attribute
        .value
        .try_into()
        .map_err(|_| DropReason::Attribute)?;
    if attribute.end != datagram.len() {
        return Err(DropReason::Attribute);
    }
    let before = &datagram[..attribute.start];
    if u32::from_be_bytes(value) == fingerprint::of(&[before]) {
        Ok(())
    } else {
        Err(DropReason::Fingerprint)
    }
}

struct Attributes<'a> {
    datagram: &'a [u8],
    offset: usize,
}

struct Attribute<'a> {
    kind: u16,
    value: &'a [u8],
    /// Where it begins in the datagram.
    start: usize,
    /// Where the next one begins, after the padding.
    end: usize,
}

impl<'a> Attributes<'a> {
    fn next(&mut self) -> Result<Option<Attribute<'a>>, DropReason> {
        let start = self.offset;
        let rest = &self.datagram[start..];
        if rest.is_empty() {
            return Ok(None);
        }
        let (header, rest) = rest
            .split_first_chunk::<ATTRIBUTE_HEADER_BYTES>()
            .ok_or(DropReason::Attribute)?;
        let [kind_high, kind_low, length_high, length_low] = *header;
        let length = usize::from(u16::from_be_bytes([length_high, length_low]));
        let value = rest.get(..length).ok_or(DropReason::Attribute)?;
        // All lengths on the way are multiples of four, so the padding is inside as the value is.
        let end = start + ATTRIBUTE_HEADER_BYTES + length.next_multiple_of(4);
        self.offset = end;
        let kind = u16::from_be_bytes([kind_high, kind_low]);
        Ok(Some(Attribute {
            kind,
            value,
            start,
            end,
        }))
    }
}

/// A short list without repetitions.
#[derive(Debug, Default)]
pub(crate) struct UnknownAttributes {
    kinds: [u16; UNKNOWN_LISTED_MAX],
    count: usize,
}

impl UnknownAttributes {
    fn push(&mut self, kind: u16) {
        if self.count < UNKNOWN_LISTED_MAX && !self.as_slice().contains(&kind) {
            self.kinds[self.count] = kind;
            self.count += 1;
        }
    }

    pub(crate) fn as_slice(&self) -> &[u16] {
        &self.kinds[..self.count]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }
}
