//! What is in memory, who it is there for, and what goes when it is full. Decides only; holds no lock and knows no time but
//! what it is told.

mod room;

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use bytes::Bytes;
use tokio::time::Instant;

use super::account::Account;
use super::worth::{Rank, Worth, score};

/// A channel's account, never used again after the channel has left.
pub(super) type AccountId = u32;

/// What a segment is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It is in a live window. The later a segment was listed, the more it is needed.
    Live {
        /// When it was first listed.
        listed_at: Instant,
    },
    /// Somebody asks for it.
    Asked,
    /// Somebody may ask for it.
    Ahead,
}

/// A segment on its way into memory.
#[derive(Debug)]
pub(super) struct Arrival<K> {
    pub(super) key: K,
    pub(super) bytes: Bytes,
    pub(super) purpose: Purpose,
    /// Whether the channel keeps it until it says otherwise; else it stays as long as there is room.
    pub(super) is_held: bool,
    /// When it is out of date if nobody holds it.
    pub(super) expires: Option<Instant>,
}

/// All segments in memory.
#[derive(Debug)]
pub(super) struct Ledger<K> {
    bytes_max: u64,
    /// Of all entries, each counted once, and of what is being fetched.
    bytes: u64,
    entries: HashMap<K, Entry>,
    accounts: BTreeMap<AccountId, Account<K>>,
    next_account: AccountId,
    /// Rises with every entry and every use, to tell equals apart by age.
    order: u64,
    epoch: Instant,
}

#[derive(Debug)]
struct Entry {
    bytes: Bytes,
    /// The one channel that it counts for.
    payer: AccountId,
    holders: Vec<AccountId>,
    /// Its place in the payer's queue.
    worth: Worth,
    uses: u32,
    score: u64,
    order: u64,
    /// Microseconds of `Purpose::Live::listed_at` from the ledger's beginning.
    listed_us: u64,
    expires: Option<Instant>,
    /// Whether its first use is the one that it was fetched for.
    is_fresh: bool,
}

impl Entry {
    fn length(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// What it is worth, if nobody needs it for a live window.
    fn rank(&self) -> Rank {
        match self.uses {
            0 => Rank::Spare,
            1 => Rank::Once,
            _ => Rank::Often,
        }
    }
}

impl<K: Clone + Eq + Hash> Ledger<K> {
    pub(super) fn new(bytes_max: u64) -> Self {
        Self {
            bytes_max,
            bytes: 0,
            entries: HashMap::new(),
            accounts: BTreeMap::new(),
            next_account: 0,
            order: 0,
            epoch: Instant::now(),
        }
    }

    /// A channel comes.
    pub(super) fn enter(&mut self, account: Account<K>) -> AccountId {
        let id = self.next_account;
        self.next_account += 1;
        self.accounts.insert(id, account);
        id
    }

    /// A channel goes, and with it what nobody else holds.
    pub(super) fn leave(&mut self, id: AccountId) {
        let concerned = |entry: &Entry| entry.payer == id || entry.holders.contains(&id);
        for key in self.keys_of(concerned) {
            self.let_go(id, &key);
            if self.entries.get(&key).is_some_and(|it| it.payer == id) {
                self.remove(&key);
            }
        }
        if let Some(account) = self.accounts.remove(&id) {
            // What it was fetching will never come.
            self.bytes -= account.bytes;
            account.show(0);
        }
    }

    /// Whether a channel's segments are a live window.
    pub(super) fn set_live(&mut self, id: AccountId, is_live: bool) {
        if let Some(account) = self.accounts.get_mut(&id) {
            account.is_live = is_live;
        }
        for key in self.keys_of(|entry| entry.holders.contains(&id)) {
            self.requeue(&key);
        }
    }

    /// A segment that is in memory, which counts as used if it is asked for.
    pub(super) fn find(
        &mut self,
        id: AccountId,
        key: &K,
        purpose: Purpose,
        is_held: bool,
        now: Instant,
    ) -> Option<Bytes> {
        let entry = self.entries.get_mut(key)?;
        if entry.holders.is_empty() && entry.expires.is_some_and(|at| at <= now) {
            self.remove(key);
            return None;
        }
        let bytes = entry.bytes.clone();
        if is_held && !entry.holders.contains(&id) {
            entry.holders.push(id);
            if entry.holders.len() == 1 {
                self.hand_over(key, id);
            }
        }
        self.requeue(key);
        if purpose == Purpose::Asked {
            self.touch(key);
        }
        Some(bytes)
    }

    /// Somebody uses a segment. False when it was fetched for this use.
    pub(super) fn touch(&mut self, key: &K) -> bool {
        let Some(entry) = self.entries.get_mut(key) else {
            return true; // taken away a moment ago, and still in the hands of who uses it
        };
        if std::mem::take(&mut entry.is_fresh) {
            return false;
        }
        self.order += 1;
        entry.uses = entry.uses.saturating_add(1);
        entry.order = self.order;
        let age = self.accounts.get(&entry.payer).map_or(0, |it| it.age);
        entry.score = score(age, entry.uses);
        self.requeue(key);
        true
    }

    /// Makes room for a segment that a channel would fetch; none if others need it more. What is given must be settled.
    pub(super) fn reserve(&mut self, id: AccountId, purpose: Purpose) -> Option<u64> {
        let bytes = self.accounts.get(&id)?.usual_bytes;
        if !self.make_room(id, purpose, bytes) {
            return None;
        }
        self.charge(id, bytes);
        Some(bytes)
    }

    /// A fetch has ended, with nothing when it failed. What is held is taken in even if there is too little room by now: it
    /// is there, and those who come next make up for it.
    pub(super) fn settle(&mut self, id: AccountId, reserved: u64, arrival: Option<Arrival<K>>) {
        let Some(account) = self.accounts.get_mut(&id) else {
            return; // it has left, and what was reserved went with it
        };
        if let Some(arrival) = &arrival {
            account.usual_bytes = (account.usual_bytes * 7 + arrival.bytes.len() as u64) / 8;
        }
        self.discharge(id, reserved);
        let Some(arrival) = arrival else {
            return;
        };
        let (key, purpose, is_held) = (&arrival.key, arrival.purpose, arrival.is_held);
        // Another channel, or a player, may have been quicker.
        let is_known = self.find(id, key, purpose, is_held, self.epoch).is_some();
        if !is_known && (self.make_room(id, purpose, arrival.bytes.len() as u64) || is_held) {
            self.insert(id, arrival);
        }
    }

    /// A channel needs a segment no more.
    pub(super) fn release(&mut self, id: AccountId, key: &K) {
        self.let_go(id, key);
        let is_live = self.accounts.get(&id).is_some_and(|it| it.is_live);
        let is_free = |entry: &Entry| entry.holders.is_empty() && entry.payer == id;
        // A live origin that starts over gives other segments under the same addresses.
        if is_live && self.entries.get(key).is_some_and(is_free) {
            self.remove(key);
        }
    }

    /// What was taken away from a channel since it last asked.
    pub(super) fn evicted(&mut self, id: AccountId) -> Vec<K> {
        let account = self.accounts.get_mut(&id);
        account.map_or_else(Vec::new, |it| std::mem::take(&mut it.evicted))
    }

    fn keys_of(&self, fits: impl Fn(&Entry) -> bool) -> Vec<K> {
        let entries = self.entries.iter().filter(|(_, entry)| fits(entry));
        entries.map(|(key, _)| key.clone()).collect()
    }

    fn insert(&mut self, id: AccountId, arrival: Arrival<K>) {
        let Some(account) = self.accounts.get(&id) else {
            return;
        };
        self.order += 1;
        let is_asked = arrival.purpose == Purpose::Asked;
        let before = account.ghosts.recall(&arrival.key);
        let uses = if is_asked { before + 1 } else { 0 };
        let entry = Entry {
            payer: id,
            holders: if arrival.is_held {
                vec![id]
            } else {
                Vec::new()
            },
            worth: Worth::default(),
            uses,
            score: score(account.age, uses),
            order: self.order,
            listed_us: match arrival.purpose {
                Purpose::Live { listed_at } => self.micros(listed_at),
                Purpose::Asked | Purpose::Ahead => 0,
            },
            expires: arrival.expires,
            is_fresh: arrival.is_held && is_asked,
            bytes: arrival.bytes,
        };
        self.charge(id, entry.length());
        self.entries.insert(arrival.key.clone(), entry);
        self.requeue(&arrival.key);
    }

    /// Takes a holder off an entry; another one pays then.
    fn let_go(&mut self, id: AccountId, key: &K) {
        let Some(entry) = self.entries.get_mut(key) else {
            return;
        };
        entry.holders.retain(|holder| *holder != id);
        let heir = entry.holders.first().copied();
        if let Some(heir) = heir.filter(|_| entry.payer == id) {
            self.hand_over(key, heir);
        }
        self.requeue(key);
    }

    /// Another channel pays from now on. The entry is in no queue until it is put in one.
    fn hand_over(&mut self, key: &K, heir: AccountId) {
        let Some(entry) = self.entries.get_mut(key) else {
            return;
        };
        let (payer, bytes) = (std::mem::replace(&mut entry.payer, heir), entry.length());
        if let Some(account) = self.accounts.get_mut(&payer) {
            account.dequeue(entry.worth, bytes);
        }
        self.discharge(payer, bytes);
        self.charge(heir, bytes);
    }

    fn remove(&mut self, key: &K) -> Option<Entry> {
        let entry = self.entries.remove(key)?;
        if let Some(account) = self.accounts.get_mut(&entry.payer) {
            account.dequeue(entry.worth, entry.length());
        }
        self.discharge(entry.payer, entry.length());
        Some(entry)
    }

    /// Puts an entry where it belongs now.
    fn requeue(&mut self, key: &K) {
        let Some(entry) = self.entries.get_mut(key) else {
            return;
        };
        let is_live = |id: &AccountId| self.accounts.get(id).is_some_and(|it| it.is_live);
        let rank = if entry.holders.iter().any(is_live) {
            Rank::Live
        } else {
            entry.rank()
        };
        let score = match rank {
            Rank::Live => entry.listed_us,
            Rank::Often => entry.score,
            Rank::Once | Rank::Spare => 0,
        };
        let order = entry.order;
        let worth = Worth { rank, score, order };
        if let Some(account) = self.accounts.get_mut(&entry.payer) {
            account.dequeue(entry.worth, entry.length());
            account.enqueue(worth, key.clone(), entry.length());
        }
        entry.worth = worth;
    }

    fn charge(&mut self, id: AccountId, bytes: u64) {
        if let Some(account) = self.accounts.get_mut(&id) {
            account.pay(bytes as i64);
            self.bytes += bytes;
        }
    }

    fn discharge(&mut self, id: AccountId, bytes: u64) {
        if let Some(account) = self.accounts.get_mut(&id) {
            account.pay(-(bytes as i64));
            self.bytes -= bytes;
        }
    }

    fn micros(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.epoch);
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests;
