//! STUN requests from many addresses, and the servers that are compared on them.

mod compare;
mod echo;
mod requests;

pub(crate) use compare::servers as compare;
pub(crate) use echo::run as echo;
pub(crate) use requests::{Load, run};

/// Datagrams of one system call.
const BATCH: usize = 64;

/// Room for a datagram: requests and minimal replies are far smaller.
const DATAGRAM_BYTES_MAX: usize = 256;
