//! Where the bytes come from: once, with credentials, from a stand-in if need be.

use beekeepr_model::{Generation, SegmentId};
use beekeepr_peer_proto::Command;
use beekeepr_seeder::{Channel, Secret};
use serde_json::Value;

use crate::viewer::Viewer;
use crate::{World, channel, content, origin, playlist, swarm, within_patience};

#[tokio::test]
async fn a_segment_is_announced_as_loading_before_the_origin_has_answered() {
    within_patience(async {
        let mut world = World::start(origin(1, 2, "").await, &["/tv.m3u8"], 1).await;
        let mut viewer = Viewer::connect(&mut world.tracker, &swarm(Generation::V2)).await;
        viewer.hear_of(&[1, 2]).await;
        world.origin.hold("/seg/3.ts");
        world.origin.put("/seg/3.ts", content(3));
        world.origin.put("/tv.m3u8", playlist(1, 3, ""));
        viewer
            .hear(|command| match command {
                Command::SegmentsAnnouncement { loaded, loading } => {
                    loading.contains(&SegmentId(3)) && !loaded.contains(&SegmentId(3))
                }
                _ => false,
            })
            .await;
        world.origin.release("/seg/3.ts");
        viewer.hear_of(&[3]).await;
    })
    .await;
}

#[tokio::test]
async fn two_channels_with_the_same_segments_fetch_them_once() {
    within_patience(async {
        let origin = origin(1, 3, "").await;
        origin.put("/copy.m3u8", playlist(1, 3, ""));
        for number in 1..=3 {
            origin.hold(&format!("/seg/{number}.ts"));
        }
        let world = World::start(origin, &["/tv.m3u8", "/copy.m3u8"], 2).await;
        while world.origin.requests("/tv.m3u8") == 0 || world.origin.requests("/copy.m3u8") == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        for number in 1..=3 {
            world.origin.release(&format!("/seg/{number}.ts"));
        }
        while world.metric("beekeepr_seeder_cached_segments") < 6.0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        for number in 1..=3 {
            assert_eq!(world.origin.requests(&format!("/seg/{number}.ts")), 1);
        }
        let bytes: usize = (1..=3).map(|number| content(number).len()).sum();
        let fetched = world.metric("beekeepr_seeder_fetched_bytes_total");
        assert_eq!(fetched as usize, bytes, "counted once");
    })
    .await;
}

#[tokio::test]
async fn a_stand_in_serves_while_the_origin_is_down() {
    within_patience(async {
        let (first, second) = (origin(1, 3, "").await, origin(1, 3, "").await);
        first.go_down();
        let channel = Channel {
            failover: vec![second.url("").parse().expect("a URL")],
            swarm_id: None,
            ..channel(&first, "/tv.m3u8")
        };
        let swarm_id = channel.swarm_id();
        let mut world = World::start_with(first, vec![channel], 1).await;
        for generation in Generation::ALL {
            let url = "http://origin.example/".parse().expect("a URL");
            let swarm = beekeepr_playlist::Stream::lone(url).info_hash(generation, &swarm_id);
            let swarm = swarm.expect("every generation knows it").to_string();
            let mut viewer = Viewer::connect(&mut world.tracker, &swarm).await;
            viewer.hear_of(&[1, 2, 3]).await;
        }
        assert_eq!(second.requests("/seg/1.ts"), 1);
    })
    .await;
}

#[tokio::test]
async fn headers_and_cookies_are_sent_with_manifests_and_segments() {
    within_patience(async {
        let origin = origin(1, 2, "").await;
        let mut secret = channel(&origin, "/tv.m3u8");
        secret.headers.insert("x-key".into(), Secret("a".into()));
        secret.cookies.insert("session".into(), Secret("b".into()));
        let mut world = World::start_with(origin, vec![secret], 1).await;
        let mut viewer = Viewer::connect(&mut world.tracker, &swarm(Generation::V2)).await;
        viewer.hear_of(&[1, 2]).await;
        for path in ["/tv.m3u8", "/seg/1.ts"] {
            let seen = |name| world.origin.header(path, name);
            assert_eq!(seen("x-key").as_deref(), Some("a"));
            assert_eq!(seen("cookie").as_deref(), Some("session=b"));
        }
    })
    .await;
}

#[tokio::test]
async fn the_board_says_what_works_and_why_something_does_not() {
    within_patience(async {
        let mut world =
            World::start(origin(1, 2, "").await, &["/tv.m3u8", "/missing.m3u8"], 1).await;
        let mut viewer = Viewer::connect(&mut world.tracker, &swarm(Generation::V2)).await;
        viewer.hear_of(&[1, 2]).await;
        while world.metric("beekeepr_seeder_manifest_failures_total") < 1.0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let board: Value = serde_json::from_str(&world.seeder.channels.json()).expect("JSON");
        let [works, broken] = [0, 1].map(|at| &board["channels"][at]);
        assert_eq!(
            (&works["state"], &works["live"]),
            (&"seeding".into(), &true.into())
        );
        assert_eq!(works["reason"], Value::Null);
        assert_eq!(
            (&works["streams"], &works["viewers"]),
            (&1.into(), &1.into())
        );
        assert_eq!(broken["state"], "broken");
        let reason = broken["reason"].as_str().expect("a reason");
        assert!(
            reason.contains("/missing.m3u8: the server answered 404"),
            "{reason}"
        );
    })
    .await;
}

/// Of a stream on demand the beginning is there before anybody asks.
#[tokio::test]
async fn as_much_as_configured_is_fetched_ahead_on_demand() {
    within_patience(async {
        let origin = origin(0, 9, "#EXT-X-ENDLIST\n").await;
        let warm = Channel {
            warm_s: 5,
            ..channel(&origin, "/tv.m3u8")
        };
        let world = World::start_with(origin, vec![warm], 1).await;
        while world.metric("beekeepr_seeder_cached_segments") < 3.0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        assert_eq!(world.origin.requests("/seg/2.ts"), 1);
        assert_eq!(world.origin.requests("/seg/3.ts"), 0);
    })
    .await;
}
