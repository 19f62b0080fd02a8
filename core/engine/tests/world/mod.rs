//! A small world for engines: a tracker, an origin, links with delay, and a clock that jumps from
//! event to event. Everything follows from one seed.

#![allow(dead_code, reason = "each test file uses its own part of the world")]

mod node;
mod tracker;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use beekeepr_engine::{
    Config, ConnKey, FetchKey, Input, ListedSegment, Output, SegmentKey, StreamKey, TrackerKey,
};
use beekeepr_model::{
    InfoHash, PEER_ID_PREFIX_SEEDER, PEER_ID_PREFIX_VIEWER, PeerId, Random, SegmentId, Time,
};
pub(crate) use node::Node;
use tracker::Tracker;

pub(crate) const STREAM: StreamKey = StreamKey(0);
pub(crate) const SEGMENT_MS: u64 = 2_000;
pub(crate) const SEGMENT_BYTES: u64 = 100_000;
/// Segments in the live playlist.
pub(crate) const WINDOW: u64 = 6;
const LINK_MS: u64 = 15;

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
    Drained(ConnKey),
    FetchBegins(FetchKey),
    FetchPiece(FetchKey),
    FetchFails(FetchKey),
}

pub(crate) struct World {
    pub(crate) now: Time,
    pub(crate) nodes: Vec<Node>,
    pub(crate) random: Random,
    pub(crate) live: bool,
    /// Segments that HTTP was asked for, over all nodes.
    pub(crate) origin_requests: u64,
    pub(crate) origin_up: bool,
    pub(crate) tracker_up: bool,
    tracker: Tracker,
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
            origin_requests: 0,
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
        self.add(config, PEER_ID_PREFIX_VIEWER)
    }

    pub(crate) fn add_super_peer(&mut self) -> usize {
        let config = Config {
            role: beekeepr_engine::Role::SuperPeer,
            http_downloads_max: 8,
            ..Config::default()
        };
        self.add(config, PEER_ID_PREFIX_SEEDER)
    }

    fn add(&mut self, config: Config, prefix: &[u8; 8]) -> usize {
        let index = self.nodes.len();
        let peer_id = PeerId::generate(prefix, &mut self.random);
        let seed = self.random.next_u64();
        self.nodes.push(Node::new(config, seed, self.now));
        let info_hash = InfoHash(*b"the one swarm here..");
        self.input(
            index,
            Input::StreamAdded {
                stream: STREAM,
                info_hash,
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
        self.now.as_ms() / SEGMENT_MS - 1
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
            Output::TrackerSend { text, .. } => self.at(index, LINK_MS, Happening::FromPage(text)),
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
            Output::CommandSend { conn, message } => {
                if let Some(&(other, there)) = self.wires.get(&(index, conn)) {
                    self.at(other, LINK_MS, Happening::Message(there, message));
                }
            }
            Output::SliceSend {
                conn,
                segment,
                offset,
                bytes,
            } => {
                self.nodes[index].check_slice(segment, offset, bytes);
                if let Some(&(other, there)) = self.wires.get(&(index, conn)) {
                    self.at(
                        other,
                        LINK_MS,
                        Happening::Bytes(there, segment, offset, bytes),
                    );
                    self.at(index, 2, Happening::Drained(conn));
                }
            }
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
                self.at(index, 30, next);
            }
            Output::FetchCancel(fetch) => {
                self.nodes[index].fetches.remove(&fetch);
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
                        text: text.as_bytes(),
                    },
                );
            }
            Happening::FromPage(text) if self.tracker_up => {
                for (to, reply) in self.tracker.handle(index, &text) {
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
            Happening::Drained(conn) => self.input(index, Input::Drained { conn, buffered: 0 }),
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
                    self.at(index, 20, Happening::FetchPiece(fetch));
                }
            }
            Happening::FetchPiece(fetch) => self.bring_piece(index, fetch),
            Happening::FetchFails(fetch) => {
                self.input(index, Input::FetchFailed { fetch, status: 503 });
            }
        }
    }

    fn bring_piece(&mut self, index: usize, fetch: FetchKey) {
        let Some((_, at)) = self.nodes[index].fetches.get_mut(&fetch) else {
            return;
        };
        let bytes = (SEGMENT_BYTES - *at).min(25_000);
        *at += bytes;
        let done = *at == SEGMENT_BYTES;
        self.input(
            index,
            Input::FetchProgress {
                fetch,
                bytes: bytes as u32,
            },
        );
        if done {
            self.nodes[index].fetches.remove(&fetch);
            self.input(index, Input::FetchDone { fetch });
        } else {
            self.at(index, 20, Happening::FetchPiece(fetch));
        }
    }

    fn poll_manifest(&mut self, index: usize) {
        let segments = self.manifest();
        self.nodes[index].listed = segments.clone();
        let live = self.live;
        self.input(
            index,
            Input::SegmentsListed {
                stream: STREAM,
                live,
                segments: &segments,
            },
        );
        let jitter = self.random.below(300) as u64;
        self.at(index, 850 + jitter, Happening::ManifestPoll);
    }

    /// A player that wants one segment after the other, up to 20 s ahead, and reports its position.
    fn step_player(&mut self, index: usize) {
        let (now, live) = (self.now, self.live);
        if let Some(wish) = self.nodes[index].step(now, live) {
            self.input(index, Input::SegmentWanted(wish));
        }
        if let Some(position_ms) = self.nodes[index].position_ms() {
            self.input(
                index,
                Input::Playback {
                    position_ms,
                    rate_milli: 1000,
                },
            );
        }
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
