//! Many viewers, super-peers and a tracker in one process on a virtual clock.
//!
//! The engine, the tracker's mind and the peer protocol are those that browsers and servers run; models are only
//! what surrounds them: lines with delay and loss, NAT, the origin, and players with their buffers, seeks and
//! leaving. Segment bytes are never there: sizes stand for them, and a mark for whether they are right.
//!
//! ```
//! let mut config = beekeepr_sim::Config::default();
//! config.audience.viewers = 4;
//! config.duration_ms = 60_000;
//! let report = beekeepr_sim::World::new(config).run();
//! assert_eq!(report.stalls, 0);
//! ```
//!
//! One seed gives one run: every chance is drawn from it, events of one millisecond have an order, and nothing is
//! ever taken from a hash map in its order. The viewers of a seed have the same lines and come and go at the same
//! times whatever is changed around them, so that two worlds can be compared viewer by viewer.
//!
//! What is not modelled: TCP's slow start, rates that change while a line is used, upload and download that
//! disturb each other, and players' decoding.

mod audience;
mod audit;
mod chance;
mod config;
mod event;
mod line;
mod node;
mod origin;
mod peers;
mod plain;
mod player;
mod plot;
mod profile;
mod queue;
mod report;
mod scenario;
mod small;
mod stats;
mod store;
mod tracker;
mod world;

pub use config::{
    Audience, Config, Fault, FaultKind, Kind, LineClass, Lines, MBPS, MassLeave, Media, Mode,
    NatMix, Origin, SuperPeers, Tracker,
};
pub use plot::{Plot, svg};
pub use report::Report;
pub use scenario::{SCENARIOS, Scenario, scenario};
pub use stats::Second;
pub use world::World;
