//! Frames of WebSocket clients, read by us and by tungstenite.
//!
//! Where the two may differ, and why:
//!
//! - A frame that must not come we refuse by its header; tungstenite waits for its payload first,
//!   and before anything else refuses a header with a length that is too large.
//! - Close codes that may not be sent we refuse; tungstenite takes them and answers with 1002. And it
//!   does not know 1014, which IANA has registered since.

use std::io::{self, Read, Write};

use arbitrary::{Arbitrary, Unstructured};
use beekeepr_websocket::{Decoder, Event, FRAME_HEADER_BYTES_MAX, ProtocolError};
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Error, Message, WebSocket};

/// The largest message; inputs are hardly longer, and sizes around it shall occur.
const MESSAGE_BYTES_MAX: usize = 1000;

/// What came of the bytes: what was said, and whether they may go on.
#[derive(Debug, Default, PartialEq, Eq)]
struct Reading {
    said: Vec<Said>,
    fault: Option<ProtocolError>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong,
    Close(Option<u16>),
}

/// A frame that may be good or bad.
#[derive(Arbitrary, Debug)]
struct Frame<'a> {
    is_last: bool,
    opcode: u8,
    reserved: bool,
    is_unmasked: bool,
    key: [u8; 4],
    /// How many bytes the length takes: as few as it can, two or eight.
    length_form: u8,
    payload: &'a [u8],
}

/// The first byte chooses what the others are: the client's bytes as they come, or frames to be put
/// into bytes; and in which pieces they arrive.
///
/// The pieces do not matter, and tungstenite reads the same.
pub fn websocket(data: &[u8]) {
    let Some((&choice, data)) = data.split_first() else {
        return;
    };
    let piece_bytes = usize::from(choice >> 1).max(1);
    let bytes = if choice & 1 == 0 {
        data.to_vec()
    } else {
        framed(data)
    };
    let whole = read(&bytes, bytes.len());
    assert_eq!(
        whole,
        read(&bytes, piece_bytes),
        "in pieces of {piece_bytes}"
    );
    check_foreign(&whole, &bytes);
}

fn framed(data: &[u8]) -> Vec<u8> {
    let frames = Vec::<Frame<'_>>::arbitrary_take_rest(Unstructured::new(data));
    let mut bytes = Vec::new();
    for frame in frames.unwrap_or_default() {
        frame.write(&mut bytes);
    }
    bytes
}

impl Frame<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        // Reserved bits, opcodes that stand for nothing and frames without a mask only now and then.
        let opcode = match self.opcode {
            0..=239 => [0, 1, 2, 8, 9, 10][usize::from(self.opcode) % 6],
            other => other & 0x0f,
        };
        let reserved = u8::from(self.reserved && self.opcode > 200) << 6;
        let mask = u8::from(!(self.is_unmasked && self.opcode > 200)) << 7;
        out.push(u8::from(self.is_last) << 7 | reserved | opcode);
        let bytes = self.payload.len();
        match (self.length_form % 4, bytes) {
            (3, _) => {
                out.push(mask | 127);
                out.extend((bytes as u64).to_be_bytes());
            }
            (2, _) | (_, 126..) => {
                out.push(mask | 126);
                out.extend((bytes as u16).to_be_bytes());
            }
            (_, short) => out.push(mask | short as u8),
        }
        if mask != 0 {
            out.extend(self.key);
        }
        let key = self.key.iter().cycle();
        let masked = self.payload.iter().zip(key).map(|(byte, key)| byte ^ key);
        out.extend(masked);
    }
}

/// What our decoder says when the bytes come in pieces of that size.
fn read(bytes: &[u8], piece_bytes: usize) -> Reading {
    let mut decoder = Decoder::new(MESSAGE_BYTES_MAX);
    let mut reading = Reading::default();
    let mut buffer = Vec::new();
    for piece in bytes.chunks(piece_bytes.max(1)) {
        buffer.extend_from_slice(piece);
        loop {
            match decoder.next(&mut buffer) {
                Ok(Some((taken, event))) => {
                    let is_over = reading.note(&event);
                    buffer.drain(..taken);
                    if is_over {
                        return reading;
                    }
                }
                Ok(None) => break,
                Err(fault) => {
                    crate::check_error(&fault);
                    reading.fault = Some(fault);
                    return reading;
                }
            }
        }
        let waiting_max = FRAME_HEADER_BYTES_MAX + MESSAGE_BYTES_MAX;
        assert!(buffer.len() <= waiting_max, "{} bytes wait", buffer.len());
    }
    reading
}

impl Reading {
    /// Whether nothing may follow.
    fn note(&mut self, event: &Event<'_>) -> bool {
        self.said.push(match event {
            Event::Text(text) => Said::Text((*text).to_owned()),
            Event::Binary(bytes) => Said::Binary(bytes.to_vec()),
            Event::Ping(payload) => Said::Ping(payload.to_vec()),
            Event::Pong => Said::Pong,
            Event::Close(code) => Said::Close(*code),
            Event::Fragment => return false,
        });
        matches!(self.said.last(), Some(Said::Close(_)))
    }
}

/// Bytes that have come, and nothing more for now; what is written goes nowhere.
struct Stream<'a>(&'a [u8]);

impl Read for Stream<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.0.read(out) {
            Ok(0) => Err(io::ErrorKind::WouldBlock.into()),
            read => read,
        }
    }
}

impl Write for Stream<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads the same bytes with tungstenite, message by message beside ours.
fn check_foreign(ours: &Reading, bytes: &[u8]) {
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX))
        // It allocates both for each input; the default of 128 KiB takes most of the time.
        .read_buffer_size(1024)
        .write_buffer_size(0);
    let mut foreign = WebSocket::from_raw_socket(Stream(bytes), Role::Server, Some(config));
    for said in &ours.said {
        let message = foreign.read();
        assert!(is_same(said, &message), "{said:?} here, {message:?} there");
    }
    if matches!(ours.said.last(), Some(Said::Close(_))) {
        return;
    }
    let rest = foreign.read();
    let agrees = match (&ours.fault, &rest) {
        (_, Err(Error::Io(error))) => error.kind() == io::ErrorKind::WouldBlock,
        (Some(ProtocolError::Utf8 | ProtocolError::ClosePayload), Err(Error::Utf8(_))) => true,
        (Some(ProtocolError::ClosePayload), Ok(Message::Close(Some(frame)))) => {
            frame.code == CloseCode::Protocol
        }
        (Some(ProtocolError::TooLarge { .. }), Err(error)) => matches!(error, Error::Capacity(_)),
        (Some(ProtocolError::Utf8) | None, _) => false,
        (Some(_), Err(error)) => matches!(error, Error::Protocol(_) | Error::Capacity(_)),
        (Some(_), Ok(_)) => false,
    };
    assert!(agrees, "{:?} here, {rest:?} there", ours.fault);
}

fn is_same(ours: &Said, theirs: &Result<Message, Error>) -> bool {
    match (ours, theirs) {
        (Said::Text(ours), Ok(Message::Text(theirs))) => ours == theirs.as_str(),
        (Said::Binary(ours), Ok(Message::Binary(theirs))) => ours == theirs,
        (Said::Ping(ours), Ok(Message::Ping(theirs))) => ours == theirs,
        (Said::Pong, Ok(Message::Pong(_))) => true,
        (Said::Close(None), Ok(Message::Close(None))) => true,
        (Said::Close(Some(1014)), Ok(Message::Close(Some(_)))) => true,
        (Said::Close(Some(ours)), Ok(Message::Close(Some(theirs)))) => {
            *ours == u16::from(theirs.code)
        }
        (_, _) => false,
    }
}
