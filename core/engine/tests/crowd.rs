//! What a crowd costs the engines of a seeder: 400 viewers at 1 Mbit/s, three logical peers, one core.
//!
//! Run it by hand, with optimisation; it prints and asserts nothing of the time:
//! `cargo test --release -p beekeepr-engine --test crowd -- --ignored --nocapture`

use std::time::{Duration, Instant};

use beekeepr_engine::{
    Config, ConnKey, Engine, FetchKey, Input, ListedSegment, Output, Role, StreamKey, TrackerKey,
    read_tracker_text,
};
use beekeepr_model::{InfoHash, PeerId, SegmentId, Time};
use beekeepr_peer_proto::{Command, encode};

const VIEWERS: usize = 400;
const ENGINES: usize = 3;
const SEGMENT_MS: u64 = 2_000;
/// 1 Mbit/s.
const SEGMENT_BYTES: u32 = 250_000;
const WINDOW: i64 = 60;
const STREAM: StreamKey = StreamKey(0);
/// A viewer of p2p-media-loader announces when a segment begins, is there, and is dropped.
const ANNOUNCEMENTS: i64 = 3;

/// One logical peer and what came out of it.
struct Seeder {
    engine: Engine,
    conns: Vec<ConnKey>,
    fetches: Vec<FetchKey>,
    /// Bytes in each channel, by connection.
    buffered: Vec<(ConnKey, u32)>,
    messages: u64,
    bytes: u64,
}

impl Seeder {
    fn new(seed: u64, now: Time) -> Self {
        let config = Config {
            role: Role::SuperPeer,
            http_downloads_max: 48,
            peers_max: VIEWERS as u32,
            storage_bytes_max: u64::MAX,
            ..Config::default()
        };
        let mut seeder = Self {
            engine: Engine::new(config, seed, now),
            conns: Vec::new(),
            fetches: Vec::new(),
            buffered: Vec::new(),
            messages: 0,
            bytes: 0,
        };
        let (info_hash, mut peer_id) = (
            InfoHash(*b"swarmswarmswarmswarm"),
            PeerId(*b"-BS0001-aaaaaaaaaaaa"),
        );
        peer_id.0[19] = b'a' + seed as u8;
        seeder.input(
            now,
            Input::StreamAdded {
                stream: STREAM,
                info_hash,
                peer_id,
            },
        );
        seeder
    }

    fn input(&mut self, now: Time, input: Input<'_>) {
        self.engine.handle(now, input);
        while let Some(output) = self.engine.poll() {
            match output {
                Output::FetchStart { fetch, .. } => self.fetches.push(fetch),
                Output::OfferAccept { conn, .. } => self.conns.push(conn),
                Output::CommandSend { .. } => self.messages += 1,
                Output::SliceSend { conn, bytes, .. } => {
                    self.bytes += u64::from(bytes);
                    match self.buffered.iter_mut().find(|it| it.0 == conn) {
                        Some((_, buffered)) => *buffered += bytes,
                        None => self.buffered.push((conn, bytes)),
                    }
                }
                _ => {}
            }
        }
    }

    fn lists(&mut self, now: Time, newest: i64) {
        let segments: Vec<ListedSegment> = (newest + 1 - WINDOW..=newest)
            .map(|id| ListedSegment {
                id: SegmentId(id),
                start_ms: id * SEGMENT_MS as i64,
                end_ms: (id + 1) * SEGMENT_MS as i64,
            })
            .collect();
        self.input(
            now,
            Input::SegmentsListed {
                stream: STREAM,
                live: true,
                segments: &segments,
            },
        );
        while let Some(fetch) = self.fetches.pop() {
            let total = Some(u64::from(SEGMENT_BYTES));
            let started = Input::FetchStarted {
                fetch,
                offset: 0,
                total,
            };
            self.input(now, started);
            let bytes = SEGMENT_BYTES;
            self.input(now, Input::FetchProgress { fetch, bytes });
            self.input(now, Input::FetchDone { fetch });
        }
    }

    fn meets(&mut self, now: Time, viewer: usize) {
        let tracker = TrackerKey(0);
        let text = format!(
            r#"{{"action":"announce","info_hash":"swarmswarmswarmswarm","peer_id":"-PM0203-{viewer:012}",
                "offer_id":"offerofferofferoffer","offer":{{"type":"offer","sdp":"v=0"}}}}"#
        );
        let message = &read_tracker_text(text.as_bytes());
        self.input(now, Input::TrackerMessage { tracker, message });
        let conn = *self.conns.last().expect("the offer is accepted");
        self.input(now, Input::AnswerReady { conn, sdp: "v=0" });
        self.input(now, Input::ChannelOpened(conn));
    }

    fn hears(&mut self, now: Time, viewer: usize, command: &Command) {
        let conn = self.conns[viewer];
        for message in encode(command, 65_535).expect("the numbers are small") {
            let message = &message;
            self.input(now, Input::Command { conn, message });
        }
    }

    /// All channels run empty, until nothing more comes.
    fn drains(&mut self, now: Time) {
        while !self.buffered.is_empty() {
            for (conn, _) in std::mem::take(&mut self.buffered) {
                self.input(now, Input::Drained { conn, buffered: 0 });
            }
        }
    }

    fn ticks(&mut self, now: Time) {
        if self
            .engine
            .deadline()
            .is_some_and(|deadline| deadline <= now)
        {
            self.input(now, Input::Tick);
        }
    }
}

#[test]
#[ignore = "a measurement"]
#[expect(clippy::disallowed_methods, reason = "it measures")]
fn a_crowd() {
    let mut now = Time::from_ms(1_000_000);
    let mut newest = 1_000;
    let mut seeders: Vec<Seeder> = (0..ENGINES as u64).map(|it| Seeder::new(it, now)).collect();
    for seeder in &mut seeders {
        seeder.lists(now, newest);
        (0..VIEWERS).for_each(|viewer| seeder.meets(now, viewer));
    }
    let (mut spent, steps) = ([Duration::ZERO; 4], 20);
    let before: Vec<(u64, u64)> = seeders.iter().map(|it| (it.messages, it.bytes)).collect();
    for _ in 0..steps {
        newest += 1;
        let mut took = |part: usize, began: Instant| spent[part] += began.elapsed();
        let began = Instant::now();
        for seeder in &mut seeders {
            seeder.lists(now, newest);
        }
        took(0, began);
        let began = Instant::now();
        for round in 0..ANNOUNCEMENTS {
            let loaded = (newest - 30..newest - round).map(SegmentId).collect();
            let loading = vec![SegmentId(newest - round)];
            let says = Command::SegmentsAnnouncement { loaded, loading };
            for seeder in &mut seeders {
                (0..VIEWERS).for_each(|viewer| seeder.hears(now, viewer, &says));
            }
        }
        took(1, began);
        let began = Instant::now();
        for viewer in 0..VIEWERS {
            let segment = SegmentId(newest);
            let asks = Command::SegmentRequest {
                segment,
                request: 7,
                offset: 0,
            };
            seeders[viewer % ENGINES].hears(now, viewer, &asks);
        }
        for seeder in &mut seeders {
            seeder.drains(now);
        }
        took(2, began);
        let began = Instant::now();
        for _ in 0..SEGMENT_MS / 100 {
            now = now + 100;
            seeders.iter_mut().for_each(|seeder| seeder.ticks(now));
        }
        took(3, began);
    }
    let seconds = f64::from(steps) * SEGMENT_MS as f64 / 1_000.0;
    let per_mille = |part: Duration| part.as_secs_f64() * 1_000.0 / seconds;
    println!(
        "of a core, in thousandths: new segments {:.2}, what viewers announce {:.2}, uploads {:.2}, ticks {:.2}",
        per_mille(spent[0]),
        per_mille(spent[1]),
        per_mille(spent[2]),
        per_mille(spent[3])
    );
    let after = seeders.iter().zip(before);
    let (messages, bytes) = after.fold((0, 0), |(messages, bytes), (it, before)| {
        (
            messages + it.messages - before.0,
            bytes + it.bytes - before.1,
        )
    });
    println!("{messages} messages, {bytes} bytes in {seconds} s");
    assert_eq!(
        bytes,
        VIEWERS as u64 * u64::from(SEGMENT_BYTES) * steps as u64
    );
}
