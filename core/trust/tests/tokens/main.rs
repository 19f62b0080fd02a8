//! Tokens, with signatures by ring: published ones, good ones, and what an attacker would try.

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod claims;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod util;
#[cfg(test)]
mod vectors;
