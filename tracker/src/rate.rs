//! How often somebody may do something.

use beekeepr_model::Time;

/// A bucket of tokens that fills up evenly; what is done takes tokens out of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    /// In thousandths of a token.
    level_milli: u64,
    filled: Time,
}

/// How a bucket fills.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    /// Tokens in a second; 0 means that there is no limit.
    pub(crate) per_s: u32,
    /// Seconds' worth of tokens that a full bucket holds.
    pub(crate) burst_s: u32,
}

impl Rate {
    fn full_milli(self) -> u64 {
        u64::from(self.per_s) * u64::from(self.burst_s) * 1000
    }
}

impl Bucket {
    /// A full one.
    pub(crate) fn new(now: Time, rate: Rate) -> Self {
        Self {
            level_milli: rate.full_milli(),
            filled: now,
        }
    }

    /// Takes thousandths of a token, if there are so many.
    pub(crate) fn take(&mut self, now: Time, rate: Rate, milli: u64) -> bool {
        if rate.per_s == 0 {
            return true;
        }
        self.fill(now, rate);
        match self.level_milli.checked_sub(milli) {
            Some(level_milli) => {
                self.level_milli = level_milli;
                true
            }
            None => false,
        }
    }

    /// Whether nothing was taken for long enough that it is full again.
    pub(crate) fn is_full(&mut self, now: Time, rate: Rate) -> bool {
        self.fill(now, rate);
        self.level_milli == rate.full_milli()
    }

    fn fill(&mut self, now: Time, rate: Rate) {
        // Tokens a second are thousandths a millisecond.
        let gained_milli = now
            .since_ms(self.filled)
            .saturating_mul(u64::from(rate.per_s));
        self.level_milli = self
            .level_milli
            .saturating_add(gained_milli)
            .min(rate.full_milli());
        self.filled = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_followed_by_the_rate() {
        let rate = Rate {
            per_s: 10,
            burst_s: 2,
        };
        let mut bucket = Bucket::new(Time::ZERO, rate);
        let mut taken = |at_ms| {
            (0..100)
                .filter(|_| bucket.take(Time::from_ms(at_ms), rate, 1000))
                .count()
        };
        assert_eq!(taken(0), 20);
        assert_eq!(taken(99), 0);
        assert_eq!(taken(100), 1);
        assert_eq!(taken(1_100), 10);
        assert_eq!(taken(60_000), 20);
        assert!(!bucket.is_full(Time::from_ms(60_000), rate));
        assert!(bucket.is_full(Time::from_ms(62_000), rate));
    }

    #[test]
    fn no_rate_is_no_limit() {
        let rate = Rate {
            per_s: 0,
            burst_s: 2,
        };
        let mut bucket = Bucket::new(Time::ZERO, rate);
        assert!((0..100).all(|_| bucket.take(Time::ZERO, rate, 1_000_000)));
    }
}
