//! What peers say on the data channel: p2p-media-loader's commands, byte for byte.
//!
//! Two kinds of binary messages travel on a channel: **command chunks**, which begin with `cstr` or
//! `dstr` and end with `cend` or `dend`, and raw segment bytes, which is everything else.
//! [`is_command_chunk`] tells them apart, [`encode`] writes commands, a [`Joiner`] reads them.
//!
//! The wire is the same in every release of p2p-media-loader from 1.x to 5.x. This crate knows the
//! words, not the conversation: who may say what when is the engine's business.

mod decode;
mod encode;
mod frame;
mod value;

use beekeepr_model::SegmentId;

pub use decode::DecodeError;
pub use encode::encode;
pub use frame::{COMMAND_BYTES_MAX, Joiner, MESSAGE_BYTES_MIN, is_command_chunk};

/// One thing a peer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// All segments the sender has or is about to have. Replaces its previous announcement.
    SegmentsAnnouncement {
        /// Segments it can send now.
        loaded: Vec<SegmentId>,
        /// Segments it is fetching over HTTP.
        loading: Vec<SegmentId>,
    },
    /// Asks for a segment. Takes the place of the request before it on the same channel.
    SegmentRequest {
        /// Which segment.
        segment: SegmentId,
        /// The requester's number for this request; upstream draws it from 0 to 999.
        request: i64,
        /// The first byte wanted; above 0 when a part of the segment is there already.
        offset: u64,
    },
    /// Segment bytes follow.
    SegmentData {
        /// Which segment.
        segment: SegmentId,
        /// The number of the request it answers.
        request: i64,
        /// How many bytes follow: the segment's size less the offset asked for. A claim of the
        /// sender, to be checked against [`beekeepr_model::limits::SEGMENT_BYTES_MAX`].
        size: u64,
    },
    /// The last byte was sent.
    SegmentDataSendingCompleted {
        /// Which segment.
        segment: SegmentId,
        /// The number of the request it answers.
        request: i64,
    },
    /// The segment asked for is not there.
    SegmentAbsent {
        /// Which segment.
        segment: SegmentId,
        /// The number of the request it answers.
        request: i64,
    },
    /// The requester no longer wants the segment.
    CancelSegmentRequest {
        /// Which segment.
        segment: SegmentId,
        /// The number of the request given up.
        request: i64,
    },
}

/// The first byte of a command's body.
mod code {
    pub(crate) const SEGMENTS_ANNOUNCEMENT: u8 = 0;
    pub(crate) const SEGMENT_REQUEST: u8 = 1;
    pub(crate) const SEGMENT_DATA: u8 = 2;
    pub(crate) const SEGMENT_DATA_SENDING_COMPLETED: u8 = 3;
    pub(crate) const SEGMENT_ABSENT: u8 = 4;
    pub(crate) const CANCEL_SEGMENT_REQUEST: u8 = 5;
}

/// The names of a body's fields.
mod field {
    pub(crate) const LOADED: u8 = b'l';
    pub(crate) const LOADING: u8 = b'p';
    pub(crate) const SEGMENT: u8 = b'i';
    pub(crate) const REQUEST: u8 = b'r';
    pub(crate) const OFFSET: u8 = b'b';
    pub(crate) const SIZE: u8 = b's';
}
