//! What viewers said last, so that only what is new is counted, and only what can be.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

use super::beacon::Beacon;
use crate::store::Counters;

/// Sessions remembered at most, 120 bytes each.
const SESSIONS_MAX: usize = 200_000;

/// A session that was silent for so long is over. Pages report each 10 to 30 s, and hidden ones once a minute.
const SILENCE_MS_MAX: i64 = 90_000;

/// Reports of one session that come sooner are refused; a last one may.
const INTERVAL_MS_MIN: i64 = 1_000;

/// A first report that comes later does not count: nobody knows what was counted of the session before, by a process that is
/// no more.
const FIRST_MS_MAX: u64 = 120_000;

/// More than that in a second nobody downloads, or uploads, in a browser: 200 Mbit/s.
const BYTES_PER_S_MAX: u64 = 25_000_000;

/// Reports take their time, and clocks differ.
const SLACK_MS: u64 = 15_000;

/// Why a report does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is no report.
    Malformed,
    /// No channel has its swarm id.
    UnknownSwarm,
    /// It, or its address, comes too often.
    TooOften,
    /// It was there before, or others after it.
    Old,
    /// It says what cannot be.
    Impossible,
    /// There are too many sessions.
    Full,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Malformed,
        Self::UnknownSwarm,
        Self::TooOften,
        Self::Old,
        Self::Impossible,
        Self::Full,
    ];

    /// A word for each, for metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownSwarm => "unknown_swarm",
            Self::TooOften => "too_often",
            Self::Old => "old",
            Self::Impossible => "impossible",
            Self::Full => "full",
        }
    }
}

/// One viewer in one channel.
#[derive(Clone, Copy, Debug)]
struct Session {
    channel: usize,
    weight: u32,
    at_ms: i64,
    n: u64,
    said: Said,
}

/// What a report counts up.
#[derive(Clone, Copy, Debug, Default)]
struct Said {
    t: u64,
    h: u64,
    p: u64,
    sp: u64,
    u: u64,
    st: u64,
    sm: u64,
    is_started: bool,
}

impl Said {
    fn of(beacon: &Beacon) -> Self {
        Self {
            t: beacon.t,
            h: beacon.h,
            p: beacon.p,
            sp: beacon.sp,
            u: beacon.u,
            st: beacon.st,
            sm: beacon.sm,
            is_started: beacon.f.is_some(),
        }
    }

    /// What is new since an earlier report; `None` when something has become less.
    fn since(self, before: Self) -> Option<Self> {
        Some(Self {
            t: self.t.checked_sub(before.t)?,
            h: self.h.checked_sub(before.h)?,
            p: self.p.checked_sub(before.p)?,
            sp: self.sp.checked_sub(before.sp)?,
            u: self.u.checked_sub(before.u)?,
            st: self.st.checked_sub(before.st)?,
            sm: self.sm.checked_sub(before.sm)?,
            is_started: self.is_started && !before.is_started,
        })
    }

    /// Whether so much can have happened in so long.
    fn can_be(self, passed_ms: u64) -> bool {
        let most_ms = passed_ms.saturating_add(SLACK_MS);
        let most_bytes = most_ms.saturating_mul(BYTES_PER_S_MAX / 1000);
        let down = self.h.saturating_add(self.p).saturating_add(self.sp);
        self.t <= most_ms
            && self.sm <= most_ms
            && self.st <= most_ms / 100
            && down <= most_bytes
            && self.u <= most_bytes
    }
}

/// The sessions of all channels.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    sessions: HashMap<u64, Session>,
    /// Names of sessions are others' choice: hashed with a key drawn at start.
    hasher: RandomState,
}

impl Sessions {
    /// Takes a report of a channel and gives what is new in it.
    pub(super) fn take(
        &mut self,
        beacon: &Beacon,
        channel: usize,
        now_ms: i64,
    ) -> Result<Counters, Refusal> {
        let name = self.hasher.hash_one((channel, &beacon.s));
        let known = self.sessions.get(&name).copied();
        if known.is_none() && self.sessions.len() >= SESSIONS_MAX {
            return Err(Refusal::Full);
        }
        let said = Said::of(beacon);
        let news = match known {
            Some(known) => {
                if beacon.n <= known.n {
                    return Err(Refusal::Old);
                }
                let passed_ms = now_ms.saturating_sub(known.at_ms);
                if passed_ms < INTERVAL_MS_MIN && !beacon.e {
                    return Err(Refusal::TooOften);
                }
                let passed_ms = u64::try_from(passed_ms).unwrap_or_default();
                let news = said.since(known.said).filter(|it| it.can_be(passed_ms));
                Some(news.ok_or(Refusal::Impossible)?)
            }
            None if beacon.n == 0 && beacon.t <= FIRST_MS_MAX => {
                if !said.can_be(beacon.t) {
                    return Err(Refusal::Impossible);
                }
                Some(said)
            }
            // Counts from here on.
            None => None,
        };
        let weight = known.map_or(beacon.r, |it| it.weight);
        if beacon.e {
            self.sessions.remove(&name);
        } else {
            let session = Session {
                channel,
                weight,
                at_ms: now_ms,
                n: beacon.n,
                said,
            };
            self.sessions.insert(name, session);
        }
        let mut counters = news.map_or_else(Counters::default, |it| counters(it, beacon, weight));
        counters.beacons = i64::from(weight);
        Ok(counters)
    }

    /// How many viewers each of `channels` channels has now. Forgets who was silent for long.
    pub(super) fn viewers(&mut self, channels: usize, now_ms: i64) -> Vec<i64> {
        self.sessions
            .retain(|_, it| now_ms.saturating_sub(it.at_ms) <= SILENCE_MS_MAX);
        let mut viewers = vec![0; channels];
        for session in self.sessions.values() {
            if let Some(viewers) = viewers.get_mut(session.channel) {
                *viewers += i64::from(session.weight);
            }
        }
        viewers
    }

    /// How many sessions there are.
    pub(super) fn len(&self) -> usize {
        self.sessions.len()
    }
}

fn counters(news: Said, beacon: &Beacon, weight: u32) -> Counters {
    let weight = i64::from(weight);
    let times = |value: u64| {
        i64::try_from(value)
            .unwrap_or(i64::MAX)
            .saturating_mul(weight)
    };
    let mut counters = Counters {
        viewer_s: times(news.t) / 1000,
        http_bytes: times(news.h),
        peer_bytes: times(news.p),
        super_peer_bytes: times(news.sp),
        uploaded_bytes: times(news.u),
        stalls: times(news.st),
        stalled_ms: times(news.sm),
        ..Counters::default()
    };
    if news.is_started {
        // Whatever took longer than an hour was somebody who did not press play.
        let ms = i64::try_from(beacon.f.unwrap_or_default().min(3_600_000)).unwrap_or_default();
        counters.started(ms, weight);
    }
    if beacon.l > 0 {
        counters.watched(beacon.l, counters.viewer_s);
    }
    counters
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beacon(n: u64, t: u64, h: u64) -> Beacon {
        let text = format!(r#"{{"v":1,"c":"tv","s":"abcdefgh","n":{n},"t":{t},"h":{h},"l":720}}"#);
        Beacon::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn only_what_is_new_is_counted() {
        let mut sessions = Sessions::default();
        let first = sessions.take(&beacon(0, 10_000, 1_000), 0, 50_000).unwrap();
        assert_eq!(
            (first.http_bytes, first.viewer_s, first.lines_800_s),
            (1_000, 10, 10)
        );
        // The second is lost.
        let third = sessions.take(&beacon(2, 30_000, 5_000), 0, 70_000).unwrap();
        assert_eq!((third.http_bytes, third.viewer_s), (4_000, 20));
        assert_eq!(
            sessions.take(&beacon(1, 20_000, 3_000), 0, 75_000),
            Err(Refusal::Old)
        );
        assert_eq!(
            sessions.take(&beacon(2, 30_000, 5_000), 0, 75_000),
            Err(Refusal::Old)
        );
    }

    #[test]
    fn a_session_that_began_before_this_process_counts_from_here_on() {
        let mut sessions = Sessions::default();
        let first = sessions.take(&beacon(5, 600_000, 9_000), 0, 0).unwrap();
        assert_eq!((first.http_bytes, first.beacons), (0, 1));
        let next = sessions
            .take(&beacon(6, 610_000, 9_500), 0, 10_000)
            .unwrap();
        assert_eq!(next.http_bytes, 500);
        let late = Beacon {
            s: "other-session".into(),
            ..beacon(0, 200_000, 9_000)
        };
        assert_eq!(sessions.take(&late, 0, 0).unwrap().http_bytes, 0);
    }

    #[test]
    fn what_cannot_be_is_refused_and_changes_nothing() {
        let mut sessions = Sessions::default();
        sessions.take(&beacon(0, 10_000, 1_000), 0, 0).unwrap();
        let wrong = [
            beacon(1, 9_000, 1_000),
            beacon(1, 20_000, 999),
            beacon(1, 20_000, 1_000_000_000),
            beacon(1, 90_000, 2_000),
            Beacon {
                u: 1_000_000_000,
                ..beacon(1, 20_000, 2_000)
            },
            Beacon {
                st: 100_000,
                ..beacon(1, 20_000, 2_000)
            },
        ];
        for beacon in wrong {
            assert_eq!(
                sessions.take(&beacon, 0, 10_000),
                Err(Refusal::Impossible),
                "{beacon:?}"
            );
        }
        assert_eq!(
            sessions.take(&beacon(1, 10_100, 1_000), 0, 100),
            Err(Refusal::TooOften)
        );
        assert_eq!(
            sessions
                .take(&beacon(1, 20_000, 2_000), 0, 10_000)
                .unwrap()
                .http_bytes,
            1_000
        );
    }

    #[test]
    fn a_sampled_viewer_stands_for_others_until_it_leaves() {
        let mut sessions = Sessions::default();
        let sampled = Beacon {
            r: 10,
            f: Some(700),
            ..beacon(0, 10_000, 1_000)
        };
        let counters = sessions.take(&sampled, 1, 0).unwrap();
        assert_eq!(
            (counters.http_bytes, counters.starts, counters.starts_1000),
            (10_000, 10, 10)
        );
        assert_eq!(sessions.viewers(2, 10_000), [0, 10]);
        let again = Beacon {
            r: 1_000,
            f: Some(700),
            ..beacon(1, 20_000, 2_000)
        };
        let counters = sessions.take(&again, 1, 10_000).unwrap();
        assert_eq!(
            (counters.http_bytes, counters.starts),
            (10_000, 0),
            "its weight stays"
        );
        let last = Beacon {
            e: true,
            ..beacon(2, 20_001, 2_000)
        };
        sessions.take(&last, 1, 10_001).unwrap();
        assert_eq!(sessions.viewers(2, 10_001), [0, 0]);
    }

    #[test]
    fn who_is_silent_for_long_has_left() {
        let mut sessions = Sessions::default();
        sessions.take(&beacon(0, 10_000, 0), 0, 0).unwrap();
        assert_eq!(sessions.viewers(1, SILENCE_MS_MAX), [1]);
        assert_eq!(sessions.viewers(1, SILENCE_MS_MAX + 1), [0]);
        assert_eq!(sessions.len(), 0);
    }
}
