//! Randomness as a value: a small generator that a shell seeds once.

/// SplitMix64 (Steele, Lea, Flood 2014): fast, one word of state, good enough for choosing peers
/// and jitter. Never use it for keys or secrets.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator whose whole sequence follows from `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 random bits.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`; 0 when `bound` is 0.
    ///
    /// Multiply-shift (Lemire 2016) by the upper 32 bits; the bias is below 2^-16 for the bounds used here. Of a
    /// larger bound than 2^32 - 1 only that much is reached.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u32::try_from(bound).unwrap_or(u32::MAX);
        let wide = (self.next_u64() >> 32) * u64::from(bound);
        (wide >> 32) as usize
    }

    /// True once in `denominator` calls on average; always true for 0 and 1.
    pub fn one_in(&mut self, denominator: usize) -> bool {
        self.below(denominator.max(1)) == 0
    }

    /// Letters and digits, as the random part of an id.
    pub fn alphanumeric<const N: usize>(&mut self) -> [u8; N] {
        const ALPHABET: &[u8; 62] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        std::array::from_fn(|_| ALPHABET[self.below(ALPHABET.len())])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_sequence() {
        let take = |seed| {
            let mut random = Random::new(seed);
            [random.next_u64(), random.next_u64()]
        };
        assert_eq!(take(7), take(7));
        assert_ne!(take(7), take(8));
    }

    #[test]
    fn below_reaches_every_value_and_stays_in_bounds() {
        let mut random = Random::new(1);
        let mut seen = [false; 5];
        for _ in 0..200 {
            seen[random.below(5)] = true;
        }
        assert_eq!(seen, [true; 5]);
        assert_eq!(random.below(0), 0);
    }
}
