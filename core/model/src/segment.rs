//! Segments: the pieces of media that viewers share.

/// A segment's number within its stream, the `i` of the peer protocol.
///
/// What it counts depends on the manifest and on the client's [`crate::Generation`]: media sequence,
/// index, or time. Within ±(2^53 − 1), as JavaScript's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId(pub i64);

/// A part of a file: bytes `start` to `end - 1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ByteRange {
    /// The first byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
}
