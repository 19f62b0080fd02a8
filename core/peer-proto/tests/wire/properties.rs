//! What holds for every input.

use beekeepr_model::SegmentId;
use beekeepr_peer_proto::{Command, INT_MAX, Joiner, is_command_chunk};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::{data, messages};

fn int() -> impl Strategy<Value = i64> {
    prop_oneof![-INT_MAX..=INT_MAX, -300i64..300, 0i64..100_000]
}

fn segment() -> impl Strategy<Value = SegmentId> {
    int().prop_map(SegmentId)
}

fn size() -> impl Strategy<Value = u64> {
    0..=INT_MAX.unsigned_abs()
}

/// Scattered ids, and runs as real streams have them.
fn segments() -> impl Strategy<Value = Vec<SegmentId>> {
    let run = (-1000i64..1_000_000_000, 0i64..2000)
        .prop_map(|(first, count)| (first..first + count).map(SegmentId).collect());
    prop_oneof![vec(segment(), 0..200), run]
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        (segments(), segments())
            .prop_map(|(loaded, loading)| Command::SegmentsAnnouncement { loaded, loading }),
        (segment(), int(), size()).prop_map(|(segment, request, offset)| {
            Command::SegmentRequest {
                segment,
                request,
                offset,
            }
        }),
        (segment(), int(), size()).prop_map(|(segment, request, size)| Command::SegmentData {
            segment,
            request,
            size
        }),
        (segment(), int()).prop_map(|(segment, request)| {
            Command::SegmentDataSendingCompleted { segment, request }
        }),
        (segment(), int())
            .prop_map(|(segment, request)| Command::SegmentAbsent { segment, request }),
        (segment(), int())
            .prop_map(|(segment, request)| Command::CancelSegmentRequest { segment, request }),
    ]
}

/// The order of an announcement's ids has no meaning and may change.
fn sorted(mut command: Command) -> Command {
    if let Command::SegmentsAnnouncement { loaded, loading } = &mut command {
        loaded.sort_unstable();
        loading.sort_unstable();
    }
    command
}

/// Bytes made of the marks' letters alone: every cut may meet a mark.
fn marks() -> impl Strategy<Value = Vec<u8>> {
    let word = proptest::sample::select(vec!["cstr", "dstr", "cend", "dend", "x"]);
    vec(word, 0..12).prop_map(|words| words.concat().into_bytes())
}

proptest! {
    #[test]
    fn what_was_encoded_is_decoded(command in command(), message_bytes_max in 0usize..70_000) {
        let mut joiner = Joiner::new();
        let mut seen = None;
        for message in messages(&command, message_bytes_max) {
            prop_assert!(seen.is_none() && is_command_chunk(&message));
            seen = joiner.push(&message).expect("own commands are readable");
        }
        prop_assert_eq!(seen.map(sorted), Some(sorted(command)));
    }

    #[test]
    fn random_bytes_never_panic(
        bodies in vec((any::<bool>(), vec(any::<u8>(), 0..80), any::<bool>()), 1..8),
    ) {
        let mut joiner = Joiner::new();
        for (begins, body, ends) in bodies {
            let begin: &[u8] = if begins { b"cstr" } else { b"dstr" };
            let end: &[u8] = if ends { b"cend" } else { b"dend" };
            let _outcome = joiner.push(&[begin, &body, end].concat());
            let _outcome = joiner.push(&body);
        }
    }

    #[test]
    fn spoilt_commands_never_panic(
        command in command(),
        places in vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut message = messages(&command, usize::MAX).remove(0);
        for (place, byte) in places {
            let end = message.len() - 4;
            message[4 + place.index(end - 4)] = byte;
        }
        if let Err(error) = Joiner::new().push(&message) {
            prop_assert!(error.offset <= message.len() - 8, "{error}");
        }
    }

    #[test]
    fn no_segment_bytes_become_a_command(bytes in marks(), message_bytes_max in 0usize..50) {
        let lengths = data::cut(&bytes, message_bytes_max);
        prop_assert_eq!(lengths.iter().sum::<usize>(), bytes.len());
    }
}
