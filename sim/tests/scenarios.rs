//! The kept scenarios and their bounds: a few dozen viewers here, all of them by hand:
//! `cargo test --release -p beekeepr-sim --test scenarios -- --ignored --nocapture`

use beekeepr_sim::{Report, SCENARIOS, Scenario, scenario};

/// Viewers of each in the ordinary tests.
const FEW: u32 = 60;
const SEED: u64 = 1;

fn verify(scenario: &Scenario, viewers: Option<u32>) -> Report {
    let report = scenario.run(viewers, SEED);
    let duration_ms = scenario.config(viewers, SEED).duration_ms;
    let misses = scenario.misses(&report, duration_ms);
    assert!(
        misses.is_empty(),
        "{}: {misses:#?}\n{report}",
        scenario.name
    );
    report
}

fn small(name: &str) {
    let scenario = scenario(name).expect("the scenario is there");
    verify(scenario, Some(FEW));
}

#[test]
fn a_flash_crowd_is_served() {
    small("flash-crowd");
}

#[test]
fn viewers_that_come_and_go_share() {
    small("steady-live");
}

#[test]
fn on_demand_those_who_seek_share() {
    small("vod-seeks");
}

#[test]
fn when_most_leave_the_rest_plays_on() {
    small("mass-leave");
}

#[test]
fn a_dead_tracker_stops_nobody() {
    small("tracker-dead");
}

#[test]
fn an_origin_that_answers_503_is_outlasted() {
    small("origin-503");
}

#[test]
fn dead_super_peers_stop_nobody() {
    small("super-peer-dead");
}

#[test]
fn symmetric_nat_leaves_most_of_the_sharing() {
    small("symmetric-nat");
}

#[test]
fn narrow_uplinks_stall_nobody() {
    small("narrow-uplinks");
}

#[test]
fn polluters_are_found_out() {
    small("polluters");
}

#[test]
fn everybody_changes_the_rendition_together() {
    small("switch");
}

#[test]
#[ignore = "takes minutes of one core"]
fn all_at_their_full_size() {
    for scenario in &SCENARIOS {
        println!(
            "{}: {}\n{}\n",
            scenario.name,
            scenario.about,
            verify(scenario, None)
        );
    }
}
