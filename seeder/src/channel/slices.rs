//! Slices of segments as messages.

use beekeepr_peer_proto::is_command_chunk;
use bytes::Bytes;

/// A slice as one message, or as two when the receiver would take it for a command.
pub(crate) fn messages(slice: Bytes) -> impl Iterator<Item = Bytes> {
    if !is_command_chunk(&slice) {
        return [slice, Bytes::new()].into_iter().filter(not_empty);
    }
    // Nothing shorter than the eight bytes of both marks is a command, so the head is none. The tail
    // may begin with a mark again, but then it does not one byte earlier.
    let at = if is_command_chunk(&slice[7..]) { 6 } else { 7 };
    let head = slice.slice(..at);
    let tail = slice.slice(at..);
    [head, tail].into_iter().filter(not_empty)
}

fn not_empty(message: &Bytes) -> bool {
    !message.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(slice: &'static [u8]) -> usize {
        let sent: Vec<Bytes> = messages(Bytes::from_static(slice)).collect();
        assert_eq!(sent.concat(), slice);
        assert!(sent.iter().all(|message| !is_command_chunk(message)));
        sent.len()
    }

    #[test]
    fn an_ordinary_slice_is_one_message() {
        assert_eq!(check(b"media"), 1);
    }

    #[test]
    fn a_slice_that_looks_like_a_command_is_two() {
        assert_eq!(check(b"cstr....cend"), 2);
        assert_eq!(check(b"dstrdend"), 2);
        assert_eq!(check(b"cstr123cstr....cend"), 2);
    }
}
