//! A small world for engines: a tracker, an origin, links with delay, and a clock that jumps from
//! event to event. Everything follows from one seed.

#![allow(dead_code, reason = "each test file uses its own part of the world")]

mod link;
mod node;
mod tracker;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use beekeepr_engine::{
    Config, ConnKey, FetchKey, Input, ListedSegment, Output, SegmentKey, StreamKey, TrackerKey,
    read_tracker_text,
};
use beekeepr_model::{
    PEER_ID_PREFIX_SEEDER, PEER_ID_PREFIX_VIEWER, PeerId, Random, SegmentId, Time,
};
pub(crate) use link::{Link, Mischief};
pub(crate) use node::{Meeting, Node};
use tracker::Tracker;

pub(crate) const STREAM: StreamKey = StreamKey(0);
pub(crate) const SEGMENT_MS: u64 = 2_000;
pub(crate) const SEGMENT_BYTES: u64 = 100_000;
/// Segments in the live playlist.
pub(crate) const WINDOW: u64 = 6;
const LINK_MS: u64 = 15;
/// How often bytes of HTTP arrive.
const HTTP_PIECE_MS: u64 = 20;

/// What happens at a point in time.
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    Tick,
    ManifestPoll,
    PlayerStep,
    TrackerOpens,
    TrackerSays(String),
    FromPage(String),
    OfferReady(ConnKey),
    AnswerReady(ConnKey),
    ChannelOpens(ConnKey),
    ChannelCloses(ConnKey),
    Message(ConnKey, Vec<u8>),
    Bytes(ConnKey, SegmentKey, u64, u32),
    Sent(ConnKey, u32),
    FetchBegins(FetchKey),
    HttpFlows,
    FetchFails(FetchKey),
}

pub(crate) struct World {
    pub(crate) now: Time,
    pub(crate) nodes: Vec<Node>,
    pub(crate) random: Random,
    pub(crate) live: bool,
    /// The last segment of a live stream that has ended.
    ended_at: Option<u64>,
    /// How far timelines of players that read the manifest from now on are ahead of the world's.
    pub(crate) skew_ms: i64,
    /// Segments that HTTP was asked for, over all nodes.
    pub(crate) origin_requests: u64,
    pub(crate) origin_bytes: u64,
    pub(crate) origin_up: bool,
    pub(crate) tracker_up: bool,
    pub(crate) tracker: Tracker,
    queue: BinaryHeap<Reverse<(Time, u64)>>,
    happenings: BTreeMap<u64, (usize, Happening)>,
    next: u64,
    /// Which two (node, connection) ends belong together.
    wires: BTreeMap<(usize, ConnKey), (usize, ConnKey)>,
}

impl World {
    pub(crate) fn new(seed: u64, live: bool) -> Self {
        Self {
            now: Time::from_ms(60_000),
            nodes: Vec::new(),
            random: Random::new(seed),
            live,
            ended_at: None,
            skew_ms: 0,
            origin_requests: 0,
            origin_bytes: 0,
            origin_up: true,
            tracker_up: true,
            tracker: Tracker::default(),
            queue: BinaryHeap::new(),
            happenings: BTreeMap::new(),
            next: 0,
            wires: BTreeMap::new(),
        }
    }

    pub(crate) fn add_viewer(&mut self, config: Config) -> usize {
        self.add_viewer_on(Link::default(), config)
    }

    pub(crate) fn add_viewer_on(&mut self, link: Link, config: Config) -> usize {
        self.add(config, PEER_ID_PREFIX_VIEWER, link, &[Meeting::FIRST])
    }

    /// A viewer in several swarms, or a foreign one in one that ours may be in as well.
    pub(crate) fn add_viewer_in(&mut self, swarms: &[Meeting], prefix: &[u8; 8]) -> usize {
        self.add(Config::default(), prefix, Link::default(), swarms)
    }

    /// Somebody who plays along over HTTP and does this to others.
    pub(crate) fn add_bad_peer(&mut self, mischief: Mischief) -> usize {
        let link = Link {
            mischief,
            ..Link::default()
        };
        self.add_viewer_on(link, Config::default())
    }

    pub(crate) fn add_super_peer(&mut self) -> usize {
        let config = Config {
            role: beekeepr_engine::Role::SuperPeer,
            http_downloads_max: 8,
            ..Config::default()
        };
        let link = Link {
            up_kbps: 1_000_000,
            ..Link::default()
        };
        self.add(config, PEER_ID_PREFIX_SEEDER, link, &[Meeting::FIRST])
    }

    fn add(&mut self, config: Config, prefix: &[u8; 8], link: Link, swarms: &[Meeting]) -> usize {
        let index = self.nodes.len();
        let peer_id = PeerId::generate(prefix, &mut self.random);
        let seed = self.random.next_u64();
        self.nodes.push(Node::new(config, link, seed, self.now));
        self.nodes[index].swarms = swarms.to_vec();
        self.input(
            index,
            Input::StreamAdded {
                stream: STREAM,
                info_hash: swarms[0].info_hash,
                peer_id,
            },
        );
        self.at(index, 0, Happening::ManifestPoll);
        self.at(index, 1, Happening::PlayerStep);
        index
    }

    /// Takes a node out of the world without a word, as a crash does.
    pub(crate) fn kill(&mut self, index: usize) {
        self.nodes[index].alive = false;
        let ends: Vec<_> = self
            .wires
            .iter()
            .filter(|(end, _)| end.0 == index)
            .collect();
        let ends: Vec<_> = ends.into_iter().map(|(_, &other)| other).collect();
        for (other, conn) in ends {
            // The other end notices by its own silence check.
            self.at(other, 4_000, Happening::ChannelCloses(conn));
        }
    }

    pub(crate) fn kill_tracker(&mut self) {
        self.tracker_up = false;
        self.tracker = Tracker::default();
        for index in 0..self.nodes.len() {
            self.input(index, Input::TrackerClosed(TrackerKey(0)));
        }
    }

    pub(crate) fn run_ms(&mut self, ms: u64) {
        let end = self.now + ms;
        while let Some(&Reverse((at, number))) = self.queue.peek() {
            if at > end {
                break;
            }
            self.queue.pop();
            self.now = at;
            if let Some((index, happening)) = self.happenings.remove(&number) {
                self.happen(index, happening);
            }
        }
        self.now = end;
    }

    fn at(&mut self, index: usize, delay_ms: u64, happening: Happening) {
        self.happenings.insert(self.next, (index, happening));
        self.queue.push(Reverse((self.now + delay_ms, self.next)));
        self.next += 1;
    }

    /// The newest whole segment of the live stream.
    pub(crate) fn live_edge(&self) -> u64 {
        let edge = self.now.as_ms() / SEGMENT_MS - 1;
        self.ended_at.unwrap_or(edge)
    }

    /// Ends the live stream: what its playlist lists is all that there is.
    pub(crate) fn end(&mut self) {
        self.ended_at = Some(self.live_edge());
    }

    /// A node's machine sleeps: nothing reaches it and nothing leaves it. Its connections are lost.
    pub(crate) fn sleep(&mut self, index: usize, ms: u64) {
        let node = &mut self.nodes[index];
        node.asleep_until = Some(self.now + ms);
        node.traffic.flowing.clear();
        for fetch in std::mem::take(&mut self.nodes[index].fetches).into_keys() {
            self.at(index, ms, Happening::FetchFails(fetch));
        }
        let ends = self.wires.keys().filter(|end| end.0 == index).copied();
        for (_, conn) in ends.collect::<Vec<_>>() {
            if let Some((other, there)) = self.wires.remove(&(index, conn)) {
                self.at(other, 15_000.min(ms), Happening::ChannelCloses(there));
            }
            self.at(index, ms + 1, Happening::ChannelCloses(conn));
        }
    }

    /// A node's connections break, and both ends notice.
    pub(crate) fn cut(&mut self, index: usize) {
        let ends = self.wires.keys().filter(|end| end.0 == index).copied();
        for end in ends.collect::<Vec<_>>() {
            if let Some(other) = self.wires.remove(&end) {
                self.at(end.0, 0, Happening::ChannelCloses(end.1));
                self.at(other.0, 0, Happening::ChannelCloses(other.1));
            }
        }
    }

    pub(crate) fn seek(&mut self, index: usize, position_ms: u64) {
        let now = self.now;
        if let Some(given_up) = self.nodes[index].seek(now, position_ms) {
            self.input(index, Input::SegmentUnwanted(given_up));
        }
        self.report_playback(index);
    }

    fn report_playback(&mut self, index: usize) {
        let node = &self.nodes[index];
        let (rate_milli, skew_ms) = (node.rate_milli, node.skew_ms);
        if let Some(position_ms) = node.position_ms() {
            let position_ms = position_ms + skew_ms;
            self.input(
                index,
                Input::Playback {
                    position_ms,
                    rate_milli,
                },
            );
        }
    }

    fn manifest(&self) -> Vec<ListedSegment> {
        let ids = if self.live {
            self.live_edge() + 1 - WINDOW..=self.live_edge()
        } else {
            0..=59
        };
        ids.map(|id| ListedSegment {
            id: SegmentId(id as i64),
            start_ms: (id * SEGMENT_MS) as i64,
            end_ms: ((id + 1) * SEGMENT_MS) as i64,
        })
        .collect()
    }

    fn input(&mut self, index: usize, input: Input<'_>) {
        if !self.nodes[index].alive {
            return;
        }
        let now = self.now;
        let node = &mut self.nodes[index];
        node.engine.handle(now, input);
        while let Some(output) = self.nodes[index].engine.poll() {
            self.carry_out(index, output);
        }
        let node = &mut self.nodes[index];
        if let Some(deadline) = node.engine.deadline()
            && node.tick_at != Some(deadline)
        {
            node.tick_at = Some(deadline);
            let delay = deadline.since_ms(now);
            self.at(index, delay, Happening::Tick);
        }
    }

    fn carry_out(&mut self, index: usize, output: Output) {
        match output {
            Output::TrackerConnect(_) if self.tracker_up => {
                self.at(index, LINK_MS, Happening::TrackerOpens);
            }
            Output::TrackerConnect(key) => self.nodes[index].lost_trackers.push(key),
            Output::TrackerSend { message, .. } => {
                self.at(index, LINK_MS, Happening::FromPage(message.text()));
            }
            Output::OfferCreate(conn) => self.at(index, 5, Happening::OfferReady(conn)),
            Output::OfferAccept { conn, sdp } => {
                self.wire(index, conn, &sdp);
                self.at(index, 5, Happening::AnswerReady(conn));
            }
            Output::AnswerAccept { conn, sdp } => self.wire(index, conn, &sdp),
            Output::ConnClose(conn) => {
                if let Some((other, there)) = self.wires.remove(&(index, conn)) {
                    self.at(other, LINK_MS, Happening::ChannelCloses(there));
                }
            }
            Output::CommandSend { conn, message } => self.send_command(index, conn, message),
            Output::SliceSend {
                conn,
                segment,
                offset,
                bytes,
            } => self.send_slice(index, conn, segment, offset, bytes),
            Output::FetchStart {
                fetch,
                segment,
                offset,
            } => {
                self.origin_requests += 1;
                self.nodes[index].fetches.insert(fetch, (segment, offset));
                let next = if self.origin_up {
                    Happening::FetchBegins(fetch)
                } else {
                    Happening::FetchFails(fetch)
                };
                let latency_ms = self.nodes[index].link.http_latency_ms;
                self.at(index, latency_ms, next);
            }
            Output::FetchCancel(fetch) => {
                self.nodes[index].fetches.remove(&fetch);
                self.nodes[index].traffic.flowing.remove(&fetch);
            }
            other => self.nodes[index].note(self.now, other),
        }
    }

    /// Two ends know each other once both have the other's description, which here names its end.
    fn wire(&mut self, index: usize, conn: ConnKey, sdp: &str) {
        let mut numbers = sdp.split(' ').filter_map(|word| word.parse::<u32>().ok());
        let other = (
            numbers.next().expect("the node's index comes first") as usize,
            ConnKey(numbers.next().expect("the connection's key comes second")),
        );
        if self.wires.get(&other) == Some(&(index, conn)) {
            self.wires.insert((index, conn), other);
            self.at(index, 2 * LINK_MS, Happening::ChannelOpens(conn));
            self.at(other.0, 2 * LINK_MS, Happening::ChannelOpens(other.1));
        } else {
            self.wires.insert((index, conn), other);
        }
    }

    fn happen(&mut self, index: usize, happening: Happening) {
        let until = self.nodes[index].asleep_until;
        if let Some(until) = until.filter(|&until| self.now < until) {
            // It waits, in its order, until somebody looks.
            return self.at(index, until.since_ms(self.now), happening);
        }
        let tracker = TrackerKey(0);
        let me = |conn: &ConnKey| format!("end {index} {}", conn.0);
        match happening {
            Happening::Tick => {
                if self.nodes[index].tick_at.is_some_and(|at| at <= self.now) {
                    self.nodes[index].tick_at = None;
                    self.input(index, Input::Tick);
                }
                for key in std::mem::take(&mut self.nodes[index].lost_trackers) {
                    self.input(index, Input::TrackerClosed(key));
                }
            }
            Happening::ManifestPoll => self.poll_manifest(index),
            Happening::PlayerStep => self.step_player(index),
            Happening::TrackerOpens => self.input(index, Input::TrackerOpened(tracker)),
            Happening::TrackerSays(text) => {
                self.input(
                    index,
                    Input::TrackerMessage {
                        tracker,
                        message: &read_tracker_text(text.as_bytes()),
                    },
                );
            }
            Happening::FromPage(text) if self.tracker_up => {
                for (to, reply) in self.tracker.handle(index, &text, &mut self.random) {
                    self.at(to, LINK_MS, Happening::TrackerSays(reply));
                }
            }
            Happening::FromPage(_) => {}
            Happening::OfferReady(conn) => {
                self.input(
                    index,
                    Input::OfferReady {
                        conn,
                        sdp: &me(&conn),
                    },
                );
            }
            Happening::AnswerReady(conn) => {
                self.input(
                    index,
                    Input::AnswerReady {
                        conn,
                        sdp: &me(&conn),
                    },
                );
            }
            Happening::ChannelOpens(conn) => self.input(index, Input::ChannelOpened(conn)),
            Happening::ChannelCloses(conn) => {
                self.wires.remove(&(index, conn));
                self.nodes[index].traffic.channels.remove(&conn);
                self.input(index, Input::ChannelClosed(conn));
            }
            Happening::Message(conn, message) => {
                self.input(
                    index,
                    Input::Command {
                        conn,
                        message: &message,
                    },
                );
            }
            Happening::Bytes(conn, segment, offset, bytes) => {
                let now = self.now;
                self.nodes[index].take_bytes(now, conn, segment, offset, bytes);
                while let Some(output) = self.nodes[index].engine.poll() {
                    self.carry_out(index, output);
                }
            }
            Happening::Sent(conn, bytes) => {
                if let Some((buffered, _)) = self.nodes[index].traffic.channels.get_mut(&conn) {
                    *buffered -= bytes;
                    let buffered = *buffered;
                    self.input(index, Input::Drained { conn, buffered });
                }
            }
            Happening::FetchBegins(fetch) => {
                if let Some(&(_, offset)) = self.nodes[index].fetches.get(&fetch) {
                    let total = Some(SEGMENT_BYTES);
                    self.input(
                        index,
                        Input::FetchStarted {
                            fetch,
                            offset,
                            total,
                        },
                    );
                    self.flow(index, fetch, offset);
                }
            }
            Happening::HttpFlows => self.bring_pieces(index),
            Happening::FetchFails(fetch) => {
                self.input(index, Input::FetchFailed { fetch, status: 503 });
            }
        }
    }

    fn send_command(&mut self, index: usize, conn: ConnKey, message: Vec<u8>) {
        let mischief = self.nodes[index].link.mischief;
        let is_first = self.nodes[index].traffic.spoken.insert(conn);
        if is_first && self.nodes[index].link.loses_first {
            return;
        }
        if let Some(message) = link::distort(mischief, message, self.now) {
            self.send(index, conn, 0, |there| Happening::Message(there, message));
        }
    }

    /// Hands bytes to a channel: the uplink sends them one after the other, a channel keeps its order.
    fn send_slice(
        &mut self,
        index: usize,
        conn: ConnKey,
        key: SegmentKey,
        offset: u64,
        bytes: u32,
    ) {
        let key = self.nodes[index].sends(key);
        self.nodes[index].check_slice(key, offset, bytes);
        match self.nodes[index].link.mischief {
            Mischief::Withhold | Mischief::Lie => return,
            Mischief::Drip => return self.drip(index, conn, key, offset, bytes),
            Mischief::None | Mischief::WrongSize => {}
        }
        let now_us = self.now.as_ms() * 1_000;
        let Node { link, traffic, .. } = &mut self.nodes[index];
        let takes_us = u64::from(bytes) * 8_000 / link.up_kbps;
        traffic.up_free_us = traffic.up_free_us.max(now_us) + takes_us;
        let delay_ms = (traffic.up_free_us - now_us) / 1_000;
        traffic.channels.entry(conn).or_default().0 += bytes;
        self.at(index, delay_ms, Happening::Sent(conn, bytes));
        self.send(index, conn, delay_ms, |there| {
            Happening::Bytes(there, key, offset, bytes)
        });
    }

    fn drip(&mut self, index: usize, conn: ConnKey, key: SegmentKey, offset: u64, bytes: u32) {
        for drop in 0..bytes.div_ceil(link::DRIP_BYTES) {
            let at = drop * link::DRIP_BYTES;
            let size = (bytes - at).min(link::DRIP_BYTES);
            let place = offset + u64::from(at);
            self.send(index, conn, link::DRIP_MS, |there| {
                Happening::Bytes(there, key, place, size)
            });
        }
    }

    fn send(
        &mut self,
        index: usize,
        conn: ConnKey,
        delay_ms: u64,
        happening: impl FnOnce(ConnKey) -> Happening,
    ) {
        let Some(&(other, there)) = self.wires.get(&(index, conn)) else {
            return;
        };
        let (_, last) = self.nodes[index].traffic.channels.entry(conn).or_default();
        // What drips holds up what is behind it.
        let dripping = if delay_ms == link::DRIP_MS {
            delay_ms
        } else {
            0
        };
        let arrives = (self.now + (delay_ms + LINK_MS)).max(*last + dripping);
        *last = arrives;
        let delay_ms = arrives.since_ms(self.now);
        self.at(other, delay_ms, happening(there));
    }

    fn flow(&mut self, index: usize, fetch: FetchKey, offset: u64) {
        let traffic = &mut self.nodes[index].traffic;
        traffic.flowing.insert(fetch, offset);
        if !std::mem::replace(&mut traffic.ticking, true) {
            self.at(index, HTTP_PIECE_MS, Happening::HttpFlows);
        }
    }

    /// What the origin sends in one step, shared by the running requests.
    fn bring_pieces(&mut self, index: usize) {
        let now_ms = self.now.as_ms();
        let Node { link, traffic, .. } = &mut self.nodes[index];
        let flowing: Vec<(FetchKey, u64)> =
            traffic.flowing.iter().map(|(&k, &at)| (k, at)).collect();
        traffic.ticking = !flowing.is_empty();
        if flowing.is_empty() {
            return;
        }
        let out = link
            .outages
            .iter()
            .any(|&(from, to)| (from..to).contains(&now_ms));
        let piece = match out {
            true => 0,
            false => link.http_kbps * HTTP_PIECE_MS / 8 / flowing.len() as u64,
        };
        for (fetch, at) in flowing {
            let bytes = piece.min(SEGMENT_BYTES - at);
            if bytes > 0 && self.nodes[index].fetches.contains_key(&fetch) {
                self.bring_piece(index, fetch, at + bytes, bytes as u32);
            }
        }
        self.at(index, HTTP_PIECE_MS, Happening::HttpFlows);
    }

    fn bring_piece(&mut self, index: usize, fetch: FetchKey, reached: u64, bytes: u32) {
        self.origin_bytes += u64::from(bytes);
        self.nodes[index].traffic.flowing.insert(fetch, reached);
        self.input(index, Input::FetchProgress { fetch, bytes });
        if reached == SEGMENT_BYTES && self.nodes[index].fetches.remove(&fetch).is_some() {
            self.nodes[index].traffic.flowing.remove(&fetch);
            self.input(index, Input::FetchDone { fetch });
        }
        if !self.nodes[index].fetches.contains_key(&fetch) {
            self.nodes[index].traffic.flowing.remove(&fetch);
        }
    }

    fn poll_manifest(&mut self, index: usize) {
        let mut segments = self.manifest();
        let node = &mut self.nodes[index];
        node.listed = segments.clone();
        for segment in &mut segments {
            segment.id = node.own(segment.id);
            segment.start_ms += self.skew_ms;
            segment.end_ms += self.skew_ms;
        }
        node.skew_ms = self.skew_ms;
        let swarms = node.swarms.clone();
        let live = self.live && self.ended_at.is_none();
        self.input(
            index,
            Input::SegmentsListed {
                stream: STREAM,
                live,
                segments: &segments,
            },
        );
        for swarm in &swarms[1..] {
            let differs = swarm.ahead - swarms[0].ahead;
            let ids = segments.iter().map(|segment| segment.id);
            let numbers: Vec<_> = ids.map(|id| (id, SegmentId(id.0 + differs))).collect();
            self.input(
                index,
                Input::SwarmAdded {
                    stream: STREAM,
                    info_hash: swarm.info_hash,
                    numbers: &numbers,
                },
            );
        }
        let jitter = self.random.below(300) as u64;
        self.at(index, 850 + jitter, Happening::ManifestPoll);
    }

    /// A player that wants one segment after the other, up to its buffer's length ahead, and reports its position.
    fn step_player(&mut self, index: usize) {
        if !self.nodes[index].alive {
            return;
        }
        let (now, live) = (self.now, self.live && self.ended_at.is_none());
        if let Some(wish) = self.nodes[index].step(now, live) {
            self.input(index, Input::SegmentWanted(wish));
        }
        self.report_playback(index);
        self.at(index, 100, Happening::PlayerStep);
    }

    /// The share of a viewer's bytes that came from peers since `since` (its counters then).
    pub(crate) fn peer_share(&self, index: usize, since: (u64, u64)) -> f64 {
        let (http, peers) = self.nodes[index].bytes;
        let (http, peers) = (http - since.0, peers - since.1);
        peers as f64 / (http + peers).max(1) as f64
    }

    pub(crate) fn total_stalled_ms(&self) -> u64 {
        self.nodes.iter().map(|node| node.stalled_ms).sum()
    }
}
