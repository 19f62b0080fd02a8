//! Numbers of the wire format that both directions need.

/// Bytes of a message's header.
pub(crate) const HEADER_BYTES: usize = 20;

/// RFC 8489 section 5. An RFC 3489 client has the first 4 bytes of its transaction id here.
pub(crate) const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// Message types (RFC 8489 section 5: class and method interleaved).
pub(crate) mod message {
    /// The bits of a type that tell the class.
    pub(crate) const CLASS_MASK: u16 = 0x0110;
    pub(crate) const CLASS_REQUEST: u16 = 0x0000;
    pub(crate) const CLASS_INDICATION: u16 = 0x0010;
    pub(crate) const METHOD_BINDING: u16 = 0x0001;
    pub(crate) const BINDING_SUCCESS: u16 = 0x0101;
    pub(crate) const BINDING_ERROR: u16 = 0x0111;
}

/// Attribute types (RFC 8489 section 18.3).
pub(crate) mod attribute {
    pub(crate) const MAPPED_ADDRESS: u16 = 0x0001;
    /// RFC 3489 section 11.2.4 and RFC 5780 section 7.2.
    pub(crate) const CHANGE_REQUEST: u16 = 0x0003;
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
    pub(crate) const FINGERPRINT: u16 = 0x8028;

    /// Below this an attribute must be understood by whoever reads it.
    pub(crate) const OPTIONAL_FROM: u16 = 0x8000;
}
