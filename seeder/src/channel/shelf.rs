//! A channel's segments: each is fetched once and kept as long as somebody needs it.
//!
//! Several logical peers and several swarms serve the same bytes. Here they are counted once, and a
//! fetch that runs already takes in whoever asks for the same segment meanwhile.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::origin::{Flight, Source};

/// The segments of one channel. `T` names a request.
#[derive(Debug)]
pub(crate) struct Shelf<T> {
    slots: HashMap<Arc<Source>, Slot<T>>,
    held: usize,
    bytes: u64,
    bytes_max: u64,
}

#[derive(Debug)]
enum Slot<T> {
    Fetching(Vec<T>),
    Held {
        bytes: Bytes,
        holders: usize,
        /// By this other channels find the bytes.
        _flight: Option<Flight>,
    },
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
    /// The shelf is full.
    Full,
}

impl<T: PartialEq> Shelf<T> {
    /// An empty shelf. Bytes beyond `bytes_max` are not taken in; what is being fetched when it
    /// fills up still is.
    pub(crate) fn new(bytes_max: u64) -> Self {
        Self {
            slots: HashMap::new(),
            held: 0,
            bytes: 0,
            bytes_max,
        }
    }

    /// How many segments there are.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// How many bytes they have.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn want(&mut self, source: &Arc<Source>, request: T) -> Answer {
        match self.slots.get_mut(source) {
            Some(Slot::Held { bytes, holders, .. }) => {
                *holders += 1;
                Answer::Here(bytes.clone())
            }
            Some(Slot::Fetching(requests)) => {
                requests.push(request);
                Answer::Wait
            }
            None if self.bytes >= self.bytes_max => Answer::Full,
            None => {
                self.slots
                    .insert(Arc::clone(source), Slot::Fetching(vec![request]));
                Answer::Fetch
            }
        }
    }

    /// A request is given up before it was settled. The fetch goes on.
    pub(crate) fn cancel(&mut self, source: &Arc<Source>, request: &T) {
        if let Some(Slot::Fetching(requests)) = self.slots.get_mut(source) {
            requests.retain(|other| other != request);
        }
    }

    /// A fetch has ended, with `None` when it failed. Gives those who waited for it; with bytes,
    /// each of them counts as holding it.
    pub(crate) fn settle(
        &mut self,
        source: &Arc<Source>,
        bytes: Option<&Bytes>,
        flight: Option<Flight>,
    ) -> Vec<T> {
        let Some(Slot::Fetching(requests)) = self.slots.remove(source) else {
            return Vec::new();
        };
        if let Some(bytes) = bytes.filter(|_| !requests.is_empty()) {
            self.held += 1;
            self.bytes += bytes.len() as u64;
            let slot = Slot::Held {
                bytes: bytes.clone(),
                holders: requests.len(),
                _flight: flight,
            };
            self.slots.insert(Arc::clone(source), slot);
        }
        requests
    }

    /// One holder less.
    pub(crate) fn release(&mut self, source: &Arc<Source>) {
        let Some(Slot::Held { bytes, holders, .. }) = self.slots.get_mut(source) else {
            return;
        };
        *holders -= 1;
        if *holders == 0 {
            self.held -= 1;
            self.bytes -= bytes.len() as u64;
            self.slots.remove(source);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: &[u8] = b"0123456789";

    fn source(name: &str) -> Arc<Source> {
        let url = url::Url::parse(&format!("http://origin.example/{name}")).unwrap();
        Arc::new(Source::new(url, None))
    }

    #[test]
    fn many_who_ask_make_one_fetch() {
        let mut shelf = Shelf::new(100);
        let a = source("a");
        assert_eq!(shelf.want(&a, 1), Answer::Fetch);
        assert_eq!(shelf.want(&a, 2), Answer::Wait);
        assert_eq!(shelf.want(&source("a"), 3), Answer::Wait);
        assert_eq!(
            shelf.settle(&a, Some(&Bytes::from_static(BYTES)), None),
            [1, 2, 3]
        );
        assert_eq!(shelf.want(&a, 4), Answer::Here(Bytes::from_static(BYTES)));
    }

    #[test]
    fn a_segment_goes_with_its_last_holder() {
        let mut shelf = Shelf::new(100);
        let a = source("a");
        shelf.want(&a, 1);
        shelf.want(&a, 2);
        shelf.settle(&a, Some(&Bytes::from_static(BYTES)), None);
        shelf.release(&a);
        assert_eq!(shelf.held(), 1);
        shelf.release(&a);
        assert_eq!((shelf.held(), shelf.bytes), (0, 0));
        shelf.release(&a);
        assert_eq!(shelf.want(&a, 3), Answer::Fetch);
    }

    #[test]
    fn a_failure_reaches_all_and_the_next_one_tries_again() {
        let mut shelf = Shelf::new(100);
        let a = source("a");
        shelf.want(&a, 1);
        shelf.want(&a, 2);
        assert_eq!(shelf.settle(&a, None, None), [1, 2]);
        assert_eq!(shelf.want(&a, 3), Answer::Fetch);
    }

    #[test]
    fn a_full_shelf_takes_nothing_more_until_something_goes() {
        let mut shelf = Shelf::new(10);
        let (a, b) = (source("a"), source("b"));
        shelf.want(&a, 1);
        shelf.settle(&a, Some(&Bytes::from_static(BYTES)), None);
        assert_eq!(shelf.want(&b, 2), Answer::Full);
        assert_eq!(shelf.want(&a, 3), Answer::Here(Bytes::from_static(BYTES)));
        shelf.release(&a);
        shelf.release(&a);
        assert_eq!(shelf.want(&b, 4), Answer::Fetch);
    }

    #[test]
    fn what_nobody_waits_for_any_more_is_not_kept() {
        let mut shelf = Shelf::new(100);
        let a = source("a");
        shelf.want(&a, 1);
        shelf.cancel(&a, &1);
        assert!(
            shelf
                .settle(&a, Some(&Bytes::from_static(BYTES)), None)
                .is_empty()
        );
        assert_eq!(shelf.held(), 0);
    }
}
