//! Writing a reply.

use core::net::{IpAddr, SocketAddr};

use crate::fingerprint;
use crate::wire::{
    ATTRIBUTE_HEADER_BYTES, FAMILY_IPV4, FAMILY_IPV6, HEADER_BYTES, attribute, message, xor,
};
use crate::{FINGERPRINT_BYTES, REPLY_BYTES_MAX};

/// Class and number of an error, as ERROR-CODE has them (RFC 8489 section 14.8).
const BAD_REQUEST: [u8; 4] = [0, 0, 4, 0];
const UNKNOWN_ATTRIBUTE: [u8; 4] = [0, 0, 4, 20];

/// A reply in the making. Every byte of it is written, none is left over from an earlier one.
pub(crate) struct Reply<'a> {
    out: &'a mut [u8; REPLY_BYTES_MAX],
    length: usize,
}

impl<'a> Reply<'a> {
    /// A header whose type and length are still to come.
    pub(crate) fn new(out: &'a mut [u8; REPLY_BYTES_MAX], cookie_and_id: &[u8; 16]) -> Self {
        out[4..HEADER_BYTES].copy_from_slice(cookie_and_id);
        Self {
            out,
            length: HEADER_BYTES,
        }
    }

    /// Success; what it says is still to come.
    pub(crate) fn success(&mut self) {
        self.set_type(message::BINDING_SUCCESS);
    }

    /// XOR-MAPPED-ADDRESS. The address is hidden behind the cookie and the id because some NATs
    /// rewrite addresses that they find in payloads (RFC 8489 section 14.2). Cookie and id are one
    /// pad: ports and IPv4 addresses meet the cookie only.
    pub(crate) fn mapped_xored(&mut self, address: SocketAddr) {
        let mut pad = [0; 16];
        pad.copy_from_slice(&self.out[4..HEADER_BYTES]);
        self.padded_address(attribute::XOR_MAPPED_ADDRESS, address, pad);
    }

    /// An address in the clear.
    pub(crate) fn address(&mut self, kind: u16, address: SocketAddr) {
        self.padded_address(kind, address, [0; 16]);
    }

    /// PADDING that makes the reply as long as its request, the fingerprint included, or as long as
    /// a reply can be. It may be empty; a request that has one is always long enough for its header.
    pub(crate) fn padding(&mut self, request_bytes: usize, has_fingerprint: bool) {
        let after = if has_fingerprint {
            FINGERPRINT_BYTES
        } else {
            0
        };
        let room = request_bytes.min(REPLY_BYTES_MAX);
        let used = self.length + ATTRIBUTE_HEADER_BYTES + after;
        let length = room.saturating_sub(used) / 4 * 4;
        self.attribute_header(attribute::PADDING, length);
        let end = self.length + length;
        self.out[self.length..end].fill(0);
        self.length = end;
    }

    /// Error 400, without words.
    pub(crate) fn bad_request(&mut self) {
        self.error(BAD_REQUEST);
    }

    /// Error 420 with the list. It says nothing in words: the client knows them from the number,
    /// and whoever the source is forged of does not want them.
    pub(crate) fn unknown_attributes(&mut self, kinds: &[u16], has_cookie: bool) {
        self.error(UNKNOWN_ATTRIBUTE);
        let odd_one = if kinds.len().is_multiple_of(2) {
            None
        } else {
            kinds.last()
        };
        // RFC 3489 section 11.2.10 knows no padding and repeats a type instead.
        let listed = if has_cookie {
            kinds.len()
        } else {
            kinds.len().next_multiple_of(2)
        };
        self.attribute_header(attribute::UNKNOWN_ATTRIBUTES, 2 * listed);
        for kind in kinds {
            self.put(&kind.to_be_bytes());
        }
        match odd_one {
            Some(_) if has_cookie => self.put(&[0; 2]),
            Some(kind) => self.put(&kind.to_be_bytes()),
            None => {}
        }
    }

    /// FINGERPRINT, after all the others.
    pub(crate) fn fingerprint(&mut self) {
        let before = self.length;
        self.attribute_header(attribute::FINGERPRINT, 4);
        // The length counts the attribute before its value is known.
        self.length += 4;
        self.set_length();
        self.length -= 4;
        let value = fingerprint::of(&[&self.out[..before]]);
        self.put(&value.to_be_bytes());
    }

    /// How many bytes of the output are the reply.
    pub(crate) fn finish(mut self) -> usize {
        self.set_length();
        self.length
    }

    fn error(&mut self, code: [u8; 4]) {
        self.set_type(message::BINDING_ERROR);
        self.attribute_header(attribute::ERROR_CODE, code.len());
        self.put(&code);
    }

    fn set_type(&mut self, kind: u16) {
        self.out[..2].copy_from_slice(&kind.to_be_bytes());
    }

    fn set_length(&mut self) {
        // At most REPLY_BYTES_MAX, far below 2^16.
        let length = (self.length - HEADER_BYTES) as u16;
        self.out[2..4].copy_from_slice(&length.to_be_bytes());
    }

    /// An address attribute, port and address combined with the pad. A mapped IPv4 address in an
    /// IPv6 socket is the client's IPv4 address.
    fn padded_address(&mut self, kind: u16, address: SocketAddr, pad: [u8; 16]) {
        let mut port = address.port().to_be_bytes();
        xor(&mut port, &pad);
        match address.ip().to_canonical() {
            IpAddr::V4(ip) => {
                let mut octets = ip.octets();
                xor(&mut octets, &pad);
                self.address_parts(kind, FAMILY_IPV4, port, &octets);
            }
            IpAddr::V6(ip) => {
                let mut octets = ip.octets();
                xor(&mut octets, &pad);
                self.address_parts(kind, FAMILY_IPV6, port, &octets);
            }
        }
    }

    fn address_parts(&mut self, kind: u16, family: u8, port: [u8; 2], octets: &[u8]) {
        self.attribute_header(kind, 4 + octets.len());
        self.put(&[0, family]);
        self.put(&port);
        self.put(octets);
    }

    fn attribute_header(&mut self, kind: u16, length: usize) {
        self.put(&kind.to_be_bytes());
        self.put(&(length as u16).to_be_bytes());
    }

    fn put(&mut self, bytes: &[u8]) {
        let end = self.length + bytes.len();
        self.out[self.length..end].copy_from_slice(bytes);
        self.length = end;
    }
}
