//! Points in time, as the shells hand them to the cores.

use std::ops::Add;

/// A point in time: milliseconds since a start that the shell chooses (page load, process start).
///
/// Only differences mean anything. Arithmetic saturates, so no caller can overflow it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// The shell's start.
    pub const ZERO: Self = Self(0);

    /// The point `ms` milliseconds after the shell's start.
    #[must_use]
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the shell's start.
    #[must_use]
    pub const fn as_ms(self) -> u64 {
        self.0
    }

    /// Milliseconds from `earlier` to `self`; 0 when `earlier` is later.
    #[must_use]
    pub const fn since_ms(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<u64> for Time {
    type Output = Self;

    /// The point `ms` milliseconds later.
    fn add(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_saturate_instead_of_wrapping() {
        assert_eq!(Time::from_ms(5).since_ms(Time::from_ms(9)), 0);
        assert_eq!(Time::from_ms(u64::MAX) + 1, Time::from_ms(u64::MAX));
    }
}
