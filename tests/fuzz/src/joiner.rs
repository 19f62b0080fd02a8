//! Commands in pieces, and pieces that are none.

use arbitrary::{Arbitrary, Unstructured};
use beekeepr_peer_proto::{COMMAND_BYTES_MAX, Command, Joiner, is_command_chunk};

use crate::check_error;

/// Bytes that one input may push: beyond the longest command twice, so that its end is reached and
/// a slow input does not hold up the others.
const PUSHED_BYTES_MAX: usize = 3 * COMMAND_BYTES_MAX;

/// What arrives on a channel.
#[derive(Arbitrary, Debug)]
enum Arrival<'a> {
    /// A message that can be anything.
    Any(&'a [u8]),
    /// A part of a command, so many times and once more.
    Part {
        begins: bool,
        part: &'a [u8],
        ends: bool,
        again: u8,
    },
    /// A whole body, cut into parts of so many bytes.
    Whole { body: &'a [u8], part_bytes: u8 },
}

/// Whatever arrives, the joiner gives what a slow and simple one gives, and recovers from all of it.
pub fn joiner(data: &[u8]) {
    let Ok(arrivals) = Vec::<Arrival<'_>>::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    let mut pair = Pair::default();
    for arrival in arrivals {
        match arrival {
            Arrival::Any(message) => pair.push(message),
            Arrival::Part {
                begins,
                part,
                ends,
                again,
            } => {
                let message = message(begins, part, ends);
                (0..=again).for_each(|_| pair.push(&message));
            }
            Arrival::Whole { body, part_bytes } => pair.push_whole(body, part_bytes),
        }
    }
    pair.check_recovery();
}

fn message(begins: bool, part: &[u8], ends: bool) -> Vec<u8> {
    let begin: &[u8] = if begins { b"cstr" } else { b"dstr" };
    let end: &[u8] = if ends { b"cend" } else { b"dend" };
    [begin, part, end].concat()
}

/// The joiner and a model of it that keeps all bytes of a command and reads them at once.
#[derive(Default)]
struct Pair {
    joiner: Joiner,
    model: Option<Vec<u8>>,
    pushed_bytes: usize,
}

impl Pair {
    fn push(&mut self, message: &[u8]) {
        self.pushed_bytes += message.len();
        if self.pushed_bytes > PUSHED_BYTES_MAX {
            return;
        }
        let expected = self.push_to_model(message);
        match self.joiner.push(message) {
            Ok(seen) => assert_eq!(Some(seen), expected),
            Err(error) => {
                check_error(&error);
                assert_eq!(None, expected, "{error}");
            }
        }
    }

    /// `None` for an error.
    fn push_to_model(&mut self, message: &[u8]) -> Option<Option<Command>> {
        if !is_command_chunk(message) {
            // Segment data, which does the command around it no harm.
            return None;
        }
        let before = self.model.take();
        let mut body = match &message[..4] {
            b"cstr" => Vec::new(),
            _ => before?,
        };
        body.extend_from_slice(&message[4..message.len() - 4]);
        if body.len() > COMMAND_BYTES_MAX {
            return None;
        }
        if message.ends_with(b"cend") {
            return Joiner::new().push(&self::message(true, &body, true)).ok();
        }
        self.model = Some(body);
        Some(None)
    }

    /// In pieces or at once is the same.
    fn push_whole(&mut self, body: &[u8], part_bytes: u8) {
        let parts: Vec<_> = body.chunks(usize::from(part_bytes).max(1)).collect();
        for (index, part) in parts.iter().enumerate() {
            let is_last = index + 1 == parts.len();
            self.push(&message(index == 0, part, is_last));
        }
    }

    /// After anything, a command is read as if nothing had been.
    fn check_recovery(mut self) {
        let command = Command::SegmentsAnnouncement {
            loaded: Vec::new(),
            loading: Vec::new(),
        };
        assert_eq!(self.joiner.push(b"cstr\0cend"), Ok(Some(command)));
    }
}
