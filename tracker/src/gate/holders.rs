//! How many connections the holder of a token has, and how often it announces.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use beekeepr_model::Time;
use beekeepr_swarm::Holder;

use super::Closed;
use crate::Limits;
use crate::rate::{Bucket, Rate};

/// Seconds' worth of announces that a subject may make at once, as on one connection.
const ANNOUNCES_BURST_S: u32 = 10;

/// Subjects that are remembered without a connection, before those that could be forgotten are. Without
/// memory a new connection would be a new allowance.
const IDLE_MAX: usize = 10_000;

/// The holders of tokens. One for the process.
#[derive(Debug)]
pub(super) struct Holders {
    connections_max: usize,
    rate: Rate,
    subjects: Mutex<HashMap<Holder, Subject>>,
}

#[derive(Debug)]
struct Subject {
    connections: usize,
    /// Its connections' own, so that announces do not wait for those of other subjects.
    announces: Arc<Mutex<Bucket>>,
}

/// One connection of a holder; dropping it lets another one in.
#[derive(Debug)]
pub(super) struct Holding {
    holders: Arc<Holders>,
    holder: Holder,
    announces: Arc<Mutex<Bucket>>,
}

impl Holders {
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            connections_max: limits.connections_per_token_max,
            rate: Rate {
                per_s: limits.announces_per_token_per_s,
                burst_s: ANNOUNCES_BURST_S,
            },
            subjects: Mutex::default(),
        })
    }

    pub(super) fn enter(self: &Arc<Self>, now: Time, holder: Holder) -> Result<Holding, Closed> {
        let mut subjects = self.subjects();
        if subjects.len() >= IDLE_MAX && !subjects.contains_key(&holder) {
            subjects.retain(|_, it| {
                it.connections > 0 || !locked(&it.announces).is_full(now, self.rate)
            });
        }
        let subject = subjects.entry(holder).or_insert_with(|| Subject {
            connections: 0,
            announces: Arc::new(Mutex::new(Bucket::new(now, self.rate))),
        });
        if subject.connections >= self.connections_max {
            return Err(Closed::TokenFull);
        }
        subject.connections += 1;
        Ok(Holding {
            holders: Arc::clone(self),
            holder,
            announces: Arc::clone(&subject.announces),
        })
    }

    fn subjects(&self) -> MutexGuard<'_, HashMap<Holder, Subject>> {
        locked(&self.subjects)
    }
}

impl Holding {
    pub(super) fn is_of(&self, holder: Holder) -> bool {
        self.holder == holder
    }

    /// Counts an announce; false when there were too many.
    pub(super) fn announces(&self, now: Time) -> bool {
        locked(&self.announces).take(now, self.holders.rate, 1000)
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        if let Some(subject) = self.holders.subjects().get_mut(&self.holder) {
            subject.connections -= 1;
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_announces_at_one_rate_on_all_its_connections_and_after_them() {
        let holders = Holders::new(&Limits {
            announces_per_token_per_s: 1,
            ..Limits::default()
        });
        let enter = |holder| holders.enter(Time::ZERO, Holder(holder)).unwrap();
        let (one, two, other) = (enter(7), enter(7), enter(8));
        let made = |holding: &Holding| (0..20).filter(|_| holding.announces(Time::ZERO)).count();
        assert_eq!(made(&one) + made(&two), 10);
        assert_eq!(made(&other), 10);
        drop((one, two));
        assert!(!enter(7).announces(Time::ZERO), "it is remembered");
        assert!(enter(7).announces(Time::from_ms(1_000)));
    }
}
