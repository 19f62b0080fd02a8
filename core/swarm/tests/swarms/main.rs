//! How the swarms treat honest clients, and those that are not.

#[cfg(test)]
mod peers;
#[cfg(test)]
mod util;
#[cfg(test)]
mod world;
