//! Where a message ends in a stream (RFC 8489 section 6.2.2): its header says so.

use crate::STREAM_MESSAGE_BYTES_MAX;
use crate::wire::{HEADER_BYTES, message};

/// What a stream's bytes begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// The beginning of a message, or nothing.
    Partial,
    /// A whole message of so many bytes.
    Message(usize),
    /// No STUN, or a message that is too long: nobody can tell where the next one begins.
    Broken,
}

/// Looks at what has come of a stream and has not been used yet.
#[must_use]
pub fn frame(bytes: &[u8]) -> Frame {
    let Some(&[type_high, type_low, length_high, length_low]) = bytes.first_chunk::<4>() else {
        return Frame::Partial;
    };
    let kind = u16::from_be_bytes([type_high, type_low]);
    let length = usize::from(u16::from_be_bytes([length_high, length_low]));
    let end = HEADER_BYTES + length;
    let is_message = kind & message::NOT_STUN_MASK == 0 && length.is_multiple_of(4);
    if !is_message || end > STREAM_MESSAGE_BYTES_MAX {
        Frame::Broken
    } else if bytes.len() < end {
        Frame::Partial
    } else {
        Frame::Message(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_as_long_as_its_header_says() {
        let mut bytes = [0; 30];
        bytes[3] = 8;
        assert_eq!(frame(&bytes), Frame::Message(28));
        for length in 0..28 {
            assert_eq!(frame(&bytes[..length]), Frame::Partial);
        }
    }

    #[test]
    fn what_has_no_end_is_broken() {
        for start in [*b"GET ", [0, 1, 0, 5], [0, 1, 0xff, 0xfc], [0x16, 3, 1, 2]] {
            assert_eq!(frame(&start), Frame::Broken, "{start:?}");
        }
    }
}
