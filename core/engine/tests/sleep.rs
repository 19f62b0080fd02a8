//! Clocks that leap: a laptop that sleeps for an hour, a page that is frozen for seconds.

mod bench;
mod world;

use beekeepr_engine::{Config, Event, Input, Output};
use beekeepr_model::Time;

use bench::{Bench, FOREIGN, SIZE, key};
use world::World;

const HOUR_MS: u64 = 3_600_000;

/// A viewer with a peer that is sending segment 5.
fn loading() -> (Bench, beekeepr_engine::ConnKey) {
    let mut bench = Bench::new(Config::default());
    bench.load(0);
    let conn = bench.connect(FOREIGN);
    bench.has(conn, 5..29);
    bench.wait_ms(100);
    bench.sends(conn, 5, SIZE);
    bench.bytes(conn, 10_000);
    (bench, conn)
}

#[test]
fn after_a_freeze_nobody_is_blamed_for_having_been_silent() {
    let (mut bench, conn) = loading();
    bench.now = bench.now + 8_000;
    // The timer comes before what has arrived meanwhile.
    bench.input(Input::Tick);
    assert_eq!(bench.error(), None);
    assert!(!bench.cancelled(conn));
    assert!(bench.bytes(conn, 30_000));
}

#[test]
fn what_was_being_fetched_goes_on_after_a_freeze() {
    let mut bench = Bench::new(Config::default());
    bench.want(0);
    bench.now = bench.now + 8_000;
    bench.input(Input::Tick);
    bench.brings(0);
    let ready = |output: &Output| matches!(output, Output::SegmentReady { segment, .. } if *segment == key(0));
    assert!(bench.outputs.iter().any(ready));
}

#[test]
fn the_playhead_stands_still_meanwhile() {
    let (mut bench, conn) = loading();
    bench.now = bench.now + HOUR_MS;
    bench.input(Input::Tick);
    // Were the playhead an hour ahead, nothing would be needed any more.
    assert!(!bench.cancelled(conn));
}

#[test]
fn the_next_look_is_due_by_the_clock_of_the_shell() {
    let (mut bench, _) = loading();
    bench.now = bench.now + HOUR_MS;
    bench.input(Input::Tick);
    let deadline = bench.engine.deadline().map(Time::as_ms);
    let due = bench.now.as_ms()..=bench.now.as_ms() + 1_000;
    assert!(deadline.is_some_and(|at| due.contains(&at)), "{deadline:?}");
}

#[test]
fn after_an_hour_the_trackers_hear_of_us_at_once() {
    let (mut bench, _) = loading();
    bench.outputs.clear();
    bench.now = bench.now + HOUR_MS;
    bench.wait_ms(3_500);
    let started = bench.outputs.iter().any(|output| match output {
        Output::TrackerSend { message, .. } => message.text().contains(r#""event":"started""#),
        _ => false,
    });
    assert!(started);
}

/// Browsers call a hidden page's timers once a minute; a machine that is too busy calls them rarely.
#[test]
fn naps_add_up_to_a_sleep_after_which_the_trackers_hear_of_us() {
    for (nap_ms, naps) in [(60_000, 10), (10_000, 12)] {
        let (mut bench, _) = loading();
        bench.outputs.clear();
        for _ in 0..naps {
            bench.now = bench.now + nap_ms;
            bench.input(Input::Tick);
            // What is due begins with offers, which wait for the page.
            bench.wait_ms(3_200);
        }
        let announces = bench.outputs.iter().filter(|output| match output {
            Output::TrackerSend { message, .. } => message.text().contains(r#""event":"started""#),
            _ => false,
        });
        assert!(announces.count() >= 4, "{nap_ms}");
    }
}

#[test]
fn a_viewer_that_slept_for_an_hour_plays_on_at_the_edge_and_shares_again() {
    for seed in 0..4 {
        let mut world = World::new(seed, true);
        for _ in 0..3 {
            world.add_viewer(Config::default());
            world.run_ms(300);
        }
        world.run_ms(20_000);
        world.sleep(0, HOUR_MS);
        world.run_ms(HOUR_MS + 1_000);
        let edge = world.live_edge();
        world.seek(0, (edge - 2) * world::SEGMENT_MS);
        world.run_ms(20_000);
        let node = &world.nodes[0];
        let newest = node.delivered.last().map(|id| id.0 as u64);
        assert!(newest >= Some(edge), "seed {seed}: {newest:?} of {edge}");
        assert_eq!(node.failed, 0, "seed {seed}");
        assert_eq!(node.peers.len(), 2, "seed {seed}");
        let before = node.bytes;
        world.run_ms(40_000);
        let share = world.peer_share(0, before);
        assert!(share > 0.4, "seed {seed}: {share}");
        assert_eq!(world.nodes[1].stalled_ms, 0, "seed {seed}");
    }
}

#[test]
fn frozen_for_some_seconds_a_viewer_keeps_its_peers() {
    let mut world = World::new(7, true);
    for _ in 0..3 {
        world.add_viewer(Config::default());
        world.run_ms(300);
    }
    world.run_ms(20_000);
    world.nodes[0].asleep_until = Some(world.now + 8_000);
    world.run_ms(30_000);
    assert_eq!(world.nodes[0].peers.len(), 2);
    let closed = |event: &Event| matches!(event, Event::PeerClosed { .. });
    let of_others = world.nodes[1..].iter().flat_map(|node| &node.events);
    assert_eq!(of_others.filter(|event| closed(event)).count(), 0);
    let left = world.nodes[0].events.iter().filter(|event| closed(event));
    assert_eq!(left.count(), 0);
}
