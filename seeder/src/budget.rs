//! What all channels of the process share towards viewers: bits per second and connections.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use beekeepr_engine::{UploadWish, shares};

/// The limits of the process, and who uses how much of them.
#[derive(Debug)]
pub(crate) struct Budget {
    upload_bps_max: u64,
    connections_max: usize,
    connections: AtomicUsize,
    ledger: Mutex<Ledger>,
}

/// What each engine of each channel wants.
#[derive(Debug, Default)]
struct Ledger {
    next: u64,
    wishes: BTreeMap<u64, Vec<UploadWish>>,
}

/// One channel's part. Dropped, it is there for the others.
#[derive(Debug)]
pub(crate) struct Account {
    budget: Arc<Budget>,
    key: u64,
    /// Connections that this channel has counted.
    connections: usize,
}

impl Budget {
    /// `upload_bps_max` is 0 for no limit.
    pub(crate) fn new(upload_bps_max: u64, connections_max: usize) -> Arc<Self> {
        Arc::new(Self {
            upload_bps_max,
            connections_max,
            connections: AtomicUsize::new(0),
            ledger: Mutex::default(),
        })
    }

    /// A new channel's part.
    pub(crate) fn account(self: &Arc<Self>) -> Account {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.next += 1;
        Account {
            budget: Arc::clone(self),
            key: ledger.next,
            connections: 0,
        }
    }
}

impl Account {
    /// Whether there is a limit of the rate at all.
    pub(crate) fn is_limited(&self) -> bool {
        self.budget.upload_bps_max > 0
    }

    /// Says what this channel's engines want; gives the bits per second for each.
    pub(crate) fn settle(&self, wishes: Vec<UploadWish>) -> Vec<u64> {
        let count = wishes.len();
        let mut ledger = self.ledger();
        ledger.wishes.insert(self.key, wishes);
        let before = ledger.wishes.range(..self.key);
        let start: usize = before.map(|(_, wishes)| wishes.len()).sum();
        let all: Vec<UploadWish> = ledger.wishes.values().flatten().copied().collect();
        drop(ledger);
        let parts = shares(self.budget.upload_bps_max, &all);
        parts.into_iter().skip(start).take(count).collect()
    }

    /// A viewer's connection is open.
    pub(crate) fn connected(&mut self) {
        self.connections += 1;
        self.budget.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// A viewer's connection is closed.
    pub(crate) fn closed(&mut self) {
        if self.connections > 0 {
            self.connections -= 1;
            self.budget.connections.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Whether the process has all the connections it may have.
    pub(crate) fn is_full(&self) -> bool {
        self.budget.connections.load(Ordering::Relaxed) >= self.budget.connections_max
    }

    fn ledger(&self) -> std::sync::MutexGuard<'_, Ledger> {
        let ledger = self.budget.ledger.lock();
        ledger.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let counted = &self.budget.connections;
        counted.fetch_sub(self.connections, Ordering::Relaxed);
        self.ledger().wishes.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(viewers: u32) -> UploadWish {
        UploadWish {
            viewers,
            enough_bps: None,
        }
    }

    #[test]
    fn channels_share_by_viewers_and_one_that_ends_leaves_its_part() {
        let budget = Budget::new(1_000, 10);
        let (one, other) = (budget.account(), budget.account());
        assert_eq!(one.settle(vec![short(3), short(1)]), [750, 250]);
        assert_eq!(other.settle(vec![short(4)]), [500]);
        assert_eq!(one.settle(vec![short(3), short(1)]), [375, 125]);
        drop(one);
        assert_eq!(other.settle(vec![short(4)]), [1_000]);
    }

    #[test]
    fn connections_are_counted_over_all_channels() {
        let budget = Budget::new(0, 2);
        let (mut one, mut other) = (budget.account(), budget.account());
        one.connected();
        assert!(!other.is_full());
        other.connected();
        assert!(one.is_full());
        drop(other);
        assert!(!one.is_full());
        one.closed();
        one.closed();
        assert_eq!(budget.connections.load(Ordering::Relaxed), 0);
    }
}
