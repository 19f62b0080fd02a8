//! Frames in, messages out.

use crate::ProtocolError;
use crate::mask::unmask;

/// The longest header of a frame that a client may send: two bytes, eight of length, four of mask.
pub const FRAME_HEADER_BYTES_MAX: usize = 14;

/// The longest payload of a control frame, RFC 6455 section 5.5.
const CONTROL_BYTES_MAX: u64 = 125;

/// The opcode of text, RFC 6455 section 5.2.
const TEXT: u8 = 1;

/// What a client sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A whole text message, valid UTF-8.
    Text(&'a str),
    /// A whole binary message.
    Binary(&'a [u8]),
    /// It wants this back in a pong.
    Ping(&'a [u8]),
    /// It answers a ping, or shows that it is alive.
    Pong,
    /// It wants to end, with this code when it gave one.
    Close(Option<u16>),
    /// A part of a message; nothing to do yet.
    Fragment,
}

/// Takes frames from the front of a buffer. One for each connection.
#[derive(Debug)]
pub struct Decoder {
    message_bytes_max: usize,
    fragments: Vec<u8>,
    /// A message that has begun and not ended yet.
    unfinished: Option<Unfinished>,
}

/// A message of which the last fragment has not come.
#[derive(Clone, Copy, Debug)]
enum Unfinished {
    /// Text, with so many bytes that are known to be UTF-8.
    Text {
        checked_bytes: usize,
    },
    Binary,
}

/// A frame's header, checked.
struct Header {
    is_last: bool,
    opcode: u8,
    key: [u8; 4],
    header_bytes: usize,
    payload_bytes: usize,
}

impl Decoder {
    /// A connection on which nothing came yet, and on which no message may be larger.
    #[must_use]
    pub fn new(message_bytes_max: usize) -> Self {
        Self {
            message_bytes_max,
            fragments: Vec::new(),
            unfinished: None,
        }
    }

    /// Takes the frame at the front of `bytes`: how long it is and what it means. `None` when it has
    /// not come whole; the caller then calls again with the same bytes and more, at most
    /// [`FRAME_HEADER_BYTES_MAX`] and the largest message in all.
    ///
    /// # Errors
    /// The connection must end, with [`ProtocolError::close_code`].
    pub fn next<'a>(
        &'a mut self,
        bytes: &'a mut [u8],
    ) -> Result<Option<(usize, Event<'a>)>, ProtocolError> {
        if self.unfinished.is_none() && self.fragments.capacity() > 0 {
            self.fragments = Vec::new();
        }
        let Some(header) = self.header(bytes)? else {
            return Ok(None);
        };
        let end = header.header_bytes + header.payload_bytes;
        let Some(payload) = bytes.get_mut(header.header_bytes..end) else {
            return Ok(None);
        };
        unmask(payload, header.key);
        let event = match header.opcode {
            8 => Event::Close(close_code(payload)?),
            9 => Event::Ping(payload),
            10 => Event::Pong,
            opcode => self.data(opcode, header.is_last, payload)?,
        };
        Ok(Some((end, event)))
    }

    /// Takes a frame of a message. Almost all messages are one frame, which is lent out where it lies.
    fn data<'a>(
        &'a mut self,
        opcode: u8,
        is_last: bool,
        payload: &'a [u8],
    ) -> Result<Event<'a>, ProtocolError> {
        let message = match (self.unfinished.take(), opcode) {
            (None, TEXT) if is_last => return Ok(Event::Text(utf8(payload)?)),
            (None, _) if is_last => return Ok(Event::Binary(payload)),
            (None, TEXT) => Unfinished::Text { checked_bytes: 0 },
            (None, _) => Unfinished::Binary,
            (Some(begun), _) => begun,
        };
        self.fragments.extend_from_slice(payload);
        match message {
            Unfinished::Text { .. } if is_last => Ok(Event::Text(utf8(&self.fragments)?)),
            Unfinished::Binary if is_last => Ok(Event::Binary(&self.fragments)),
            Unfinished::Text { checked_bytes } => {
                let checked_bytes = checked_bytes + utf8_so_far(&self.fragments[checked_bytes..])?;
                self.unfinished = Some(Unfinished::Text { checked_bytes });
                Ok(Event::Fragment)
            }
            Unfinished::Binary => {
                self.unfinished = Some(Unfinished::Binary);
                Ok(Event::Fragment)
            }
        }
    }

    /// Reads a header as soon as it is whole, so that a frame that must not come is refused before
    /// its payload has.
    fn header(&self, bytes: &[u8]) -> Result<Option<Header>, ProtocolError> {
        let &[first, second, ..] = bytes else {
            return Ok(None);
        };
        let (is_last, opcode) = (first & 0x80 != 0, first & 0x0f);
        if first & 0x70 != 0 {
            return Err(ProtocolError::ReservedBits);
        }
        if second & 0x80 == 0 {
            return Err(ProtocolError::Unmasked);
        }
        let (length, length_bytes) = match second & 0x7f {
            126 => match bytes.get(2..).and_then(<[u8]>::first_chunk::<2>) {
                Some(length) => (u64::from(u16::from_be_bytes(*length)), 2),
                None => return Ok(None),
            },
            127 => match bytes.get(2..).and_then(<[u8]>::first_chunk::<8>) {
                Some(length) => (u64::from_be_bytes(*length), 8),
                None => return Ok(None),
            },
            short => (u64::from(short), 0),
        };
        self.check(is_last, opcode, length)?;
        let key = bytes
            .get(2 + length_bytes..)
            .and_then(<[u8]>::first_chunk::<4>);
        Ok(key.map(|&key| Header {
            is_last,
            opcode,
            key,
            header_bytes: 2 + length_bytes + key.len(),
            payload_bytes: length as usize,
        }))
    }

    fn check(&self, is_last: bool, opcode: u8, length: u64) -> Result<(), ProtocolError> {
        let is_control = match opcode {
            0 if self.unfinished.is_none() => return Err(ProtocolError::Fragmentation),
            1 | 2 if self.unfinished.is_some() => return Err(ProtocolError::Fragmentation),
            0..=2 => false,
            8..=10 => true,
            _ => return Err(ProtocolError::Opcode(opcode)),
        };
        if is_control {
            let fits = is_last && length <= CONTROL_BYTES_MAX;
            return if fits {
                Ok(())
            } else {
                Err(ProtocolError::ControlFrame)
            };
        }
        let seen = length.saturating_add(self.fragments.len() as u64);
        let max = self.message_bytes_max;
        if seen > max as u64 {
            Err(ProtocolError::TooLarge { seen, max })
        } else {
            Ok(())
        }
    }
}

fn utf8(text: &[u8]) -> Result<&str, ProtocolError> {
    std::str::from_utf8(text).map_err(|_| ProtocolError::Utf8)
}

/// How many bytes are whole characters; the rest may be the beginning of one. Text that cannot become
/// UTF-8 any more is refused at once, not when its last fragment comes.
fn utf8_so_far(text: &[u8]) -> Result<usize, ProtocolError> {
    match std::str::from_utf8(text) {
        Ok(_) => Ok(text.len()),
        Err(error) if error.error_len().is_none() => Ok(error.valid_up_to()),
        Err(_) => Err(ProtocolError::Utf8),
    }
}

/// Codes that may be sent: RFC 6455 section 7.4, and 1012 to 1014 of IANA's registry.
fn close_code(payload: &[u8]) -> Result<Option<u16>, ProtocolError> {
    match payload {
        [] => Ok(None),
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
                return Err(ProtocolError::ClosePayload);
            }
            utf8(reason)?;
            Ok(Some(code))
        }
        [_] => Err(ProtocolError::ClosePayload),
    }
}
