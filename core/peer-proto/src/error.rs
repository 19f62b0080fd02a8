//! Why bytes are no command.

use std::fmt;

use beekeepr_model::limits;

use crate::COMMAND_BYTES_MAX;
use crate::reader::INT_BYTES_MAX;

/// Why a message is no command, and where. The command is lost, the channel stays usable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// The byte that is wrong. Counted from the start of the command's body, which is put together of
    /// all its messages without their marks; 0 where the message itself is at fault.
    #[cfg(feature = "reasons")]
    pub offset: usize,
    /// What was seen there.
    #[cfg(feature = "reasons")]
    pub fault: Fault,
}

/// What is wrong with a command. A field is named by its letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The message has not the marks of a command chunk: it is segment data.
    NotACommand,
    /// A continuation came without the beginning of a command.
    NotBegun,
    /// The command has this many bytes or more; at most [`COMMAND_BYTES_MAX`] are taken.
    CommandBytes(usize),
    /// The command ends within a field.
    Truncated {
        /// Bytes that are left.
        left: usize,
        /// Bytes that the field needs.
        wanted: usize,
    },
    /// The command's number, which is not one from 0 to 5.
    CommandNumber(u8),
    /// The type of an unknown field, which is not one from 0 to 2.
    ValueType(u8),
    /// A known field's type, which is not the one that it must have.
    FieldType {
        /// The field.
        field: char,
        /// Its value's type.
        seen: u8,
        /// The type it must have.
        expected: u8,
    },
    /// The type of a group's head, which is not an integer.
    GroupType(u8),
    /// Bytes of an integer, which are not 1 to 8.
    IntBytes(usize),
    /// An integer beyond ±(2^53 − 1).
    IntRange(i64),
    /// A negative number for a field that counts bytes.
    Negative {
        /// The field.
        field: char,
        /// Its value.
        seen: i64,
    },
    /// More segments than [`limits::ANNOUNCED_SEGMENTS_MAX`].
    SegmentCount(usize),
    /// The command ends without this field.
    FieldMissing(char),
}

impl DecodeError {
    #[cfg(feature = "reasons")]
    pub(crate) const fn new(offset: usize, fault: Fault) -> Self {
        Self { offset, fault }
    }

    /// Without the feature `reasons` all errors look alike, and nothing has to be carried.
    #[cfg(not(feature = "reasons"))]
    pub(crate) const fn new(_: usize, _: Fault) -> Self {
        Self {}
    }
}

impl std::error::Error for DecodeError {}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[cfg(feature = "reasons")]
        return write!(
            f,
            "cannot read a command at byte {}: {}",
            self.offset, self.fault
        );
        #[cfg(not(feature = "reasons"))]
        f.write_str("cannot read a command")
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotACommand => {
                f.write_str("segment data, expected cstr or dstr ... cend or dend")
            }
            Self::NotBegun => f.write_str("dstr, expected cstr first"),
            Self::CommandBytes(seen) => {
                write!(
                    f,
                    "{seen} bytes or more, expected at most {COMMAND_BYTES_MAX}"
                )
            }
            Self::Truncated { left, wanted } => write!(f, "{left} bytes left, expected {wanted}"),
            Self::CommandNumber(seen) => write!(f, "command number {seen}, expected 0 to 5"),
            Self::ValueType(seen) => write!(f, "value of type {seen}, expected 0 to 2"),
            Self::FieldType {
                field,
                seen,
                expected,
            } => write!(f, "field {field} of type {seen}, expected type {expected}"),
            Self::GroupType(seen) => write!(f, "group head of type {seen}, expected type 0"),
            Self::IntBytes(seen) => {
                write!(f, "integer of {seen} bytes, expected 1 to {INT_BYTES_MAX}")
            }
            Self::IntRange(seen) => write!(f, "integer {seen}, expected at most 2^53 - 1 in size"),
            Self::Negative { field, seen } => {
                write!(f, "field {field} of {seen}, expected 0 or more")
            }
            Self::SegmentCount(seen) => {
                let most = limits::ANNOUNCED_SEGMENTS_MAX;
                write!(f, "{seen} segments or more, expected at most {most}")
            }
            Self::FieldMissing(field) => write!(f, "no field {field}, expected one"),
        }
    }
}
