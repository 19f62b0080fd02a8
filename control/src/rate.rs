//! How often somebody may ask.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use beekeepr_service::cidr::masked;

/// Askers remembered at most, some 50 bytes each. Whoever comes when all places are taken by others that asked lately waits.
const ASKERS_MAX: usize = 65_536;

/// Token buckets, one for each asker. Those that are full again are as good as forgotten.
#[derive(Debug)]
pub(crate) struct Rates<K> {
    per_s: f64,
    burst: f64,
    buckets: Mutex<HashMap<K, Bucket>>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl<K: Eq + Hash> Rates<K> {
    /// So many a second in the long run, and so many at once.
    pub(crate) fn new(per_s: f64, burst: f64) -> Self {
        Self {
            per_s,
            burst,
            buckets: Mutex::default(),
        }
    }

    /// Whether one more is all right now; if so it is counted.
    pub(crate) fn take(&self, asker: K, now: Instant) -> bool {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= ASKERS_MAX && !buckets.contains_key(&asker) {
            buckets.retain(|_, bucket| self.left(*bucket, now) < self.burst);
            if buckets.len() >= ASKERS_MAX {
                return false;
            }
        }
        let full = Bucket {
            left: self.burst,
            at: now,
        };
        let bucket = buckets.entry(asker).or_insert(full);
        let left = self.left(*bucket, now);
        let is_allowed = left >= 1.0;
        *bucket = Bucket {
            left: if is_allowed { left - 1.0 } else { left },
            at: now,
        };
        is_allowed
    }

    fn left(&self, bucket: Bucket, now: Instant) -> f64 {
        let since = now.saturating_duration_since(bucket.at).as_secs_f64();
        (bucket.left + since * self.per_s).min(self.burst)
    }
}

/// Whom an address stands for: a home has a whole /64 of IPv6.
pub(crate) fn asker(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(four) => IpAddr::V4(four),
        six @ IpAddr::V6(_) => masked(six, 64).unwrap_or(six),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_asker_has_a_burst_and_then_a_rate() {
        let rates = Rates::new(2.0, 3.0);
        let now = Instant::now();
        let taken = (0..5).filter(|_| rates.take("a", now)).count();
        assert_eq!(taken, 3);
        assert!(rates.take("b", now));
        let later = now + Duration::from_secs(1);
        let taken = (0..5).filter(|_| rates.take("a", later)).count();
        assert_eq!(taken, 2);
    }

    #[test]
    fn a_crowd_takes_no_memory_without_end() {
        let rates = Rates::new(1.0, 1.0);
        let now = Instant::now();
        let taken = (0..ASKERS_MAX + 10)
            .filter(|it| rates.take(*it, now))
            .count();
        assert_eq!(taken, ASKERS_MAX);
        assert!(
            rates.take(ASKERS_MAX + 5, now + Duration::from_secs(2)),
            "the others are gone"
        );
    }

    #[test]
    fn a_network_of_ipv6_is_one_asker() {
        let of = |text: &str| asker(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::2"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
