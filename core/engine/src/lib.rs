//! Which segment from whom and when.
//!
//! The engine is a state machine without sockets, clock, threads or randomness of its own, so the
//! same one runs in the browser, in the seeder and in the simulator. Every shell follows one loop:
//!
//! ```text
//! engine.handle(now, input);               // something happened
//! while let Some(output) = engine.poll()   // do what it wants
//! set one timer for engine.deadline()      // then handle(now, Input::Tick)
//! ```
//!
//! Segment bytes never enter the engine. The shell keeps one buffer for each segment and asks
//! [`Engine::place`] where in it bytes from a peer belong; bytes from HTTP it appends itself and
//! reports with [`Input::FetchProgress`].

mod api;
mod config;

pub use api::{
    ConnKey, Event, FetchKey, Input, ListedSegment, LoadError, Output, Placement, SegmentKey,
    Source, StreamKey, TrackerKey,
};
pub use config::{Config, Role};

use beekeepr_model::Time;

/// The engine. See the crate's documentation for the loop that drives it.
#[derive(Debug)]
pub struct Engine {
    config: Config,
}

impl Engine {
    /// An engine in which nothing has happened yet. `seed` decides all its random choices.
    #[must_use]
    pub fn new(config: Config, _seed: u64, _now: Time) -> Self {
        Self { config }
    }

    /// Takes in what happened. `now` never runs backwards.
    pub fn handle(&mut self, _now: Time, _input: Input<'_>) {}

    /// The next thing to do, or `None` when all is done until the next input.
    pub fn poll(&mut self) -> Option<Output> {
        None
    }

    /// When [`Input::Tick`] is due, unless something else happens before.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        None
    }

    /// Where `bytes` bytes of segment data that came over `conn` belong; `None` when nobody waits
    /// for them and they are to be thrown away. The shell stores them before the next call.
    pub fn place(&mut self, _now: Time, _conn: ConnKey, _bytes: usize) -> Option<Placement> {
        None
    }

    /// Changes settings while running; `role` and `trackers` keep their first values.
    pub fn configure(&mut self, _now: Time, config: Config) {
        self.config = config;
    }
}
