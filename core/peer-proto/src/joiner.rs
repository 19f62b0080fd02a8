//! Command chunks to commands.

use crate::Command;
use crate::decode::decode;
use crate::error::{DecodeError, Fault};
use crate::frame::{Parts, parts};

/// Bytes of the longest command that is put together: two lists of 255 groups, each with a head of up
/// to 8 bytes and up to 256 ids, are 135 KB; the rest is room for fields to come.
pub const COMMAND_BYTES_MAX: usize = 160 * 1024;

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
    /// The command cannot be read: it is dropped, and the next one is read as if nothing had been.
    /// A message that is no command chunk is refused and changes nothing.
    pub fn push(&mut self, message: &[u8]) -> Result<Option<Command>, DecodeError> {
        let Parts { begins, body, ends } =
            parts(message).ok_or(DecodeError::new(0, Fault::NotACommand))?;
        let before = match self.collected.take() {
            _ if begins => Vec::new(),
            Some(before) => before,
            None => return Err(DecodeError::new(0, Fault::NotBegun)),
        };
        let bytes = before.len() + body.len();
        if bytes > COMMAND_BYTES_MAX {
            let fault = Fault::CommandBytes(bytes);
            return Err(DecodeError::new(COMMAND_BYTES_MAX, fault));
        }
        if begins && ends {
            return decode(body).map(Some);
        }
        let mut collected = before;
        collected.extend_from_slice(body);
        if ends {
            return decode(&collected).map(Some);
        }
        self.collected = Some(collected);
        Ok(None)
    }
}
