//! Time that passes while nobody looks: a laptop that sleeps, a page that is frozen.
//!
//! Nothing went on meanwhile: the player stood still, and what peers and servers sent waits to be read or is lost with
//! its connection. So the engine's clock stands still as well. Otherwise the first thing after a sleep would be to
//! blame all peers for their silence.

use beekeepr_model::Time;

use crate::Engine;
use crate::api::TrackerKey;
use crate::limits;
use crate::rate::HttpRate;

impl Engine {
    /// Moves the engine's clock on to the shell's time, less what was slept.
    pub(crate) fn pass_to(&mut self, now: Time) {
        let awake = Time::from_ms(now.since_ms(Time::from_ms(self.slept_ms)));
        let passed = awake.since_ms(self.now);
        if passed < limits::SLEEP_MS_MIN || self.streams.is_empty() {
            self.now = self.now.max(awake);
            return;
        }
        self.slept_ms += passed;
        self.unannounced_ms += passed;
        self.look_at(self.now);
        // Many short naps are a long sleep to the trackers.
        if self.unannounced_ms >= limits::ANNOUNCE_INTERVAL_MS {
            self.wake();
        }
    }

    /// After a long sleep we are in other surroundings: trackers have forgotten us, and the line may be another one.
    fn wake(&mut self) {
        self.http_rate = HttpRate::default();
        for index in 0..self.trackers.len() {
            self.forget_memberships(TrackerKey(index as u32));
        }
    }
}
