//! What is remembered of segments that had to go: how often they were used. Who comes back is no newcomer.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hash, RandomState};

/// The last few segments that went.
#[derive(Debug, Default)]
pub(super) struct Ghosts {
    uses: HashMap<u64, u32>,
    /// The oldest first.
    order: VecDeque<u64>,
    /// Keys are remembered by their hashes: two that are taken for one only make a segment stay longer.
    hasher: RandomState,
}

impl Ghosts {
    /// One more, and no more of them than `count_max`.
    pub(super) fn remember(&mut self, key: &impl Hash, uses: u32, count_max: usize) {
        let hash = self.hasher.hash_one(key);
        if self.uses.insert(hash, uses).is_none() {
            self.order.push_back(hash);
        }
        while self.order.len() > count_max {
            if let Some(oldest) = self.order.pop_front() {
                self.uses.remove(&oldest);
            }
        }
    }

    /// How often it was used before it went; 0 for one that is not known.
    pub(super) fn recall(&self, key: &impl Hash) -> u32 {
        let uses = self.uses.get(&self.hasher.hash_one(key));
        uses.copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten() {
        let mut ghosts = Ghosts::default();
        for key in 0..10 {
            ghosts.remember(&key, key + 1, 3);
        }
        assert_eq!([6, 7, 8, 9].map(|key| ghosts.recall(&key)), [0, 8, 9, 10]);
        ghosts.remember(&7, 20, 3);
        assert_eq!([7, 8].map(|key| ghosts.recall(&key)), [20, 9]);
    }
}
