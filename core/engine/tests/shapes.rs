//! Playlists of other shapes: breaks for advertising, and low latency.

mod bench;
mod world;

use beekeepr_engine::{Config, Input, ListedSegment, Output};
use beekeepr_model::SegmentId;

use bench::{Bench, FOREIGN, STREAM, key};
use world::World;

/// A live list of four segments of 6 s, an advertisement of two of 1 s on a clock of its own (`EXT-X-DISCONTINUITY`),
/// and the programme again; players put all of it on one timeline.
fn with_break() -> Vec<ListedSegment> {
    let durations = [6_000, 6_000, 6_000, 6_000, 1_000, 1_000, 6_000, 6_000];
    let mut start_ms = 0;
    let segment = |(id, duration_ms): (usize, i64)| {
        let end_ms = start_ms + duration_ms;
        let start_ms = std::mem::replace(&mut start_ms, end_ms);
        let id = SegmentId(id as i64);
        ListedSegment {
            id,
            start_ms,
            end_ms,
        }
    };
    durations.into_iter().enumerate().map(segment).collect()
}

fn list(bench: &mut Bench, segments: &[ListedSegment]) {
    bench.input(Input::SegmentsListed {
        stream: STREAM,
        live: true,
        segments,
    });
}

#[test]
fn an_advertisement_of_short_segments_is_taken_from_peers_and_in_order() {
    let mut bench = Bench::new(Config::default());
    let segments = with_break();
    list(&mut bench, &segments);
    bench.load(0);
    let conn = bench.connect(FOREIGN);
    bench.has(conn, 1..8);
    for id in 1..8 {
        bench.plays_at(segments[id as usize - 1].start_ms);
        bench.want(id);
        bench.wait_ms(100);
        assert!(bench.fetch_of(id).is_none(), "segment {id}");
        bench.delivers(conn, id);
    }
}

#[test]
fn a_list_whose_timeline_was_moved_keeps_what_is_loaded() {
    let mut bench = Bench::new(Config::default());
    let mut segments = with_break();
    list(&mut bench, &segments);
    bench.load(0);
    // The player learns at the break that its timeline was wrong by 3 s.
    for segment in &mut segments {
        segment.start_ms += 3_000;
        segment.end_ms += 3_000;
    }
    list(&mut bench, &segments);
    bench.outputs.clear();
    bench.want(0);
    let ready = |output: &Output| matches!(output, Output::SegmentReady { segment, .. } if *segment == key(0));
    assert!(bench.outputs.iter().any(ready));
}

/// Low latency: the player loads the parts of the newest segment by itself, and asks for whole segments only where it
/// has fallen behind. These are taken from peers, and nothing is fetched ahead of it that its parts bring anyway.
#[test]
fn beside_parts_only_what_the_player_asks_for_is_fetched() {
    let mut bench = Bench::new(Config::default());
    let segments = with_break();
    list(&mut bench, &segments[..6]);
    bench.plays_at(23_000);
    bench.wait_ms(1_000);
    bench.plays_at(24_000);
    list(&mut bench, &segments[..7]);
    bench.wait_ms(1_000);
    assert!((0..8).all(|id| bench.fetch_of(id).is_none()));
    // It stalled and comes back to a whole segment.
    bench.want(6);
    bench.wait_ms(100);
    assert!(bench.fetch_of(6).is_some());
}

/// How long three viewers stall that have jumped to the newest segment.
fn stalls_at_the_edge(seed: u64, p2p_disabled: bool) -> u64 {
    let mut world = World::new(seed, true);
    for _ in 0..3 {
        world.add_viewer(Config {
            p2p_disabled,
            ..Config::default()
        });
        world.run_ms(300);
    }
    world.run_ms(10_000);
    for index in 0..3 {
        let edge = world.live_edge();
        world.seek(index, edge * world::SEGMENT_MS);
    }
    world.run_ms(30_000);
    world.total_stalled_ms()
}

/// What the players' looks at the playlist leave to chance evens out.
#[test]
fn viewers_at_the_very_edge_do_not_wait_for_each_other() {
    let sum = |p2p_disabled| {
        (0..40)
            .map(|seed| stalls_at_the_edge(seed, p2p_disabled))
            .sum::<u64>()
    };
    let (alone, shared) = (sum(true), sum(false));
    assert!(shared <= alone, "{shared} ms, alone {alone} ms");
}
