//! The two messages that open a data channel (RFC 8832).

use bytes::{BufMut, Bytes, BytesMut};

const TYPE_ACK: u8 = 2;
const TYPE_OPEN: u8 = 3;

/// Reliable and ordered (RFC 8832, 5.1): what p2p-media-loader uses.
const RELIABLE: u8 = 0;

/// Bytes of an OPEN before its label.
const OPEN_BYTES: usize = 12;

/// "I know of the channel."
pub(super) const ACK: Bytes = Bytes::from_static(&[TYPE_ACK]);

/// What a message says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    Open,
    Ack,
}

/// Asks the peer to open a channel.
pub(super) fn open(label: &str) -> Bytes {
    let label_bytes = u16::try_from(label.len()).unwrap_or(0);
    let mut message = BytesMut::with_capacity(OPEN_BYTES + label.len());
    message.put_u8(TYPE_OPEN);
    message.put_u8(RELIABLE);
    message.put_u16(0); // priority: below normal, which means nothing among one
    message.put_u32(0); // reliability parameter
    message.put_u16(label_bytes);
    message.put_u16(0); // no protocol
    message.put_slice(&label.as_bytes()[..usize::from(label_bytes)]);
    message.freeze()
}

/// Reads a message of the peer; what the channel is called and how it treats the peer's own messages
/// is the peer's affair.
pub(super) fn read(message: &[u8]) -> Option<Said> {
    match *message.first()? {
        TYPE_ACK => Some(Said::Ack),
        TYPE_OPEN => {
            let header = message.first_chunk::<OPEN_BYTES>()?;
            let length = |at: usize| usize::from(u16::from_be_bytes([header[at], header[at + 1]]));
            let names_bytes = message.len() - OPEN_BYTES;
            (length(8) + length(10) == names_bytes).then_some(Said::Open)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_ask_is_an_open() {
        assert_eq!(read(&open("0123456789abcdef")), Some(Said::Open));
        assert_eq!(read(&open("")), Some(Said::Open));
    }

    #[test]
    fn an_open_reads_as_rfc_8832_draws_it() {
        let message = b"\x03\x00\x01\x00\x00\x00\x00\x00\x00\x02\x00\x01hip";
        assert_eq!(read(message), Some(Said::Open));
        assert_eq!(read(&message[..14]), None, "shorter than it says");
    }

    #[test]
    fn an_ack_is_one_byte_and_nothing_else_is_anything() {
        assert_eq!(read(&ACK), Some(Said::Ack));
        assert_eq!(read(&[]), None);
        assert_eq!(read(&[9; 40]), None);
        assert_eq!(read(&[TYPE_OPEN; 11]), None);
    }
}
