//! Which relayed offers wait for an answer.

use std::collections::HashMap;
use std::mem;

use beekeepr_model::{OfferId, Time};

use crate::member::MemberKey;

/// How long an offer may be answered, in milliseconds: bittorrent-tracker's client gives an offer up
/// after 50 s; the rest is for the way.
const OFFER_AGE_MS_MAX: u64 = 60_000;

/// Who may answer what to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Introduction {
    /// The member that made the offer.
    pub(crate) from: MemberKey,
    /// The member that it was handed to.
    pub(crate) to: MemberKey,
    /// The offer.
    pub(crate) offer_id: OfferId,
}

/// The introductions of the last minute or two, with the time each was made.
///
/// Two generations instead of a queue: forgetting is dropping a map, and an answered offer leaves
/// nothing behind.
#[derive(Debug)]
pub(crate) struct Ledger {
    young: HashMap<Introduction, Time>,
    old: HashMap<Introduction, Time>,
    turned: Time,
    generation_max: usize,
}

impl Ledger {
    pub(crate) fn new(offers_pending_max: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            turned: Time::ZERO,
            generation_max: (offers_pending_max / 2).max(1),
        }
    }

    pub(crate) fn note(&mut self, now: Time, introduction: Introduction) {
        if self.young.len() >= self.generation_max {
            self.turn(now);
        }
        self.forget(now);
        self.young.insert(introduction, now);
    }

    /// Whether this introduction was made and still counts. It does not afterwards.
    pub(crate) fn settle(&mut self, now: Time, introduction: &Introduction) -> bool {
        let young = self.young.remove(introduction);
        let old = self.old.remove(introduction);
        young
            .or(old)
            .is_some_and(|made| now.since_ms(made) <= OFFER_AGE_MS_MAX)
    }

    /// Drops what is too old to be answered.
    pub(crate) fn forget(&mut self, now: Time) {
        if now.since_ms(self.turned) > OFFER_AGE_MS_MAX {
            self.turn(now);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    fn turn(&mut self, now: Time) {
        self.old = mem::take(&mut self.young);
        self.turned = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn introduction(number: u64) -> Introduction {
        let (from, to) = (MemberKey(1), MemberKey(number));
        Introduction {
            from,
            to,
            offer_id: OfferId([7; 20]),
        }
    }

    #[test]
    fn an_introduction_counts_once_and_for_a_minute() {
        let mut ledger = Ledger::new(100);
        let at = Time::from_ms;
        ledger.note(at(0), introduction(1));
        ledger.note(at(0), introduction(2));
        assert!(ledger.settle(at(OFFER_AGE_MS_MAX), &introduction(1)));
        assert!(!ledger.settle(at(OFFER_AGE_MS_MAX), &introduction(1)));
        assert!(!ledger.settle(at(OFFER_AGE_MS_MAX + 1), &introduction(2)));
    }

    #[test]
    fn an_introduction_survives_the_turn_of_generations() {
        let mut ledger = Ledger::new(100);
        ledger.note(Time::from_ms(50_000), introduction(1));
        ledger.note(Time::from_ms(100_000), introduction(2));
        assert!(ledger.settle(Time::from_ms(110_000), &introduction(1)));
    }

    #[test]
    fn memory_is_bounded_and_given_back() {
        let mut ledger = Ledger::new(100);
        for number in 0..1_000 {
            ledger.note(Time::ZERO, introduction(number));
            assert!(ledger.len() <= 100);
        }
        assert!(ledger.settle(Time::ZERO, &introduction(999)));
        ledger.forget(Time::from_ms(OFFER_AGE_MS_MAX + 1));
        ledger.forget(Time::from_ms(2 * (OFFER_AGE_MS_MAX + 1)));
        assert_eq!(ledger.len(), 0);
    }
}
