//! One segment from several senders.

mod bench;
mod world;

use beekeepr_engine::{Config, ConnKey, Input, Output};
use beekeepr_model::{PeerId, SegmentId, Time};
use beekeepr_peer_proto::Command;

use bench::{Bench, FOREIGN, key};
use world::World;

const LARGE: u64 = 400_000;

fn peer(number: u8) -> PeerId {
    let mut id = FOREIGN;
    id.0[19] = b'a' + number;
    id
}

/// A peer sends segment 3 so slowly that HTTP would have to begin before it is done; another one has it too.
fn late() -> (Bench, ConnKey, ConnKey) {
    let mut bench = Bench::new(Config::default());
    bench.load(0);
    let (slow, other) = (bench.connect(peer(1)), bench.connect(peer(2)));
    bench.has(slow, 3..4);
    bench.want(3);
    bench.sends(slow, 3, LARGE);
    bench.wait_ms(400);
    bench.bytes(slow, 20_000);
    bench.has(other, 3..4);
    bench.wait_ms(100);
    (bench, slow, other)
}

fn done(bench: &mut Bench, conn: ConnKey) {
    let (request, _) = bench.request_of(conn, 3).expect("it was asked");
    let segment = SegmentId(3);
    bench.says(
        conn,
        &Command::SegmentDataSendingCompleted { segment, request },
    );
}

fn is_ready(bench: &Bench) -> bool {
    let ready = |output: &Output| matches!(output, Output::SegmentReady { segment, .. } if *segment == key(3));
    bench.outputs.iter().any(ready)
}

/// Where the bytes belong that a peer sends.
fn place(bench: &mut Bench, conn: ConnKey, bytes: usize) -> Option<u64> {
    let place = bench
        .engine
        .place(bench.now, conn, bytes)
        .map(|it| it.offset);
    bench.collect();
    place
}

/// Where the second peer was asked to begin.
fn tail(bench: &Bench, other: ConnKey) -> u64 {
    bench
        .request_of(other, 3)
        .expect("the other peer is asked")
        .1
}

#[test]
fn a_second_peer_brings_the_end_of_a_segment_that_one_would_bring_too_late() {
    let (mut bench, slow, other) = late();
    let tail = tail(&bench, other);
    // Nothing is known of the other one, so each gets half.
    assert_eq!(tail, 20_000 + (LARGE - 20_000) / 2);
    bench.sends(other, 3, LARGE);
    assert_eq!(place(&mut bench, other, 50_000), Some(tail));
    assert_eq!(place(&mut bench, slow, 60_000), Some(20_000));
    assert_eq!(place(&mut bench, other, 50_000), Some(tail + 50_000));
    let rest = (tail - 80_000) as usize;
    assert_eq!(place(&mut bench, slow, rest), Some(80_000));
    assert!(bench.cancelled(slow), "the first goes on beyond the tail");
    assert_eq!(place(&mut bench, slow, 1_000), None);
    let rest = (LARGE - tail - 100_000) as usize;
    assert_eq!(place(&mut bench, other, rest), Some(tail + 100_000));
    done(&mut bench, other);
    assert!(is_ready(&bench));
    assert_eq!(bench.error(), None);
}

#[test]
fn a_tail_that_is_whole_first_waits_for_the_beginning() {
    let (mut bench, slow, other) = late();
    let tail = tail(&bench, other);
    bench.sends(other, 3, LARGE);
    place(&mut bench, other, (LARGE - tail) as usize);
    done(&mut bench, other);
    assert!(!is_ready(&bench));
    place(&mut bench, slow, (tail - 20_000) as usize);
    assert!(is_ready(&bench) && bench.cancelled(slow));
}

#[test]
fn a_helper_that_has_not_begun_is_not_waited_for() {
    let (mut bench, slow, other) = late();
    let tail = tail(&bench, other);
    place(&mut bench, slow, (tail - 20_000) as usize);
    assert!(bench.cancelled(other) && !bench.cancelled(slow));
    place(&mut bench, slow, (LARGE - tail) as usize);
    done(&mut bench, slow);
    assert!(is_ready(&bench));
}

#[test]
fn http_fills_the_gap_before_the_tail_and_stops_there() {
    let (mut bench, slow, other) = late();
    let tail = tail(&bench, other);
    bench.sends(other, 3, LARGE);
    place(&mut bench, other, (LARGE - tail) as usize);
    done(&mut bench, other);
    bench.input(Input::ChannelClosed(slow));
    bench.input(Input::ChannelClosed(other));
    bench.plays_at(11_000);
    bench.wait_ms(100);
    let fetch = bench.fetch_of(3).expect("nobody else has it");
    let from = bench.outputs.iter().find_map(|output| match output {
        Output::FetchStart {
            fetch: it, offset, ..
        } if *it == fetch => Some(*offset),
        _ => None,
    });
    assert_eq!(from, Some(20_000));
    let total = Some(LARGE);
    bench.input(Input::FetchStarted {
        fetch,
        offset: 20_000,
        total,
    });
    bench.input(Input::FetchProgress {
        fetch,
        bytes: (tail - 20_000 + 500) as u32,
    });
    assert!(bench.saw(&Output::FetchCancel(fetch)));
    assert!(is_ready(&bench));
}

#[test]
fn a_helper_of_another_size_loses_the_tail_and_nothing_else() {
    let (mut bench, slow, other) = late();
    bench.sends(other, 3, LARGE + 1);
    assert!(bench.saw(&Output::ConnClose(other)));
    assert!(!bench.saw(&Output::SegmentDropped(key(3))));
    place(&mut bench, slow, (LARGE - 20_000) as usize);
    done(&mut bench, slow);
    assert!(is_ready(&bench));
}

#[test]
fn a_peer_that_is_in_time_gets_no_help() {
    let mut bench = Bench::new(Config::default());
    bench.load(0);
    let (quick, other) = (bench.connect(peer(1)), bench.connect(peer(2)));
    bench.has(quick, 3..4);
    bench.want(3);
    bench.sends(quick, 3, LARGE);
    bench.has(other, 3..4);
    for _ in 0..3 {
        bench.wait_ms(300);
        bench.bytes(quick, 60_000);
    }
    assert!(bench.request_of(other, 3).is_none());
    assert!(bench.now > Time::ZERO);
}

/// The share of a viewer's bytes that came from five peers, each of whom can send `up_kbps` where the stream
/// has 400.
fn shared(up_kbps: u64, seed: u64, live: bool) -> f64 {
    let mut world = World::new(seed, live);
    for _ in 0..5 {
        let peer = world.add_super_peer();
        world.nodes[peer].link.up_kbps = up_kbps;
    }
    world.run_ms(10_000);
    let viewer = world.add_viewer(Config::default());
    world.run_ms(20_000);
    let before = world.nodes[viewer].bytes;
    world.run_ms(60_000);
    assert_eq!(world.total_stalled_ms(), 0);
    world.peer_share(viewer, before)
}

/// 150 kbit/s each: no peer has half of what the stream needs, two bring a live segment in time. Before, live
/// viewers took 0.57 of their bytes from such peers, those of a stream on demand 0.44.
#[test]
fn slow_peers_together_bring_what_none_would_bring_in_time() {
    for live in [true, false] {
        for seed in 0..3 {
            let share = shared(150, seed, live);
            assert!(share > 0.95, "live {live}, seed {seed}: {share}");
        }
    }
}
