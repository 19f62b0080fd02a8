//! What one channel has in memory, in the order in which it goes.

use std::collections::BTreeMap;
use std::sync::Arc;

use prometheus::{IntCounter, IntGauge};
use tokio::sync::Notify;

use super::ghosts::Ghosts;
use super::worth::{ONCE_PART, Rank, Worth};

/// What a segment of a channel is taken to have before the first one is there: 2 s at 4 Mbit/s.
const USUAL_BYTES: u64 = 1024 * 1024;

/// One channel's account.
#[derive(Debug)]
pub(super) struct Account<K> {
    pub(super) is_live: bool,
    /// Of the entries it pays for, and of what it fetches.
    pub(super) bytes: u64,
    pub(super) usual_bytes: u64,
    /// The score of the last entry that had to go: what comes now is worth more, so that what was useful long ago goes in
    /// the end.
    pub(super) age: u64,
    /// What it pays for, the least worth first.
    queue: BTreeMap<Worth, K>,
    /// Of the queue's entries of [`Rank::Once`].
    once_bytes: u64,
    pub(super) ghosts: Ghosts,
    /// What was taken away while it held it.
    pub(super) evicted: Vec<K>,
    pub(super) on_evicted: Arc<Notify>,
    pub(super) evictions: IntCounter,
    gauge: IntGauge,
}

impl<K: Clone> Account<K> {
    pub(super) fn new(on_evicted: Arc<Notify>, evictions: IntCounter, gauge: IntGauge) -> Self {
        Self {
            is_live: false,
            bytes: 0,
            usual_bytes: USUAL_BYTES,
            age: 0,
            queue: BTreeMap::new(),
            once_bytes: 0,
            ghosts: Ghosts::default(),
            evicted: Vec::new(),
            on_evicted,
            evictions,
            gauge,
        }
    }

    /// How many entries it pays for.
    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn enqueue(&mut self, worth: Worth, key: K, bytes: u64) {
        if self.queue.insert(worth, key).is_none() && worth.rank == Rank::Once {
            self.once_bytes += bytes;
        }
    }

    /// Nothing if it is not there.
    pub(super) fn dequeue(&mut self, worth: Worth, bytes: u64) {
        if self.queue.remove(&worth).is_some() && worth.rank == Rank::Once {
            self.once_bytes -= bytes;
        }
    }

    /// It pays so much more, or less.
    pub(super) fn pay(&mut self, bytes: i64) {
        self.bytes = self.bytes.saturating_add_signed(bytes);
        self.show(self.bytes);
    }

    pub(super) fn show(&self, bytes: u64) {
        self.gauge.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// The first of a rank to go.
    pub(super) fn first(&self, rank: Rank) -> Option<&K> {
        let from = Worth::first_of(rank);
        let (worth, key) = self.queue.range(from..).next()?;
        (worth.rank == rank).then_some(key)
    }

    /// The first to go of what somebody has asked for: newcomers as long as there are more of them than need be.
    pub(super) fn first_asked(&self) -> Option<&K> {
        let (once, often) = (self.first(Rank::Once), self.first(Rank::Often));
        if self.once_bytes > self.bytes / ONCE_PART {
            once.or(often)
        } else {
            often.or(once)
        }
    }

    /// The first to go of a live window, if it was listed earlier than that.
    pub(super) fn first_live_before(&self, score: u64) -> Option<&K> {
        let from = Worth::first_of(Rank::Live);
        let (worth, key) = self.queue.range(from..).next()?;
        (worth.score < score).then_some(key)
    }

    #[cfg(test)]
    pub(super) fn check(&self, entry_of: impl Fn(&K) -> (Worth, u64)) {
        let entries = self.queue.iter().map(|(worth, key)| (worth, entry_of(key)));
        let mut once_bytes = 0;
        for (worth, (known, bytes)) in entries {
            assert_eq!(*worth, known);
            once_bytes += if worth.rank == Rank::Once { bytes } else { 0 };
        }
        assert_eq!(once_bytes, self.once_bytes);
    }
}
