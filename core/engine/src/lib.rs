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

mod admission;
mod announce;
mod announcement;
mod api;
mod bans;
mod choose;
mod churn;
mod config;
mod conn;
mod download;
mod drain;
mod election;
mod evict;
mod fetch;
mod limits;
mod map;
mod needs;
mod peer;
mod playhead;
mod rate;
mod replace;
mod restart;
mod schedule;
mod share;
mod signal;
mod sleep;
mod split;
mod storage;
mod stream;
mod super_peer;
mod swarm;
mod swarms;
mod token;
mod uplink;
mod upload;

use std::collections::VecDeque;

use beekeepr_model::{Random, Time};

pub use api::{
    ConnKey, Event, FetchKey, Input, ListedSegment, LoadError, Output, Placement, SegmentKey,
    Source, StreamKey, TrackerKey,
};
pub use beekeepr_tracker_proto::{AnnounceEvent, ServerMessage};
pub use config::{Config, Role};
pub use share::{UploadWish, shares};
pub use signal::{TrackerMessage, read_tracker_text};

use admission::Load;
use announce::Tracker;
use bans::Bans;
use conn::Conn;
use fetch::Fetch;
use map::Map;
use playhead::Playhead;
use rate::HttpRate;
use stream::Stream;
use uplink::Uplink;

/// The engine. See the crate's documentation for the loop that drives it.
#[derive(Debug)]
pub struct Engine {
    config: Config,
    random: Random,
    /// The time of the input at hand, without what was slept.
    now: Time,
    /// How long the machine or the page has slept so far.
    slept_ms: u64,
    /// How much of that since the last announce.
    unannounced_ms: u64,
    deadline: Time,
    playhead: Playhead,
    streams: Map<StreamKey, Stream>,
    trackers: Vec<Tracker>,
    conns: Map<ConnKey, Conn>,
    next_conn: u32,
    fetches: Map<FetchKey, Fetch>,
    next_fetch: u32,
    http_rate: HttpRate,
    bans: Bans,
    uplink: Uplink,
    load: Load,
    /// The player has got a segment.
    started: bool,
    /// Nothing new is taken on.
    draining: bool,
    /// What is ahead of the playhead fills the memory.
    full: bool,
    /// Bytes for the trackers' statistics.
    uploaded: u64,
    downloaded: u64,
    outputs: VecDeque<Output>,
}

impl Engine {
    /// An engine in which nothing has happened yet. `seed` decides all its random choices.
    #[must_use]
    pub fn new(config: Config, seed: u64, now: Time) -> Self {
        let trackers = (0..config.trackers).map(|_| Tracker::default()).collect();
        Self {
            config,
            random: Random::new(seed),
            now,
            slept_ms: 0,
            unannounced_ms: 0,
            deadline: now,
            playhead: Playhead::default(),
            streams: Map::new(),
            trackers,
            conns: Map::new(),
            next_conn: 0,
            fetches: Map::new(),
            next_fetch: 0,
            http_rate: HttpRate::default(),
            bans: Bans::default(),
            uplink: Uplink::default(),
            load: Load::default(),
            started: false,
            draining: false,
            full: false,
            uploaded: 0,
            downloaded: 0,
            outputs: VecDeque::new(),
        }
    }

    /// Takes in what happened. `now` never runs backwards.
    pub fn handle(&mut self, now: Time, input: Input<'_>) {
        self.pass_to(now);
        let settled = self.take_in(input);
        if !settled || self.now >= self.deadline {
            self.decide();
        }
    }

    /// The next thing to do, or `None` when all is done until the next input.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Input::Tick`] is due, unless something else happens before.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        (!self.streams.is_empty()).then_some(self.deadline + self.slept_ms)
    }

    /// Where `bytes` bytes of segment data that came over `conn` belong; `None` when nobody waits
    /// for them and they are to be thrown away. The shell stores them before the next call.
    pub fn place(&mut self, now: Time, conn: ConnKey, bytes: usize) -> Option<Placement> {
        self.pass_to(now);
        self.on_peer_bytes(conn, bytes)
    }

    /// Changes settings while running; `role` and `trackers` keep their first values.
    pub fn configure(&mut self, now: Time, config: Config) {
        self.pass_to(now);
        let (role, trackers) = (self.config.role, self.config.trackers);
        let uploads_change = self.config.upload_disabled != config.upload_disabled;
        self.config = Config {
            role,
            trackers,
            ..config
        };
        if uploads_change {
            self.turn_uploads();
        }
        if self.config.p2p_disabled {
            self.leave_all();
        }
        self.decide();
    }

    /// Hands an input to whom it concerns. True when it changed nothing that a decision rests on:
    /// bytes that come or go are frequent and must stay cheap.
    fn take_in(&mut self, input: Input<'_>) -> bool {
        match input {
            Input::FetchProgress { fetch, bytes } => {
                self.on_fetch_progress(fetch, bytes);
                return true;
            }
            Input::Drained { conn, buffered } => {
                self.on_drained(conn, buffered);
                return true;
            }
            Input::Playback {
                position_ms,
                rate_milli,
            } => {
                self.playhead.report(self.now, position_ms, rate_milli);
                return true;
            }
            Input::Tick => {}
            Input::StreamAdded {
                stream,
                info_hash,
                peer_id,
            } => {
                self.on_stream_added(stream, info_hash, peer_id);
            }
            Input::SwarmAdded {
                stream,
                info_hash,
                numbers,
            } => self.on_swarm_added(stream, info_hash, numbers),
            Input::StreamRestarted { stream } => self.on_stream_restarted(stream),
            Input::StreamRemoved { stream } => self.on_stream_removed(stream),
            Input::SegmentsListed {
                stream,
                live,
                segments,
            } => {
                self.on_segments_listed(stream, live, segments);
            }
            Input::SegmentWanted(key) => self.on_wanted(key),
            Input::SegmentUnwanted(key) => self.on_unwanted(key),
            Input::SegmentChecked { segment, valid } => self.on_segment_checked(segment, valid),
            Input::SegmentEvicted(segment) => self.forget(segment),
            Input::FetchStarted {
                fetch,
                offset,
                total,
            } => {
                self.on_fetch_started(fetch, offset, total);
            }
            Input::FetchDone { fetch } => self.on_fetch_done(fetch),
            Input::FetchFailed { fetch, status } => self.on_fetch_failed(fetch, status),
            Input::TrackerOpened(tracker) => self.on_tracker_opened(tracker),
            Input::TrackerMessage { tracker, message } => self.on_tracker_message(tracker, message),
            Input::TrackerClosed(tracker) => self.on_tracker_closed(tracker),
            Input::TokenGiven { tracker, lives_ms } => self.on_token_given(tracker, lives_ms),
            Input::OfferReady { conn, sdp } => self.on_offer_ready(conn, sdp),
            Input::AnswerReady { conn, sdp } => self.on_answer_ready(conn, sdp),
            Input::ChannelOpened(conn) => self.on_channel_opened(conn),
            Input::ChannelClosed(conn) => self.on_channel_closed(conn),
            Input::Command { conn, message } => {
                self.on_command(conn, message);
                // A super-peer loads nothing from peers: what they have decides nothing.
                return self.is_super_peer();
            }
        }
        false
    }

    /// Everything is to be looked at by then.
    pub(crate) fn look_at(&mut self, then: Time) {
        self.deadline = self.deadline.min(then);
    }

    /// Everything that follows from the state and the time.
    fn decide(&mut self) {
        self.expire_conns();
        self.expire_downloads();
        self.expire_fetches();
        self.leave_idle_swarms();
        self.schedule();
        self.evict();
        self.run_trackers();
        self.send_due_announcements();
        self.run_uploads();
        let busy = self.is_loading()
            || self.uplink.is_waiting()
            || self.conns.values().any(|conn| conn.peer().is_none());
        let tick = if busy {
            limits::SCHEDULE_TICK_MS
        } else {
            limits::IDLE_TICK_MS
        };
        self.deadline = self.now + tick;
    }

    /// Whether segments are on their way or asked for.
    fn is_loading(&self) -> bool {
        let pending = |stream: &Stream| {
            stream.segments.values().any(|segment| {
                segment.transfer.is_some() || segment.wanted_since.is_some() || segment.demanded
            })
        };
        self.streams.values().any(pending)
    }

    pub(crate) fn is_super_peer(&self) -> bool {
        cfg!(feature = "super-peer") && self.config.role == Role::SuperPeer
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }
}
