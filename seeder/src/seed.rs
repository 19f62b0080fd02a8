//! Seeds for choices and jitter; nothing secret comes of them.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// Another number at each call: the standard library keys each `RandomState` anew from the system's
/// randomness.
pub(crate) fn seed() -> u64 {
    RandomState::new().hash_one(0)
}
