//! What ends a connection.

use std::fmt;

/// What a client did that a server must not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// The frame says that an extension was used, but none was agreed on.
    ReservedBits,
    /// The opcode stands for nothing.
    Opcode(u8),
    /// The client did not mask its frame.
    Unmasked,
    /// A control frame is fragmented or longer than 125 bytes.
    ControlFrame,
    /// A fragment without a beginning, or a beginning in the middle of a message.
    Fragmentation,
    /// A close frame whose payload is no close code.
    ClosePayload,
    /// Text, or the reason of a close, that is not UTF-8.
    Utf8,
    /// The message is larger than the limit.
    TooLarge {
        /// Bytes so far, those that the frame's header promises included.
        seen: u64,
        /// The limit.
        max: usize,
    },
}

impl ProtocolError {
    /// The close code for it, RFC 6455 section 7.4.1.
    #[must_use]
    pub const fn close_code(&self) -> u16 {
        match self {
            Self::TooLarge { .. } => crate::write::CLOSE_TOO_LARGE,
            Self::Utf8 => crate::write::CLOSE_NO_TEXT,
            Self::ReservedBits
            | Self::Opcode(_)
            | Self::Unmasked
            | Self::ControlFrame
            | Self::Fragmentation
            | Self::ClosePayload => crate::write::CLOSE_PROTOCOL_ERROR,
        }
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReservedBits => f.write_str("frame with reserved bits, expected no extension"),
            Self::Opcode(seen) => write!(f, "opcode {seen}, expected 0, 1, 2, 8, 9 or 10"),
            Self::Unmasked => f.write_str("frame without a mask, expected clients to mask"),
            Self::ControlFrame => {
                f.write_str("long or fragmented control frame, expected at most 125 bytes at once")
            }
            Self::Fragmentation => f.write_str("fragments of messages out of order"),
            Self::ClosePayload => f.write_str("close frame without a valid code"),
            Self::Utf8 => f.write_str("text that is not UTF-8, expected UTF-8 or a binary message"),
            Self::TooLarge { seen, max } => {
                write!(f, "message of {seen} bytes, expected at most {max}")
            }
        }
    }
}

impl std::error::Error for ProtocolError {}
