//! Whom a page lets its viewers meet.

mod bench;

use beekeepr_engine::{Config, Input, Output, ServerMessage, TrackerKey};
use beekeepr_model::{InfoHash, PeerId};

use bench::{Bench, FOREIGN};

const SUPER_PEER: PeerId = PeerId(*b"-BS0001-xxxxxxxxxxxx");

fn offers(bench: &Bench) -> usize {
    let is_offer = |output: &&Output| matches!(output, Output::OfferCreate(_));
    bench.outputs.iter().filter(is_offer).count()
}

/// The tracker says how many there are, this viewer included.
fn counted(bench: &mut Bench, peers: u32) {
    bench.input(Input::TrackerOpened(TrackerKey(0)));
    bench.input(Input::TrackerMessage {
        tracker: TrackerKey(0),
        message: &ServerMessage::Announced {
            info_hash: InfoHash(*b"swarmswarmswarmswarm"),
            interval_s: 30,
            complete: 0,
            incomplete: peers,
            warning: None,
        },
    });
    bench.input(Input::Tick);
}

#[test]
fn among_super_peers_only_no_viewer_learns_of_us() {
    let mut bench = Bench::new(Config {
        super_peers_only: true,
        ..Config::default()
    });
    bench.load(0);
    counted(&mut bench, 5);
    assert_eq!(bench.offered(FOREIGN), None);
    assert!(bench.offered(SUPER_PEER).is_some());
    assert_eq!(offers(&bench), 0);
}

#[test]
fn viewers_are_met_when_there_are_enough_of_them() {
    let mut bench = Bench::new(Config {
        viewers_min: 3,
        ..Config::default()
    });
    bench.load(0);
    counted(&mut bench, 2);
    assert_eq!((bench.offered(FOREIGN), offers(&bench)), (None, 0));
    counted(&mut bench, 3);
    // With the next announce.
    bench.wait_ms(31_000);
    assert!(offers(&bench) > 0);
    assert!(bench.offered(FOREIGN).is_some());
}
