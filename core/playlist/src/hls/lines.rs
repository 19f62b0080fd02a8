//! A playlist's lines and where they are.

use crate::{Fault, text};

/// What readers hand up: boxed, for moving whole faults about is 2 KB of code in the browser.
pub(super) type Flaw = Box<Fault>;

/// The longest line: keys for DRM inside `data:` addresses and signalling of ads take some KiB.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// A line without the white space around it, which is neither empty nor a comment.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    /// From 1.
    number: usize,
    /// The byte where it begins.
    offset: usize,
}

impl<'a> Line<'a> {
    /// A tag's name and what follows its colon; `None` for an address.
    pub(super) fn tag(self) -> Option<(&'a str, &'a str)> {
        let tag = self.text.strip_prefix('#')?;
        Some(tag.split_once(':').unwrap_or((tag, "")))
    }

    /// Says that the line is wrong.
    pub(super) fn fault(self, expected: &'static str, remedy: &'static str) -> Flaw {
        Box::new(Fault {
            line: self.number,
            offset: self.offset,
            seen: text::quote(self.text),
            expected,
            remedy,
        })
    }
}

/// All lines that say something.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Result<Line<'_>, Flaw>> {
    let mut offset = 0;
    let lines = text
        .split_inclusive('\n')
        .enumerate()
        .map(move |(index, line)| {
            let at = offset;
            offset += line.len();
            Line {
                text: line.trim_matches(is_space),
                number: index + 1,
                offset: at,
            }
        });
    lines.filter(|line| says_something(line.text)).map(|line| {
        if line.text.len() > LINE_BYTES_MAX {
            return Err(line.fault("at most 64 KiB in a line", "break it or leave it out"));
        }
        Ok(line)
    })
}

fn is_space(character: char) -> bool {
    character.is_ascii_whitespace() || character == text::BYTE_ORDER_MARK
}

fn says_something(line: &str) -> bool {
    !line.is_empty() && (!line.starts_with('#') || line.starts_with("#EXT"))
}
