//! The tracker among clients that mean harm or are broken, while others go on as if nothing were.

#[cfg(test)]
mod flood;
#[cfg(test)]
mod frames;
#[cfg(test)]
mod half_open;
#[cfg(test)]
mod payloads;
#[cfg(test)]
mod witness;
