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
mod drain;
pub(crate) mod follow;
mod health;
mod memory;
mod peer;
mod presence;
mod published;
mod sharing;
mod shelf;
mod slices;
mod status;
mod streams;
mod timeline;
mod token;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use beekeepr_engine::{FetchKey, Input, Output, StreamKey, TrackerKey, read_tracker_text};
use beekeepr_model::{PeerId, Time};
use beekeepr_peer_proto::is_command_chunk;
use beekeepr_service::Shutdown;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use url::Url;

use self::conns::{Conns, Owner};
use self::drain::Drain;
use self::follow::{Follower, Listing, News};
use self::health::Health;
use self::peer::{Limits, LogicalPeer, SocketKey};
use self::presence::Presence;
use self::shelf::Shelf;
use self::streams::{Rendition, Swarm};
use crate::budget::{Account, Budget};
use crate::cache::Cache;
use crate::config::{Channel as Settings, Config};
use crate::metrics::ChannelMetrics;
use crate::origin::{Backoff, Fetched, Flight, Origin, OriginError, Source};
use crate::rtc::{Client, HubEvent};
use crate::seed::seed;
use crate::shield::{Directory, Entry, Served};
use crate::tracker;

pub(crate) use status::Status;
pub(crate) use token::try_token;

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
    pub(crate) cache: Cache,
    pub(crate) directory: Directory,
    pub(crate) budget: Arc<Budget>,
    pub(crate) tls: Arc<rustls::ClientConfig>,
    /// The process comes to its end: viewers get the segment that they are being sent.
    pub(crate) shutdown: Shutdown,
}

/// Who asked for a segment.
type Request = (usize, FetchKey);

/// A fetch that has come to its end.
struct Arrival {
    source: Arc<Source>,
    /// Keeps the bytes where others find them until the cache has them.
    _flight: Flight,
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
    /// Players find it by this while it runs.
    _entry: Entry,
    fetches: JoinSet<Arrival>,
    fetch_permits: Arc<Semaphore>,
    fetch_failures: u32,
    /// The segment whose failure an operator was told of.
    fetch_trouble: Option<Url>,
    next_socket: u64,
    tracker_inbox: Receiver<(SocketKey, tracker::Event)>,
    tracker_outlet: Sender<(SocketKey, tracker::Event)>,
    /// How the channel is in each swarm.
    presence: HashMap<StreamKey, Presence>,
    /// Its part of what the process may send.
    account: Account,
    /// When to look at both again; never while there is nothing to change.
    look_at: Option<Instant>,
    /// Connections of each viewer: one to each logical peer.
    viewers: HashMap<PeerId, usize>,
    /// Trackers that an operator was told are out of reach.
    trackers_lost: HashSet<TrackerKey>,
    drain: Option<Drain>,
    /// What the trackers want, as the file had it last.
    token: Option<String>,
}

/// Why the loop goes on.
enum Wake {
    Hub(Option<HubEvent>),
    Tracker(SocketKey, tracker::Event),
    News(News),
    Fetched(Arrival),
    Evicted(Vec<Arc<Source>>),
    Tick,
    Shutdown,
    Removed,
}

/// Runs a channel until the shutdown, or until it is removed.
pub(crate) async fn run(
    common: Common,
    settings: Settings,
    status: Arc<Status>,
    hub: Client,
    removed: Shutdown,
) {
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
    channel.run(news, removed).await;
}

impl Channel {
    fn new(common: Common, settings: Settings, status: Arc<Status>, hub: Client) -> Self {
        let (tracker_outlet, tracker_inbox) = mpsc::channel(TRACKER_EVENTS_MAX);
        let origin = common.origin.of_channel(&settings);
        let account = common.cache.account(&settings, &origin, &status.metrics);
        let account = Arc::new(account);
        let entry = common.directory.enter(Served::new(
            &settings.name,
            settings.manifest.url().clone(),
            origin.clone(),
            Arc::clone(&account),
            status.metrics.clone(),
        ));
        Self {
            origin,
            shelf: Shelf::new(account),
            _entry: entry,
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
            presence: HashMap::new(),
            account: common.budget.account(),
            look_at: None,
            viewers: HashMap::new(),
            trackers_lost: HashSet::new(),
            drain: None,
            token: None,
            common,
        }
    }

    async fn run(mut self, mut news: Receiver<News>, removed: Shutdown) {
        while !self.is_drained() {
            match self.wake(&mut news, &removed).await {
                Wake::Hub(Some(event)) => self.on_hub(event),
                Wake::Tracker(key, event) => self.on_tracker(key, event),
                Wake::News(News::Streams(tracks, from)) => self.on_streams(&tracks, &from),
                Wake::News(News::Listing(stream, listing)) => self.on_listing(stream, &listing),
                Wake::Fetched(arrival) => self.on_fetched(arrival),
                Wake::Evicted(sources) => self.on_evicted(&sources),
                Wake::Tick => {
                    self.on_tick();
                    self.note_uploads();
                }
                Wake::Shutdown => self.begin_drain(),
                Wake::Hub(None) | Wake::Removed => break,
            }
            self.metrics.segments.set(self.shelf.held() as i64);
            self.shelf.account().set_live(self.is_live());
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
        let limits = Limits {
            live_eager_ms: u64::from(self.settings.prefetch_s) * 1_000,
            ..Limits::of(config, listing.begun_within(warm_ms))
        };
        let now = self.now();
        // One that is in no swarm costs next to nothing.
        let most = config.logical_peers.max(config.logical_peers_max);
        let peers = (0..most).map(|_| LogicalPeer::new(limits, seed(), now));
        self.peers = peers.collect();
        self.give_tokens();
    }

    async fn wake(&mut self, news: &mut Receiver<News>, removed: &Shutdown) -> Wake {
        let (deadline, drain) = (self.deadline(), self.drain);
        tokio::select! {
            event = self.hub.event() => Wake::Hub(event),
            Some((key, event)) = self.tracker_inbox.recv() => Wake::Tracker(key, event),
            Some(news) = news.recv(), if drain.is_none() => Wake::News(news),
            Some(Ok(fetched)) = self.fetches.join_next() => Wake::Fetched(fetched),
            evicted = self.shelf.account().evicted() => Wake::Evicted(evicted),
            () = sleep_until(deadline.unwrap_or(self.started)), if deadline.is_some() => Wake::Tick,
            () = self.common.shutdown.requested(), if drain.is_none() => Wake::Shutdown,
            () = Self::drain_look(drain) => Wake::Tick,
            () = removed.requested() => Wake::Removed,
        }
    }

    fn now(&self) -> Time {
        Time::from_ms(self.started.elapsed().as_millis() as u64)
    }

    fn deadline(&self) -> Option<Instant> {
        let engines = self.peers.iter();
        let engines = engines.filter_map(|peer| peer.engine.deadline());
        let instants = engines.map(|it| self.started + Duration::from_millis(it.as_ms()));
        instants.chain(self.look_at).min()
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
        self.look_around();
    }

    /// Tells an engine what happened, and does what the engines want.
    fn handle(&mut self, peer: usize, input: Input<'_>) {
        let now = self.now();
        self.peers[peer].engine.handle(now, input);
        self.act_all();
    }

    /// Does what the engines want.
    fn act_all(&mut self) {
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
                let message = &read_tracker_text(text.as_bytes());
                self.handle(peer, Input::TrackerMessage { tracker, message });
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
    }
}
