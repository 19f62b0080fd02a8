//! Numbers of the wire format that both directions need.

/// Bytes of a message's header.
pub(crate) const HEADER_BYTES: usize = 20;

/// Bytes of an attribute's type and length.
pub(crate) const ATTRIBUTE_HEADER_BYTES: usize = 4;

/// RFC 8489 section 5. An RFC 3489 client has the first 4 bytes of its transaction id here.
pub(crate) const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// Message types (RFC 8489 section 5: class and method interleaved).
pub(crate) mod message {
    /// The bits of a type that are zero in every STUN message.
    pub(crate) const NOT_STUN_MASK: u16 = 0xc000;
    /// The bits of a type that tell the class.
    pub(crate) const CLASS_MASK: u16 = 0x0110;
    pub(crate) const CLASS_REQUEST: u16 = 0x0000;
    pub(crate) const CLASS_INDICATION: u16 = 0x0010;
    pub(crate) const METHOD_BINDING: u16 = 0x0001;
    pub(crate) const BINDING_REQUEST: u16 = 0x0001;
    pub(crate) const BINDING_SUCCESS: u16 = 0x0101;
    pub(crate) const BINDING_ERROR: u16 = 0x0111;
}

/// Attribute types (RFC 8489 section 18.3, RFC 5780 section 9.1).
pub(crate) mod attribute {
    pub(crate) const MAPPED_ADDRESS: u16 = 0x0001;
    /// RFC 3489 section 11.2.4 and RFC 5780 section 7.2.
    pub(crate) const CHANGE_REQUEST: u16 = 0x0003;
    /// RFC 3489 section 11.2.5; RESPONSE-ORIGIN since RFC 5780.
    pub(crate) const SOURCE_ADDRESS: u16 = 0x0004;
    /// RFC 3489 section 11.2.3; OTHER-ADDRESS since RFC 5780.
    pub(crate) const CHANGED_ADDRESS: u16 = 0x0005;
    pub(crate) const USERNAME: u16 = 0x0006;
    pub(crate) const MESSAGE_INTEGRITY: u16 = 0x0008;
    pub(crate) const ERROR_CODE: u16 = 0x0009;
    pub(crate) const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
    pub(crate) const REALM: u16 = 0x0014;
    pub(crate) const NONCE: u16 = 0x0015;
    pub(crate) const MESSAGE_INTEGRITY_SHA256: u16 = 0x001c;
    pub(crate) const PASSWORD_ALGORITHM: u16 = 0x001d;
    pub(crate) const USERHASH: u16 = 0x001e;
    pub(crate) const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    /// RFC 5780 section 7.6.
    pub(crate) const PADDING: u16 = 0x0026;
    /// RFC 5780 section 7.5.
    pub(crate) const RESPONSE_PORT: u16 = 0x0027;
    pub(crate) const FINGERPRINT: u16 = 0x8028;
    /// RFC 5780 section 7.3.
    pub(crate) const RESPONSE_ORIGIN: u16 = 0x802b;
    /// RFC 5780 section 7.4.
    pub(crate) const OTHER_ADDRESS: u16 = 0x802c;

    /// Below this an attribute must be understood by whoever reads it.
    pub(crate) const OPTIONAL_FROM: u16 = 0x8000;
}

/// Address families (RFC 8489 section 14.1).
pub(crate) const FAMILY_IPV4: u8 = 1;
pub(crate) const FAMILY_IPV6: u8 = 2;

/// The attributes of a message, in order.
pub(crate) struct Attributes<'a> {
    message: &'a [u8],
    offset: usize,
}

/// One attribute.
pub(crate) struct Attribute<'a> {
    pub(crate) kind: u16,
    pub(crate) value: &'a [u8],
    /// Where it begins in the message.
    pub(crate) start: usize,
    /// Where the next one begins, after the padding.
    pub(crate) end: usize,
}

/// An attribute is longer than what is left of its message.
pub(crate) struct Overrun;

impl<'a> Attributes<'a> {
    /// Of a message that has a header and whose length is a multiple of four.
    pub(crate) fn of(message: &'a [u8]) -> Self {
        Self {
            message,
            offset: HEADER_BYTES,
        }
    }

    pub(crate) fn next(&mut self) -> Result<Option<Attribute<'a>>, Overrun> {
        let start = self.offset;
        let rest = self.message.get(start..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(None);
        }
        let (header, rest) = rest
            .split_first_chunk::<ATTRIBUTE_HEADER_BYTES>()
            .ok_or(Overrun)?;
        let [kind_high, kind_low, length_high, length_low] = *header;
        let length = usize::from(u16::from_be_bytes([length_high, length_low]));
        let value = rest.get(..length).ok_or(Overrun)?;
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

/// Combines the bytes with as much of the pad.
pub(crate) fn xor(bytes: &mut [u8], pad: &[u8; 16]) {
    bytes
        .iter_mut()
        .zip(pad)
        .for_each(|(byte, pad)| *byte ^= pad);
}
