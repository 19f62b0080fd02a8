//! Who we are in a swarm. What the swarm is called `js/src/identity.ts` says.

use beekeepr_model::{PEER_ID_PREFIX_VIEWER, PeerId, Random};
use wasm_bindgen::prelude::wasm_bindgen;

/// A new peer id, 20 characters that begin with `-BK0001-`. The page makes one for each swarm and
/// keeps it for its whole life.
#[wasm_bindgen(js_name = peerId)]
#[must_use]
pub fn peer_id(seed_high: u32, seed_low: u32) -> String {
    let mut random = Random::new(seed(seed_high, seed_low));
    PeerId::generate(PEER_ID_PREFIX_VIEWER, &mut random)
        .chars()
        .collect()
}

/// JavaScript has no 64-bit integers that cross cheaply.
pub(crate) fn seed(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peer_ids_differ_by_seed_and_name_the_client() {
        assert!(peer_id(1, 2).starts_with("-BK0001-"));
        assert_ne!(peer_id(1, 2), peer_id(2, 1));
        assert_eq!(peer_id(1, 2).len(), 20);
    }
}
