//! Waiting longer after each failure, and not in step with others.

use std::time::Duration;

use beekeepr_model::Random;

/// Doubling waits, each shortened by up to a half at random so that many do not come at once.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    random: Random,
    failures: u32,
}

impl Backoff {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            failures: 0,
        }
    }

    /// How long to wait after one more failure.
    pub(crate) fn wait(&mut self, first: Duration, longest: Duration) -> Duration {
        // 2^16 times any first wait exceeds any longest one.
        let factor = 1 << self.failures.min(16);
        self.failures += 1;
        let wait = first.saturating_mul(factor).min(longest);
        let half = wait / 2;
        half + Duration::from_millis(self.random.below(half.as_millis() as usize + 1) as u64)
    }

    /// It worked.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_secs(1);
    const LONGEST: Duration = Duration::from_secs(30);

    #[test]
    fn waits_double_up_to_the_longest_and_start_over() {
        let mut backoff = Backoff::new(1);
        for longest in [1, 2, 4, 8, 16, 30, 30] {
            let wait = backoff.wait(FIRST, LONGEST).as_millis();
            assert!(
                (longest * 500..=longest * 1000).contains(&wait),
                "{wait} of {longest}"
            );
        }
        backoff.reset();
        assert!(backoff.wait(FIRST, LONGEST) <= FIRST);
    }
}
