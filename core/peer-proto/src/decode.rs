//! A command's body to the command.

use beekeepr_model::{SegmentId, limits};

use crate::error::{DecodeError, Fault};
use crate::reader::Reader;
use crate::{Command, code, field};

/// Fields come in any order; the last of a name counts, and those that the command does not have are
/// passed over, as upstream does.
pub(crate) fn decode(body: &[u8]) -> Result<Command, DecodeError> {
    let mut reader = Reader::new(body);
    match reader.byte()? {
        code::SEGMENTS_ANNOUNCEMENT => announcement(&mut reader),
        code @ code::SEGMENT_REQUEST..=code::CANCEL_SEGMENT_REQUEST => {
            let fields = Fields::read(code, &mut reader)?;
            fields.command(code, &reader)
        }
        other => Err(DecodeError::new(0, Fault::CommandNumber(other))),
    }
}

fn announcement(reader: &mut Reader<'_>) -> Result<Command, DecodeError> {
    let (mut loaded, mut loading) = (Vec::new(), Vec::new());
    while let Some(name) = reader.name() {
        match name {
            field::LOADED => loaded = reader.ids(name)?,
            field::LOADING => loading = reader.ids(name)?,
            _ => reader.skip()?,
        }
    }
    let count = loaded.len() + loading.len();
    if count > limits::ANNOUNCED_SEGMENTS_MAX {
        return Err(reader.fault(Fault::SegmentCount(count)));
    }
    Ok(Command::SegmentsAnnouncement { loaded, loading })
}

/// The fields of the commands about one segment.
#[derive(Default)]
struct Fields {
    segment: Option<i64>,
    request: Option<i64>,
    offset: Option<u64>,
    size: Option<u64>,
}

impl Fields {
    fn read(code: u8, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut fields = Self::default();
        while let Some(name) = reader.name() {
            match (code, name) {
                (_, field::SEGMENT) => fields.segment = Some(reader.number(name)?),
                (_, field::REQUEST) => fields.request = Some(reader.number(name)?),
                (code::SEGMENT_REQUEST, field::OFFSET) => fields.offset = Some(reader.count(name)?),
                (code::SEGMENT_DATA, field::SIZE) => fields.size = Some(reader.count(name)?),
                _ => reader.skip()?,
            }
        }
        Ok(fields)
    }

    fn command(&self, code: u8, reader: &Reader<'_>) -> Result<Command, DecodeError> {
        let missing = |name: u8| reader.fault(Fault::FieldMissing(char::from(name)));
        let segment = self.segment.ok_or_else(|| missing(field::SEGMENT))?;
        let segment = SegmentId(segment);
        let request = self.request.ok_or_else(|| missing(field::REQUEST))?;
        match code {
            code::SEGMENT_REQUEST => Ok(Command::SegmentRequest {
                segment,
                request,
                offset: self.offset.unwrap_or(0),
            }),
            code::SEGMENT_DATA => Ok(Command::SegmentData {
                segment,
                request,
                size: self.size.ok_or_else(|| missing(field::SIZE))?,
            }),
            code::SEGMENT_DATA_SENDING_COMPLETED => {
                Ok(Command::SegmentDataSendingCompleted { segment, request })
            }
            code::SEGMENT_ABSENT => Ok(Command::SegmentAbsent { segment, request }),
            code::CANCEL_SEGMENT_REQUEST => Ok(Command::CancelSegmentRequest { segment, request }),
            other => Err(DecodeError::new(0, Fault::CommandNumber(other))),
        }
    }
}
