//! Chance that follows from the seed and from whom it is for, not from the order of events.

use beekeepr_model::Random;

/// A generator of its own for one purpose: two worlds with one seed have the same viewers, whatever happens in them.
pub(crate) fn stream(seed: u64, purpose: Purpose, number: u64) -> Random {
    let mut mixed = Random::new(seed ^ (purpose as u64) << 56);
    let offset = mixed.next_u64();
    let mut own = Random::new(offset ^ number.wrapping_mul(0xd6e8_feb8_6659_fd93));
    Random::new(own.next_u64())
}

/// What chance decides.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    Profile = 1,
    Conduct = 2,
    Mind = 3,
    Pair = 4,
    Size = 5,
    Network = 6,
    Tracker = 7,
}

/// A number from 0 up to but not including 1.
pub(crate) fn unit(random: &mut Random) -> f64 {
    // The 53 bits that a float holds exactly.
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// A number between two, both included.
pub(crate) fn between(random: &mut Random, low: u64, high: u64) -> u64 {
    low + random.below((high.saturating_sub(low) + 1) as usize) as u64
}

/// How long until something happens that happens on average once in `mean_ms`.
pub(crate) fn wait_ms(random: &mut Random, mean_ms: u64) -> u64 {
    let wait = -(1.0 - unit(random)).ln() * mean_ms as f64;
    wait as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_and_numbers_have_chances_of_their_own() {
        let first = |purpose, number| stream(7, purpose, number).next_u64();
        assert_eq!(first(Purpose::Pair, 3), first(Purpose::Pair, 3));
        assert_ne!(first(Purpose::Pair, 3), first(Purpose::Pair, 4));
        assert_ne!(first(Purpose::Pair, 3), first(Purpose::Mind, 3));
    }

    #[test]
    fn waits_have_their_mean() {
        let mut random = stream(1, Purpose::Conduct, 0);
        let sum: u64 = (0..20_000).map(|_| wait_ms(&mut random, 1_000)).sum();
        assert!((19_000_000..21_000_000).contains(&sum), "{sum}");
    }
}
