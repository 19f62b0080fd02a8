//! Commands to messages.

use beekeepr_model::{SegmentId, limits};

use crate::{Command, code, field, frame, value};

/// Writes a command as one message, or as several when it is longer than `message_bytes_max`
/// (raised to [`crate::MESSAGE_BYTES_MIN`]). They are to be sent in order with no other command
/// between them.
///
/// An announcement names at most [`limits::ANNOUNCED_SEGMENTS_MAX`] segments; of more, the last ones.
#[must_use]
pub fn encode(command: &Command, message_bytes_max: usize) -> Vec<Vec<u8>> {
    frame::split(&body(command), message_bytes_max)
}

fn body(command: &Command) -> Vec<u8> {
    let mut out = Vec::new();
    match command {
        Command::SegmentsAnnouncement { loaded, loading } => {
            out.push(code::SEGMENTS_ANNOUNCEMENT);
            let loading = last(loading, limits::ANNOUNCED_SEGMENTS_MAX);
            let loaded = last(loaded, limits::ANNOUNCED_SEGMENTS_MAX - loading.len());
            ids(&mut out, field::LOADED, loaded);
            ids(&mut out, field::LOADING, loading);
        }
        Command::SegmentRequest {
            segment,
            request,
            offset,
        } => {
            out.push(code::SEGMENT_REQUEST);
            about(&mut out, *segment, *request);
            if *offset > 0 {
                int(&mut out, field::OFFSET, unsigned(*offset));
            }
        }
        Command::SegmentData {
            segment,
            request,
            size,
        } => {
            out.push(code::SEGMENT_DATA);
            int(&mut out, field::SEGMENT, segment.0);
            int(&mut out, field::SIZE, unsigned(*size));
            int(&mut out, field::REQUEST, *request);
        }
        Command::SegmentDataSendingCompleted { segment, request } => {
            out.push(code::SEGMENT_DATA_SENDING_COMPLETED);
            about(&mut out, *segment, *request);
        }
        Command::SegmentAbsent { segment, request } => {
            out.push(code::SEGMENT_ABSENT);
            about(&mut out, *segment, *request);
        }
        Command::CancelSegmentRequest { segment, request } => {
            out.push(code::CANCEL_SEGMENT_REQUEST);
            about(&mut out, *segment, *request);
        }
    }
    out
}

fn last(ids: &[SegmentId], count_max: usize) -> &[SegmentId] {
    &ids[ids.len().saturating_sub(count_max)..]
}

fn about(out: &mut Vec<u8>, segment: SegmentId, request: i64) {
    int(out, field::SEGMENT, segment.0);
    int(out, field::REQUEST, request);
}

fn int(out: &mut Vec<u8>, name: u8, number: i64) {
    out.push(name);
    value::write_int(out, number);
}

/// An empty list is left out, as upstream does.
fn ids(out: &mut Vec<u8>, name: u8, ids: &[SegmentId]) {
    if !ids.is_empty() {
        out.push(name);
        value::write_ids(out, ids);
    }
}

fn unsigned(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
