//! The tracker over real sockets, with clients of a foreign make.

#[cfg(test)]
mod arrival;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod drain;
#[cfg(test)]
mod signalling;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod util;
#[cfg(test)]
mod workers;
