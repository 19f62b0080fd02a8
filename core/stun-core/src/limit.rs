//! How many answers a source gets, and all of them together.
//!
//! Nobody is banned, and a source is an IPv4 address or an IPv6 /64: behind a carrier's NAT
//! thousands of viewers are one source, so its share is large, and who exceeds it gets as much as
//! before and no more. The table's size is fixed: a new source takes the place of the one that has
//! used the least of its share lately, which loses next to nothing by it, so that a flood of forged
//! sources costs no memory and does not make the heavy ones forgotten.

use alloc::boxed::Box;
use alloc::vec;
use core::net::IpAddr;

use crate::outcome::DropReason;
use crate::siphash::{self, Key};

/// Sources that one hash can lead to. Four fill a cache line.
const WAYS: usize = 4;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// What a server gives, in answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// To one source in a second, in the long run; 1 to 10^9.
    pub source_rate_per_s: u32,
    /// To one source at once, after a pause; at least 1.
    pub source_burst: u32,
    /// To all sources in a second; 1 to 10^9. A tenth of it may come at once.
    pub rate_per_s: u32,
    /// Sources remembered; rounded up to a power of two, at least 4.
    pub sources: usize,
}

/// Counts answers. Allocates once, 16 bytes for each source.
#[derive(Debug)]
pub struct Limiter {
    key: Key,
    sets: Box<[Set]>,
    source: Rate,
    total: Rate,
    total_busy_until_ns: u64,
}

#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Set([Slot; WAYS]);

/// A source's bucket. Instead of tokens and the time of their counting it holds the time at which the
/// bucket is full again (the "virtual scheduling" form of the leaky bucket, ITU-T I.371).
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    source: u64,
    busy_until_ns: u64,
}

#[derive(Clone, Copy, Debug)]
struct Rate {
    /// What one answer costs.
    answer_ns: u64,
    /// How far the time of the full bucket may lie ahead.
    burst_ns: u64,
}

impl Limiter {
    /// With a key drawn at random.
    #[must_use]
    pub fn new(limits: Limits, key: Key) -> Self {
        let sets = limits.sources.max(WAYS).div_ceil(WAYS).next_power_of_two();
        Self {
            key,
            sets: vec![Set::default(); sets].into_boxed_slice(),
            source: Rate::new(limits.source_rate_per_s, limits.source_burst),
            total: Rate::new(limits.rate_per_s, (limits.rate_per_s / 10).max(1)),
            total_busy_until_ns: 0,
        }
    }

    /// Whether the source may have an answer that counts as `cost` of them. `now_ns` counts from any
    /// beginning and never goes back.
    ///
    /// # Errors
    /// The limit that has been reached. Nothing is counted then.
    pub fn take(&mut self, now_ns: u64, source: IpAddr, cost: u32) -> Result<(), DropReason> {
        let source = siphash::hash(self.key, network(source));
        // The number of sets is a power of two.
        let index = source as usize & (self.sets.len() - 1);
        let slot = self.sets[index].slot(source);
        let source_until = self.source.after(now_ns, slot.busy_until_ns, cost);
        let source_until = source_until.ok_or(DropReason::SourceLimit)?;
        let total_until = self.total.after(now_ns, self.total_busy_until_ns, cost);
        self.total_busy_until_ns = total_until.ok_or(DropReason::TotalLimit)?;
        slot.source = source;
        slot.busy_until_ns = source_until;
        Ok(())
    }
}

impl Set {
    /// The source's slot, or the one that is nearest to being full, as a full one.
    fn slot(&mut self, source: u64) -> &mut Slot {
        let found = self.0.iter().position(|slot| slot.source == source);
        let idlest = || {
            let slots = self.0.iter().enumerate();
            let idlest = slots.min_by_key(|(_, slot)| slot.busy_until_ns);
            idlest.map_or(0, |(index, _)| index)
        };
        let index = found.unwrap_or_else(idlest);
        let slot = &mut self.0[index];
        if found.is_none() {
            *slot = Slot {
                source,
                busy_until_ns: 0,
            };
        }
        slot
    }
}

impl Rate {
    fn new(per_s: u32, burst: u32) -> Self {
        let answer_ns = (NANOS_PER_SECOND / u64::from(per_s.max(1))).max(1);
        Self {
            answer_ns,
            burst_ns: answer_ns.saturating_mul(u64::from(burst.max(1))),
        }
    }

    /// When the bucket is full again after this answer, or nothing when there is not enough in it.
    fn after(&self, now_ns: u64, busy_until_ns: u64, cost: u32) -> Option<u64> {
        let until = busy_until_ns.max(now_ns) + self.answer_ns * u64::from(cost);
        (until - now_ns <= self.burst_ns).then_some(until)
    }
}

/// What counts as one source: an IPv4 address, an IPv6 /64. No /64 of the Internet looks like one of
/// the numbers made for IPv4 (they would lie in 0:ffff::/32).
pub(crate) fn network(ip: IpAddr) -> u64 {
    match ip.to_canonical() {
        IpAddr::V4(ip) => 0xffff_0000_0000 | u64::from(u32::from(ip)),
        IpAddr::V6(ip) => (u128::from(ip) >> 64) as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = [1, 2];
    const SECOND: u64 = NANOS_PER_SECOND;

    fn limiter(source_rate_per_s: u32, source_burst: u32, rate_per_s: u32) -> Limiter {
        let limits = Limits {
            source_rate_per_s,
            source_burst,
            rate_per_s,
            sources: 1024,
        };
        Limiter::new(limits, KEY)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// How many answers of a thousand asked for at once.
    fn granted(limiter: &mut Limiter, now_ns: u64, source: IpAddr) -> usize {
        let takes = (0..1000).map(|_| limiter.take(now_ns, source, 1));
        takes.filter(Result::is_ok).count()
    }

    #[test]
    fn a_source_gets_its_burst_and_then_its_rate() {
        let mut limiter = limiter(10, 50, 1_000_000);
        let source = ip("192.0.2.1");
        assert_eq!(granted(&mut limiter, SECOND, source), 50);
        assert_eq!(granted(&mut limiter, 2 * SECOND, source), 10);
        assert_eq!(granted(&mut limiter, 100 * SECOND, source), 50);
        assert_eq!(
            limiter.take(100 * SECOND, source, 1),
            Err(DropReason::SourceLimit)
        );
    }

    #[test]
    fn sources_do_not_share() {
        let mut limiter = limiter(10, 50, 1_000_000);
        assert_eq!(granted(&mut limiter, 0, ip("192.0.2.1")), 50);
        assert_eq!(granted(&mut limiter, 0, ip("192.0.2.2")), 50);
    }

    #[test]
    fn an_ipv6_source_is_a_network_of_64_bits() {
        let mut limiter = limiter(10, 50, 1_000_000);
        assert_eq!(granted(&mut limiter, 0, ip("2001:db8::1")), 50);
        assert_eq!(granted(&mut limiter, 0, ip("2001:db8::ffff:2")), 0);
        assert_eq!(granted(&mut limiter, 0, ip("2001:db8:0:1::1")), 50);
    }

    #[test]
    fn an_ipv4_source_is_the_same_on_an_ipv6_socket() {
        let mut limiter = limiter(10, 50, 1_000_000);
        assert_eq!(granted(&mut limiter, 0, ip("192.0.2.1")), 50);
        assert_eq!(granted(&mut limiter, 0, ip("::ffff:192.0.2.1")), 0);
    }

    #[test]
    fn all_together_get_no_more_than_the_total() {
        let mut limiter = limiter(1000, 1000, 2000);
        let sources = (0..100_u32).map(|last| IpAddr::V4((0xc000_0200 + last).into()));
        let granted: usize = { sources }
            .map(|source| granted(&mut limiter, 0, source))
            .sum();
        assert_eq!(granted, 200);
        assert_eq!(
            limiter.take(0, ip("192.0.2.200"), 1),
            Err(DropReason::TotalLimit)
        );
    }

    #[test]
    fn who_is_refused_by_the_total_has_lost_nothing() {
        let mut limiter = limiter(10, 20, 100);
        assert_eq!(granted(&mut limiter, 0, ip("192.0.2.1")), 10);
        assert_eq!(granted(&mut limiter, 0, ip("192.0.2.2")), 0);
        let later = SECOND / 10;
        assert_eq!(granted(&mut limiter, later, ip("192.0.2.2")), 10);
    }

    #[test]
    fn what_costs_more_is_had_less_often() {
        let mut limiter = limiter(100, 100, 1_000_000);
        let takes = (0..10).map(|_| limiter.take(0, ip("192.0.2.1"), 50));
        assert_eq!({ takes }.filter(Result::is_ok).count(), 2);
    }

    #[test]
    fn a_million_sources_do_not_make_a_heavy_one_forgotten() {
        let mut limiter = limiter(10, 50, 1_000_000_000);
        let heavy = ip("192.0.2.1");
        assert_eq!(granted(&mut limiter, 0, heavy), 50);
        let slots = limiter.sets.len() * WAYS;
        for number in 0..1_000_000_u32 {
            let source = IpAddr::V4((0x0a00_0000 + number).into());
            assert_eq!(limiter.take(0, source, 1), Ok(()));
        }
        assert_eq!(granted(&mut limiter, 0, heavy), 0);
        // The table is what it was.
        assert_eq!(limiter.sets.len() * WAYS, slots);
    }

    #[test]
    fn extreme_settings_and_times_do_not_overflow() {
        let limits = Limits {
            source_rate_per_s: 0,
            source_burst: u32::MAX,
            rate_per_s: u32::MAX,
            sources: 0,
        };
        let mut limiter = Limiter::new(limits, KEY);
        let century_ns = 100 * 366 * 86_400 * SECOND;
        assert_eq!(limiter.take(century_ns, ip("::1"), 1), Ok(()));
    }
}
