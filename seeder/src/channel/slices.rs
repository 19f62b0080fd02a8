//! Slices of segments as messages.

use beekeepr_peer_proto::data_chunk_len;
use bytes::Bytes;

/// A slice as one message, or as several where the receiver would take one for a command.
pub(crate) fn messages(mut slice: Bytes) -> impl Iterator<Item = Bytes> {
    std::iter::from_fn(move || {
        let bytes = data_chunk_len(&slice, slice.len());
        (bytes > 0).then(|| slice.split_to(bytes))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use beekeepr_peer_proto::is_command_chunk;

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
    fn an_empty_slice_is_no_message() {
        assert_eq!(check(b""), 0);
    }

    #[test]
    fn a_slice_that_looks_like_a_command_is_two() {
        assert_eq!(check(b"cstr....cend"), 2);
        assert_eq!(check(b"dstrdend"), 2);
        assert_eq!(check(b"cstr123cstr....cend"), 2);
    }
}
