//! Tokens and peer ids over real sockets, with clients of a foreign make.

#[cfg(test)]
mod identity;
#[cfg(test)]
mod renewal;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod util;
