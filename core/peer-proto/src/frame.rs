//! Messages: the marks around commands, and segment bytes without them.
//!
//! A short command is one message `cstr` body `cend`. A long one is cut in equal parts: `cstr` … `dend`,
//! then `dstr` … `dend` as often as needed, then `dstr` … `cend`.

use std::mem;

pub(crate) const BEGIN: [u8; MARK_BYTES] = *b"cstr";
const CONTINUE: [u8; MARK_BYTES] = *b"dstr";
pub(crate) const END: [u8; MARK_BYTES] = *b"cend";
const MORE: [u8; MARK_BYTES] = *b"dend";

/// Bytes of one mark.
pub(crate) const MARK_BYTES: usize = 4;
/// Bytes of both marks of a message.
pub(crate) const MARKS_BYTES: usize = 2 * MARK_BYTES;

/// The smallest limit of a message that can be kept: both marks and one byte.
pub const MESSAGE_BYTES_MIN: usize = MARKS_BYTES + 1;

/// Whether a message is (a part of) a command; otherwise it is segment bytes.
///
/// Segment bytes can look like a command by chance or malice: who sends them cuts them with
/// [`data_chunk_len`].
#[must_use]
pub fn is_command_chunk(message: &[u8]) -> bool {
    parts(message).is_some()
}

/// How many of these segment bytes to send as the next message: at most `message_bytes_max` (0 is
/// taken as 1), and one less where the receiver would take them for a command. 0 if there are none.
#[must_use]
pub fn data_chunk_len(bytes: &[u8], message_bytes_max: usize) -> usize {
    let len = bytes.len().min(message_bytes_max.max(1));
    // Without the last letter of its end mark it is none, and whatever begins with that letter is
    // looked at in its turn.
    len - usize::from(is_command_chunk(&bytes[..len]))
}

/// The messages of one command, to be sent in this order with no other command between them.
#[derive(Clone, Debug)]
pub struct Messages {
    /// The body between the marks of a single message; empty when all is given.
    framed: Vec<u8>,
    /// Bytes of the body that are given already.
    given: usize,
    /// Bytes of the body in one message.
    part_bytes: usize,
}

impl Messages {
    /// `framed` is a command as a single message; its body has at least the command's number.
    pub(crate) fn new(framed: Vec<u8>, message_bytes_max: usize) -> Self {
        let part_bytes_max = message_bytes_max.max(MESSAGE_BYTES_MIN) - MARKS_BYTES;
        let body_bytes = framed.len() - MARKS_BYTES;
        let parts = body_bytes.div_ceil(part_bytes_max);
        Self {
            given: 0,
            part_bytes: body_bytes.div_ceil(parts),
            framed,
        }
    }

    fn body_bytes(&self) -> usize {
        self.framed.len().saturating_sub(MARKS_BYTES)
    }
}

impl Iterator for Messages {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let (body, from) = (self.body_bytes(), self.given);
        if from >= body {
            return None;
        }
        self.given = body.min(from + self.part_bytes);
        if self.given - from == body {
            return Some(mem::take(&mut self.framed));
        }
        let begin = if from == 0 { BEGIN } else { CONTINUE };
        let end = if self.given == body { END } else { MORE };
        let part = &self.framed[MARK_BYTES + from..MARK_BYTES + self.given];
        Some([&begin, part, &end].concat())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.body_bytes().saturating_sub(self.given);
        let count = left.div_ceil(self.part_bytes);
        (count, Some(count))
    }
}

impl ExactSizeIterator for Messages {}

/// A command chunk taken apart.
pub(crate) struct Parts<'a> {
    pub(crate) begins: bool,
    pub(crate) body: &'a [u8],
    pub(crate) ends: bool,
}

/// `None` for segment bytes.
pub(crate) fn parts(message: &[u8]) -> Option<Parts<'_>> {
    let (begin, rest) = message.split_first_chunk()?;
    let (body, end) = rest.split_last_chunk()?;
    Some(Parts {
        begins: mark(*begin, BEGIN, CONTINUE)?,
        body,
        ends: mark(*end, END, MORE)?,
    })
}

fn mark(seen: [u8; MARK_BYTES], yes: [u8; MARK_BYTES], no: [u8; MARK_BYTES]) -> Option<bool> {
    if seen == yes {
        Some(true)
    } else if seen == no {
        Some(false)
    } else {
        None
    }
}
