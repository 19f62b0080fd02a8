//! What holds for every input.

use beekeepr_model::SegmentId;
use beekeepr_peer_proto::{Command, Joiner, encode, is_command_chunk};
use proptest::collection::vec;
use proptest::prelude::*;

const INT_MAX: i64 = (1 << 53) - 1;

fn int() -> impl Strategy<Value = i64> {
    prop_oneof![-INT_MAX..=INT_MAX, -300i64..300, 0i64..100_000]
}

fn segment() -> impl Strategy<Value = SegmentId> {
    int().prop_map(SegmentId)
}

fn size() -> impl Strategy<Value = u64> {
    0..=INT_MAX as u64
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

proptest! {
    #[test]
    fn what_was_encoded_is_decoded(command in command(), message_bytes_max in 0usize..70_000) {
        let mut joiner = Joiner::new();
        let mut seen = None;
        for message in encode(&command, message_bytes_max) {
            prop_assert!(seen.is_none() && is_command_chunk(&message));
            seen = joiner.push(&message).expect("own commands are readable");
        }
        prop_assert_eq!(seen, Some(command));
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
}
