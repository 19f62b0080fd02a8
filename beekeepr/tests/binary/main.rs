//! The real binary, from outside: its command line, and its servers as foreign clients see them.

mod channels;
mod cli;
#[path = "../../src/documents.rs"]
mod documents;
mod package;
mod scrape;
mod server;
mod stun;
mod tokens;
