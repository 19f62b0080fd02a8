//! The real binary, from outside: its command line, and its servers as foreign clients see them.

mod channels;
mod cli;
mod server;
mod stun;
mod tokens;
