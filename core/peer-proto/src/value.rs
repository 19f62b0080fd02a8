//! Field values: signed integers and lists of ids.
//!
//! A value begins with its type in the upper four bits of a byte. Integers are sign-magnitude,
//! big-endian. Ids are grouped by what they share above their low byte, so that a run of them costs
//! one byte each.

use beekeepr_model::{SegmentId, limits};

use crate::DecodeError;

const TYPE_INT: u8 = 0;
const TYPE_IDS: u8 = 1;
const TYPE_TEXT: u8 = 2;

/// The integers JavaScript holds exactly: ±(2^53 − 1).
const INT_MAX: u64 = (1 << 53) - 1;
/// Bytes of the longest integer that is read: 53 bits and the sign, padded to eight at most.
const INT_BYTES_MAX: usize = 8;
/// Groups in one list: the count is one byte.
const GROUPS_MAX: usize = 255;
/// Ids written into one group. 256 would fit a page, but wraps the count to 0, and p2p-media-loader
/// up to 4.x then loses the whole announcement (measured on 2.3.1); a second group of one saves it.
const GROUP_IDS_MAX: usize = 255;
/// What a count of 0 means: such a peer wrote a whole page. No sender writes an empty group.
const GROUP_IDS_WRAPPED: usize = 256;

pub(crate) fn write_int(out: &mut Vec<u8>, value: i64) {
    let magnitude = value.unsigned_abs();
    let bits = (u64::BITS - magnitude.leading_zeros()) as usize;
    let length = bits / 8 + 1;
    out.push((TYPE_INT << 4) | length as u8);
    let first = out.len();
    let bytes = u128::from(magnitude).to_be_bytes();
    out.extend_from_slice(&bytes[bytes.len() - length..]);
    if value < 0 {
        out[first] |= 0x80;
    }
}

/// Writes the ids in their order; of more than fit, the last ones, which are the newest of a live stream.
pub(crate) fn write_ids(out: &mut Vec<u8>, ids: &[SegmentId]) {
    let groups = groups(ids);
    if groups.len() <= GROUPS_MAX {
        return write_groups(out, &groups);
    }
    // The order carries no meaning, and sorted ids make the fewest groups.
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    let groups = self::groups(&sorted);
    write_groups(out, &groups[groups.len().saturating_sub(GROUPS_MAX)..]);
}

/// Neighbours that share all above their low byte.
fn groups(ids: &[SegmentId]) -> Vec<&[SegmentId]> {
    ids.chunk_by(|a, b| common(*a) == common(*b))
        .flat_map(|page| page.chunks(GROUP_IDS_MAX))
        .collect()
}

const fn common(id: SegmentId) -> i64 {
    id.0 & !0xff
}

fn write_groups(out: &mut Vec<u8>, groups: &[&[SegmentId]]) {
    out.push(TYPE_IDS << 4);
    out.push(groups.len() as u8);
    for group in groups {
        let Some(&first) = group.first() else {
            continue;
        };
        write_int(out, common(first) | group.len() as i64);
        out.extend(group.iter().map(|id| id.0 as u8));
    }
}

/// A value as read.
pub(crate) enum Value {
    /// Type 0.
    Int(i64),
    /// Type 1.
    Ids(Vec<SegmentId>),
    /// Type 2, which no command uses: skipped.
    Text,
}

/// What is left of a command's body.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(body: &'a [u8]) -> Self {
        Self { rest: body }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn byte(&mut self) -> Result<u8, DecodeError> {
        Ok(self.take(1)?[0])
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn value(&mut self) -> Result<Value, DecodeError> {
        let head = self.byte()?;
        match head >> 4 {
            TYPE_INT => self.int(head).map(Value::Int),
            TYPE_IDS => self.ids().map(Value::Ids),
            TYPE_TEXT => self.text(head).map(|()| Value::Text),
            other => Err(DecodeError::UnknownType(other)),
        }
    }

    fn int(&mut self, head: u8) -> Result<i64, DecodeError> {
        let length = usize::from(head & 0x0f);
        if length == 0 || length > INT_BYTES_MAX {
            return Err(DecodeError::IntLength(length));
        }
        let bytes = self.take(length)?;
        let negative = bytes[0] & 0x80 != 0;
        let magnitude = bytes[1..]
            .iter()
            .fold(u64::from(bytes[0] & 0x7f), |value, &byte| {
                (value << 8) | u64::from(byte)
            });
        if magnitude > INT_MAX {
            return Err(DecodeError::IntRange);
        }
        let value = magnitude as i64;
        Ok(if negative { -value } else { value })
    }

    fn ids(&mut self) -> Result<Vec<SegmentId>, DecodeError> {
        let mut ids = Vec::new();
        for _ in 0..self.byte()? {
            let Value::Int(group) = self.value()? else {
                return Err(DecodeError::GroupHead);
            };
            let count = match (group & 0xff) as usize {
                0 => GROUP_IDS_WRAPPED,
                count => count,
            };
            if ids.len() + count > limits::ANNOUNCED_SEGMENTS_MAX {
                return Err(DecodeError::TooManySegments);
            }
            let common = group & !0xff;
            ids.extend(
                self.take(count)?
                    .iter()
                    .map(|&low| SegmentId(common | i64::from(low))),
            );
        }
        Ok(ids)
    }

    fn text(&mut self, head: u8) -> Result<(), DecodeError> {
        let length = (usize::from(head & 0x0f) << 8) | usize::from(self.byte()?);
        self.take(length).map(|_| ())
    }
}
