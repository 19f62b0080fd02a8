//! Reading a Binding request.

use crate::behaviour::Change;
use crate::fingerprint;
use crate::wire::{Attribute, Attributes, HEADER_BYTES, MAGIC_COOKIE, attribute, message};
use crate::{DropReason, UNKNOWN_LISTED_MAX};

/// What must be known of a request to answer it.
#[derive(Debug)]
pub(crate) struct Request {
    /// Bytes 4 to 19 of the header: the cookie and the transaction id, or RFC 3489's longer id.
    pub(crate) cookie_and_id: [u8; 16],
    /// Attributes that the client demands us to understand and we do not.
    pub(crate) unknown: UnknownAttributes,
    pub(crate) has_fingerprint: bool,
    /// What of RFC 5780 it asks for; nothing for whom does not offer it.
    pub(crate) wishes: Wishes,
}

/// What a request asks for by RFC 5780.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wishes {
    change: Option<Change>,
    pub(crate) response_port: Option<u16>,
    pub(crate) has_padding: bool,
}

impl Wishes {
    /// Whence the answer is to come.
    pub(crate) fn change(&self) -> Change {
        self.change.unwrap_or_default()
    }

    /// Whether anything is asked for.
    pub(crate) fn are_any(&self) -> bool {
        self.change() != Change::NONE || self.response_port.is_some() || self.has_padding
    }
}

impl Request {
    /// Reads it for a server that offers RFC 5780 or does not.
    pub(crate) fn read(datagram: &[u8], offers_behaviour: bool) -> Result<Self, DropReason> {
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
            wishes: Wishes::default(),
        };
        request.read_attributes(datagram, offers_behaviour)?;
        Ok(request)
    }

    pub(crate) fn has_cookie(&self) -> bool {
        self.cookie_and_id.starts_with(&MAGIC_COOKIE)
    }

    fn read_attributes(
        &mut self,
        datagram: &[u8],
        offers_behaviour: bool,
    ) -> Result<(), DropReason> {
        let mut attributes = Attributes::of(datagram);
        // What follows the integrity is not protected by it and does not count (RFC 8489 section
        // 14.5), except the fingerprint.
        let mut is_after_integrity = false;
        while let Some(attribute) = attributes.next().map_err(|_| DropReason::Attribute)? {
            match attribute.kind {
                attribute::FINGERPRINT if self.has_cookie() => {
                    check_fingerprint(datagram, &attribute)?;
                    self.has_fingerprint = true;
                }
                attribute::MESSAGE_INTEGRITY | attribute::MESSAGE_INTEGRITY_SHA256 => {
                    is_after_integrity = true;
                }
                _ if is_after_integrity => {}
                _ if offers_behaviour && self.wish(&attribute)? => {}
                kind if !self.understands(kind, attribute.value) => self.unknown.push(kind),
                _ => {}
            }
        }
        Ok(())
    }

    /// Notes what an attribute of RFC 5780 asks for; false for all the others. Of several of a kind
    /// the first counts (RFC 8489 section 14).
    fn wish(&mut self, attribute: &Attribute<'_>) -> Result<bool, DropReason> {
        match attribute.kind {
            attribute::CHANGE_REQUEST => {
                let value = attribute.value.try_into();
                let change = Change::from_flags(value.map_err(|_| DropReason::Attribute)?);
                self.wishes.change.get_or_insert(change);
            }
            // Two bytes of padding belong to the value (RFC 5780 section 7.5); who counts them not
            // is understood all the same.
            attribute::RESPONSE_PORT => match *attribute.value {
                [high, low] | [high, low, _, _] => {
                    let port = u16::from_be_bytes([high, low]);
                    self.wishes.response_port.get_or_insert(port);
                }
                _ => return Err(DropReason::Attribute),
            },
            attribute::PADDING => self.wishes.has_padding = true,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Whether the attribute may be ignored, or asks for nothing that we do not do anyway.
    ///
    /// What belongs to credentials is understood: a server that asks for none ignores them.
    fn understands(&self, kind: u16, value: &[u8]) -> bool {
        match kind {
            // RFC 3489 clients send it in every request; without a flag it asks for no change. With
            // one we cannot obey (RFC 5780 section 6).
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
    if kind & message::NOT_STUN_MASK != 0 {
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
