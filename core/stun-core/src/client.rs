//! The other end, for tests of a server from outside: requests written, responses read.

use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::behaviour::Change;
use crate::wire::{
    Attributes, FAMILY_IPV4, FAMILY_IPV6, HEADER_BYTES, MAGIC_COOKIE, attribute, message, xor,
};

/// Bytes of a Binding request with a CHANGE-REQUEST.
pub const REQUEST_BYTES_MAX: usize = HEADER_BYTES + 8;

/// What tells one request from another.
pub type TransactionId = [u8; 12];

/// A Binding request: its bytes and how many of them.
#[must_use]
pub fn request(id: TransactionId, change: Change) -> ([u8; REQUEST_BYTES_MAX], usize) {
    let mut bytes = [0; REQUEST_BYTES_MAX];
    bytes[..2].copy_from_slice(&message::BINDING_REQUEST.to_be_bytes());
    bytes[4..8].copy_from_slice(&MAGIC_COOKIE);
    bytes[8..HEADER_BYTES].copy_from_slice(&id);
    if change == Change::NONE {
        return (bytes, HEADER_BYTES);
    }
    bytes[3] = 8;
    let [high, low] = attribute::CHANGE_REQUEST.to_be_bytes();
    bytes[HEADER_BYTES..HEADER_BYTES + 4].copy_from_slice(&[high, low, 0, 4]);
    bytes[HEADER_BYTES + 4..].copy_from_slice(&change.flags());
    (bytes, REQUEST_BYTES_MAX)
}

/// What a server said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The client's address as the server saw it.
    pub mapped: Option<SocketAddr>,
    /// The server's other address, when it offers RFC 5780.
    pub other: Option<SocketAddr>,
    /// The number of the error, when it is one: 420 for example.
    pub error: Option<u16>,
}

/// A message that is no response to the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotTheResponse;

impl Response {
    /// Reads the response to the request with this id.
    ///
    /// # Errors
    /// It is damaged, of another request, or no Binding response.
    pub fn read(bytes: &[u8], id: &TransactionId) -> Result<Self, NotTheResponse> {
        let (header, body) = bytes
            .split_first_chunk::<HEADER_BYTES>()
            .ok_or(NotTheResponse)?;
        let kind = u16::from_be_bytes([header[0], header[1]]);
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let is_response = [message::BINDING_SUCCESS, message::BINDING_ERROR].contains(&kind);
        let is_ours = header[4..8] == MAGIC_COOKIE && header[8..] == *id;
        if !is_response || !is_ours || length != body.len() || !length.is_multiple_of(4) {
            return Err(NotTheResponse);
        }
        let mut pad = [0; 16];
        pad.copy_from_slice(&header[4..]);
        let mut response = Self::default();
        let mut attributes = Attributes::of(bytes);
        while let Some(attribute) = attributes.next().map_err(|_| NotTheResponse)? {
            response.note(attribute.kind, attribute.value, pad);
        }
        if kind == message::BINDING_ERROR {
            response.error = response.error.or(Some(0));
        }
        Ok(response)
    }

    fn note(&mut self, kind: u16, value: &[u8], pad: [u8; 16]) {
        match kind {
            attribute::XOR_MAPPED_ADDRESS => self.mapped = address(value, pad),
            // An RFC 3489 server has nothing else; one that has both says the same twice, unless a
            // NAT on the way has rewritten what it found in the clear.
            attribute::MAPPED_ADDRESS => self.mapped = self.mapped.or(address(value, [0; 16])),
            attribute::OTHER_ADDRESS => self.other = address(value, [0; 16]),
            attribute::ERROR_CODE => {
                self.error = value
                    .get(2..4)
                    .map(|code| u16::from(code[0]) * 100 + u16::from(code[1]));
            }
            _ => {}
        }
    }
}

fn address(value: &[u8], pad: [u8; 16]) -> Option<SocketAddr> {
    let (&[_, family, port_high, port_low], octets) = value.split_first_chunk::<4>()?;
    let mut port = [port_high, port_low];
    xor(&mut port, &pad);
    let port = u16::from_be_bytes(port);
    match family {
        FAMILY_IPV4 => {
            let mut octets: [u8; 4] = octets.try_into().ok()?;
            xor(&mut octets, &pad);
            Some((Ipv4Addr::from(octets), port).into())
        }
        FAMILY_IPV6 => {
            let mut octets: [u8; 16] = octets.try_into().ok()?;
            xor(&mut octets, &pad);
            Some((Ipv6Addr::from(octets), port).into())
        }
        _ => None,
    }
}
