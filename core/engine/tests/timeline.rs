//! Timelines that are not a straight line: advertisements, jumps, ends, seeks, other speeds.

mod world;

use beekeepr_engine::Config;
use world::{SEGMENT_BYTES, World};

/// So many viewers, warm.
fn watching(seed: u64, live: bool, viewers: usize) -> World {
    let mut world = World::new(seed, live);
    for _ in 0..viewers {
        world.add_viewer(Config::default());
        world.run_ms(300);
    }
    world.run_ms(20_000);
    world
}

/// The share of all viewers' bytes that came from peers in the next `ms`, and no stall.
fn share(world: &mut World, ms: u64) -> f64 {
    let before: Vec<_> = world.nodes.iter().map(|node| node.bytes).collect();
    let stalled = world.total_stalled_ms();
    world.run_ms(ms);
    assert_eq!(world.total_stalled_ms(), stalled);
    let shares = before.iter().enumerate();
    let shares = shares.map(|(index, &since)| world.peer_share(index, since));
    shares.sum::<f64>() / before.len() as f64
}

#[test]
fn an_advertisement_on_a_timeline_of_its_own_is_shared_like_the_rest() {
    let mut world = watching(1, true, 3);
    // From here on the encoder's clock is an hour ahead; players put the segments where they play.
    world.skew_ms = 3_600_000;
    let share = share(&mut world, 60_000);
    assert!(share > 0.55, "{share}");
}

#[test]
fn a_live_stream_that_ends_is_played_to_its_end_and_shared() {
    let mut world = watching(3, true, 3);
    world.end();
    let edge = world.live_edge() as i64;
    world.run_ms(30_000);
    for node in &world.nodes {
        assert!(node.delivered.iter().any(|id| id.0 == edge));
        assert_eq!((node.failed, node.stalled_ms), (0, 0));
    }
}

#[test]
fn who_seeks_on_demand_is_served_at_once_by_those_who_have_been_there() {
    let mut world = watching(4, false, 1);
    world.run_ms(60_000);
    let late = world.add_viewer(Config::default());
    world.run_ms(5_000);
    let stalled = world.nodes[late].stalled_ms;
    let before = world.nodes[late].bytes;
    world.seek(late, 60_000);
    world.run_ms(15_000);
    let from_origin = world.nodes[late].bytes.0 - before.0;
    assert!(from_origin <= 4 * SEGMENT_BYTES, "{from_origin}");
    // Until its first segment is there nothing plays, over HTTP alone as well.
    assert!(world.nodes[late].stalled_ms - stalled <= 300);
}

#[test]
fn back_where_it_was_a_viewer_loads_nothing_twice() {
    let mut world = watching(5, false, 1);
    world.run_ms(20_000);
    let before = world.origin_bytes;
    world.seek(0, 4_000);
    world.run_ms(5_000);
    assert!(world.origin_bytes - before <= 4 * SEGMENT_BYTES);
    assert_eq!(world.nodes[0].stalled_ms, 0);
}

#[test]
fn at_twice_the_speed_nobody_stalls_and_peers_still_serve() {
    let mut world = watching(6, false, 1);
    world.run_ms(60_000);
    let fast = world.add_viewer(Config::default());
    world.nodes[fast].rate_milli = 2_000;
    world.run_ms(25_000);
    assert_eq!(world.nodes[fast].stalled_ms, 0);
    let share = world.peer_share(fast, (0, 0));
    assert!(share > 0.6, "{share}");
}

#[test]
fn a_jump_to_the_live_edge_is_served_and_shared_on() {
    let mut world = watching(7, true, 4);
    let edge = world.live_edge();
    world.seek(3, (edge - 1) * world::SEGMENT_MS);
    let stalled = world.nodes[3].stalled_ms;
    world.run_ms(3_000);
    let jumped = world.nodes[3].stalled_ms - stalled;
    assert!(jumped <= 300, "{jumped} ms");
    let share = share(&mut world, 40_000);
    assert!(share > 0.5, "{share}");
}
