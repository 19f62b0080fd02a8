//! A command's body to the command.

use std::fmt;

use beekeepr_model::{SegmentId, limits};

use crate::value::{Reader, Value};
use crate::{COMMAND_BYTES_MAX, Command, code, field};

/// Why a message is no command. The message is lost, the channel stays usable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The message has not the marks of a command chunk: it is segment data.
    NotACommand,
    /// A continuation came without the beginning of a command.
    NotBegun,
    /// The command is longer than [`COMMAND_BYTES_MAX`].
    TooLong,
    /// The body ends within a field.
    Truncated,
    /// No command has this number.
    UnknownCommand(u8),
    /// No value has this type.
    UnknownType(u8),
    /// An integer of so many bytes.
    IntLength(usize),
    /// An integer beyond ±(2^53 − 1).
    IntRange,
    /// A group of ids does not begin with an integer.
    GroupHead,
    /// More segments than [`limits::ANNOUNCED_SEGMENTS_MAX`].
    TooManySegments,
    /// The command lacks the field of this name.
    FieldMissing(char),
    /// The field of this name has a value of another type, or a negative one.
    FieldValue(char),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotACommand => {
                write!(
                    f,
                    "message is segment data, expected cstr or dstr ... cend or dend"
                )
            }
            Self::NotBegun => write!(f, "message continues a command that was not begun"),
            Self::TooLong => write!(f, "command exceeds {COMMAND_BYTES_MAX} bytes"),
            Self::Truncated => write!(f, "command ends within a field"),
            Self::UnknownCommand(seen) => write!(f, "command has number {seen}, expected 0 to 5"),
            Self::UnknownType(seen) => write!(f, "value has type {seen}, expected 0 to 2"),
            Self::IntLength(seen) => write!(f, "integer has {seen} bytes, expected 1 to 8"),
            Self::IntRange => write!(f, "integer is beyond 2^53 - 1"),
            Self::GroupHead => write!(f, "group of ids begins with no integer"),
            Self::TooManySegments => {
                write!(
                    f,
                    "more than {} segments are announced",
                    limits::ANNOUNCED_SEGMENTS_MAX
                )
            }
            Self::FieldMissing(name) => write!(f, "command lacks the field {name:?}"),
            Self::FieldValue(name) => write!(f, "field {name:?} has a value of the wrong kind"),
        }
    }
}

impl std::error::Error for DecodeError {}

pub(crate) fn decode(body: &[u8]) -> Result<Command, DecodeError> {
    let mut reader = Reader::new(body);
    let code = reader.byte()?;
    let fields = Fields::read(&mut reader)?;
    match code {
        code::SEGMENTS_ANNOUNCEMENT => fields.announcement(),
        code::SEGMENT_REQUEST => Ok(Command::SegmentRequest {
            segment: fields.segment()?,
            request: fields.request()?,
            offset: fields
                .offset
                .map_or(Ok(0), |offset| unsigned(field::OFFSET, offset))?,
        }),
        code::SEGMENT_DATA => Ok(Command::SegmentData {
            segment: fields.segment()?,
            request: fields.request()?,
            size: unsigned(
                field::SIZE,
                fields.size.ok_or_else(|| missing(field::SIZE))?,
            )?,
        }),
        code::SEGMENT_DATA_SENDING_COMPLETED => Ok(Command::SegmentDataSendingCompleted {
            segment: fields.segment()?,
            request: fields.request()?,
        }),
        code::SEGMENT_ABSENT => Ok(Command::SegmentAbsent {
            segment: fields.segment()?,
            request: fields.request()?,
        }),
        code::CANCEL_SEGMENT_REQUEST => Ok(Command::CancelSegmentRequest {
            segment: fields.segment()?,
            request: fields.request()?,
        }),
        other => Err(DecodeError::UnknownCommand(other)),
    }
}

/// The fields of any command. They come in any order; the last of a name counts, and unknown ones
/// are passed over, as upstream does.
#[derive(Default)]
struct Fields {
    loaded: Vec<SegmentId>,
    loading: Vec<SegmentId>,
    segment: Option<i64>,
    request: Option<i64>,
    offset: Option<i64>,
    size: Option<i64>,
}

impl Fields {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut fields = Self::default();
        while !reader.is_empty() {
            let name = reader.byte()?;
            fields.set(name, reader.value()?)?;
        }
        Ok(fields)
    }

    fn set(&mut self, name: u8, value: Value) -> Result<(), DecodeError> {
        match name {
            field::LOADED => self.loaded = ids(name, value)?,
            field::LOADING => self.loading = ids(name, value)?,
            field::SEGMENT => self.segment = Some(int(name, &value)?),
            field::REQUEST => self.request = Some(int(name, &value)?),
            field::OFFSET => self.offset = Some(int(name, &value)?),
            field::SIZE => self.size = Some(int(name, &value)?),
            _ => {}
        }
        Ok(())
    }

    fn announcement(self) -> Result<Command, DecodeError> {
        if self.loaded.len() + self.loading.len() > limits::ANNOUNCED_SEGMENTS_MAX {
            return Err(DecodeError::TooManySegments);
        }
        Ok(Command::SegmentsAnnouncement {
            loaded: self.loaded,
            loading: self.loading,
        })
    }

    fn segment(&self) -> Result<SegmentId, DecodeError> {
        self.segment
            .map(SegmentId)
            .ok_or_else(|| missing(field::SEGMENT))
    }

    fn request(&self) -> Result<i64, DecodeError> {
        self.request.ok_or_else(|| missing(field::REQUEST))
    }
}

fn missing(name: u8) -> DecodeError {
    DecodeError::FieldMissing(char::from(name))
}

fn int(name: u8, value: &Value) -> Result<i64, DecodeError> {
    match value {
        Value::Int(number) => Ok(*number),
        Value::Ids(_) | Value::Text => Err(DecodeError::FieldValue(char::from(name))),
    }
}

fn ids(name: u8, value: Value) -> Result<Vec<SegmentId>, DecodeError> {
    match value {
        Value::Ids(ids) => Ok(ids),
        Value::Int(_) | Value::Text => Err(DecodeError::FieldValue(char::from(name))),
    }
}

fn unsigned(name: u8, number: i64) -> Result<u64, DecodeError> {
    u64::try_from(number).map_err(|_| DecodeError::FieldValue(char::from(name)))
}
