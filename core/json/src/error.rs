//! What was wrong with a message.

use std::fmt;

/// Why a message could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// Where in the message, in bytes from its start.
    pub offset: usize,
    /// What is there.
    pub seen: String,
    /// What should be there.
    pub expected: &'static str,
}

impl ReadError {
    /// An error at this place.
    pub fn new(offset: usize, seen: impl Into<String>, expected: &'static str) -> Self {
        Self {
            offset,
            seen: seen.into(),
            expected,
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} at byte {}, expected {}",
            self.seen, self.offset, self.expected
        )
    }
}

impl std::error::Error for ReadError {}
