//! One engine against peers that say what a test wants them to say.

use beekeepr_engine::{
    Config, ConnKey, Engine, Event, FetchKey, Input, ListedSegment, LoadError, Output, SegmentKey,
    StreamKey, TrackerKey,
};
use beekeepr_model::{InfoHash, PeerId, SegmentId, Time};
use beekeepr_peer_proto::{Command, Joiner, encode};

const STREAM: StreamKey = StreamKey(0);
const FOREIGN: PeerId = PeerId(*b"-PM0203-xxxxxxxxxxxx");
const SIZE: u64 = 40_000;

/// A viewer in the middle of a long stream, with a clock.
struct Bench {
    engine: Engine,
    now: Time,
    outputs: Vec<Output>,
}

impl Bench {
    fn new(config: Config) -> Self {
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

    fn input(&mut self, input: Input<'_>) {
        self.engine.handle(self.now, input);
        self.collect();
    }

    fn collect(&mut self) {
        while let Some(output) = self.engine.poll() {
            self.outputs.push(output);
        }
    }

    fn wait_ms(&mut self, ms: u64) {
        for _ in 0..ms / 100 {
            self.now = self.now + 100;
            self.input(Input::Tick);
        }
    }

    fn want(&mut self, id: i64) {
        self.input(Input::SegmentWanted(key(id)));
    }

    /// Brings segment `id` in over HTTP.
    fn load(&mut self, id: i64) {
        self.want(id);
        let fetch = self
            .fetch_of(id)
            .expect("an urgent segment is fetched at once");
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

    fn fetch_of(&self, id: i64) -> Option<FetchKey> {
        self.outputs.iter().rev().find_map(|output| match output {
            Output::FetchStart { fetch, segment, .. } if *segment == key(id) => Some(*fetch),
            _ => None,
        })
    }

    /// Lets `peer` in through an offer of its own.
    fn connect(&mut self, peer: PeerId) -> ConnKey {
        let tracker = TrackerKey(0);
        self.input(Input::TrackerOpened(tracker));
        let id: String = peer.chars().collect();
        let text = format!(
            r#"{{"action":"announce","info_hash":"swarmswarmswarmswarm","peer_id":"{id}",
                "offer_id":"offerofferofferoffer","offer":{{"type":"offer","sdp":"v=0"}}}}"#
        );
        self.input(Input::TrackerMessage {
            tracker,
            text: text.as_bytes(),
        });
        let conn = self.outputs.iter().rev().find_map(|output| match output {
            Output::OfferAccept { conn, .. } => Some(*conn),
            _ => None,
        });
        let conn = conn.expect("an offer is accepted");
        self.input(Input::AnswerReady { conn, sdp: "v=0" });
        self.input(Input::ChannelOpened(conn));
        conn
    }

    fn says(&mut self, conn: ConnKey, command: &Command) {
        for message in encode(command, 65_535) {
            self.input(Input::Command {
                conn,
                message: &message,
            });
        }
    }

    fn has(&mut self, conn: ConnKey, ids: std::ops::Range<i64>) {
        let loaded = ids.map(SegmentId).collect();
        self.says(
            conn,
            &Command::SegmentsAnnouncement {
                loaded,
                loading: Vec::new(),
            },
        );
    }

    fn bytes(&mut self, conn: ConnKey, count: usize) -> bool {
        let placed = self.engine.place(self.now, conn, count).is_some();
        self.collect();
        placed
    }

    /// What the engine said to the peer, decoded.
    fn said(&self, to: ConnKey) -> Vec<Command> {
        let mut joiner = Joiner::default();
        let messages = self.outputs.iter().filter_map(|output| match output {
            Output::CommandSend { conn, message } if *conn == to => Some(message),
            _ => None,
        });
        messages
            .filter_map(|message| joiner.push(message).expect("we speak the protocol"))
            .collect()
    }

    fn request_of(&self, conn: ConnKey, wanted: i64) -> Option<(i64, u64)> {
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

    fn saw(&self, output: &Output) -> bool {
        self.outputs.contains(output)
    }

    fn error(&self) -> Option<LoadError> {
        self.outputs.iter().rev().find_map(|output| match output {
            Output::Event(Event::SegmentError { error, .. }) => Some(*error),
            _ => None,
        })
    }
}

fn key(id: i64) -> SegmentKey {
    SegmentKey {
        stream: STREAM,
        id: SegmentId(id),
    }
}

/// A bench whose peer was asked for segment 5 and said that it will send it.
fn receiving() -> (Bench, ConnKey, i64) {
    let mut bench = Bench::new(Config::default());
    bench.load(0);
    let conn = bench.connect(FOREIGN);
    bench.has(conn, 5..6);
    bench.want(5);
    let (request, _) = bench
        .request_of(conn, 5)
        .expect("a segment with time is asked of the peer");
    bench.says(
        conn,
        &Command::SegmentData {
            segment: SegmentId(5),
            request,
            size: SIZE,
        },
    );
    (bench, conn, request)
}

#[test]
fn a_segment_with_time_comes_from_the_peer_that_has_it() {
    let (mut bench, conn, request) = receiving();
    assert!(bench.bytes(conn, 30_000) && bench.bytes(conn, 10_000));
    let segment = SegmentId(5);
    bench.says(
        conn,
        &Command::SegmentDataSendingCompleted { segment, request },
    );
    let ready = |output: &Output| matches!(output, Output::SegmentReady { segment, .. } if *segment == key(5));
    assert!(bench.outputs.iter().any(ready));
    assert_eq!(bench.fetch_of(5), None);
}

#[test]
fn more_bytes_than_promised_end_the_connection() {
    let (mut bench, conn, _) = receiving();
    assert!(!bench.bytes(conn, SIZE as usize + 1));
    assert!(bench.saw(&Output::ConnClose(conn)));
    assert_eq!(bench.error(), Some(LoadError::PeerLength));
}

#[test]
fn fewer_bytes_than_promised_end_the_connection() {
    let (mut bench, conn, request) = receiving();
    bench.bytes(conn, 100);
    let segment = SegmentId(5);
    bench.says(
        conn,
        &Command::SegmentDataSendingCompleted { segment, request },
    );
    assert!(bench.saw(&Output::ConnClose(conn)) && bench.saw(&Output::SegmentDropped(key(5))));
}

#[test]
fn an_empty_or_huge_segment_is_refused() {
    for size in [0, 33 * 1024 * 1024, 1 << 40] {
        let mut bench = Bench::new(Config::default());
        bench.load(0);
        let conn = bench.connect(FOREIGN);
        bench.has(conn, 5..6);
        bench.want(5);
        let (request, _) = bench.request_of(conn, 5).expect("the peer is asked");
        bench.says(
            conn,
            &Command::SegmentData {
                segment: SegmentId(5),
                request,
                size,
            },
        );
        assert!(bench.saw(&Output::ConnClose(conn)), "size {size}");
    }
}

#[test]
fn bytes_that_nobody_asked_for_are_thrown_away() {
    let mut bench = Bench::new(Config::default());
    bench.load(0);
    let conn = bench.connect(FOREIGN);
    let data = Command::SegmentData {
        segment: SegmentId(3),
        request: 1,
        size: SIZE,
    };
    bench.says(conn, &data);
    assert!(!bench.bytes(conn, 1_000));
    assert!(!bench.saw(&Output::ConnClose(conn)));
}

#[test]
fn a_silent_peer_loses_the_segment_and_http_brings_the_rest() {
    let (mut bench, conn, _) = receiving();
    bench.bytes(conn, 30_000);
    bench.wait_ms(2_200);
    assert_eq!(bench.error(), Some(LoadError::Timeout));
    // 20 s ahead of the playhead the peer is asked again; when it is urgent HTTP takes over.
    bench.input(Input::Playback {
        position_ms: 19_000,
        rate_milli: 1000,
    });
    bench.wait_ms(1_000);
    let resumed = |output: &Output| matches!(output, Output::FetchStart { segment, offset: 30_000, .. } if *segment == key(5));
    assert!(bench.outputs.iter().any(resumed), "{:?}", bench.outputs);
}

#[test]
fn a_segment_that_is_needed_now_does_not_wait_for_anybody() {
    let mut bench = Bench::new(Config::default());
    bench.load(0);
    bench.connect(FOREIGN);
    bench.want(0);
    bench.input(Input::Playback {
        position_ms: 3_900,
        rate_milli: 1000,
    });
    bench.want(1);
    assert!(bench.fetch_of(1).is_some());
}

#[test]
fn a_request_is_answered_with_the_exact_bytes() {
    let mut bench = Bench::new(Config::default());
    bench.load(0);
    let conn = bench.connect(FOREIGN);
    let ask = Command::SegmentRequest {
        segment: SegmentId(0),
        request: 7,
        offset: 10_000,
    };
    bench.says(conn, &ask);
    bench.input(Input::Drained { conn, buffered: 0 });
    let sent: u64 = bench
        .outputs
        .iter()
        .map(|output| match output {
            Output::SliceSend { bytes, .. } => u64::from(*bytes),
            _ => 0,
        })
        .sum();
    assert_eq!(sent, SIZE - 10_000);
    let said = bench.said(conn);
    let size = SIZE - 10_000;
    let segment = SegmentId(0);
    assert!(said.contains(&Command::SegmentData {
        segment,
        request: 7,
        size
    }));
    assert!(said.contains(&Command::SegmentDataSendingCompleted {
        segment,
        request: 7
    }));
}

#[test]
fn what_cannot_be_sent_is_absent() {
    let cases = [(Config::default(), 3, 0), (Config::default(), 0, SIZE)];
    let leech = Config {
        upload_disabled: true,
        ..Config::default()
    };
    for (config, id, offset) in cases.into_iter().chain([(leech, 0, 0)]) {
        let mut bench = Bench::new(config);
        bench.load(0);
        let conn = bench.connect(FOREIGN);
        let segment = SegmentId(id);
        bench.says(
            conn,
            &Command::SegmentRequest {
                segment,
                request: 7,
                offset,
            },
        );
        assert!(bench.said(conn).contains(&Command::SegmentAbsent {
            segment,
            request: 7
        }));
    }
}

#[test]
fn an_upload_pauses_while_the_channel_is_full() {
    let mut bench = Bench::new(Config::default());
    bench.want(0);
    let fetch = bench
        .fetch_of(0)
        .expect("an urgent segment is fetched at once");
    bench.input(Input::FetchStarted {
        fetch,
        offset: 0,
        total: Some(1 << 20),
    });
    bench.input(Input::FetchProgress {
        fetch,
        bytes: 1 << 20,
    });
    bench.input(Input::FetchDone { fetch });
    let conn = bench.connect(FOREIGN);
    let ask = Command::SegmentRequest {
        segment: SegmentId(0),
        request: 7,
        offset: 0,
    };
    bench.says(conn, &ask);
    let sent = |bench: &Bench| {
        bench
            .outputs
            .iter()
            .filter(|output| matches!(output, Output::SliceSend { .. }))
            .count()
    };
    assert_eq!(sent(&bench), 4, "64 KiB in slices of 16 KiB");
    bench.input(Input::Drained {
        conn,
        buffered: 32 * 1024,
    });
    assert_eq!(sent(&bench), 6);
}

#[test]
fn a_segment_that_fails_the_check_costs_the_peer_its_connection() {
    let config = Config {
        check_segments: true,
        ..Config::default()
    };
    let mut bench = Bench::new(config);
    bench.load(0);
    let conn = bench.connect(FOREIGN);
    bench.has(conn, 5..6);
    bench.want(5);
    let (request, _) = bench.request_of(conn, 5).expect("the peer is asked");
    let segment = SegmentId(5);
    bench.says(
        conn,
        &Command::SegmentData {
            segment,
            request,
            size: SIZE,
        },
    );
    bench.bytes(conn, SIZE as usize);
    bench.says(
        conn,
        &Command::SegmentDataSendingCompleted { segment, request },
    );
    assert!(bench.saw(&Output::SegmentCheck(key(5))));
    bench.input(Input::SegmentChecked {
        segment: key(5),
        valid: false,
    });
    assert!(bench.saw(&Output::ConnClose(conn)) && bench.saw(&Output::SegmentDropped(key(5))));
    assert_eq!(bench.error(), Some(LoadError::Invalid));
}

#[test]
fn http_failures_are_repeated_and_then_given_to_the_player() {
    let mut bench = Bench::new(Config::default());
    bench.want(0);
    for _ in 0..3 {
        let fetch = bench.fetch_of(0).expect("it is fetched");
        bench.input(Input::FetchFailed { fetch, status: 503 });
        bench.wait_ms(3_000);
    }
    assert!(bench.saw(&Output::SegmentFailed {
        segment: key(0),
        status: 503
    }));
}

#[test]
fn noise_from_trackers_and_peers_changes_nothing() {
    let mut bench = Bench::new(Config::default());
    bench.load(0);
    let conn = bench.connect(FOREIGN);
    let tracker = TrackerKey(0);
    for noise in [
        &b""[..],
        b"null",
        b"[1]",
        b"{\"action\":1}",
        b"\xff\xfe",
        b"cstr\x00cend",
    ] {
        bench.input(Input::TrackerMessage {
            tracker,
            text: noise,
        });
        bench.input(Input::Command {
            conn,
            message: noise,
        });
    }
    bench.input(Input::TrackerMessage {
        tracker: TrackerKey(99),
        text: b"{}",
    });
    bench.input(Input::TrackerClosed(TrackerKey(99)));
    bench.input(Input::Drained {
        conn: ConnKey(99),
        buffered: 0,
    });
    bench.input(Input::FetchDone {
        fetch: FetchKey(99),
    });
    bench.has(conn, 5..6);
    bench.want(5);
    assert!(bench.request_of(conn, 5).is_some());
}

#[test]
fn offers_that_were_made_for_a_lost_tracker_run_out() {
    let mut bench = Bench::new(Config::default());
    bench.load(0);
    bench.input(Input::TrackerOpened(TrackerKey(0)));
    let made = |bench: &Bench| -> Vec<ConnKey> {
        let conns = bench.outputs.iter().filter_map(|output| match output {
            Output::OfferCreate(conn) => Some(*conn),
            _ => None,
        });
        conns.collect()
    };
    let first = made(&bench)[0];
    bench.input(Input::OfferReady {
        conn: first,
        sdp: "v=0",
    });
    bench.input(Input::TrackerClosed(TrackerKey(0)));
    bench.wait_ms(16_000);
    for conn in made(&bench) {
        assert!(
            bench.saw(&Output::ConnClose(conn)),
            "{conn:?} is still open"
        );
    }
}
