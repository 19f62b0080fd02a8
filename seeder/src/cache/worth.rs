//! How much a segment is worth keeping.

/// Uses beyond which more make no difference. It bounds how long a segment outlives its last use: so many evictions of
/// segments that were used less. Measured: `docs/decisions/cache.md`.
pub(super) const USES_MAX: u32 = 15;

/// Of what a channel has, this part may be segments that were asked for once: enough for a second viewer to find them, and
/// no more than that goes to a scan. The tenth is S3-FIFO's (SOSP 2023).
pub(super) const ONCE_PART: u64 = 10;

/// Why a segment is kept, from the poorest reason to the best.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// Nobody has asked for it.
    #[default]
    Spare,
    /// Somebody asked for it once.
    Once,
    /// It was asked for again, so it will be.
    Often,
    /// It is in a live window: the next viewer will ask for it.
    Live,
}

/// The place of a segment among those of its channel; the lowest of a rank goes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Worth {
    pub(super) rank: Rank,
    pub(super) score: u64,
    pub(super) order: u64,
}

impl Worth {
    /// No segment of this rank comes before it.
    pub(super) fn first_of(rank: Rank) -> Self {
        Self {
            rank,
            ..Self::default()
        }
    }
}

/// Recency and frequency in one number: least frequently used with dynamic aging (Arlitt et al., HP Labs 1999-69). `age` is
/// the score of what was evicted last.
pub(super) fn score(age: u64, uses: u32) -> u64 {
    age + u64::from(uses.min(USES_MAX))
}
