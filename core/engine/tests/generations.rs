//! Viewers of one stream who name their swarms and number its segments in different ways.

mod world;

use beekeepr_model::PEER_ID_PREFIX_VIEWER;
use world::{Meeting, SEGMENT_BYTES, SEGMENT_MS, World};

const ALL: [Meeting; 3] = [Meeting::FIRST, Meeting::SECOND, Meeting::THIRD];
const NEWEST: &[u8; 8] = b"-PM0500-";
const OLDEST: &[u8; 8] = b"-PM0202-";
const WARM_MS: u64 = 60_000;
const MEASURED_MS: u64 = 60_000;

/// Plays until warm, then for a while; gives the share of each viewer's bytes that came from peers.
fn shares(world: &mut World) -> Vec<f64> {
    world.run_ms(WARM_MS);
    let before: Vec<_> = world.nodes.iter().map(|node| node.bytes).collect();
    world.run_ms(MEASURED_MS);
    assert_eq!(world.total_stalled_ms(), 0);
    let shares = before.iter().enumerate();
    shares
        .map(|(index, &since)| world.peer_share(index, since))
        .collect()
}

#[test]
fn a_viewer_in_all_swarms_gives_and_takes_in_each() {
    for live in [true, false] {
        let mut world = World::new(1, live);
        let old = world.add_viewer_in(&[Meeting::THIRD], OLDEST);
        world.run_ms(5_000);
        let ours = world.add_viewer_in(&ALL, PEER_ID_PREFIX_VIEWER);
        world.run_ms(5_000);
        let new = world.add_viewer_in(&[Meeting::SECOND], NEWEST);
        world.run_ms(30_000);
        let since = [ours, new].map(|viewer| (viewer, world.nodes[viewer].bytes));
        world.run_ms(if live { 90_000 } else { 30_000 });
        for (viewer, since) in since {
            let share = world.peer_share(viewer, since);
            // The first of our viewers fetches what the lone old one has not: 0.13 to 0.4 over seeds.
            assert!(share > 0.1, "live {live}, viewer {viewer}: {share}");
        }
        assert!(world.nodes[ours].uploaded > 5 * SEGMENT_BYTES);
        assert_eq!(world.nodes[ours].peers.len(), 2);
        assert_eq!(world.nodes[old].peers.len(), 1);
        assert_eq!(world.total_stalled_ms(), 0);
    }
}

#[test]
fn viewers_in_all_swarms_connect_once_and_load_once() {
    for seed in 0..3 {
        let mut world = World::new(seed, true);
        for _ in 0..4 {
            world.add_viewer_in(&ALL, PEER_ID_PREFIX_VIEWER);
            world.run_ms(300);
        }
        let requests = world.origin_requests;
        let shares = shares(&mut world);
        for node in &world.nodes {
            assert_eq!(node.peers.len(), 3, "seed {seed}");
            let received = node.bytes.0 + node.bytes.1;
            let played = (WARM_MS + MEASURED_MS) / SEGMENT_MS * SEGMENT_BYTES;
            assert!(
                received < played * 21 / 20 + 12 * SEGMENT_BYTES,
                "seed {seed}: {received}"
            );
        }
        let requests = (world.origin_requests - requests) as f64 / 60.0;
        assert!(requests < 1.3, "seed {seed}: {requests}");
        assert!(
            shares.iter().sum::<f64>() / 4.0 > 0.73,
            "seed {seed}: {shares:?}"
        );
    }
}

/// Announces and offers of six viewers until all have met, and of the announces those of a minute after it.
#[test]
fn two_more_swarms_cost_a_few_small_announces_and_hardly_an_offer() {
    let cost = |swarms: &[Meeting]| {
        let mut world = World::new(5, true);
        for _ in 0..6 {
            world.add_viewer_in(swarms, PEER_ID_PREFIX_VIEWER);
            world.run_ms(300);
        }
        world.run_ms(120_000);
        let (announces, offers) = (world.tracker.announces, world.tracker.offers);
        world.run_ms(60_000);
        assert_eq!(world.tracker.offers, offers, "all have met");
        (offers, world.tracker.announces - announces)
    };
    let (one, three) = (cost(&[Meeting::FIRST]), cost(&ALL));
    println!("one swarm {one:?}, three {three:?}");
    assert!(three.0 <= one.0 * 3 / 2, "{one:?} {three:?}");
    assert!(three.1 <= one.1 * 3 + 3, "{one:?} {three:?}");
}

#[test]
fn a_swarm_of_nobody_else_is_announced_to_more_rarely() {
    let mut world = World::new(6, true);
    world.add_viewer_in(&ALL, PEER_ID_PREFIX_VIEWER);
    world.run_ms(120_000);
    // Every 20 s in the first, every 30 s in the others, up to an eighth earlier, and the first time.
    assert!(
        (13..=18).contains(&world.tracker.announces),
        "{}",
        world.tracker.announces
    );
}

/// Three viewers of each generation: what meeting all of them is worth to those who do.
#[test]
fn in_a_mixed_audience_viewers_in_all_swarms_get_more_from_peers() {
    let share = |swarms: &[Meeting]| {
        let mut world = World::new(7, true);
        for _ in 0..3 {
            world.add_viewer_in(&[Meeting::SECOND], NEWEST);
            world.add_viewer_in(&[Meeting::THIRD], OLDEST);
            world.add_viewer_in(swarms, PEER_ID_PREFIX_VIEWER);
            world.run_ms(300);
        }
        let before = world.origin_requests;
        let shares = shares(&mut world);
        let all = shares.iter().sum::<f64>() / shares.len() as f64;
        (all, world.origin_requests - before)
    };
    let (apart, together) = (share(&[Meeting::FIRST]), share(&ALL));
    println!("apart {apart:?}, together {together:?}");
    assert!(together.0 > apart.0 + 0.1, "{together:?} {apart:?}");
}
