//! Segment bytes cut into messages that nobody takes for commands.

use beekeepr_peer_proto::{data_chunk_len, is_command_chunk};

/// The lengths of all messages that the bytes are cut into.
#[track_caller]
pub(crate) fn cut(mut bytes: &[u8], message_bytes_max: usize) -> Vec<usize> {
    let mut lengths = Vec::new();
    while !bytes.is_empty() {
        let (message, rest) = bytes.split_at(data_chunk_len(bytes, message_bytes_max));
        assert!(!message.is_empty() && message.len() <= message_bytes_max.max(1));
        assert!(!is_command_chunk(message), "{message:?}");
        lengths.push(message.len());
        bytes = rest;
    }
    lengths
}

#[test]
fn ordinary_bytes_fill_their_messages() {
    assert_eq!(cut(&[0x47; 1000], 400), [400, 400, 200]);
    assert_eq!(cut(b"media", usize::MAX), [5]);
    assert_eq!(cut(b"abc", 0), [1, 1, 1]);
    assert_eq!(data_chunk_len(b"", 400), 0);
}

#[test]
fn a_message_that_would_look_like_a_command_is_one_byte_shorter() {
    for (bytes, max, expected) in [
        (&b"cstr....cend"[..], 100, &[11, 1][..]),
        (b"dstrdend", 8, &[7, 1]),
        (b"cstr....dendrest", 12, &[11, 5]),
        // What is left over begins with a mark again.
        (b"cstr....dendstr..cend", 12, &[11, 9, 1]),
        // Every message of four marks.
        (b"cstrcendcstrcend", 8, &[7, 8, 1]),
    ] {
        assert_eq!(cut(bytes, max), expected, "{bytes:?}");
    }
}
