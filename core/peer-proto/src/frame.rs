//! Command bodies to messages and back.
//!
//! A short command is one message `cstr` body `cend`. A long one is cut in equal parts: `cstr` … `dend`,
//! then `dstr` … `dend` as often as needed, then `dstr` … `cend`.

use crate::Command;
use crate::decode::{DecodeError, decode};

const BEGIN: [u8; 4] = *b"cstr";
const CONTINUE: [u8; 4] = *b"dstr";
const END: [u8; 4] = *b"cend";
const MORE: [u8; 4] = *b"dend";

/// Bytes of both marks of a message.
const MARKS_BYTES: usize = 8;

/// The smallest limit that [`crate::encode`] works with: the marks and a useful part.
pub const MESSAGE_BYTES_MIN: usize = 64;

/// The longest command that is put together: two lists of 255 groups, each with a head of up to 8
/// bytes and up to 256 ids, are 135 KB; the rest is room for fields to come.
pub const COMMAND_BYTES_MAX: usize = 160 * 1024;

/// Whether a message is (a part of) a command; otherwise it is segment bytes.
///
/// Segment bytes can look like a command by chance or malice; a sender avoids that by sending such
/// a slice as two.
#[must_use]
pub fn is_command_chunk(message: &[u8]) -> bool {
    parts(message).is_some()
}

pub(crate) fn split(body: &[u8], message_bytes_max: usize) -> Vec<Vec<u8>> {
    let bytes_max = message_bytes_max.max(MESSAGE_BYTES_MIN);
    if body.len() + MARKS_BYTES <= bytes_max {
        return vec![message(BEGIN, body, END)];
    }
    let mut count = body.len().div_ceil(bytes_max);
    while body.len().div_ceil(count) + MARKS_BYTES > bytes_max {
        count += 1;
    }
    let parts = body.chunks(body.len().div_ceil(count));
    let last = parts.len() - 1;
    parts
        .enumerate()
        .map(|(index, part)| {
            let begin = if index == 0 { BEGIN } else { CONTINUE };
            let end = if index == last { END } else { MORE };
            message(begin, part, end)
        })
        .collect()
}

fn message(begin: [u8; 4], part: &[u8], end: [u8; 4]) -> Vec<u8> {
    [&begin, part, &end].concat()
}

/// Puts the commands of one channel together. One for each channel.
#[derive(Clone, Debug, Default)]
pub struct Joiner {
    /// The parts so far; `None` while no command is begun.
    collected: Option<Vec<u8>>,
}

impl Joiner {
    /// A joiner that has seen nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { collected: None }
    }

    /// Takes the next command chunk; gives the command when it is complete.
    ///
    /// A command that begins before the last one has ended takes its place.
    ///
    /// # Errors
    /// The message is no command chunk, or the command cannot be read. It is dropped, and the next
    /// one is read as if nothing had been.
    pub fn push(&mut self, message: &[u8]) -> Result<Option<Command>, DecodeError> {
        let (begins, part, ends) = parts(message).ok_or(DecodeError::NotACommand)?;
        let before = self.collected.take();
        let before = if begins {
            Vec::new()
        } else {
            before.ok_or(DecodeError::NotBegun)?
        };
        if before.len() + part.len() > COMMAND_BYTES_MAX {
            return Err(DecodeError::TooLong);
        }
        if ends && before.is_empty() {
            return decode(part).map(Some);
        }
        let mut collected = before;
        collected.extend_from_slice(part);
        if ends {
            return decode(&collected).map(Some);
        }
        self.collected = Some(collected);
        Ok(None)
    }
}

/// Whether the message begins a command, what it brings of it, and whether it ends it.
fn parts(message: &[u8]) -> Option<(bool, &[u8], bool)> {
    let (begin, rest) = message.split_first_chunk::<4>()?;
    let (part, end) = rest.split_last_chunk::<4>()?;
    let begins = mark(*begin, BEGIN, CONTINUE)?;
    let ends = mark(*end, END, MORE)?;
    Some((begins, part, ends))
}

fn mark(seen: [u8; 4], yes: [u8; 4], no: [u8; 4]) -> Option<bool> {
    if seen == yes {
        Some(true)
    } else if seen == no {
        Some(false)
    } else {
        None
    }
}
