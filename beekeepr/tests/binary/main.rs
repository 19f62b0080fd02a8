//! The real binary, from outside: its command line, and its servers as foreign clients see them.

mod cli;
mod server;
mod stun;
