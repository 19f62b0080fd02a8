//! Tokens for trackers: when one is told, and when a new one is needed.
//!
//! The token itself stays with the shell; the engine knows only that there is one and how long it
//! counts. A tracker takes a newer token over the connection that is open.

use beekeepr_model::Time;

use crate::Engine;
use crate::announce::Link;
use crate::api::{Output, TrackerKey};
use crate::limits;

/// What there is to know of a tracker's token.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Token {
    /// The shell has one.
    held: bool,
    /// It was told over the socket that is open.
    told: bool,
    /// When the shell is asked for another one.
    renew_at: Option<Time>,
    /// When it was last asked.
    asked_at: Option<Time>,
}

impl Token {
    /// Whether the next announce carries it; from then on it is told.
    pub(crate) fn tell(&mut self) -> bool {
        self.held && !std::mem::replace(&mut self.told, true)
    }

    fn is_to_be_told(self) -> bool {
        self.held && !self.told
    }

    /// A new socket was told nothing.
    pub(crate) fn forget(&mut self) {
        self.told = false;
    }

    /// Another one is needed now, or as soon as it may be asked for again.
    fn needed(&mut self, now: Time) {
        self.renew_at = Some(now);
    }

    fn is_due(&mut self, now: Time) -> bool {
        let asked = self.asked_at.map(|at| now.since_ms(at));
        let rested = asked.is_none_or(|ms| ms >= limits::TOKEN_RETRY_MS);
        let due = rested && self.renew_at.is_some_and(|at| now >= at);
        if due {
            self.asked_at = Some(now);
            self.renew_at = Some(now + limits::TOKEN_RETRY_MS);
        }
        due
    }
}

impl Engine {
    pub(crate) fn on_token_given(&mut self, key: TrackerKey, lives_ms: Option<u64>) {
        // The last quarter of its life is for getting the next one, spread so that not all come at once.
        let renew_in_ms = lives_ms.map(|lives| {
            let spread = usize::try_from(lives / 8).unwrap_or(usize::MAX);
            lives / 4 * 3 - self.random.below(spread) as u64
        });
        let now = self.now;
        let Some(tracker) = self.trackers.get_mut(key.0 as usize) else {
            return;
        };
        tracker.token = Token {
            held: true,
            told: false,
            renew_at: renew_in_ms.map(|ms| now + ms),
            asked_at: tracker.token.asked_at,
        };
        if let Link::Lost(_) = tracker.link {
            // Most likely for the want of it.
            tracker.link = Link::Lost(now);
        }
    }

    /// Asks for tokens that run out, and tells those that are new on a connection that has begun.
    pub(crate) fn run_token(&mut self, key: TrackerKey) {
        let now = self.now;
        let Some(tracker) = self.trackers.get_mut(key.0 as usize) else {
            return;
        };
        if tracker.token.is_due(now) {
            self.outputs.push_back(Output::TokenWanted(key));
        }
        let tracker = &self.trackers[key.0 as usize];
        if tracker.link == Link::Open && tracker.token.is_to_be_told() {
            self.announce_again(key);
        }
    }

    /// A tracker gave a reason for a refusal. There is no code for it in the protocol; every reason of
    /// ours that has to do with tokens says so.
    pub(crate) fn on_refusal(&mut self, key: TrackerKey, reason: &str) {
        let now = self.now;
        let words = reason.as_bytes().windows(WORD.len());
        let names_it = words.into_iter().any(|it| it.eq_ignore_ascii_case(WORD));
        if names_it && let Some(tracker) = self.trackers.get_mut(key.0 as usize) {
            tracker.token.needed(now);
        }
    }
}

const WORD: &[u8] = b"token";
