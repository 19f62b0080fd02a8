//! Commands to messages.

use std::fmt;

use beekeepr_model::{SegmentId, limits};

use crate::frame::{BEGIN, END, MARKS_BYTES, Messages};
use crate::{Command, INT_MAX, code, field, ids, int};

/// A number that the wire cannot carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodeError {
    /// The letter of its field.
    #[cfg(feature = "reasons")]
    pub field: char,
    /// The number; [`i64::MAX`] stands for all above it too.
    #[cfg(feature = "reasons")]
    pub seen: i64,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[cfg(feature = "reasons")]
        write!(f, "field {} of {}, ", self.field, self.seen)?;
        f.write_str("expected at most 2^53 - 1 in size")
    }
}

impl std::error::Error for EncodeError {}

/// Writes a command as one message, or as several when it is longer than `message_bytes_max`
/// (raised to [`crate::MESSAGE_BYTES_MIN`]).
///
/// An announcement names at most [`limits::ANNOUNCED_SEGMENTS_MAX`] segments; of more, the last ones.
///
/// # Errors
/// A number is beyond ±[`INT_MAX`]: JavaScript would read another one.
pub fn encode(command: &Command, message_bytes_max: usize) -> Result<Messages, EncodeError> {
    let framed = match command {
        Command::SegmentsAnnouncement { loaded, loading } => announcement(loaded, loading)?,
        Command::SegmentRequest {
            segment,
            request,
            offset,
        } => {
            let mut body = Body::about(code::SEGMENT_REQUEST, *segment)?;
            body.number(field::REQUEST, *request)?;
            if *offset > 0 {
                body.count(field::OFFSET, *offset)?;
            }
            body.end()
        }
        Command::SegmentData {
            segment,
            request,
            size,
        } => {
            let mut body = Body::about(code::SEGMENT_DATA, *segment)?;
            body.count(field::SIZE, *size)?;
            body.number(field::REQUEST, *request)?;
            body.end()
        }
        Command::SegmentDataSendingCompleted { segment, request } => {
            end_of_request(code::SEGMENT_DATA_SENDING_COMPLETED, *segment, *request)?
        }
        Command::SegmentAbsent { segment, request } => {
            end_of_request(code::SEGMENT_ABSENT, *segment, *request)?
        }
        Command::CancelSegmentRequest { segment, request } => {
            end_of_request(code::CANCEL_SEGMENT_REQUEST, *segment, *request)?
        }
    };
    Ok(Messages::new(framed, message_bytes_max))
}

fn announcement(loaded: &[SegmentId], loading: &[SegmentId]) -> Result<Vec<u8>, EncodeError> {
    let loading = last(loading, limits::ANNOUNCED_SEGMENTS_MAX);
    let loaded = last(loaded, limits::ANNOUNCED_SEGMENTS_MAX - loading.len());
    // A byte for each id, and a head of at most eight for each page of a run.
    let ids = loaded.len() + loading.len();
    let mut body = Body::begin(code::SEGMENTS_ANNOUNCEMENT, ids + ids / 16);
    body.ids(field::LOADED, loaded)?;
    body.ids(field::LOADING, loading)?;
    Ok(body.end())
}

fn last(ids: &[SegmentId], count_max: usize) -> &[SegmentId] {
    &ids[ids.len().saturating_sub(count_max)..]
}

fn end_of_request(code: u8, segment: SegmentId, request: i64) -> Result<Vec<u8>, EncodeError> {
    let mut body = Body::about(code, segment)?;
    body.number(field::REQUEST, request)?;
    Ok(body.end())
}

/// A body being written, with the marks of a single message around it: most commands need no copy.
struct Body(Vec<u8>);

impl Body {
    fn begin(code: u8, bytes: usize) -> Self {
        /// The command's number and three fields of a letter and an integer.
        const SMALL: usize = 1 + 3 * 9;
        let mut out = Vec::with_capacity(MARKS_BYTES + SMALL + bytes);
        out.extend_from_slice(&BEGIN);
        out.push(code);
        Self(out)
    }

    fn about(code: u8, segment: SegmentId) -> Result<Self, EncodeError> {
        let mut body = Self::begin(code, 0);
        body.number(field::SEGMENT, segment.0)?;
        Ok(body)
    }

    fn end(mut self) -> Vec<u8> {
        self.0.extend_from_slice(&END);
        self.0
    }

    fn number(&mut self, field: u8, number: i64) -> Result<(), EncodeError> {
        if !is_carried(number.unsigned_abs()) {
            return Err(beyond(field, number));
        }
        self.0.push(field);
        int::write(&mut self.0, number);
        Ok(())
    }

    fn count(&mut self, field: u8, count: u64) -> Result<(), EncodeError> {
        self.number(field, i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// An empty list is left out, as upstream does.
    fn ids(&mut self, field: u8, ids: &[SegmentId]) -> Result<(), EncodeError> {
        // Without a way out of the loop the compiler takes several ids at once.
        let bits = ids.iter().fold(0, |bits, id| bits | id.0.unsigned_abs());
        if !is_carried(bits)
            && let Some(id) = ids.iter().find(|id| !is_carried(id.0.unsigned_abs()))
        {
            return Err(beyond(field, id.0));
        }
        if !ids.is_empty() {
            self.0.push(field);
            ids::write(&mut self.0, ids);
        }
        Ok(())
    }
}

/// Whether the wire has room for a number of this size. Of several numbers their common bits tell.
const fn is_carried(magnitude: u64) -> bool {
    magnitude <= INT_MAX.unsigned_abs()
}

#[cfg(feature = "reasons")]
fn beyond(field: u8, seen: i64) -> EncodeError {
    let field = char::from(field);
    EncodeError { field, seen }
}

#[cfg(not(feature = "reasons"))]
fn beyond(_: u8, _: i64) -> EncodeError {
    EncodeError {}
}
