//! Commands of the data channel.

use std::collections::BTreeMap;

use beekeepr_model::{SegmentId, limits};
use beekeepr_peer_proto::{Command, INT_MAX, Joiner, MESSAGE_BYTES_MIN, encode, is_command_chunk};

use crate::check_error;

/// How large the messages may be that the command is written to: below the least, odd, and the usual.
const MESSAGE_BYTES_MAX: [usize; 6] = [0, MESSAGE_BYTES_MIN, 64, 1200, 16_384, 65_535];

/// The first byte chooses the size of messages, the others are a command's body.
///
/// A command that can be read keeps the bounds, and is the same after it was written and read again.
pub fn commands(data: &[u8]) {
    let Some((&choice, body)) = data.split_first() else {
        return;
    };
    let bytes_max = MESSAGE_BYTES_MAX[usize::from(choice) % MESSAGE_BYTES_MAX.len()];
    let message = [b"cstr", body, b"cend"].concat();
    match Joiner::new().push(&message) {
        Ok(Some(command)) => {
            check_bounds(&command);
            check_round_trip(&command, bytes_max);
        }
        Ok(None) => panic!("a whole message left the command unfinished"),
        Err(error) => check_error(&error),
    }
}

/// An integer that JavaScript holds exactly.
pub(crate) fn check_int(number: i64) {
    assert!((-INT_MAX..=INT_MAX).contains(&number), "{number}");
}

fn check_bounds(command: &Command) {
    match command {
        Command::SegmentsAnnouncement { loaded, loading } => {
            assert!(loaded.len() + loading.len() <= limits::ANNOUNCED_SEGMENTS_MAX);
            loaded.iter().chain(loading).for_each(|id| check_int(id.0));
        }
        Command::SegmentRequest {
            segment,
            request,
            offset: unsigned,
        }
        | Command::SegmentData {
            segment,
            request,
            size: unsigned,
        } => {
            check_int(segment.0);
            check_int(*request);
            assert!(*unsigned <= INT_MAX.unsigned_abs(), "{command:?}");
        }
        Command::SegmentDataSendingCompleted { segment, request }
        | Command::SegmentAbsent { segment, request }
        | Command::CancelSegmentRequest { segment, request } => {
            check_int(segment.0);
            check_int(*request);
        }
    }
}

/// Writes the command to messages of that size and reads them.
fn check_round_trip(command: &Command, bytes_max: usize) {
    let messages = encode(command, bytes_max).expect("what we read the wire carries");
    let mut left = messages.len();
    let mut joiner = Joiner::new();
    for message in messages {
        assert!(is_command_chunk(&message));
        assert!(message.len() <= bytes_max.max(MESSAGE_BYTES_MIN));
        left -= 1;
        match joiner.push(&message).expect("what we write we can read") {
            Some(again) => {
                assert_eq!(left, 0);
                check_same(command, &again);
            }
            None => assert_ne!(left, 0),
        }
    }
}

fn check_same(command: &Command, again: &Command) {
    match (command, again) {
        (
            Command::SegmentsAnnouncement { loaded, loading },
            Command::SegmentsAnnouncement {
                loaded: loaded_again,
                loading: loading_again,
            },
        ) => {
            check_same_ids(loaded, loaded_again);
            check_same_ids(loading, loading_again);
        }
        _ => assert_eq!(command, again),
    }
}

/// The ids come back page by page, each page in the order that it had; of too many for a list of 255
/// groups, those of the highest pages.
fn check_same_ids(ids: &[SegmentId], again: &[SegmentId]) {
    let pages = pages(ids);
    let groups: usize = pages.values().map(|page| page.len().div_ceil(255)).sum();
    if groups <= 255 {
        assert_eq!(pages, self::pages(again));
    } else {
        assert!(!again.is_empty() && again.len() < ids.len());
        let mut highest = ids.to_vec();
        highest.sort_unstable();
        assert!(highest.ends_with(again));
    }
}

fn pages(ids: &[SegmentId]) -> BTreeMap<i64, Vec<SegmentId>> {
    let mut pages = BTreeMap::<_, Vec<_>>::new();
    for id in ids {
        pages.entry(id.0 >> 8).or_default().push(*id);
    }
    pages
}
