//! Whether what viewers say they got from others is borne out by what others say they gave.

use std::collections::VecDeque;

/// So many ticks of 10 s later claims are judged: the reports of who gave come at other times than those of who got, and
/// hidden pages report once a minute.
const TICKS_LATER: usize = 6;

/// What somebody gave bears out what somebody else says within so many ticks: five minutes.
const TICKS_KEPT: usize = 30;

/// Reports get lost on both sides: so much of a claim needs no other's word.
const TOLERANCE_PERCENT: i64 = 10;

/// Claims of one channel: bytes got, and bytes given that have borne out none yet.
#[derive(Debug, Default)]
pub(super) struct Proof {
    got: VecDeque<i64>,
    given: VecDeque<i64>,
    credit: i64,
}

impl Proof {
    /// Takes the claims of a tick, and gives how many bytes of an earlier one nobody bears out.
    pub(super) fn take(&mut self, got: i64, given: i64) -> i64 {
        self.got.push_back(got);
        self.given.push_back(given);
        if self.given.len() > TICKS_KEPT {
            self.given.pop_front();
        }
        let kept = self.given.iter().copied().fold(0, i64::saturating_add);
        self.credit = self.credit.saturating_add(given).min(kept);
        if self.got.len() <= TICKS_LATER {
            return 0;
        }
        let claimed = self.got.pop_front().unwrap_or_default();
        let needed = claimed - claimed / 100 * TOLERANCE_PERCENT;
        if self.credit >= needed {
            self.credit -= needed;
            return 0;
        }
        claimed - std::mem::take(&mut self.credit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_that_others_bear_out_are_proven_though_they_come_later() {
        let mut proof = Proof::default();
        let mut unproven = 0;
        for tick in 0..200 {
            let given = if tick < 5 { 0 } else { 1_000 };
            unproven += proof.take(1_000, given);
        }
        assert_eq!(unproven, 0);
    }

    #[test]
    fn claims_that_nobody_bears_out_are_unproven_and_that_once() {
        let mut proof = Proof::default();
        let unproven: i64 = (0..206).map(|_| proof.take(1_000, 0)).sum();
        assert_eq!(unproven, 200_000);
    }

    #[test]
    fn half_true_is_half_proven() {
        let mut proof = Proof::default();
        let unproven: i64 = (0..1_006).map(|_| proof.take(1_000, 500)).sum();
        assert!((450_000..=520_000).contains(&unproven), "{unproven}");
    }

    #[test]
    fn what_was_given_long_ago_bears_out_nothing() {
        let mut proof = Proof::default();
        proof.take(0, 1_000_000);
        for _ in 0..TICKS_KEPT {
            proof.take(0, 0);
        }
        let unproven: i64 = (0..=TICKS_LATER).map(|_| proof.take(1_000, 0)).sum();
        assert_eq!(unproven, 1_000);
    }
}
