//! The wire: what p2p-media-loader wrote, byte for byte, and what holds beyond that.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends at what it does not expect"
)]

mod data;
mod faults;
mod framing;
mod lists;
mod properties;
mod vectors;

use beekeepr_model::{SegmentId, limits};
use beekeepr_peer_proto::{Command, DecodeError, Joiner, encode};
use data_encoding::HEXLOWER;

/// The limit that p2p-media-loader sets.
const MAX: usize = limits::CHANNEL_MESSAGE_BYTES_MAX;

fn ids(range: impl IntoIterator<Item = i64>) -> Vec<SegmentId> {
    range.into_iter().map(SegmentId).collect()
}

fn announcement(
    loaded: impl IntoIterator<Item = i64>,
    loading: impl IntoIterator<Item = i64>,
) -> Command {
    Command::SegmentsAnnouncement {
        loaded: ids(loaded),
        loading: ids(loading),
    }
}

fn request(segment: i64, request: i64, offset: u64) -> Command {
    Command::SegmentRequest {
        segment: SegmentId(segment),
        request,
        offset,
    }
}

fn messages(command: &Command, message_bytes_max: usize) -> Vec<Vec<u8>> {
    encode(command, message_bytes_max).unwrap().collect()
}

/// The bytes of a short command, without its marks.
fn body(command: &Command) -> Vec<u8> {
    let [message] = &messages(command, usize::MAX)[..] else {
        panic!("one message expected");
    };
    message[4..message.len() - 4].to_vec()
}

fn join(messages: &[Vec<u8>]) -> Result<Option<Command>, DecodeError> {
    let mut joiner = Joiner::new();
    let (last, before) = messages.split_last().unwrap();
    for message in before {
        assert_eq!(joiner.push(message), Ok(None));
    }
    joiner.push(last)
}

/// Reads a body around which the marks of a single message are put.
fn read(body: &[u8]) -> Result<Command, DecodeError> {
    let read = Joiner::new().push(&[b"cstr", body, b"cend"].concat());
    read.map(|command| command.unwrap())
}

/// A body as hexadecimal digits; spaces are for the reader.
fn hex(digits: &str) -> Vec<u8> {
    HEXLOWER.decode(digits.replace(' ', "").as_bytes()).unwrap()
}
