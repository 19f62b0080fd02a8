//! A JSON scanner that checks and cuts, but builds no values.
//!
//! Strings come out as they stand in the text, quotes and escapes included, so that they can be written
//! into another text as they are. What the scanner lets pass every reader of JSON accepts. Depth is
//! bounded; length is up to whoever brings the text.

mod error;
mod scanner;
mod text;

pub use error::ReadError;
pub use scanner::Scanner;
pub use text::{push_string, read_count, unescape, unescape_key};
