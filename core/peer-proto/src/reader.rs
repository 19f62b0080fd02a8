//! A command's body, value by value.

use beekeepr_model::{SegmentId, limits};

use crate::error::{DecodeError, Fault};
use crate::ids::{self, GROUPS_MAX};
use crate::{INT_MAX, int, kind};

/// Bytes of the longest integer that is read: 53 bits and the sign make seven, one more may pad them.
pub(crate) const INT_BYTES_MAX: usize = 8;

/// What is left of a body.
pub(crate) struct Reader<'a> {
    body: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(body: &'a [u8]) -> Self {
        Self { body, offset: 0 }
    }

    /// The fault, at the byte that is read next.
    pub(crate) const fn fault(&self, fault: Fault) -> DecodeError {
        DecodeError::new(self.offset, fault)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, DecodeError> {
        Ok(self.take(1)?[0])
    }

    /// The next field's name; `None` at the end.
    pub(crate) fn name(&mut self) -> Option<u8> {
        let name = self.body.get(self.offset).copied()?;
        self.offset += 1;
        Some(name)
    }

    /// The value of a field that must be an integer.
    pub(crate) fn number(&mut self, field: u8) -> Result<i64, DecodeError> {
        self.expect(field, kind::INT)?;
        self.int()
    }

    /// The value of a field that counts bytes.
    pub(crate) fn count(&mut self, field: u8) -> Result<u64, DecodeError> {
        let at = self.offset;
        let seen = self.number(field)?;
        let field = char::from(field);
        u64::try_from(seen).map_err(|_| DecodeError::new(at, Fault::Negative { field, seen }))
    }

    /// The value of a field that must be a list of ids.
    pub(crate) fn ids(&mut self, field: u8) -> Result<Vec<SegmentId>, DecodeError> {
        self.expect(field, kind::IDS)?;
        self.offset += 1;
        let groups = self.byte()?;
        let ids_max = limits::ANNOUNCED_SEGMENTS_MAX;
        // Each id is one byte of what is left, so a short message cannot ask for much memory.
        let left = self.body.len() - self.offset;
        let mut ids = Vec::with_capacity(left.min(usize::from(groups) << 8).min(ids_max));
        for _ in 0..groups {
            let at = self.offset;
            let (page, lows) = self.group()?;
            let count = ids.len() + lows.len();
            if count > ids_max {
                return Err(DecodeError::new(at, Fault::SegmentCount(count)));
            }
            // The lowest page is one id longer than the integers.
            if page < -INT_MAX && lows.contains(&0) {
                return Err(DecodeError::new(at, Fault::IntRange(page)));
            }
            ids.extend(lows.iter().map(|&low| SegmentId(page | i64::from(low))));
        }
        Ok(ids)
    }

    /// Passes over the value of a field that nobody asks for.
    pub(crate) fn skip(&mut self) -> Result<(), DecodeError> {
        let head = self.peek()?;
        match head >> 4 {
            kind::INT => self.take(1 + low_bits(head)).map(|_| ()),
            kind::IDS => {
                self.offset += 1;
                let groups = self.byte()?;
                (0..groups).try_for_each(|_| self.group().map(|_| ()))
            }
            kind::TEXT => {
                self.offset += 1;
                let low = usize::from(self.byte()?);
                self.take((low_bits(head) << 8) | low).map(|_| ())
            }
            other => Err(self.fault(Fault::ValueType(other))),
        }
    }

    /// A group's page, and the low bytes of its ids.
    fn group(&mut self) -> Result<(i64, &'a [u8]), DecodeError> {
        let seen = self.peek()? >> 4;
        if seen != kind::INT {
            return Err(self.fault(Fault::GroupType(seen)));
        }
        let (page, count) = ids::head(self.int()?);
        Ok((page, self.take(count)?))
    }

    /// The integer whose head is read next.
    fn int(&mut self) -> Result<i64, DecodeError> {
        let at = self.offset;
        let length = low_bits(self.byte()?);
        if length == 0 || length > INT_BYTES_MAX {
            return Err(DecodeError::new(at, Fault::IntBytes(length)));
        }
        let value = int::read(self.take(length)?);
        if value.abs() > INT_MAX {
            return Err(DecodeError::new(at, Fault::IntRange(value)));
        }
        Ok(value)
    }

    /// Checks the type of the value that is read next.
    fn expect(&self, field: u8, expected: u8) -> Result<(), DecodeError> {
        let seen = self.peek()? >> 4;
        if seen == expected {
            return Ok(());
        }
        let field = char::from(field);
        Err(self.fault(Fault::FieldType {
            field,
            seen,
            expected,
        }))
    }

    fn peek(&self) -> Result<u8, DecodeError> {
        let byte = self.body.get(self.offset).copied();
        byte.ok_or(self.fault(Fault::Truncated { left: 0, wanted: 1 }))
    }

    fn take(&mut self, wanted: usize) -> Result<&'a [u8], DecodeError> {
        let rest = &self.body[self.offset..];
        let taken = rest.get(..wanted).ok_or(self.fault(Fault::Truncated {
            left: rest.len(),
            wanted,
        }))?;
        self.offset += wanted;
        Ok(taken)
    }
}

/// What a value's first byte says beside its type.
fn low_bits(head: u8) -> usize {
    usize::from(head & 0x0f)
}

const _: () = assert!(
    GROUPS_MAX == u8::MAX as usize,
    "the count of groups is one byte"
);
