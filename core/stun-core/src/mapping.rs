//! How the NATs of a server's clients map ports, as far as the server itself can see it.
//!
//! A request does not tell its NAT's class; only the client can know that for certain. But with RFC
//! 5780 there are two addresses, and a client that asks both asks them from one socket, at about the
//! same time. If both requests come from one port, the mapping is independent of the endpoint (or
//! there is no NAT). If the second address is asked from a port that does not ask the first one, the
//! mapping depends on the endpoint, or a request was lost. Who asks only the first address tells
//! nothing and is not counted.
//!
//! A fixed number of sources is looked at at a time; others that come meanwhile are not, so what is
//! counted is a sample. Nothing here waits: the table is of atomic numbers, shared by all workers.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::siphash::{self, Key};

/// Sources looked at at a time: 32 KiB.
const SOURCES: usize = 4096;

/// How long the second request may take. A client repeats a lost one for this long (RFC 8489 section
/// 6.2.1: 500 ms, doubled each time: the fourth repetition is sent after 7.5 s).
const PAIR_S: u32 = 10;

/// A slot's bits: the time it was taken, which addresses were asked, and the rest of the hash. Zero
/// is an empty slot.
const TIME_BITS: u64 = (1 << 30) - 1;
const FIRST: u64 = 1 << 30;
const SECOND: u64 = 1 << 31;
const SOURCE_BITS: u64 = !(TIME_BITS | FIRST | SECOND);

/// What was found out.
#[derive(Debug)]
pub struct Mappings {
    key: Key,
    slots: Box<[AtomicU64]>,
    independent: AtomicU64,
    dependent: AtomicU64,
}

/// How a NAT maps ports (RFC 4787 section 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mapping {
    /// One port to whomever is asked: others can reach the client there.
    EndpointIndependent,
    /// Another port for each address asked: only a relay or a public peer reaches the client.
    EndpointDependent,
}

impl Mapping {
    /// Every mapping.
    pub const ALL: [Self; 2] = [Self::EndpointIndependent, Self::EndpointDependent];

    /// For metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EndpointIndependent => "endpoint_independent",
            Self::EndpointDependent => "endpoint_dependent",
        }
    }
}

impl Mappings {
    /// With a key drawn at random.
    #[must_use]
    pub fn new(key: Key) -> Self {
        Self {
            key,
            slots: (0..SOURCES)
                .map(|_| AtomicU64::new(0))
                .collect::<Vec<_>>()
                .into(),
            independent: AtomicU64::new(0),
            dependent: AtomicU64::new(0),
        }
    }

    /// A request that came to the first or the second address. `now_s` counts from any beginning.
    /// IPv6 has no NAT worth counting and is left out.
    pub fn see(&self, now_s: u32, source: SocketAddr, is_second_address: bool) {
        let SocketAddr::V4(source) = source else {
            return;
        };
        let id = u64::from(u32::from(*source.ip())) << 16 | u64::from(source.port());
        let hash = siphash::hash(self.key, id);
        let slot = &self.slots[hash as usize % SOURCES];
        let word = slot.load(Relaxed);
        let asked = if is_second_address { SECOND } else { FIRST };
        let source_bits = hash & SOURCE_BITS;
        if word == 0 || is_over(word, now_s) {
            // The time is never zero, so neither is the word.
            let fresh = source_bits | asked | time(now_s);
            self.replace(slot, word, fresh);
        } else if word & SOURCE_BITS == source_bits && word & asked == 0 {
            // Whoever changes the slot first counts it.
            if slot
                .compare_exchange(word, word | asked, Relaxed, Relaxed)
                .is_ok()
            {
                self.independent.fetch_add(1, Relaxed);
            }
        }
    }

    /// How many sources of a mapping were seen, those included whose time is over by now.
    pub fn count(&self, now_s: u32, mapping: Mapping) -> u64 {
        match mapping {
            Mapping::EndpointIndependent => self.independent.load(Relaxed),
            Mapping::EndpointDependent => {
                for slot in &self.slots {
                    let word = slot.load(Relaxed);
                    if word != 0 && is_over(word, now_s) {
                        self.replace(slot, word, 0);
                    }
                }
                self.dependent.load(Relaxed)
            }
        }
    }

    /// Ends a slot's time, and counts the source when it asked the second address alone.
    fn replace(&self, slot: &AtomicU64, old: u64, new: u64) {
        let is_ours = slot.compare_exchange(old, new, Relaxed, Relaxed).is_ok();
        if is_ours && old & (FIRST | SECOND) == SECOND {
            self.dependent.fetch_add(1, Relaxed);
        }
    }
}

/// The time as a slot has it: from 1, and again from the beginning after 34 years.
fn time(now_s: u32) -> u64 {
    (u64::from(now_s) + 1) & TIME_BITS
}

fn is_over(word: u64, now_s: u32) -> bool {
    time(now_s).wrapping_sub(word & TIME_BITS) & TIME_BITS > u64::from(PAIR_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(mappings: &Mappings, now_s: u32) -> [u64; 2] {
        Mapping::ALL.map(|mapping| mappings.count(now_s, mapping))
    }

    fn mappings() -> Mappings {
        Mappings::new([3, 4])
    }

    fn source(port: u16) -> SocketAddr {
        ([192, 0, 2, 1], port).into()
    }

    #[test]
    fn one_port_to_both_addresses_is_independent_and_counted_once() {
        let mappings = mappings();
        for is_second in [false, true, false, true] {
            mappings.see(5, source(4000), is_second);
        }
        assert_eq!(counts(&mappings, 5), [1, 0]);
        assert_eq!(counts(&mappings, 100), [1, 0]);
    }

    #[test]
    fn a_port_for_the_second_address_alone_is_dependent_once_its_time_is_over() {
        let mappings = mappings();
        mappings.see(5, source(4000), false);
        mappings.see(5, source(4001), true);
        assert_eq!(counts(&mappings, 5 + PAIR_S), [0, 0]);
        assert_eq!(counts(&mappings, 6 + PAIR_S), [0, 1]);
        assert_eq!(counts(&mappings, 100), [0, 1]);
    }

    #[test]
    fn who_asks_the_first_address_alone_tells_nothing() {
        let mappings = mappings();
        mappings.see(0, source(4000), false);
        assert_eq!(counts(&mappings, 100), [0, 0]);
    }

    #[test]
    fn ipv6_is_not_counted() {
        let mappings = mappings();
        mappings.see(0, "[2001:db8::1]:1".parse().unwrap(), true);
        assert_eq!(counts(&mappings, 100), [0, 0]);
    }

    #[test]
    fn more_sources_than_slots_are_a_sample_without_errors() {
        let mappings = mappings();
        for round in 0..4 {
            for port in 1..u16::MAX {
                mappings.see(round * 100, source(port), false);
                mappings.see(round * 100, source(port), true);
            }
        }
        let [independent, dependent] = counts(&mappings, 1000);
        assert_eq!(dependent, 0);
        assert!(independent > 3 * SOURCES as u64 && independent <= 4 * SOURCES as u64);
    }
}
