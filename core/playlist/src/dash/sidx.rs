//! The index of a file in the ISO base media format: the `sidx` box (ISO/IEC 14496-12, 8.16.3).

use std::fmt;

use beekeepr_model::ByteRange;

use super::Index;
use super::listing::listed;
use crate::{SEGMENTS_MAX, Segment};

/// The longest index that is read. Two days of 2 s segments take 1 MB.
pub const INDEX_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Boxes that may stand before the index: `ftyp`, `moov`, `free`, `styp` and a few more.
const BOXES_BEFORE_MAX: usize = 64;

/// Indexes below indexes. Real ones have two levels.
const DEPTH_MAX: usize = 4;

/// Why bytes are no index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SidxError {
    /// Longer than [`INDEX_BYTES_MAX`].
    TooLong(usize),
    /// There is no `sidx` box.
    Missing,
    /// The index goes on: fetch these bytes and try again with them.
    Incomplete(ByteRange),
    /// It makes no sense at this byte of the file.
    Malformed {
        /// From the start of the file.
        offset: u64,
        /// What should be there.
        expected: &'static str,
    },
}

impl fmt::Display for SidxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(bytes) => write!(
                f,
                "segment index has {bytes} bytes, expected at most {INDEX_BYTES_MAX}; check indexRange in the manifest"
            ),
            Self::Missing => write!(
                f,
                "no sidx box there, expected one; check indexRange in the manifest"
            ),
            Self::Incomplete(ByteRange { start, end }) => write!(
                f,
                "segment index goes beyond its bytes, expected {start} to {end}; fetch those or check indexRange"
            ),
            Self::Malformed { offset, expected } => {
                write!(
                    f,
                    "segment index makes no sense at byte {offset}, expected {expected}; check the packager"
                )
            }
        }
    }
}

impl std::error::Error for SidxError {}

/// Reads the segments out of the bytes that `index` asks for.
///
/// p2p-media-loader up to 4.x takes the times of Shaka, which count the box's earliest presentation time and the
/// manifest's offset; 5.x adds up durations from the Period's start and counts neither (`specs/segment-identity.md`).
///
/// # Errors
/// The bytes are no index, or more of them are needed.
pub fn segments(bytes: &[u8], index: &Index) -> Result<Vec<Segment>, SidxError> {
    if bytes.len() > INDEX_BYTES_MAX {
        return Err(SidxError::TooLong(bytes.len()));
    }
    let first = index.byte_range.map_or(0, |range| range.start);
    let mut reader = Reader {
        bytes,
        first,
        index,
        is_outside: index.url != index.media,
        elapsed: 0.0,
        segments: Vec::new(),
    };
    let at = reader.find()?;
    reader.level(at, 0)?;
    Ok(reader.segments)
}

struct Reader<'a> {
    bytes: &'a [u8],
    /// Where the bytes are in the file.
    first: u64,
    index: &'a Index,
    /// Whether the index is in another file than the segments, which then are placed from the start of theirs.
    is_outside: bool,
    /// The durations so far, in seconds.
    elapsed: f64,
    segments: Vec<Segment>,
}

/// A `sidx` box.
struct Header {
    timescale: u32,
    earliest: u64,
    /// Where what it refers to begins in the file.
    anchor: u64,
    /// Where its references begin in the bytes.
    references: usize,
    count: u16,
}

impl Reader<'_> {
    /// The place of the first `sidx` box.
    fn find(&self) -> Result<usize, SidxError> {
        let mut at = 0;
        for _ in 0..BOXES_BEFORE_MAX {
            let Some(name) = self.bytes.get(at + 4..at + 8) else {
                break;
            };
            if name == b"sidx" {
                return Ok(at);
            }
            let Some(next) = self
                .size(at)?
                .checked_add(at)
                .filter(|&next| next < self.bytes.len())
            else {
                break;
            };
            at = next;
        }
        Err(SidxError::Missing)
    }

    /// The size of the box at a place.
    fn size(&self, at: usize) -> Result<usize, SidxError> {
        let size = match self.u32(at)? {
            0 => return Ok(self.bytes.len().saturating_sub(at)),
            1 => self.u64(at + 8)?,
            size => u64::from(size),
        };
        match usize::try_from(size) {
            Ok(size) if size >= 8 => Ok(size),
            Ok(_) | Err(_) => Err(self.malformed(at, "the size of a box")),
        }
    }

    fn level(&mut self, at: usize, depth: usize) -> Result<(), SidxError> {
        if depth >= DEPTH_MAX {
            return Err(self.malformed(at, "at most four levels of indexes"));
        }
        let header = self.header(at)?;
        let mut offset = header.anchor;
        let mut time = header.earliest;
        for reference in 0..usize::from(header.count) {
            let place = header.references + reference * 12;
            let (kind_and_size, duration) = (self.u32(place)?, self.u32(place + 4)?);
            let size = u64::from(kind_and_size & 0x7fff_ffff);
            let end = offset.checked_add(size).filter(|&end| end > offset);
            let end = end.ok_or_else(|| self.malformed(place, "a segment of one byte or more"))?;
            if kind_and_size >> 31 == 1 {
                let below = self.place(ByteRange { start: offset, end })?;
                self.level(below, depth + 1)?;
            } else {
                self.add(
                    ByteRange { start: offset, end },
                    time,
                    duration,
                    header.timescale,
                );
            }
            offset = end;
            time = time.saturating_add(u64::from(duration));
        }
        Ok(())
    }

    fn add(&mut self, byte_range: ByteRange, time: u64, duration: u32, timescale: u32) {
        if self.segments.len() >= SEGMENTS_MAX {
            return;
        }
        let timescale = f64::from(timescale);
        let seconds = f64::from(duration) / timescale;
        let v2 = time as f64 / timescale + (self.index.period_start - self.index.offset);
        if self.segments.is_empty() {
            self.elapsed = self.index.period_start;
        }
        let mut segment = listed(v2, self.elapsed, self.index.media.clone(), seconds);
        segment.byte_range = Some(byte_range);
        self.elapsed += seconds;
        // Numbers rise whatever the index says.
        if self
            .segments
            .last()
            .is_none_or(|before| before.number < segment.number)
        {
            self.segments.push(segment);
        }
    }

    fn header(&self, at: usize) -> Result<Header, SidxError> {
        let size = self.size(at)?;
        let begin = at + if self.u32(at)? == 1 { 16 } else { 8 };
        if self.bytes.get(at + 4..at + 8) != Some(b"sidx") {
            return Err(self.malformed(at, "a sidx box"));
        }
        // Reports all that is missing, not the first number of it.
        if self.bytes.len().saturating_sub(at) < size {
            return Err(self.incomplete(at.saturating_add(size)));
        }
        let version = self.u32(begin)? >> 24;
        let timescale = self.u32(begin + 8)?;
        if timescale == 0 {
            return Err(self.malformed(begin + 8, "a timescale above 0"));
        }
        let (earliest, first_offset, end) = if version == 0 {
            (
                u64::from(self.u32(begin + 12)?),
                u64::from(self.u32(begin + 16)?),
                begin + 20,
            )
        } else {
            (self.u64(begin + 12)?, self.u64(begin + 20)?, begin + 28)
        };
        let box_end = if self.is_outside {
            0
        } else {
            self.first.saturating_add((at + size) as u64)
        };
        Ok(Header {
            timescale,
            earliest,
            anchor: box_end.saturating_add(first_offset),
            references: end + 4,
            count: self.u32(end)? as u16,
        })
    }

    /// Where an index below this one is in the bytes.
    fn place(&self, range: ByteRange) -> Result<usize, SidxError> {
        let end = range
            .end
            .checked_sub(self.first)
            .and_then(|end| usize::try_from(end).ok());
        let start = range
            .start
            .checked_sub(self.first)
            .and_then(|start| usize::try_from(start).ok());
        match (start, end) {
            (Some(start), Some(end)) if end <= self.bytes.len() => Ok(start),
            (Some(_), Some(end)) => Err(self.incomplete(end)),
            (Some(_) | None, _) => Err(self.malformed(0, "indexes behind this one")),
        }
    }

    fn incomplete(&self, end: usize) -> SidxError {
        if end > INDEX_BYTES_MAX {
            return SidxError::TooLong(end);
        }
        SidxError::Incomplete(ByteRange {
            start: self.first,
            end: self.first.saturating_add(end as u64),
        })
    }

    fn u32(&self, at: usize) -> Result<u32, SidxError> {
        let bytes = self.bytes.get(at..).and_then(<[u8]>::first_chunk::<4>);
        bytes
            .map(|bytes| u32::from_be_bytes(*bytes))
            .ok_or_else(|| self.incomplete(at.saturating_add(4)))
    }

    fn u64(&self, at: usize) -> Result<u64, SidxError> {
        Ok(u64::from(self.u32(at)?) << 32 | u64::from(self.u32(at + 4)?))
    }

    fn malformed(&self, at: usize, expected: &'static str) -> SidxError {
        SidxError::Malformed {
            offset: self.first.saturating_add(at as u64),
            expected,
        }
    }
}
