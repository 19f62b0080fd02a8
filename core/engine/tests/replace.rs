//! Connections that break, and what comes in their place.

mod bench;
mod world;

use beekeepr_engine::{Config, ConnKey, Input, Output};
use beekeepr_model::PeerId;

use bench::{Bench, FOREIGN};
use world::World;

const OURS: PeerId = PeerId(*b"-BK0001-another00000");

/// A viewer whose peer has brought it a segment.
fn sharing(peer: PeerId) -> (Bench, ConnKey) {
    let mut bench = Bench::new(Config::default());
    bench.load(0);
    let conn = bench.connect(peer);
    bench.wait_ms(10_000);
    bench.has(conn, 5..29);
    bench.wait_ms(100);
    bench.delivers(conn, 5);
    bench.outputs.clear();
    (bench, conn)
}

fn announces(bench: &Bench) -> usize {
    let sends = |output: &&Output| matches!(output, Output::TrackerSend { .. });
    bench.outputs.iter().filter(sends).count()
}

#[test]
fn who_loses_its_only_peer_looks_for_it_at_once() {
    let (mut bench, conn) = sharing(OURS);
    bench.input(Input::ChannelClosed(conn));
    bench.wait_ms(6_000);
    assert_eq!(announces(&bench), 1);
    bench.wait_ms(10_000);
    assert_eq!(announces(&bench), 1, "once is enough");
}

#[test]
fn who_loses_a_peer_that_was_of_no_use_waits_for_the_tracker() {
    let mut bench = Bench::new(Config::default());
    bench.load(0);
    let conn = bench.connect(OURS);
    bench.wait_ms(10_000);
    bench.outputs.clear();
    bench.input(Input::ChannelClosed(conn));
    bench.wait_ms(6_000);
    assert_eq!(announces(&bench), 0);
}

#[test]
fn a_good_peer_that_falls_silent_is_no_bad_one() {
    let (mut bench, conn) = sharing(OURS);
    bench.wait_ms(13_000);
    assert!(bench.saw(&Output::ConnClose(conn)));
    assert!(bench.offered(OURS).is_some(), "it may come back");
}

#[test]
fn a_peer_that_offers_anew_over_a_silent_connection_replaces_it() {
    let (mut bench, old) = sharing(OURS);
    bench.input(Input::SegmentWanted(bench::key(1)));
    bench.outputs.clear();
    assert!(bench.offered(OURS).is_none(), "it was heard a moment ago");
    bench.has(old, 0..0);
    bench.wait_ms(11_000);
    let new = bench.offered(OURS).expect("the old one may have broken");
    assert!(
        !bench.saw(&Output::ConnClose(old)),
        "the new one is not there yet"
    );
    bench.input(Input::AnswerReady {
        conn: new,
        sdp: "v=0",
    });
    bench.input(Input::ChannelOpened(new));
    assert!(bench.saw(&Output::ConnClose(old)));
}

#[test]
fn a_foreign_peer_decides_itself_which_of_two_it_keeps() {
    let (mut bench, old) = sharing(FOREIGN);
    bench.has(old, 0..0);
    bench.wait_ms(11_000);
    let new = bench.connect(FOREIGN);
    assert!(!bench.saw(&Output::ConnClose(old)));
    bench.input(Input::ChannelClosed(new));
    assert!(!bench.saw(&Output::ConnClose(old)));
}

#[test]
fn two_viewers_whose_connection_broke_share_again_within_seconds() {
    for seed in 0..10 {
        let mut world = World::new(seed, true);
        let first = world.add_viewer(Config::default());
        world.add_viewer(Config::default());
        world.run_ms(60_000);
        world.cut(first);
        world.run_ms(8_000);
        assert_eq!(world.nodes[first].peers.len(), 1, "seed {seed}");
        assert_eq!(world.total_stalled_ms(), 0, "seed {seed}");
    }
}
