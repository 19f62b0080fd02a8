//! What peers say on the data channel: p2p-media-loader's commands, byte for byte.
//!
//! Two kinds of binary messages travel on a channel: **command chunks**, which begin with `cstr` or
//! `dstr` and end with `cend` or `dend`, and raw segment bytes, which is everything else.
//! [`is_command_chunk`] tells them apart, [`encode`] writes commands, a [`Joiner`] reads them, and
//! [`data_chunk_len`] cuts segment bytes so that nobody takes them for a command.
//!
//! The wire is the same in every release of p2p-media-loader from 1.x to 5.x. This crate knows the
//! words, not the conversation: who may say what when is the engine's business.
//!
//! # Where upstream is followed and where not
//!
//! Written, every byte is what p2p-media-loader 2.2.2 and 2.3.1 write, with two exceptions, both of
//! which their decoder reads and their encoder cannot: a page of 256 ids or more (they wrap its count
//! to 0), and a list of more than 255 pages (they wrap that count too; we name the highest ids alone).
//!
//! Read, a command may hold fields in any order, fields that we do not know, and a field twice (the
//! last counts). What upstream reads only because JavaScript reads past an end (a name without a
//! value as 0, a text that is cut short, an integer without bytes) is an error here: nobody writes it.

mod decode;
mod encode;
mod error;
mod frame;
mod ids;
mod int;
mod joiner;
mod reader;

use beekeepr_model::SegmentId;

pub use encode::{EncodeError, encode};
pub use error::{DecodeError, Fault};
pub use frame::{MESSAGE_BYTES_MIN, Messages, data_chunk_len, is_command_chunk};
pub use joiner::{COMMAND_BYTES_MAX, Joiner};

/// The largest integer of the wire, in size: what JavaScript holds exactly, 2^53 − 1.
pub const INT_MAX: i64 = (1 << 53) - 1;

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

/// The types of values, in the upper four bits of a value's first byte.
mod kind {
    pub(crate) const INT: u8 = 0;
    pub(crate) const IDS: u8 = 1;
    /// No command uses it.
    pub(crate) const TEXT: u8 = 2;
}
