//! Our tracker and bittorrent-tracker's server, told the same, must send the same.

#![cfg(test)]

use beekeepr_service::Shutdown;
use beekeepr_tracker::{Config, Limits, start};
use prometheus::Registry;
use serde_json::json;

/// Each step is four round trips to each tracker.
const STEPS: u32 = 1_000;

#[tokio::test(flavor = "multi_thread")]
async fn two_trackers_send_the_same() {
    let config = Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        limits: Limits {
            requests_per_connection_per_s: 1_000_000,
            ..Limits::default()
        },
        ..Config::default()
    };
    let (_trigger, shutdown) = Shutdown::new();
    let running = start(config, &Registry::new(), shutdown).await.unwrap();
    let url = format!("ws://{}/", running.addresses[0]);
    let input = json!({"url": url, "seed": 1, "steps": STEPS});
    let run = move || beekeepr_interop::node("tracker/trace.mjs", &[], &input);
    let report = tokio::task::spawn_blocking(run).await.unwrap().unwrap();
    assert_eq!(report["differences"], json!([]));
    assert!(
        report["messages"].as_u64().unwrap() > u64::from(STEPS),
        "{report}"
    );
}
