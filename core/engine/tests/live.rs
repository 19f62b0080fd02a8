//! Live viewers among themselves: about one request for a segment, however many watch.

mod world;

use beekeepr_engine::Config;
use world::{Link, SEGMENT_BYTES, SEGMENT_MS, World};

/// Until everybody has met everybody: each announce makes five offers, every 20 s.
const WARM_MS: u64 = 150_000;
const MEASURED_MS: u64 = 120_000;

/// Plays until warm, then for a while, and returns the origin's requests for each segment and the
/// share of the viewers' bytes that came from peers.
fn run(seed: u64, viewers: usize, super_peer: bool) -> (f64, f64) {
    let mut world = World::new(seed, true);
    if super_peer {
        world.add_super_peer();
    }
    for _ in 0..viewers {
        world.add_viewer(Config::default());
        world.run_ms(300);
    }
    world.run_ms(WARM_MS);
    let (requests, before) = (world.origin_requests, viewer_bytes(&world));
    world.run_ms(MEASURED_MS);
    assert_eq!(
        world.total_stalled_ms(),
        0,
        "seed {seed}, {viewers} viewers"
    );
    let requests = (world.origin_requests - requests) as f64;
    let after = viewer_bytes(&world);
    let (http, peers) = ((after.0 - before.0) as f64, (after.1 - before.1) as f64);
    let segments = (MEASURED_MS / SEGMENT_MS) as f64;
    let wasted = (http + peers) / (segments * viewers as f64 * SEGMENT_BYTES as f64);
    assert!(wasted < 1.03, "seed {seed}: {wasted} times the bytes");
    (requests / segments, peers / (http + peers))
}

fn viewer_bytes(world: &World) -> (u64, u64) {
    let viewers = world.nodes.iter().filter(|node| node.viewer);
    viewers.fold((0, 0), |sum, node| {
        (sum.0 + node.bytes.0, sum.1 + node.bytes.1)
    })
}

fn without_super_peer(viewers: usize, seeds: u64) {
    for seed in 0..seeds {
        let (requests, share) = run(seed, viewers, false);
        assert!(
            requests < 1.0 + 0.02 * viewers as f64,
            "seed {seed}: {requests} requests"
        );
        let bound = 1.0 - 1.0 / viewers as f64 - 0.02;
        assert!(
            share >= bound,
            "seed {seed}: share {share}, expected {bound}"
        );
    }
}

fn with_super_peer(viewers: usize, seeds: u64) {
    for seed in 0..seeds {
        let (requests, share) = run(seed, viewers, true);
        assert!(share >= 0.99, "seed {seed}: share {share}");
        assert!(requests <= 1.05, "seed {seed}: {requests} requests");
    }
}

#[test]
fn two_live_viewers_make_one_request_for_a_segment() {
    without_super_peer(2, 4);
}

#[test]
fn four_live_viewers_make_one_request_for_a_segment() {
    without_super_peer(4, 2);
}

#[test]
fn eight_live_viewers_make_one_request_for_a_segment() {
    without_super_peer(8, 2);
}

#[test]
fn thirty_live_viewers_make_one_request_for_a_segment() {
    without_super_peer(30, 1);
}

#[test]
fn with_a_super_peer_live_viewers_make_next_to_none() {
    with_super_peer(2, 2);
    with_super_peer(8, 1);
}

#[test]
fn thirty_live_viewers_with_a_super_peer_make_next_to_none() {
    with_super_peer(30, 1);
}

#[test]
fn viewers_come_and_go_and_nobody_stalls() {
    for seed in 0..2 {
        let mut world = World::new(seed, true);
        let link = Link {
            up_kbps: 3_000,
            ..Link::default()
        };
        for _ in 0..8 {
            world.add_viewer_on(link.clone(), Config::default());
            world.run_ms(300);
        }
        world.run_ms(30_000);
        let before = viewer_bytes(&world);
        for leaves in 0..12 {
            world.kill(leaves);
            world.add_viewer_on(link.clone(), Config::default());
            world.run_ms(5_000);
        }
        assert_eq!(world.total_stalled_ms(), 0, "seed {seed}");
        let after = viewer_bytes(&world);
        let (http, peers) = ((after.0 - before.0) as f64, (after.1 - before.1) as f64);
        let share = peers / (http + peers);
        // Whoever arrives fills its buffer over HTTP, and who leaves takes what only it had.
        assert!(share > 0.65, "seed {seed}: share {share}");
    }
}

#[test]
fn narrow_uplinks_are_not_asked_for_more_than_they_have() {
    // Each can send two and a half copies of the stream.
    let link = Link {
        up_kbps: 1_000,
        ..Link::default()
    };
    let mut world = World::new(3, true);
    for _ in 0..8 {
        world.add_viewer_on(link.clone(), Config::default());
        world.run_ms(300);
    }
    world.run_ms(60_000);
    let before = viewer_bytes(&world);
    world.run_ms(60_000);
    let after = viewer_bytes(&world);
    let (http, peers) = ((after.0 - before.0) as f64, (after.1 - before.1) as f64);
    let share = peers / (http + peers);
    assert!(share > 0.8, "share {share}");
    assert_eq!(world.total_stalled_ms(), 0);
}
