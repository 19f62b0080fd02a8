//! An encoder that begins anew: old bytes never answer for new segments.

mod bench;

use beekeepr_engine::{ConnKey, Input, ListedSegment, Output};
use beekeepr_model::{PeerId, SegmentId};
use beekeepr_peer_proto::Command;

use bench::{Bench, FOREIGN, STREAM, key};

const OURS: PeerId = PeerId(*b"-BK0001-another00000");

fn list(bench: &mut Bench, ids: std::ops::Range<i64>) {
    let segment = |id| ListedSegment {
        id: SegmentId(id),
        start_ms: id * 4_000,
        end_ms: (id + 1) * 4_000,
    };
    let segments: Vec<_> = ids.map(segment).collect();
    bench.input(Input::SegmentsListed {
        stream: STREAM,
        live: true,
        segments: &segments,
    });
}

/// A live viewer with segment 5 and a peer that has 5 and 6.
fn watching(peer: PeerId) -> (Bench, ConnKey) {
    let mut bench = Bench::new(beekeepr_engine::Config::default());
    list(&mut bench, 0..6);
    bench.plays_at(20_000);
    bench.load(5);
    let conn = bench.connect(peer);
    bench.has(conn, 5..7);
    bench.wait_ms(100);
    bench.outputs.clear();
    (bench, conn)
}

fn restart(bench: &mut Bench) {
    bench.input(Input::StreamRestarted { stream: STREAM });
    list(bench, 2..8);
}

fn dropped(bench: &Bench) -> bool {
    bench.saw(&Output::SegmentDropped(key(5)))
}

fn ready(bench: &Bench, id: i64) -> bool {
    let it = |output: &Output| matches!(output, Output::SegmentReady { segment, .. } if *segment == key(id));
    bench.outputs.iter().any(it)
}

#[test]
fn what_was_loaded_before_does_not_answer_for_the_same_number() {
    let (mut bench, _) = watching(FOREIGN);
    restart(&mut bench);
    assert!(dropped(&bench));
    bench.plays_at(20_000);
    bench.want(5);
    bench.wait_ms(100);
    assert!(!ready(&bench, 5) && bench.fetch_of(5).is_some());
}

#[test]
fn numbers_that_go_back_by_more_than_the_list_are_noticed_without_a_word() {
    let (mut bench, _) = watching(FOREIGN);
    list(&mut bench, 10..16);
    list(&mut bench, 4..8);
    assert!(dropped(&bench));
}

#[test]
fn a_list_that_is_a_little_behind_is_none() {
    let (mut bench, _) = watching(FOREIGN);
    list(&mut bench, 1..7);
    list(&mut bench, 0..6);
    assert!(!dropped(&bench));
}

#[test]
fn peers_are_told_and_nobody_gets_the_old_bytes() {
    let (mut bench, conn) = watching(FOREIGN);
    bench.asks(conn, 5);
    assert!(!bench.refused(conn));
    restart(&mut bench);
    let empty = |said: &Command| matches!(said, Command::SegmentsAnnouncement { loaded, .. } if loaded.is_empty());
    assert!(bench.said(conn).iter().any(empty));
    bench.asks(conn, 5);
    assert!(bench.refused(conn));
}

#[test]
fn a_peer_that_has_not_noticed_is_not_asked_for_what_it_had() {
    let (mut bench, conn) = watching(OURS);
    restart(&mut bench);
    bench.has(conn, 5..7);
    bench.plays_at(20_000);
    bench.want(5);
    bench.wait_ms(5_000);
    assert!(bench.request_of(conn, 5).is_none() && bench.fetch_of(5).is_some());
    // What it loads from now on is new, and everything once it has dropped what it had.
    bench.brings(5);
    bench.has(conn, 5..8);
    bench.plays_at(20_000);
    bench.wait_ms(200);
    assert!(bench.request_of(conn, 6).is_none() && bench.request_of(conn, 7).is_some());
    bench.delivers(conn, 7);
    bench.has(conn, 0..0);
    bench.has(conn, 6..7);
    bench.wait_ms(200);
    assert!(bench.request_of(conn, 6).is_some());
}

#[test]
fn a_newcomer_may_not_have_noticed_either() {
    let (mut bench, _) = watching(FOREIGN);
    restart(&mut bench);
    bench.plays_at(20_000);
    let newcomer = bench.connect(OURS);
    bench.has(newcomer, 5..7);
    bench.wait_ms(200);
    assert!(bench.request_of(newcomer, 5).is_none());
}

#[test]
fn a_segment_under_way_starts_over() {
    let (mut bench, conn) = watching(FOREIGN);
    bench.plays_at(20_000);
    bench.want(6);
    bench.wait_ms(100);
    assert!(bench.request_of(conn, 6).is_some() || bench.fetch_of(6).is_some());
    bench.outputs.clear();
    restart(&mut bench);
    bench.wait_ms(100);
    let fetched = bench.outputs.iter().find_map(|output| match output {
        Output::FetchStart {
            segment, offset, ..
        } if *segment == key(6) => Some(*offset),
        _ => None,
    });
    assert_eq!(fetched, Some(0));
    bench.brings(6);
    assert!(ready(&bench, 6));
}
