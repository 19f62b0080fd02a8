//! Which segments a channel's peers hold or wait for.
//!
//! Several logical peers and several swarms serve the same bytes. Here they are one, and a fetch that runs already takes in
//! whoever asks for the same segment meanwhile. The bytes themselves are in the process's cache, which has the last word.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::cache::{Account, Found, Purpose, Room};
use crate::origin::Source;

/// The segments of one channel. `T` names a request.
#[derive(Debug)]
pub(crate) struct Shelf<T> {
    account: Arc<Account>,
    slots: HashMap<Arc<Source>, Slot<T>>,
    held: usize,
}

#[derive(Debug)]
enum Slot<T> {
    Fetching { requests: Vec<T>, room: Room },
    Held { bytes: Bytes, holders: usize },
}

/// What becomes of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Here it is. Counts as held until [`Shelf::release`].
    Here(Bytes),
    /// Nobody has asked for it yet: fetch it, then call [`Shelf::settle`].
    Fetch,
    /// It is being fetched; [`Shelf::settle`] will name this request.
    Wait,
    /// Others need the memory more.
    Full,
}

impl<T: PartialEq> Shelf<T> {
    pub(crate) fn new(account: Arc<Account>) -> Self {
        Self {
            account,
            slots: HashMap::new(),
            held: 0,
        }
    }

    /// The channel's part of the cache.
    pub(crate) fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// How many segments there are.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    pub(crate) fn want(&mut self, source: &Arc<Source>, purpose: Purpose, request: T) -> Answer {
        match self.slots.get_mut(source) {
            Some(Slot::Held { bytes, holders }) => {
                *holders += 1;
                return Answer::Here(bytes.clone());
            }
            Some(Slot::Fetching { requests, .. }) => {
                requests.push(request);
                return Answer::Wait;
            }
            None => {}
        }
        let (slot, answer) = match self.account.hold(source, purpose) {
            Found::Full => return Answer::Full,
            Found::Here(bytes) => {
                self.held += 1;
                let holders = 1;
                (
                    Slot::Held {
                        bytes: bytes.clone(),
                        holders,
                    },
                    Answer::Here(bytes),
                )
            }
            Found::Room(room) => {
                let requests = vec![request];
                (Slot::Fetching { requests, room }, Answer::Fetch)
            }
        };
        self.slots.insert(Arc::clone(source), slot);
        answer
    }

    /// A request is given up before it was settled. The fetch goes on.
    pub(crate) fn cancel(&mut self, source: &Arc<Source>, request: &T) {
        if let Some(Slot::Fetching { requests, .. }) = self.slots.get_mut(source) {
            requests.retain(|other| other != request);
        }
    }

    /// A fetch has ended, with `None` when it failed. Gives those who waited for it; with bytes,
    /// each of them counts as holding it.
    pub(crate) fn settle(&mut self, source: &Arc<Source>, bytes: Option<&Bytes>) -> Vec<T> {
        let Some(Slot::Fetching { requests, room }) = self.slots.remove(source) else {
            return Vec::new();
        };
        // What nobody waits for any more is not kept.
        let bytes = bytes.filter(|_| !requests.is_empty());
        self.account.settle(source, &room, bytes, true);
        if let Some(bytes) = bytes {
            self.held += 1;
            let slot = Slot::Held {
                bytes: bytes.clone(),
                holders: requests.len(),
            };
            self.slots.insert(Arc::clone(source), slot);
        }
        requests
    }

    /// Somebody uses a segment that is held.
    pub(crate) fn touch(&self, source: &Arc<Source>) {
        self.account.touch(source);
    }

    /// One holder less.
    pub(crate) fn release(&mut self, source: &Arc<Source>) {
        let Some(Slot::Held { holders, .. }) = self.slots.get_mut(source) else {
            return;
        };
        *holders -= 1;
        if *holders == 0 {
            self.held -= 1;
            self.slots.remove(source);
            self.account.release(source);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Cache;
    use crate::cache::tests::{account, source};

    const BYTES: &[u8] = b"0123456789";

    fn shelf() -> Shelf<u32> {
        Shelf::new(Arc::new(account(&Cache::new(1 << 30, None), "tv")))
    }

    fn want(shelf: &mut Shelf<u32>, source: &Arc<Source>, request: u32) -> Answer {
        shelf.want(source, Purpose::Asked, request)
    }

    fn bytes() -> Bytes {
        Bytes::from_static(BYTES)
    }

    #[test]
    fn many_who_ask_make_one_fetch() {
        let (mut shelf, a) = (shelf(), source("a"));
        assert_eq!(want(&mut shelf, &a, 1), Answer::Fetch);
        assert_eq!(want(&mut shelf, &a, 2), Answer::Wait);
        assert_eq!(want(&mut shelf, &source("a"), 3), Answer::Wait);
        assert_eq!(shelf.settle(&a, Some(&bytes())), [1, 2, 3]);
        assert_eq!(want(&mut shelf, &a, 4), Answer::Here(bytes()));
        assert_eq!(shelf.held(), 1);
    }

    #[test]
    fn a_segment_is_held_until_its_last_holder_lets_go() {
        let (mut shelf, a) = (shelf(), source("a"));
        want(&mut shelf, &a, 1);
        want(&mut shelf, &a, 2);
        shelf.settle(&a, Some(&bytes()));
        shelf.release(&a);
        assert_eq!(shelf.held(), 1);
        shelf.release(&a);
        assert_eq!(shelf.held(), 0);
        shelf.release(&a);
        // There is room for it, so it is still there.
        assert_eq!(want(&mut shelf, &a, 3), Answer::Here(bytes()));
    }

    #[test]
    fn a_failure_reaches_all_and_the_next_one_tries_again() {
        let (mut shelf, a) = (shelf(), source("a"));
        want(&mut shelf, &a, 1);
        want(&mut shelf, &a, 2);
        assert_eq!(shelf.settle(&a, None), [1, 2]);
        assert_eq!(want(&mut shelf, &a, 3), Answer::Fetch);
    }

    #[test]
    fn what_nobody_waits_for_any_more_is_not_kept() {
        let (mut shelf, a) = (shelf(), source("a"));
        want(&mut shelf, &a, 1);
        shelf.cancel(&a, &1);
        assert!(shelf.settle(&a, Some(&bytes())).is_empty());
        assert_eq!(shelf.held(), 0);
        assert_eq!(want(&mut shelf, &a, 2), Answer::Fetch);
    }

    #[test]
    fn what_another_channel_has_is_here() {
        let (cache, a) = (Cache::new(1 << 30, None), source("a"));
        let [mut one, mut other] =
            ["one", "other"].map(|name| Shelf::new(Arc::new(account(&cache, name))));
        want(&mut one, &a, 1);
        one.settle(&a, Some(&bytes()));
        assert_eq!(want(&mut other, &source("a"), 1), Answer::Here(bytes()));
    }
}
