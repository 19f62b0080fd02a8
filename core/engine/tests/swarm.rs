//! Engines among themselves, in virtual time.

mod world;

use beekeepr_engine::Config;
use world::{Link, SEGMENT_MS, World};

fn viewers(world: &mut World, count: usize) -> Vec<usize> {
    (0..count)
        .map(|_| {
            let viewer = world.add_viewer(Config::default());
            world.run_ms(300);
            viewer
        })
        .collect()
}

/// Bytes so far of each viewer.
fn counters(world: &World, viewers: &[usize]) -> Vec<(u64, u64)> {
    viewers
        .iter()
        .map(|&viewer| world.nodes[viewer].bytes)
        .collect()
}

fn least_share(world: &World, viewers: &[usize], since: &[(u64, u64)]) -> f64 {
    let shares = viewers
        .iter()
        .zip(since)
        .map(|(&viewer, &since)| world.peer_share(viewer, since));
    shares.fold(1.0, f64::min)
}

#[test]
fn two_live_viewers_and_a_super_peer_leave_http_alone_once_warm() {
    for seed in 0..10 {
        let mut world = World::new(seed, true);
        world.add_super_peer();
        let viewers = viewers(&mut world, 2);
        world.run_ms(20_000);
        let warm = counters(&world, &viewers);
        world.run_ms(60_000);
        let share = least_share(&world, &viewers, &warm);
        assert!(share >= 0.99, "seed {seed}: share {share}");
        assert_eq!(world.total_stalled_ms(), 0, "seed {seed}");
    }
}

#[test]
fn a_super_peer_sends_a_segment_to_some_and_they_send_it_to_the_others() {
    let mut world = World::new(6, true);
    let seeder = world.add_super_peer();
    let viewers = viewers(&mut world, 8);
    world.run_ms(20_000);
    let before = world.nodes[seeder].uploaded;
    world.run_ms(60_000);
    let segments = 60_000 / SEGMENT_MS;
    let copies = (world.nodes[seeder].uploaded - before) / world::SEGMENT_BYTES / segments;
    assert!(
        copies <= 4,
        "the super-peer sent {copies} copies for {} viewers",
        viewers.len()
    );
    assert_eq!(world.total_stalled_ms(), 0);
}

#[test]
fn live_viewers_without_a_super_peer_share_one_request_for_a_segment() {
    for seed in 0..10 {
        let mut world = World::new(seed, true);
        let viewers = viewers(&mut world, 4);
        world.run_ms(20_000);
        let (warm, before) = (counters(&world, &viewers), world.origin_requests);
        world.run_ms(60_000);
        let segments = 60_000 / SEGMENT_MS;
        let requests = world.origin_requests - before;
        assert!(
            requests <= segments * 5 / 4,
            "seed {seed}: {requests} for {segments} segments"
        );
        let bytes: u64 = viewers
            .iter()
            .map(|&viewer| world.nodes[viewer].bytes.0)
            .sum::<u64>()
            - warm.iter().map(|&(http, _)| http).sum::<u64>();
        assert!(
            bytes <= segments * 5 / 4 * world::SEGMENT_BYTES,
            "seed {seed}: {bytes}"
        );
        assert_eq!(world.total_stalled_ms(), 0, "seed {seed}");
    }
}

#[test]
fn a_late_viewer_of_a_stream_on_demand_takes_it_from_the_first() {
    let mut world = World::new(3, false);
    viewers(&mut world, 1);
    world.run_ms(20_000);
    let late = world.add_viewer(Config::default());
    world.run_ms(30_000);
    assert!(world.nodes[late].delivered.len() >= 15);
    let share = world.peer_share(late, (0, 0));
    assert!(share > 0.6, "share {share}");
    assert_eq!(world.total_stalled_ms(), 0);
}

/// The first one has the whole film and nothing new to announce, ever; what it said when the channel opened
/// was not heard.
#[test]
fn a_late_viewer_hears_of_what_the_first_has_although_one_announcement_is_lost() {
    let mut world = World::new(8, false);
    let link = Link {
        loses_first: true,
        ..Link::default()
    };
    let first = world.add_viewer_on(link, Config::default());
    world.run_ms(130_000);
    assert_eq!(world.nodes[first].delivered.len(), 60);
    let late = world.add_viewer(Config::default());
    world.run_ms(40_000);
    let share = world.peer_share(late, (0, 0));
    assert!(share > 0.5, "share {share}");
    assert_eq!(world.total_stalled_ms(), 0);
}

#[test]
fn a_super_peer_brings_what_is_asked_for_of_a_stream_on_demand() {
    let mut world = World::new(4, false);
    world.add_super_peer();
    let viewer = world.add_viewer(Config::default());
    world.run_ms(60_000);
    let share = world.peer_share(viewer, (0, 0));
    assert!(share > 0.9, "share {share}");
    assert_eq!(world.total_stalled_ms(), 0);
}

#[test]
fn playback_survives_the_death_of_super_peer_and_tracker() {
    for seed in 0..10 {
        let mut world = World::new(seed, true);
        let seeder = world.add_super_peer();
        let viewers = viewers(&mut world, 2);
        world.run_ms(20_000);
        world.kill(seeder);
        world.kill_tracker();
        world.run_ms(40_000);
        assert_eq!(world.total_stalled_ms(), 0, "seed {seed}");
        for &viewer in &viewers {
            assert_eq!(world.nodes[viewer].failed, 0);
            assert_eq!(
                world.nodes[viewer].peers.len(),
                1,
                "the viewers keep each other"
            );
        }
    }
}

#[test]
fn a_viewer_alone_plays_over_http() {
    let mut world = World::new(5, true);
    world.tracker_up = false;
    let viewer = world.add_viewer(Config::default());
    world.run_ms(60_000);
    assert_eq!(world.total_stalled_ms(), 0);
    assert_eq!(world.nodes[viewer].bytes.1, 0);
    assert!(world.nodes[viewer].delivered.len() > 25);
}

#[test]
fn two_peers_keep_exactly_one_connection() {
    for seed in 0..50 {
        let mut world = World::new(seed, true);
        let first = world.add_viewer(Config::default());
        let second = world.add_viewer(Config::default());
        world.run_ms(90_000);
        assert_eq!(world.nodes[first].peers.len(), 1, "seed {seed}");
        assert_eq!(world.nodes[second].peers.len(), 1, "seed {seed}");
    }
}

#[test]
fn one_seed_gives_one_history() {
    let run = || {
        let mut world = World::new(9, true);
        world.add_super_peer();
        let all = viewers(&mut world, 3);
        world.run_ms(30_000);
        (world.origin_requests, counters(&world, &all))
    };
    assert_eq!(run(), run());
}
