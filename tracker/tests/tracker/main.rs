//! The tracker over real sockets, with clients of a foreign make.

#[cfg(test)]
mod connections;
#[cfg(test)]
mod signalling;
#[cfg(test)]
mod util;
