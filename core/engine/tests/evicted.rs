//! Segments that the shell had to give away.

mod bench;

use beekeepr_engine::{Config, Input, Output, Role, SegmentKey};
use beekeepr_model::SegmentId;

use bench::{Bench, STREAM};

fn key(id: i64) -> SegmentKey {
    let id = SegmentId(id);
    SegmentKey { stream: STREAM, id }
}

/// A super-peer that has loaded some segments.
fn super_peer(ids: &[i64]) -> Bench {
    let config = Config {
        role: Role::SuperPeer,
        http_downloads_max: 48,
        ..Config::default()
    };
    let mut bench = Bench::new(config);
    for &id in ids {
        bench.load(id);
    }
    bench.outputs.clear();
    bench
}

#[test]
fn a_segment_that_was_given_away_is_dropped_and_fetched_again_when_it_is_needed() {
    let mut bench = super_peer(&[1, 2]);
    bench.input(Input::SegmentEvicted(key(1)));
    assert!(bench.outputs.contains(&Output::SegmentDropped(key(1))));
    assert!(!bench.outputs.contains(&Output::SegmentDropped(key(2))));
    assert!(bench.fetch_of(1).is_some());
}

#[test]
fn one_that_is_not_there_changes_nothing() {
    let mut bench = super_peer(&[1]);
    bench.input(Input::SegmentEvicted(key(77)));
    let dropped = |output: &Output| matches!(output, Output::SegmentDropped(_));
    assert!(!bench.outputs.iter().any(dropped));
}
