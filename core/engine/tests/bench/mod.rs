//! One engine whose surroundings say what a test wants them to say.

#![allow(dead_code, reason = "each test file uses its own part of the bench")]

use beekeepr_engine::{
    Config, ConnKey, Engine, Event, FetchKey, Input, ListedSegment, LoadError, Output, SegmentKey,
    StreamKey, TrackerKey, read_tracker_text,
};
use beekeepr_model::{InfoHash, PeerId, SegmentId, Time};
use beekeepr_peer_proto::{Command, Joiner, encode};

pub(crate) const STREAM: StreamKey = StreamKey(0);
pub(crate) const FOREIGN: PeerId = PeerId(*b"-PM0203-xxxxxxxxxxxx");
pub(crate) const SIZE: u64 = 40_000;

/// A viewer in the middle of a long stream, with a clock.
pub(crate) struct Bench {
    pub(crate) engine: Engine,
    pub(crate) now: Time,
    pub(crate) outputs: Vec<Output>,
}

impl Bench {
    pub(crate) fn new(config: Config) -> Self {
        let now = Time::from_ms(1_000);
        let mut bench = Self {
            engine: Engine::new(config, 1, now),
            now,
            outputs: Vec::new(),
        };
        let info_hash = InfoHash(*b"swarmswarmswarmswarm");
        let peer_id = PeerId(*b"-BK0001-ourselves000");
        bench.input(Input::StreamAdded {
            stream: STREAM,
            info_hash,
            peer_id,
        });
        let segments: Vec<ListedSegment> = (0..30)
            .map(|id| ListedSegment {
                id: SegmentId(id),
                start_ms: id * 4_000,
                end_ms: (id + 1) * 4_000,
            })
            .collect();
        bench.input(Input::SegmentsListed {
            stream: STREAM,
            live: false,
            segments: &segments,
        });
        bench.input(Input::Playback {
            position_ms: 0,
            rate_milli: 1000,
        });
        bench
    }

    pub(crate) fn input(&mut self, input: Input<'_>) {
        self.engine.handle(self.now, input);
        self.collect();
    }

    pub(crate) fn collect(&mut self) {
        while let Some(output) = self.engine.poll() {
            self.outputs.push(output);
        }
    }

    pub(crate) fn wait_ms(&mut self, ms: u64) {
        for _ in 0..ms / 100 {
            self.now = self.now + 100;
            self.input(Input::Tick);
        }
    }

    /// The player is at `position_ms` and plays.
    pub(crate) fn plays_at(&mut self, position_ms: i64) {
        self.input(Input::Playback {
            position_ms,
            rate_milli: 1000,
        });
    }

    pub(crate) fn want(&mut self, id: i64) {
        self.input(Input::SegmentWanted(key(id)));
    }

    /// Brings segment `id` in over HTTP.
    pub(crate) fn load(&mut self, id: i64) {
        self.want(id);
        self.brings(id);
    }

    /// The origin gives a segment that is being fetched.
    pub(crate) fn brings(&mut self, id: i64) {
        let fetch = self.fetch_of(id).expect("the segment is fetched");
        self.input(Input::FetchStarted {
            fetch,
            offset: 0,
            total: Some(SIZE),
        });
        self.input(Input::FetchProgress {
            fetch,
            bytes: SIZE as u32,
        });
        self.input(Input::FetchDone { fetch });
    }

    pub(crate) fn fetch_of(&self, id: i64) -> Option<FetchKey> {
        self.outputs.iter().rev().find_map(|output| match output {
            Output::FetchStart { fetch, segment, .. } if *segment == key(id) => Some(*fetch),
            _ => None,
        })
    }

    /// Lets `peer` in through an offer of its own.
    pub(crate) fn connect(&mut self, peer: PeerId) -> ConnKey {
        let conn = self.offered(peer).expect("an offer is accepted");
        self.input(Input::AnswerReady { conn, sdp: "v=0" });
        self.input(Input::ChannelOpened(conn));
        conn
    }

    /// `peer` makes an offer; gives the connection when it is accepted.
    pub(crate) fn offered(&mut self, peer: PeerId) -> Option<ConnKey> {
        let tracker = TrackerKey(0);
        self.input(Input::TrackerOpened(tracker));
        let id: String = peer.chars().collect();
        let text = format!(
            r#"{{"action":"announce","info_hash":"swarmswarmswarmswarm","peer_id":"{id}",
                "offer_id":"offerofferofferoffer","offer":{{"type":"offer","sdp":"v=0"}}}}"#
        );
        let before = self.outputs.len();
        self.input(Input::TrackerMessage {
            tracker,
            message: &read_tracker_text(text.as_bytes()),
        });
        self.outputs[before..]
            .iter()
            .find_map(|output| match output {
                Output::OfferAccept { conn, .. } => Some(*conn),
                _ => None,
            })
    }

    pub(crate) fn says(&mut self, conn: ConnKey, command: &Command) {
        for message in encode(command, 65_535).expect("the numbers are small") {
            self.input(Input::Command {
                conn,
                message: &message,
            });
        }
    }

    /// The peer asks us for a segment.
    pub(crate) fn asks(&mut self, conn: ConnKey, id: i64) {
        let segment = SegmentId(id);
        self.says(
            conn,
            &Command::SegmentRequest {
                segment,
                request: 7,
                offset: 0,
            },
        );
    }

    /// The peer begins to send what it was asked for, `size` bytes in all.
    pub(crate) fn sends(&mut self, conn: ConnKey, id: i64, size: u64) {
        let (request, offset) = self.request_of(conn, id).expect("the peer was asked");
        let segment = SegmentId(id);
        let size = size - offset;
        self.says(
            conn,
            &Command::SegmentData {
                segment,
                request,
                size,
            },
        );
    }

    /// The peer brings the whole segment that it was asked for.
    pub(crate) fn delivers(&mut self, conn: ConnKey, id: i64) {
        let (request, offset) = self.request_of(conn, id).expect("the peer was asked");
        self.sends(conn, id, SIZE);
        self.bytes(conn, (SIZE - offset) as usize);
        let segment = SegmentId(id);
        self.says(
            conn,
            &Command::SegmentDataSendingCompleted { segment, request },
        );
    }

    /// The same, after a while in which nothing else happens.
    pub(crate) fn delivers_after(&mut self, conn: ConnKey, id: i64, ms: u64) {
        self.now = self.now + ms;
        self.delivers(conn, id);
    }

    pub(crate) fn has(&mut self, conn: ConnKey, ids: std::ops::Range<i64>) {
        let loaded = ids.map(SegmentId).collect();
        self.says(
            conn,
            &Command::SegmentsAnnouncement {
                loaded,
                loading: Vec::new(),
            },
        );
    }

    pub(crate) fn bytes(&mut self, conn: ConnKey, count: usize) -> bool {
        let placed = self.engine.place(self.now, conn, count).is_some();
        self.collect();
        placed
    }

    /// What the engine said to the peer, decoded.
    pub(crate) fn said(&self, to: ConnKey) -> Vec<Command> {
        let mut joiner = Joiner::default();
        let messages = self.outputs.iter().filter_map(|output| match output {
            Output::CommandSend { conn, message } if *conn == to => Some(message),
            _ => None,
        });
        messages
            .filter_map(|message| joiner.push(message).expect("we speak the protocol"))
            .collect()
    }

    pub(crate) fn request_of(&self, conn: ConnKey, wanted: i64) -> Option<(i64, u64)> {
        self.said(conn)
            .into_iter()
            .rev()
            .find_map(|command| match command {
                Command::SegmentRequest {
                    segment,
                    request,
                    offset,
                } if segment.0 == wanted => Some((request, offset)),
                _ => None,
            })
    }

    /// Whether we took a request back from a peer.
    pub(crate) fn cancelled(&self, conn: ConnKey) -> bool {
        let cancels = |said: &Command| matches!(said, Command::CancelSegmentRequest { .. });
        self.said(conn).iter().any(cancels)
    }

    /// Whether the last request to a peer is for this segment.
    pub(crate) fn is_asked(&self, conn: ConnKey, id: i64) -> bool {
        let said = self.said(conn).into_iter().rev();
        let mut asked = said.filter_map(|said| match said {
            Command::SegmentRequest { segment, .. } => Some(segment.0),
            _ => None,
        });
        asked.next() == Some(id)
    }

    /// Whether the last answer to a peer was "absent".
    pub(crate) fn refused(&self, conn: ConnKey) -> bool {
        let answers = self.said(conn).into_iter().rev();
        let mut answers = answers.filter(|said| {
            matches!(
                said,
                Command::SegmentAbsent { .. } | Command::SegmentData { .. }
            )
        });
        matches!(answers.next(), Some(Command::SegmentAbsent { .. }))
    }

    /// Bytes sent to a peer so far.
    pub(crate) fn sent(&self, to: ConnKey) -> u64 {
        let slices = self.outputs.iter().map(|output| match output {
            Output::SliceSend { conn, bytes, .. } if *conn == to => u64::from(*bytes),
            _ => 0,
        });
        slices.sum()
    }

    pub(crate) fn saw(&self, output: &Output) -> bool {
        self.outputs.contains(output)
    }

    pub(crate) fn error(&self) -> Option<LoadError> {
        self.outputs.iter().rev().find_map(|output| match output {
            Output::Event(Event::SegmentError { error, .. }) => Some(*error),
            _ => None,
        })
    }
}

pub(crate) fn key(id: i64) -> SegmentKey {
    SegmentKey {
        stream: STREAM,
        id: SegmentId(id),
    }
}
