//! One channel: follows its manifests, fetches its segments once, and serves them as several peers.
//!
//! A channel is one task that owns everything it decides with, and a second one that reads manifests:
//!
//! ```text
//! follow   -> news of streams and playlists  \
//! origin   -> segments                        \    this loop:      hub (data channels)
//! hub      -> what happened to connections     ->  engines      ->  tracker sockets
//! trackers -> messages                        /    decide          fetches
//! timer    -> the engines' deadlines         /
//! ```

mod act;
mod conns;
pub(crate) mod follow;
mod health;
mod peer;
mod shelf;
mod slices;
mod status;
mod streams;
mod timeline;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use beekeepr_engine::{FetchKey, Input, Output, StreamKey, TrackerKey};
use beekeepr_model::{PeerId, Time};
use beekeepr_peer_proto::is_command_chunk;
use beekeepr_service::Shutdown;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use url::Url;

use self::conns::{Conns, Owner};
use self::follow::{Follower, Listing, News};
use self::health::Health;
use self::peer::{Limits, LogicalPeer, SocketKey};
use self::shelf::Shelf;
use self::streams::{Rendition, Swarm};
use crate::config::{Channel as Settings, Config};
use crate::metrics::ChannelMetrics;
use crate::origin::{Backoff, Fetched, Flight, Origin, OriginError, Source};
use crate::rtc::{Client, HubEvent};
use crate::seed::seed;
use crate::tracker;

pub use status::Board;
pub(crate) use status::Status;

/// News that wait for the channel: a round of playlists.
const NEWS_MAX: usize = 64;
/// Tracker messages that wait for the channel; more wait in the sockets.
const TRACKER_EVENTS_MAX: usize = 256;
/// Segments fetched from the origin at a time: a live edge of that many renditions.
const FETCHES_MAX: usize = 8;
/// For the farewell to the trackers.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(2);
/// Segments in a row that fail before an operator is told.
const FETCH_FAILURES_MAX: u32 = 3;

/// What all channels share.
#[derive(Clone)]
pub(crate) struct Common {
    pub(crate) config: Arc<Config>,
    pub(crate) origin: Origin,
    pub(crate) tls: Arc<rustls::ClientConfig>,
    pub(crate) shutdown: Shutdown,
}

/// Who asked for a segment.
type Request = (usize, FetchKey);

/// A fetch that has come to its end.
struct Arrival {
    source: Arc<Source>,
    flight: Flight,
    outcome: Result<Fetched, OriginError>,
    took: Duration,
}

/// A running channel.
pub(crate) struct Channel {
    common: Common,
    settings: Settings,
    origin: Origin,
    metrics: ChannelMetrics,
    health: Arc<Health>,
    status: Arc<Status>,
    /// Tells the follower that addresses have run out.
    stale: Arc<Notify>,
    started: Instant,
    hub: Client,
    conns: Conns,
    peers: Vec<LogicalPeer>,
    /// Whether an outer call is doing what the engines want.
    acting: bool,
    renditions: Vec<Rendition>,
    streams: HashMap<StreamKey, Swarm>,
    next_stream: u32,
    shelf: Shelf<Request>,
    fetches: JoinSet<Arrival>,
    fetch_permits: Arc<Semaphore>,
    fetch_failures: u32,
    /// The segment whose failure an operator was told of.
    fetch_trouble: Option<Url>,
    next_socket: u64,
    tracker_inbox: Receiver<(SocketKey, tracker::Event)>,
    tracker_outlet: Sender<(SocketKey, tracker::Event)>,
    /// Connections of each viewer: one to each logical peer.
    viewers: HashMap<PeerId, usize>,
    /// Trackers that an operator was told are out of reach.
    trackers_lost: HashSet<TrackerKey>,
}

/// Why the loop goes on.
enum Wake {
    Hub(Option<HubEvent>),
    Tracker(SocketKey, tracker::Event),
    News(News),
    Fetched(Arrival),
    Tick,
    Shutdown,
}

/// Runs a channel until the shutdown.
pub(crate) async fn run(common: Common, settings: Settings, status: Arc<Status>, hub: Client) {
    let (news_outlet, news) = mpsc::channel(NEWS_MAX);
    let channel = Channel::new(common, settings, status, hub);
    let follower = Follower {
        origin: channel.origin.clone(),
        manifest: channel.settings.manifest.url().clone(),
        renditions: channel.settings.renditions.clone(),
        health: Arc::clone(&channel.health),
        metrics: channel.metrics.clone(),
        news: news_outlet,
        backoff: Backoff::new(seed()),
        stale: Arc::clone(&channel.stale),
        reread_at: Mutex::default(),
    };
    let mut tasks = JoinSet::new();
    tasks.spawn(follower.run());
    channel.run(news).await;
}

impl Channel {
    fn new(common: Common, settings: Settings, status: Arc<Status>, hub: Client) -> Self {
        let (tracker_outlet, tracker_inbox) = mpsc::channel(TRACKER_EVENTS_MAX);
        Self {
            origin: common.origin.of_channel(&settings),
            shelf: Shelf::new(common.config.channel_bytes_max()),
            settings,
            metrics: status.metrics.clone(),
            health: Arc::clone(&status.health),
            status,
            stale: Arc::default(),
            started: Instant::now(),
            hub,
            conns: Conns::default(),
            peers: Vec::new(),
            acting: false,
            renditions: Vec::new(),
            streams: HashMap::new(),
            next_stream: 0,
            fetches: JoinSet::new(),
            fetch_permits: Arc::new(Semaphore::new(FETCHES_MAX)),
            fetch_failures: 0,
            fetch_trouble: None,
            next_socket: 0,
            tracker_inbox,
            tracker_outlet,
            viewers: HashMap::new(),
            trackers_lost: HashSet::new(),
            common,
        }
    }

    async fn run(mut self, mut news: Receiver<News>) {
        loop {
            match self.wake(&mut news).await {
                Wake::Hub(Some(event)) => self.on_hub(event),
                Wake::Tracker(key, event) => self.on_tracker(key, event),
                Wake::News(News::Streams(tracks, from)) => self.on_streams(&tracks, &from),
                Wake::News(News::Listing(stream, listing)) => self.on_listing(stream, &listing),
                Wake::Fetched(arrival) => self.on_fetched(arrival),
                Wake::Tick => self.on_tick(),
                Wake::Hub(None) | Wake::Shutdown => break,
            }
            self.metrics.segments.set(self.shelf.held() as i64);
            self.metrics.cached_bytes.set(self.shelf.bytes() as i64);
            let (streams, swarms) = (self.renditions.len(), self.streams.len());
            self.status.seeds(streams, swarms, self.is_live());
        }
        self.farewell().await;
    }

    /// Appears as several peers, as soon as it is known what there is to serve.
    fn start_peers(&mut self, listing: &Listing) {
        if !self.peers.is_empty() {
            return;
        }
        let config = &self.common.config;
        let warm_ms = u64::from(self.settings.warm_s) * 1_000;
        let limits = Limits::of(config, listing.begun_within(warm_ms));
        let now = self.now();
        let peers = (0..config.logical_peers).map(|_| LogicalPeer::new(limits, seed(), now));
        self.peers = peers.collect();
    }

    async fn wake(&mut self, news: &mut Receiver<News>) -> Wake {
        let deadline = self.deadline();
        tokio::select! {
            event = self.hub.event() => Wake::Hub(event),
            Some((key, event)) = self.tracker_inbox.recv() => Wake::Tracker(key, event),
            Some(news) = news.recv() => Wake::News(news),
            Some(Ok(fetched)) = self.fetches.join_next() => Wake::Fetched(fetched),
            () = sleep_until(deadline.unwrap_or(self.started)), if deadline.is_some() => Wake::Tick,
            () = self.common.shutdown.requested() => Wake::Shutdown,
        }
    }

    fn now(&self) -> Time {
        Time::from_ms(self.started.elapsed().as_millis() as u64)
    }

    fn deadline(&self) -> Option<Instant> {
        let earliest = self
            .peers
            .iter()
            .filter_map(|peer| peer.engine.deadline())
            .min()?;
        Some(self.started + Duration::from_millis(earliest.as_ms()))
    }

    fn on_tick(&mut self) {
        let now = self.now();
        for peer in 0..self.peers.len() {
            if self.peers[peer]
                .engine
                .deadline()
                .is_some_and(|deadline| deadline <= now)
            {
                self.handle(peer, Input::Tick);
            }
        }
    }

    /// Tells an engine what happened, and does what the engines want.
    fn handle(&mut self, peer: usize, input: Input<'_>) {
        let now = self.now();
        self.peers[peer].engine.handle(now, input);
        // What is done for one engine may tell another something; the outermost call sees to it all.
        if self.acting {
            return;
        }
        self.acting = true;
        while let Some((peer, output)) = self.poll() {
            self.act(peer, output);
        }
        self.acting = false;
    }

    fn poll(&mut self) -> Option<(usize, Output)> {
        let mut peers = self.peers.iter_mut().enumerate();
        peers.find_map(|(peer, state)| Some((peer, state.engine.poll()?)))
    }

    fn on_hub(&mut self, event: HubEvent) {
        let number = match &event {
            HubEvent::OfferReady { conn, .. }
            | HubEvent::AnswerReady { conn, .. }
            | HubEvent::Opened { conn }
            | HubEvent::Message { conn, .. }
            | HubEvent::Drained { conn, .. }
            | HubEvent::Closed { conn } => *conn,
        };
        let Some(owner) = self.conns.owner(number) else {
            return;
        };
        let (peer, conn) = owner;
        match event {
            HubEvent::OfferReady { sdp, .. } => {
                self.handle(peer, Input::OfferReady { conn, sdp: &sdp });
            }
            HubEvent::AnswerReady { sdp, .. } => {
                self.handle(peer, Input::AnswerReady { conn, sdp: &sdp });
            }
            HubEvent::Opened { .. } => self.handle(peer, Input::ChannelOpened(conn)),
            HubEvent::Message { data, .. } => self.on_message(owner, &data),
            HubEvent::Drained { buffered, .. } => {
                self.handle(peer, Input::Drained { conn, buffered });
            }
            HubEvent::Closed { .. } => {
                self.conns.remove(owner);
                self.handle(peer, Input::ChannelClosed(conn));
            }
        }
    }

    fn on_message(&mut self, (peer, conn): Owner, message: &[u8]) {
        if is_command_chunk(message) {
            self.handle(peer, Input::Command { conn, message });
        }
        // Otherwise segment bytes, which we never asked for.
    }

    fn on_tracker(&mut self, key: SocketKey, event: tracker::Event) {
        let (peer, tracker, _) = key;
        let current = self.peers[peer].sockets.get(&tracker);
        if !current.is_some_and(|socket| socket.is(key)) {
            return; // of a socket that was given up
        }
        match event {
            tracker::Event::Opened => {
                self.tracker_found(tracker);
                self.handle(peer, Input::TrackerOpened(tracker));
            }
            tracker::Event::Text(text) => {
                let text = text.as_bytes();
                self.handle(peer, Input::TrackerMessage { tracker, text });
            }
            tracker::Event::Closed => {
                self.peers[peer].sockets.remove(&tracker);
                self.handle(peer, Input::TrackerClosed(tracker));
            }
        }
    }

    /// Leaves all swarms and gives the trackers a moment to hear of it.
    async fn farewell(&mut self) {
        let streams: Vec<StreamKey> = self.streams.keys().copied().collect();
        for peer in 0..self.peers.len() {
            for &stream in &streams {
                self.handle(peer, Input::StreamRemoved { stream });
            }
            self.peers[peer].sockets.clear();
        }
        // The sockets' tasks hold the other ends; the last one to finish closes the inbox.
        let (closed, _) = mpsc::channel(1);
        self.tracker_outlet = closed;
        let all_closed = async { while self.tracker_inbox.recv().await.is_some() {} };
        let _ = timeout(FAREWELL_TIMEOUT, all_closed).await;
        self.metrics.peers.set(0);
        self.metrics.viewers.set(0);
        self.metrics.segments.set(0);
        self.metrics.cached_bytes.set(0);
    }
}
