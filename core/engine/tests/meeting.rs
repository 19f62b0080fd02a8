//! On demand, what a quick line would load before anybody is met.

mod world;

use beekeepr_engine::Config;
use world::{Link, SEGMENT_BYTES, World};

/// A line that fills the buffer in two seconds: 40 times the bit rate.
fn quick() -> Link {
    Link {
        http_kbps: 16_000,
        ..Link::default()
    }
}

/// A viewer whose player takes 80 s ahead, as hls.js does at low bit rates.
fn eager(world: &mut World, config: Config) -> usize {
    let viewer = world.add_viewer_on(quick(), config);
    world.nodes[viewer].buffer_ms = 80_000;
    viewer
}

fn from_origin(world: &World, viewer: usize) -> u64 {
    world.nodes[viewer].bytes.0 / SEGMENT_BYTES
}

#[test]
fn a_viewer_with_a_quick_line_meets_others_before_it_loads_everything_from_the_origin() {
    for seed in 0..10 {
        let mut world = World::new(seed, false);
        eager(&mut world, Config::default());
        world.run_ms(20_000);
        let late = eager(&mut world, Config::default());
        world.run_ms(20_000);
        let segments = from_origin(&world, late);
        assert!(segments <= 7, "seed {seed}: {segments} segments");
        assert_eq!(world.nodes[late].stalled_ms, 0, "seed {seed}");
    }
}

#[test]
fn ten_seconds_of_the_film_are_loaded_at_once_whoever_comes() {
    let mut world = World::new(1, false);
    let viewer = eager(&mut world, Config::default());
    world.run_ms(1_000);
    assert!(world.nodes[viewer].delivered.len() >= 5);
}

#[test]
fn a_tracker_that_is_silent_holds_nobody_up_for_long() {
    let mut world = World::new(2, false);
    world.tracker_up = false;
    let viewer = eager(&mut world, Config::default());
    // 5 s of waiting; the player takes less than ten segments a second.
    world.run_ms(11_000);
    assert!(world.nodes[viewer].delivered.len() >= 40);
    assert_eq!(world.nodes[viewer].stalled_ms, 0);
}

#[test]
fn who_is_alone_fills_its_buffer_as_soon_as_the_tracker_says_so() {
    let mut world = World::new(3, false);
    let viewer = eager(&mut world, Config::default());
    world.run_ms(5_000);
    assert!(world.nodes[viewer].delivered.len() >= 30);
}
