//! The world: nodes, the tracker, the origin, and a clock that jumps from event to event.

use beekeepr_engine::{Config as EngineConfig, Engine, Input, Output, Role as EngineRole};
use beekeepr_model::{
    InfoHash, PEER_ID_PREFIX_SEEDER, PEER_ID_PREFIX_VIEWER, PeerId, Random, Time,
};

use crate::audit::Faults;
use crate::chance::{Purpose, stream};
use crate::config::{Config, Mode};
use crate::event::{Event, What};
use crate::line::Line;
use crate::node::{Live, Mind, Node, Outcome};
use crate::origin::Origin;
use crate::plain::Plain;
use crate::player::{Listed, Player};
use crate::profile::{self, Role};
use crate::queue::Queue;
use crate::report::Report;
use crate::stats::{Books, Series};
use crate::store::Store;
use crate::tracker::{Reply, Tracker};

/// The world begins an hour after its timeline's zero: a live stream has a past.
pub(crate) const START_MS: u64 = 3_600_000;
/// Settings that every node of ours has of its shell.
const TRACKERS: u32 = 1;
/// Requests of a super-peer to its origin at a time (the seeder's `REQUESTS_MAX`).
const SUPER_PEER_REQUESTS_MAX: u32 = 8;

/// Many viewers, super-peers and a tracker. See the crate's documentation.
#[derive(Debug)]
pub struct World {
    pub(crate) config: Config,
    pub(crate) now: Time,
    pub(crate) nodes: Vec<Node>,
    /// The first so many nodes are super-peers.
    pub(crate) super_peers: usize,
    pub(crate) queue: Queue<Event>,
    pub(crate) tracker: Tracker,
    pub(crate) replies: Vec<Reply>,
    pub(crate) origin: Origin,
    pub(crate) random: Random,
    pub(crate) series: Series,
    pub(crate) books: Books,
    pub(crate) faults: Faults,
    pub(crate) events: u64,
}

impl World {
    /// A world in which nothing has happened yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let now = Time::from_ms(START_MS);
        let nodes = people(&config);
        let super_peers = nodes
            .iter()
            .take_while(|node| node.profile.role == Role::SuperPeer)
            .count();
        let mut world = Self {
            now,
            super_peers,
            queue: Queue::new(START_MS),
            tracker: Tracker::new(&config, now),
            replies: Vec::new(),
            origin: Origin::default(),
            random: stream(config.seed, Purpose::Network, 0),
            series: Series::new(START_MS),
            books: Books::default(),
            faults: Faults::default(),
            events: 0,
            nodes,
            config,
        };
        world.plan();
        world
    }

    /// Runs to the end and says what came of it.
    #[must_use]
    pub fn run(mut self) -> Report {
        self.run_to(self.config.duration_ms);
        self.finish()
    }

    /// Runs up to a moment, counted from the world's start.
    pub fn run_to(&mut self, ms: u64) {
        let end_ms = START_MS + ms;
        while let Some((at_ms, event)) = self.queue.pop(end_ms) {
            self.now = Time::from_ms(at_ms);
            self.events += 1;
            let node = event.node as usize;
            self.happen(node, event.what);
            if self.config.audit {
                self.verify(node);
            }
        }
        self.now = Time::from_ms(end_ms);
    }

    /// What did not hold, in the order in which it was found; empty unless something is wrong. The first few only.
    #[must_use]
    pub fn faults(&self) -> &[String] {
        self.faults.texts()
    }

    /// The report on what has happened so far; closes the books.
    #[must_use]
    pub fn finish(mut self) -> Report {
        let now = self.now;
        for node in 0..self.nodes.len() {
            self.close_books(node, now);
        }
        if let Err(fault) = self.books.check() {
            self.faults.add(now, &fault);
        }
        Report::of(&self)
    }

    /// What is known beforehand.
    fn plan(&mut self) {
        for node in 0..self.nodes.len() {
            let conduct = &self.nodes[node].conduct;
            let (joins, leaves) = (conduct.joins_at_ms, conduct.leaves_at_ms);
            self.queue.push(START_MS + joins, event(node, What::Joins));
            if let Some(leaves) = leaves {
                self.queue
                    .push(START_MS + leaves, event(node, What::Leaves));
            }
        }
        for &(from_ms, to_ms) in &self.config.tracker.down {
            self.queue
                .push(START_MS + from_ms, event(0, What::TrackerDies));
            self.queue
                .push(START_MS + to_ms, event(0, What::TrackerReturns));
        }
        if let Some(at_ms) = self.config.super_peers.die_at_ms {
            self.queue
                .push(START_MS + at_ms, event(0, What::SuperPeersDie));
        }
        let sweep_ms = self.tracker.deadline().as_ms();
        self.queue.push(sweep_ms, event(0, What::TrackerSweeps));
    }

    pub(crate) fn at(&mut self, node: usize, delay_ms: u64, what: What) {
        let at_ms = self.now.as_ms() + delay_ms;
        self.queue.push(at_ms, event(node, what));
    }

    pub(crate) fn at_ms(&mut self, node: usize, at_ms: u64, what: What) {
        self.queue.push(at_ms, event(node, what));
    }

    fn happen(&mut self, node: usize, what: What) {
        match what {
            What::Joins => self.join(node),
            What::Leaves => self.leave(node),
            What::Wakes => self.wake(node),
            What::Plays => self.play(node),
            What::ReadsManifest => self.read_manifest(node),
            What::Seeks => self.seek(node),
            What::Switches => self.switch(node),
            What::TrackerOpens(session) => self.tracker_opens(node, session),
            What::TrackerCloses(session) => self.tracker_closes(node, session),
            What::TrackerSays(session, message) => self.tracker_says(node, session, &message),
            What::SaysToTracker(session, message) => self.hear(node, session, *message),
            What::OfferReady(conn) => self.offer_ready(node, conn),
            What::AnswerReady(conn) => self.answer_ready(node, conn),
            What::ChannelOpens(conn) => self.channel_opens(node, conn),
            What::ChannelCloses(conn) => self.channel_closes(node, conn),
            What::Command(conn, message) => self.command_arrives(node, conn, message),
            What::CommandThrough(conn, message) => self.command_through(node, conn, &message),
            What::Arrives(conn, parcel) => self.parcel_arrives(node, conn, parcel),
            What::Sent(conn, bytes) => self.bytes_have_left(node, conn, bytes),
            What::FetchBegins(fetch) => self.fetch_begins(node, fetch),
            What::FetchBrings(fetch, bytes) => self.fetch_brings(node, fetch, bytes),
            What::Checked(segment) => self.checked(node, segment),
            What::TrackerDies => self.tracker_dies(),
            What::TrackerReturns => self.tracker.is_up = true,
            What::TrackerSweeps => self.sweep_tracker(),
            What::SuperPeersDie => (0..self.super_peers).for_each(|node| self.leave(node)),
        }
    }

    /// Hands something to a node's mind and does what that wants.
    pub(crate) fn input(&mut self, node: usize, input: Input<'_>) {
        let now = self.now;
        if let Some(live) = &mut self.nodes[node].live {
            if let Some(audit) = &mut live.audit {
                audit.input(now, &input);
            }
            live.mind.handle(now, input);
            self.carry_out_all(node);
        }
    }

    /// Does everything that a node's mind wants.
    pub(crate) fn carry_out_all(&mut self, node: usize) {
        while let Some(live) = &mut self.nodes[node].live {
            let Some(output) = live.mind.poll() else {
                break;
            };
            self.carry_out(node, output);
        }
        self.send_batches(node);
        self.set_timer(node);
    }

    fn set_timer(&mut self, node: usize) {
        if let Some(live) = &mut self.nodes[node].live
            && let Some(deadline) = live.mind.deadline()
            && deadline < live.wake_at
        {
            live.wake_at = deadline;
            self.at_ms(node, deadline.as_ms(), What::Wakes);
        }
    }

    fn wake(&mut self, node: usize) {
        let Some(live) = &mut self.nodes[node].live else {
            return;
        };
        // An earlier deadline has taken the place of this one.
        if live.wake_at != self.now {
            return;
        }
        live.wake_at = NEVER;
        match live.mind.deadline() {
            Some(deadline) if deadline <= self.now => self.input(node, Input::Tick),
            _ => self.set_timer(node),
        }
    }

    fn carry_out(&mut self, node: usize, output: Output) {
        let now = self.now;
        if let Some(live) = &mut self.nodes[node].live
            && let Some(audit) = &mut live.audit
        {
            audit.output(now, &output);
        }
        match output {
            Output::TrackerConnect(_) => self.connect_tracker(node),
            Output::TrackerDisconnect(_) => self.disconnect_tracker(node),
            Output::TrackerSend { message, .. } => self.say_to_tracker(node, message),
            Output::OfferCreate(conn) => self.create_offer(node, conn),
            Output::OfferAccept { conn, sdp } => self.accept_offer(node, conn, &sdp),
            Output::AnswerAccept { conn, sdp } => self.accept_answer(node, conn, &sdp),
            Output::ConnClose(conn) => self.close(node, conn),
            Output::CommandSend { conn, message } => self.send_command(node, conn, message),
            Output::SliceSend {
                conn,
                segment,
                offset,
                bytes,
            } => self.send_slice(node, conn, segment, offset, bytes),
            Output::FetchStart {
                fetch,
                segment,
                offset,
            } => self.start_fetch(node, fetch, segment, offset),
            Output::FetchCancel(fetch) => self.cancel_fetch(node, fetch),
            Output::SegmentCheck(segment) => self.check_segment(node, segment),
            Output::SegmentReady {
                segment,
                bandwidth_bps,
            } => self.segment_ready(node, segment, bandwidth_bps),
            Output::SegmentFailed { .. } => self.segment_failed(node),
            Output::SegmentDropped(segment) => self.drop_segment(node, segment),
            // Nobody has tokens here, and news are counted where they happen.
            Output::TokenWanted(_) | Output::Event(_) => {}
        }
    }

    /// Somebody is there: the engine, the player, its streams.
    pub(crate) fn enter(&mut self, node: usize) {
        let (config, now) = (&self.config, self.now);
        let Node {
            profile, conduct, ..
        } = &self.nodes[node];
        let mut random = stream(config.seed, Purpose::Mind, node as u64);
        let (prefix, engine) = match profile.role {
            Role::Viewer => (PEER_ID_PREFIX_VIEWER, viewer_settings(config)),
            Role::SuperPeer => (PEER_ID_PREFIX_SEEDER, super_peer_settings(config)),
        };
        let peer_id = PeerId::generate(prefix, &mut random);
        let mind = match (config.mode, profile.role) {
            (Mode::Plain, Role::Viewer) => Mind::Plain(Plain::default()),
            (Mode::Hybrid, _) | (Mode::Plain, Role::SuperPeer) => {
                Mind::Engine(Box::new(Engine::new(engine, random.next_u64(), now)))
            }
        };
        let player = (profile.role == Role::Viewer).then(|| {
            Player::new(
                now,
                &config.media,
                conduct.first_segment,
                conduct.rate_milli,
            )
            .appends_in(config.audience.append_ms)
        });
        self.nodes[node].live = Some(Box::new(Live {
            mind,
            joined_at: now,
            line: Line::default(),
            player,
            store: Store::default(),
            wires: Vec::new(),
            fetches: Vec::new(),
            session: None,
            sessions: 0,
            listed: Listed::default(),
            read: 0,
            wake_at: NEVER,
            player_at: NEVER,
            batches: Vec::new(),
            audit: config.audit.then(Box::default),
        }));
        for rendition in 0..self.config.media.ladder.len() {
            let stream = beekeepr_engine::StreamKey(rendition as u32);
            let info_hash = info_hash(rendition);
            self.input(
                node,
                Input::StreamAdded {
                    stream,
                    info_hash,
                    peer_id,
                },
            );
        }
    }
}

/// Later than anything.
pub(crate) const NEVER: Time = Time::from_ms(u64::MAX);

fn event(node: usize, what: What) -> Event {
    Event {
        node: node as u32,
        what,
    }
}

fn info_hash(rendition: usize) -> InfoHash {
    let mut hash = *b"rendition of a strea";
    hash[19] = b'0' + rendition as u8;
    InfoHash(hash)
}

fn viewer_settings(config: &Config) -> EngineConfig {
    EngineConfig {
        role: EngineRole::Viewer,
        trackers: TRACKERS,
        check_segments: config.engine.check_segments || config.audience.polluter_share > 0.0,
        ..config.engine
    }
}

/// As the seeder sets its engines; its uplink is shared among its logical peers.
fn super_peer_settings(config: &Config) -> EngineConfig {
    let peers = &config.super_peers;
    EngineConfig {
        role: EngineRole::SuperPeer,
        trackers: TRACKERS,
        http_downloads_max: SUPER_PEER_REQUESTS_MAX,
        peers_max: peers.peers_max,
        upload_bps_max: peers.up_bps / u64::from(peers.logical.max(1)),
        storage_bytes_max: u64::MAX,
        ..EngineConfig::default()
    }
}

/// Everybody who will ever be there, super-peers first.
fn people(config: &Config) -> Vec<Node> {
    let node = |profile, conduct| Node {
        profile,
        conduct,
        live: None,
        outcome: Outcome::default(),
    };
    let mut nodes = Vec::new();
    if config.mode == Mode::Hybrid {
        for number in 0..config.super_peers.count * config.super_peers.logical.max(1) {
            let mut conduct = profile::conduct(config, u64::from(number), Some(0));
            conduct.leaves_at_ms = None;
            nodes.push(node(
                profile::super_peer(config, u64::from(number)),
                conduct,
            ));
        }
    }
    let viewers = u64::from(config.audience.viewers);
    for place in 0..viewers {
        let mut number = place;
        let mut conduct = profile::conduct(config, number, None);
        loop {
            let leaves = conduct.leaves_at_ms.filter(|&at| at < config.duration_ms);
            nodes.push(node(profile::profile(config, number), conduct));
            let Some(leaves) = leaves.filter(|_| config.audience.replace) else {
                break;
            };
            number += viewers;
            conduct = profile::conduct(config, number, Some(leaves));
        }
    }
    nodes
}
