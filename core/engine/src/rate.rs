//! How fast the origin and the peers have proven to be.

use beekeepr_model::Time;

use crate::limits;

/// What HTTP was measured to bring, told with caution: a slow response counts at once, a quick one
/// bit by bit, because whoever waits for peers relies on HTTP to be as fast as it was.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HttpRate {
    /// Of the last response that tells something.
    last_bps: u64,
    /// How long that one was.
    last_bytes: u64,
    /// Of the slower ones.
    cautious_bps: u64,
    /// Until a response begins, of the slower ones.
    latency_ms: u64,
    at: Time,
}

impl HttpRate {
    /// A response has begun `ms` after its request.
    pub(crate) fn began(&mut self, ms: u64) {
        self.latency_ms = if ms > self.latency_ms {
            u64::midpoint(self.latency_ms, ms)
        } else {
            self.latency_ms - (self.latency_ms - ms) / FORGET
        };
    }

    /// `bytes` came within `ms` of their request.
    pub(crate) fn brought(&mut self, bytes: u64, ms: u64, now: Time) {
        let bps = bits_per_second(bytes, ms);
        let stale = self.cautious_bps == 0 || self.is_older(limits::HTTP_TIME_AGE_MS_MAX, now);
        self.cautious_bps = if stale {
            bps
        } else if bps < self.cautious_bps {
            u64::midpoint(self.cautious_bps, bps)
        } else {
            self.cautious_bps + (bps - self.cautious_bps) / FORGET
        };
        // A short response took most of its time to begin: that of an audio segment says nothing against the line.
        let tells = bytes >= TELLING_BYTES || bytes >= self.last_bytes / 2;
        if stale || tells || bps > self.last_bps {
            (self.last_bps, self.last_bytes) = (bps, bytes);
        }
        self.at = now;
    }

    fn is_older(&self, ms: u64, now: Time) -> bool {
        now.since_ms(self.at) > ms
    }

    /// Bits per second that HTTP brought lately; 0 when unknown.
    pub(crate) fn last_bps(&self, now: Time) -> u64 {
        if self.is_older(limits::HTTP_TIME_AGE_MS_MAX, now) {
            0
        } else {
            self.last_bps
        }
    }

    /// How long `bytes` will take; `None` when nothing was measured lately.
    pub(crate) fn time_ms(&self, bytes: u64, now: Time) -> Option<u64> {
        let known = self.cautious_bps > 0 && !self.is_older(limits::HTTP_TIME_AGE_MS_MAX, now);
        known.then(|| self.latency_ms + transfer_ms(bytes, self.cautious_bps))
    }
}

/// A response of so many bytes always tells how fast the line is: at 10 Mbit/s it takes 50 ms beside the way to the origin.
const TELLING_BYTES: u64 = 64 * 1024;

/// A better measurement moves the cautious one by this part of the difference.
const FORGET: u64 = 8;

/// The product of two of the engine's figures. Bytes of a segment, milliseconds and bit rates stay far below 2^32 each;
/// what is more comes from a hostile manifest, and 2^32 serves as well. Checked or wider products would weigh half a
/// KB in the browser's module.
pub(crate) fn product(a: u64, b: u64) -> u64 {
    const MOST: u64 = u32::MAX as u64;
    a.min(MOST) * b.min(MOST)
}

/// The rate of a transfer.
pub(crate) fn bits_per_second(bytes: u64, ms: u64) -> u64 {
    product(bytes, 8_000) / ms.max(1)
}

/// How long a transfer takes at a rate.
pub(crate) fn transfer_ms(bytes: u64, bps: u64) -> u64 {
    product(bytes, 8_000) / bps.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_response_counts_at_once_and_a_quick_one_bit_by_bit() {
        let now = Time::from_ms(1_000);
        let mut rate = HttpRate::default();
        assert_eq!(rate.time_ms(1_000, now), None);
        rate.brought(100_000, 100, now);
        assert_eq!(rate.time_ms(100_000, now), Some(100));
        rate.brought(100_000, 1_000, now);
        assert!(rate.time_ms(100_000, now) > Some(180));
        rate.brought(100_000, 100, now);
        assert!(rate.time_ms(100_000, now) > Some(150));
    }

    #[test]
    fn a_short_response_does_not_make_the_line_slow() {
        let now = Time::from_ms(1_000);
        let mut rate = HttpRate::default();
        rate.brought(1_000_000, 1_000, now);
        rate.brought(16_000, 1_600, now);
        assert_eq!(rate.last_bps(now), 8_000_000);
        rate.brought(100_000, 1_600, now);
        assert_eq!(rate.last_bps(now), 500_000);
        rate.brought(16_000, 16, now);
        assert_eq!(rate.last_bps(now), 8_000_000);
    }

    #[test]
    fn old_measurements_say_nothing() {
        let mut rate = HttpRate::default();
        rate.brought(100_000, 100, Time::ZERO);
        let later = Time::from_ms(limits::HTTP_TIME_AGE_MS_MAX + 1);
        assert_eq!((rate.time_ms(0, later), rate.last_bps(later)), (None, 0));
    }
}
