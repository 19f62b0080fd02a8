//! bittorrent-tracker's own client, which every WebTorrent page and p2p-media-loader use, at our
//! tracker: each event of a peer's life, offers and answers, scrapes.

#![cfg(test)]

use beekeepr_service::Shutdown;
use beekeepr_tracker::{Config, start};
use prometheus::Registry;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn the_npm_client_lives_a_peers_life() {
    // With several workers the two find each other wherever they arrive.
    for workers in [1, 2] {
        let config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            workers: Some(workers),
            ..Config::default()
        };
        let (_trigger, shutdown) = Shutdown::new();
        let running = start(config, &Registry::new(), shutdown).await.unwrap();
        let input = json!({"url": format!("ws://{}/", running.addresses[0])});
        let run = move || beekeepr_interop::node("tracker/client.mjs", &[], &input);
        let report = tokio::task::spawn_blocking(run).await.unwrap().unwrap();
        let expected = json!({
            "updates": [
                ["a starts", 0, 1, true],
                ["b starts", 0, 2, true],
                ["b updates", 0, 2, true],
                ["b completes", 1, 1, true],
                ["b stops", 0, 1, true],
            ],
            "scrapes": [[1, 1, true], [1, 1, true], [0, 1, true]],
            "hellos": ["a hears hello from b", "b hears hello from a"],
            "warnings": [],
        });
        assert_eq!(report, expected);
    }
}
