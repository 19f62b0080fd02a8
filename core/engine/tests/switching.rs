//! Seeks, renditions that come and go, streams that end, and what the memory holds.

mod bench;

use beekeepr_engine::{Config, Input, ListedSegment, Output, SegmentKey, StreamKey};
use beekeepr_model::{InfoHash, PeerId, SegmentId, Time};
use beekeepr_peer_proto::Command;

use bench::{Bench, FOREIGN, SIZE, STREAM, key};

const OTHER: StreamKey = StreamKey(1);

fn listed(ids: std::ops::Range<i64>) -> Vec<ListedSegment> {
    let segment = |id| ListedSegment {
        id: SegmentId(id),
        start_ms: id * 4_000,
        end_ms: (id + 1) * 4_000,
    };
    ids.map(segment).collect()
}

/// A second rendition of the bench's stream.
fn add_other(bench: &mut Bench) {
    bench.input(Input::StreamAdded {
        stream: OTHER,
        info_hash: InfoHash(*b"otherotherotherother"),
        peer_id: PeerId(*b"-BK0001-ourselves001"),
    });
    list(bench, OTHER, false, 0..30);
}

fn list(bench: &mut Bench, stream: StreamKey, live: bool, ids: std::ops::Range<i64>) {
    bench.input(Input::SegmentsListed {
        stream,
        live,
        segments: &listed(ids),
    });
}

fn stored(bench: &Bench) -> Vec<SegmentKey> {
    let mut stored = Vec::new();
    for output in &bench.outputs {
        match output {
            Output::Event(beekeepr_engine::Event::SegmentLoaded { segment, .. }) => {
                stored.push(*segment);
            }
            Output::SegmentDropped(segment) => stored.retain(|known| known != segment),
            _ => {}
        }
    }
    stored
}

fn stopped(bench: &Bench) -> usize {
    let messages = bench.outputs.iter().filter_map(|output| match output {
        Output::TrackerSend { message, .. } => Some(message.text()),
        _ => None,
    });
    let stopped = |text: &String| text.contains(r#""event":"stopped""#);
    messages.filter(stopped).count()
}

#[test]
fn a_switch_stops_the_old_renditions_downloads_and_leaves_its_swarm_with_a_word() {
    let mut bench = Bench::new(Config::default());
    bench.load(0);
    let conn = bench.connect(FOREIGN);
    bench.has(conn, 5..6);
    bench.wait_ms(100);
    bench.sends(conn, 5, SIZE);
    add_other(&mut bench);
    for id in 1..4 {
        let key = SegmentKey {
            stream: OTHER,
            id: SegmentId(id),
        };
        bench.wait_ms(5_000);
        bench.input(Input::SegmentWanted(key));
        bench.input(Input::SegmentUnwanted(key));
    }
    bench.bytes(conn, 100);
    assert!(bench.cancelled(conn), "the old rendition still loads");
    assert!(stored(&bench).contains(&key(0)), "what was loaded is kept");
    assert_eq!(stopped(&bench), 0, "its swarm is kept for a while");
    bench.wait_ms(20_000);
    bench.input(Input::SegmentWanted(SegmentKey {
        stream: OTHER,
        id: SegmentId(9),
    }));
    bench.wait_ms(100);
    assert_eq!(stopped(&bench), 1);
    assert!(bench.saw(&Output::ConnClose(conn)));
}

#[test]
fn back_on_the_old_rendition_its_segments_are_still_there() {
    let mut bench = Bench::new(Config::default());
    bench.load(0);
    add_other(&mut bench);
    bench.wait_ms(40_000);
    bench.input(Input::SegmentWanted(SegmentKey {
        stream: OTHER,
        id: SegmentId(9),
    }));
    bench.outputs.clear();
    bench.want(0);
    let ready = |output: &Output| matches!(output, Output::SegmentReady { segment, .. } if *segment == key(0));
    assert!(bench.outputs.iter().any(ready));
}

#[test]
fn after_a_seek_what_ran_for_the_old_place_is_stopped_and_the_new_place_served() {
    let mut bench = Bench::new(Config::default());
    bench.load(0);
    let conn = bench.connect(FOREIGN);
    bench.has(conn, 5..29);
    bench.wait_ms(100);
    bench.sends(conn, 5, SIZE);
    bench.bytes(conn, 10_000);
    bench.plays_at(80_000);
    bench.want(20);
    bench.wait_ms(500);
    assert!(bench.cancelled(conn));
    assert!(bench.request_of(conn, 20).is_some() || bench.fetch_of(20).is_some());
    // The part that had come is not thrown away.
    bench.plays_at(0);
    bench.input(Input::SegmentUnwanted(key(20)));
    // It kept silent when it was asked for the new place, so it is asked again after a while.
    bench.wait_ms(5_000);
    let resumed = bench.request_of(conn, 5);
    assert_eq!(resumed.map(|(_, offset)| offset), Some(10_000));
}

#[test]
fn at_twice_the_speed_http_begins_twice_as_early() {
    let begins = |rate_milli| {
        let mut bench = Bench::new(Config::default());
        bench.load(0);
        let conn = bench.connect(FOREIGN);
        // It fetches for ever, so that HTTP has to bring the segment in the end.
        bench.says(
            conn,
            &Command::SegmentsAnnouncement {
                loaded: Vec::new(),
                loading: vec![SegmentId(10)],
            },
        );
        bench.want(10);
        bench.input(Input::Playback {
            position_ms: 0,
            rate_milli,
        });
        let start = bench.now;
        while bench.fetch_of(10).is_none() {
            bench.wait_ms(100);
        }
        bench.now.since_ms(start)
    };
    let (once, twice) = (begins(1_000), begins(2_000));
    assert!((30_000..36_000).contains(&once), "{once}");
    assert!((11_000..17_000).contains(&twice), "{twice}");
}

#[test]
fn beyond_the_budget_what_lies_behind_goes_first_and_what_is_ahead_stays() {
    let config = Config {
        storage_bytes_max: 5 * SIZE,
        // Nobody to be met.
        trackers: 0,
        ..Config::default()
    };
    let mut bench = Bench::new(config);
    for id in 0..8 {
        bench.plays_at(id * 4_000);
        bench.load(id);
    }
    let ids: Vec<i64> = stored(&bench).iter().map(|key| key.id.0).collect();
    assert_eq!(ids, [3, 4, 5, 6, 7]);
    // Back at 4, what is farthest in either direction goes, what was played first of all.
    bench.plays_at(20_000);
    bench.load(8);
    let ids: Vec<i64> = stored(&bench).iter().map(|key| key.id.0).collect();
    assert_eq!(ids, [4, 5, 6, 7, 8]);
}

#[test]
fn what_is_loaded_ahead_never_pushes_out_what_comes_before_it() {
    let config = Config {
        storage_bytes_max: 4 * SIZE,
        ..Config::default()
    };
    let mut bench = Bench::new(config);
    bench.load(0);
    let conn = bench.connect(FOREIGN);
    bench.has(conn, 1..30);
    for _ in 0..20 {
        bench.wait_ms(100);
        let asked = (1..30).rev().find(|&id| bench.is_asked(conn, id));
        if let Some(id) = asked {
            bench.delivers(conn, id);
        }
    }
    let mut ids: Vec<i64> = stored(&bench).iter().map(|key| key.id.0).collect();
    ids.sort_unstable();
    assert_eq!(ids, [0, 1, 2, 3]);
}

#[test]
fn a_live_stream_forgets_what_has_long_left_its_list() {
    let mut bench = Bench::new(Config::default());
    list(&mut bench, STREAM, true, 0..6);
    bench.load(0);
    list(&mut bench, STREAM, true, 1..7);
    bench.wait_ms(29_000);
    assert_eq!(stored(&bench), [key(0)]);
    bench.wait_ms(2_000);
    assert_eq!(stored(&bench), []);
}

#[test]
fn a_live_rendition_that_was_left_is_forgotten_too() {
    let mut bench = Bench::new(Config::default());
    list(&mut bench, STREAM, true, 0..6);
    bench.load(0);
    add_other(&mut bench);
    // Nobody reads its playlist any more, so nothing leaves it.
    for _ in 0..7 {
        bench.wait_ms(10_000);
        bench.input(Input::SegmentWanted(SegmentKey {
            stream: OTHER,
            id: SegmentId(20),
        }));
    }
    assert!(!stored(&bench).contains(&key(0)));
}

#[test]
fn a_live_stream_that_ends_keeps_everything_for_those_behind() {
    let mut bench = Bench::new(Config::default());
    list(&mut bench, STREAM, true, 0..6);
    bench.load(0);
    list(&mut bench, STREAM, false, 0..7);
    bench.wait_ms(120_000);
    assert_eq!(stored(&bench), [key(0)]);
    bench.want(6);
    assert!(bench.fetch_of(6).is_some());
}

#[test]
fn a_jump_to_the_live_edge_gives_up_what_lies_between() {
    let mut bench = Bench::new(Config::default());
    list(&mut bench, STREAM, true, 0..10);
    bench.plays_at(0);
    bench.load(0);
    let conn = bench.connect(FOREIGN);
    bench.has(conn, 2..10);
    bench.wait_ms(100);
    bench.sends(conn, 2, SIZE);
    bench.plays_at(32_000);
    bench.want(8);
    bench.wait_ms(200);
    assert!(bench.cancelled(conn));
    let at = |output: &Output| matches!(output, Output::FetchStart { segment, .. } if *segment == key(8));
    assert!(bench.request_of(conn, 8).is_some() || bench.outputs.iter().any(at));
}

#[test]
fn the_very_first_segment_can_be_left_to_peers_for_a_while() {
    let config = Config {
        http_initial_ms: 2_000,
        ..Config::default()
    };
    let mut bench = Bench::new(config);
    bench.want(0);
    bench.wait_ms(1_000);
    let conn = bench.connect(FOREIGN);
    bench.has(conn, 0..2);
    assert!(bench.request_of(conn, 0).is_some() && bench.fetch_of(0).is_none());
    let mut bench = Bench::new(config);
    bench.want(0);
    bench.wait_ms(2_100);
    assert!(bench.fetch_of(0).is_some());
    assert!(bench.now > Time::from_ms(2_000));
}
