//! Several super-peers in one swarm: two seeders, or one that appears as several peers.

mod world;

use beekeepr_engine::Config;
use world::{SEGMENT_BYTES, SEGMENT_MS, World};

/// A live stream with so many super-peers and viewers, warm.
fn world(seed: u64, super_peers: usize, viewers: usize) -> World {
    let mut world = World::new(seed, true);
    for _ in 0..super_peers {
        world.add_super_peer();
        world.run_ms(300);
    }
    for _ in 0..viewers {
        world.add_viewer(Config::default());
        world.run_ms(300);
    }
    world.run_ms(20_000);
    world
}

#[test]
fn two_seeders_share_the_load() {
    let mut total = [0, 0];
    for seed in 0..3 {
        let mut world = world(seed, 2, 6);
        let before = [0, 1].map(|it| world.nodes[it].uploaded);
        world.run_ms(60_000);
        let sent = [0, 1].map(|it| world.nodes[it].uploaded - before[it]);
        // Each viewer keeps to the one that has been quicker; a minute of six viewers is few choices.
        assert!(sent.iter().all(|&it| it > 0), "seed {seed}: {sent:?}");
        total = [total[0] + sent[0], total[1] + sent[1]];
        // No more copies than one seeder would send.
        let copies = (sent[0] + sent[1]) / SEGMENT_BYTES / (60_000 / SEGMENT_MS);
        assert!(copies <= 3, "seed {seed}: {copies}");
        assert_eq!(world.total_stalled_ms(), 0, "seed {seed}");
    }
    let all = total[0] + total[1];
    assert!(total.iter().all(|&it| it * 4 >= all), "{total:?}");
}

#[test]
fn the_death_of_either_seeder_costs_no_stall_and_hardly_a_request() {
    for seed in 0..2 {
        let mut world = world(seed, 2, 4);
        world.kill(usize::from(seed % 2 == 1));
        // Until the viewers know: the dead one answers nothing for 4 s.
        world.run_ms(15_000);
        let viewers = 2..6;
        let before: Vec<(u64, u64)> = viewers.clone().map(|it| world.nodes[it].bytes).collect();
        world.run_ms(60_000);
        for (viewer, since) in viewers.zip(before) {
            let share = world.peer_share(viewer, since);
            assert!(share >= 0.99, "seed {seed}, viewer {viewer}: {share}");
            assert_eq!(world.nodes[viewer].failed, 0, "seed {seed}");
        }
        assert_eq!(world.total_stalled_ms(), 0, "seed {seed}");
    }
}

#[test]
fn super_peers_do_not_connect_to_each_other() {
    let mut world = world(1, 3, 0);
    world.run_ms(120_000);
    assert!(world.nodes.iter().all(|node| node.peers.is_empty()));
    // Two others are there: five offers once, then one at a time finds out whether that changes.
    assert!(
        world.tracker.offers <= 3 * 2 + 3 * 7,
        "{}",
        world.tracker.offers
    );
}

#[test]
fn a_lone_viewer_of_three_logical_peers_takes_nothing_from_http_once_warm() {
    for seed in 0..2 {
        let mut world = world(seed, 3, 1);
        let before = world.nodes[3].bytes;
        world.run_ms(60_000);
        let share = world.peer_share(3, before);
        assert!(share >= 0.99, "seed {seed}: {share}");
        assert_eq!(world.total_stalled_ms(), 0, "seed {seed}");
    }
}
