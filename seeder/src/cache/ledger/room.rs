//! What goes when memory is full.

use std::hash::Hash;

use super::{Account, AccountId, Ledger, Purpose, Rank};
use crate::cache::worth::USES_MAX;

impl<K: Clone + Eq + Hash> Ledger<K> {
    /// Evicts until so many bytes more have room. False when what is left is needed more; what went until then is gone.
    pub(super) fn make_room(&mut self, id: AccountId, purpose: Purpose, bytes: u64) -> bool {
        while self.bytes + bytes > self.bytes_max {
            let Some(victim) = self.victim(id, purpose, bytes) else {
                return false;
            };
            self.evict(&victim);
        }
        true
    }

    fn evict(&mut self, key: &K) {
        let Some(entry) = self.remove(key) else {
            return;
        };
        if let Some(account) = self.accounts.get_mut(&entry.payer) {
            account.evictions.inc();
            if entry.worth.rank == Rank::Often {
                account.age = account.age.max(entry.score);
            }
            if entry.uses > 0 {
                // As many as there are segments, which S3-FIFO and our own trace found enough.
                let count_max = account.len() + 1;
                account
                    .ghosts
                    .remember(key, entry.uses.min(USES_MAX), count_max);
            }
        }
        for holder in entry.holders {
            if let Some(account) = self.accounts.get_mut(&holder) {
                account.evicted.push(key.clone());
                account.on_evicted.notify_one();
            }
        }
    }

    /// What goes for a segment of a channel: see the table in `docs/decisions/cache.md`.
    fn victim(&self, id: AccountId, purpose: Purpose, bytes: u64) -> Option<K> {
        let fair = self.bytes_max / self.accounts.len().max(1) as u64;
        let own = self.accounts.get(&id)?;
        let is_within = own.bytes + bytes <= fair;
        let exceeds = |it: AccountId| match self.accounts.get(&it) {
            Some(_) if it == id => !is_within,
            Some(account) => account.bytes > fair,
            None => false,
        };
        let anybody = |_| true;
        let others = |it| it != id && exceeds(it);
        let ourselves = |it| it == id;
        let live = || self.least(Self::live, &exceeds).filter(|_| is_within);
        match purpose {
            Purpose::Ahead if !is_within => None,
            Purpose::Ahead => self
                .least(Self::spare, &others)
                .or_else(|| self.least(Self::asked, &others)),
            Purpose::Asked => self
                .least(Self::spare, &exceeds)
                .or_else(|| self.least(Self::asked, &exceeds))
                .or_else(live)
                .or_else(|| self.least(Self::spare, &ourselves))
                .or_else(|| self.least(Self::asked, &ourselves)),
            Purpose::Live { listed_at } => self
                .least(Self::spare, &anybody)
                .or_else(|| self.least(Self::asked, &exceeds))
                .or_else(live)
                .or_else(|| self.least(Self::asked, &ourselves))
                .or_else(|| own.first_live_before(self.micros(listed_at))),
        }
        .cloned()
    }

    fn spare(account: &Account<K>) -> Option<&K> {
        account.first(Rank::Spare)
    }

    fn asked(account: &Account<K>) -> Option<&K> {
        account.first_asked()
    }

    fn live(account: &Account<K>) -> Option<&K> {
        account.first(Rank::Live)
    }

    /// What goes first in the channel that has most, of those that have any.
    fn least<'a>(
        &'a self,
        first: impl Fn(&'a Account<K>) -> Option<&'a K>,
        from: &dyn Fn(AccountId) -> bool,
    ) -> Option<&'a K> {
        let accounts = self.accounts.iter().filter(|(id, _)| from(**id));
        let firsts = accounts.filter_map(|(_, account)| Some((account.bytes, first(account)?)));
        let (_, key) = firsts.max_by_key(|(bytes, _)| *bytes)?;
        Some(key)
    }
}
