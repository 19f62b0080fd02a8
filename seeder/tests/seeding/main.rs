//! The whole seeder against an origin, a tracker and a viewer.

#![expect(
    clippy::panic,
    reason = "a harness that gets something else has failed"
)]

mod control;
mod dash;
mod hls;
mod origin;
mod presence;
mod runtime;
mod shield;
mod sources;
mod tracker;
mod viewer;

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

use beekeepr_model::{Generation, StreamKind, StreamProperties, identity, info_hash, swarm_string};
use beekeepr_playlist::Stream;
use beekeepr_seeder::{Channel, Config, Running};
use beekeepr_service::{Shutdown, Trigger};

use origin::Origin;
use tracker::Tracker;
use viewer::Viewer;

/// A test that has not come to its end by then hangs.
const PATIENCE: Duration = Duration::from_secs(30);

struct World {
    origin: Origin,
    tracker: Tracker,
    registry: prometheus::Registry,
    trigger: Trigger,
    seeder: Running,
}

impl World {
    /// A seeder of one channel for each path on the origin, with as many logical peers.
    async fn start(origin: Origin, paths: &[&str], logical_peers: u32) -> Self {
        let channels = paths.iter().map(|path| channel(&origin, path)).collect();
        Self::start_with(origin, channels, logical_peers).await
    }

    async fn start_with(origin: Origin, channels: Vec<Channel>, logical_peers: u32) -> Self {
        Self::start_configured(origin, channels, logical_peers, |_| {}).await
    }

    async fn start_configured(
        origin: Origin,
        channels: Vec<Channel>,
        logical_peers: u32,
        configure: impl FnOnce(&mut Config),
    ) -> Self {
        let tracker = Tracker::start().await;
        let mut config = Config {
            channels,
            trackers: vec![tracker.url().parse().expect("a URL")],
            udp: "127.0.0.1:0".parse().expect("an address"),
            logical_peers,
            ..Config::default()
        };
        configure(&mut config);
        let (trigger, shutdown) = Shutdown::new();
        let registry = prometheus::Registry::new();
        let seeder = beekeepr_seeder::start(config, &registry, shutdown)
            .await
            .expect("the seeder starts");
        Self {
            origin,
            tracker,
            registry,
            trigger,
            seeder,
        }
    }

    fn metric(&self, name: &str) -> f64 {
        let families = self.registry.gather();
        let of_name = families.iter().filter(|family| family.name() == name);
        // Without a channel there is none.
        of_name
            .flat_map(prometheus::proto::MetricFamily::get_metric)
            .map(|metric| metric.get_counter().get_value() + metric.get_gauge().get_value())
            .sum()
    }
}

/// A channel of the origin that viewers know as "swarm".
fn channel(origin: &Origin, path: &str) -> Channel {
    let manifest = origin.url(path).parse().expect("a URL");
    Channel {
        swarm_id: Some("swarm".to_owned()),
        ..Channel::new(path.trim_matches('/').to_owned(), manifest)
    }
}

async fn within_patience<T>(test: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, test)
        .await
        .expect("the test hangs")
}

/// A media playlist of segments of 2 s named by their media sequence.
fn playlist(first: u64, count: u64, end: &str) -> String {
    let mut text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{first}\n");
    for number in first..first + count {
        text.push_str(&format!("#EXTINF:2,\n/seg/{number}.ts\n"));
    }
    text + end
}

/// Bytes that differ from segment to segment, more than several messages of them.
fn content(number: u64) -> Vec<u8> {
    let length = 150_000 + number as usize;
    (0..length)
        .map(|at| (at as u64 * 31 + number * 7) as u8)
        .collect()
}

async fn origin(first: u64, count: u64, end: &str) -> Origin {
    let origin = Origin::start().await;
    origin.put("/tv.m3u8", playlist(first, count, end));
    for number in first..first + count {
        origin.put(&format!("/seg/{number}.ts"), content(number));
    }
    origin
}

/// The swarm of a channel whose manifest is a lone media playlist.
fn swarm(generation: Generation) -> String {
    swarm_of(generation, "swarm")
}

/// The same for a channel that viewers know by another name.
fn swarm_of(generation: Generation, swarm_id: &str) -> String {
    let url = "http://origin.example/".parse().expect("a URL");
    let hash = Stream::lone(url).info_hash(generation, swarm_id);
    hash.expect("every generation knows a lone playlist")
        .to_string()
}

#[tokio::test]
async fn a_viewer_of_each_generation_gets_live_segments_as_the_origin_has_them() {
    within_patience(async {
        let mut world = World::start(origin(617, 3, "").await, &["/tv.m3u8"], 1).await;
        for generation in Generation::ALL {
            let mut viewer = Viewer::connect(&mut world.tracker, &swarm(generation)).await;
            viewer.hear_of(&[617, 618, 619]).await;
            assert_eq!(
                viewer.download(618, 0).await,
                Some(content(618)),
                "{generation:?}"
            );
        }
        assert_eq!(
            world.origin.requests("/seg/618.ts"),
            1,
            "fetched once for all swarms"
        );
    })
    .await;
}

#[tokio::test]
async fn several_logical_peers_fetch_each_segment_once() {
    within_patience(async {
        let mut world = World::start(origin(1, 3, "").await, &["/tv.m3u8"], 3).await;
        let swarm = swarm(Generation::V2);
        let _viewer = Viewer::connect(&mut world.tracker, &swarm).await;
        let mut ids = BTreeSet::new();
        while ids.len() < 2 {
            let announce = world.tracker.announce(&swarm).await.message;
            ids.insert(announce["peer_id"].as_str().expect("a peer id").to_owned());
        }
        assert!(ids.iter().all(|id| id.starts_with("-BS0001-")));
        world.origin.put("/tv.m3u8", playlist(1, 4, ""));
        world.origin.put("/seg/4.ts", content(4));
        while world.metric("beekeepr_seeder_cached_segments") < 4.0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        for number in 1..=4 {
            assert_eq!(world.origin.requests(&format!("/seg/{number}.ts")), 1);
        }
    })
    .await;
}

#[tokio::test]
async fn a_new_live_segment_is_announced_without_being_asked_for() {
    within_patience(async {
        let mut world = World::start(origin(1, 3, "").await, &["/tv.m3u8"], 1).await;
        let mut viewer = Viewer::connect(&mut world.tracker, &swarm(Generation::V2)).await;
        viewer.hear_of(&[1, 2, 3]).await;
        world.origin.put("/seg/4.ts", content(4));
        world.origin.put("/tv.m3u8", playlist(2, 3, ""));
        viewer.hear_of(&[4]).await;
        assert_eq!(
            viewer.download(4, 100).await.as_deref(),
            Some(&content(4)[100..])
        );
    })
    .await;
}

#[tokio::test]
async fn on_demand_everything_is_announced_and_fetched_when_asked_for() {
    within_patience(async {
        let origin = origin(100, 40, "#EXT-X-ENDLIST\n").await;
        let mut world = World::start(origin, &["/tv.m3u8"], 1).await;
        let mut viewer = Viewer::connect(&mut world.tracker, &swarm(Generation::V2)).await;
        viewer.hear_of(&[0, 39]).await;
        assert_eq!(world.origin.requests("/seg/135.ts"), 0);
        assert_eq!(viewer.download(35, 0).await, Some(content(135)));
        assert_eq!(world.origin.requests("/seg/135.ts"), 1);
    })
    .await;
}

#[tokio::test]
async fn what_is_not_there_is_answered_absent() {
    within_patience(async {
        let mut world = World::start(origin(1, 2, "").await, &["/tv.m3u8"], 1).await;
        let mut viewer = Viewer::connect(&mut world.tracker, &swarm(Generation::V2)).await;
        assert_eq!(viewer.download(999, 0).await, None);
    })
    .await;
}

#[tokio::test]
async fn a_channel_that_is_no_stream_harms_no_other_and_is_tried_again() {
    within_patience(async {
        let origin = origin(1, 2, "").await;
        origin.put("/page.m3u8", "<html>not yet</html>");
        let paths = ["/page.m3u8", "/missing.m3u8", "/tv.m3u8"];
        let mut world = World::start(origin, &paths, 1).await;
        let mut viewer = Viewer::connect(&mut world.tracker, &swarm(Generation::V2)).await;
        viewer.hear_of(&[1, 2]).await;
        assert!(world.metric("beekeepr_seeder_manifest_failures_total") >= 2.0);
        // The same swarm as the others here, so only what was fetched tells them apart.
        world.origin.put("/seg/77.ts", content(77));
        world.origin.put("/page.m3u8", playlist(77, 1, ""));
        while world.origin.requests("/seg/77.ts") == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_shutdown_leaves_the_swarms() {
    within_patience(async {
        let mut world = World::start(origin(1, 2, "").await, &["/tv.m3u8"], 1).await;
        world.tracker.announce(&swarm(Generation::V2)).await;
        world.trigger.request();
        world
            .tracker
            .next(|message| message["event"] == "stopped")
            .await;
        world.seeder.wait().await;
    })
    .await;
}

/// A variant's swarm depends on what the manifest says of it.
#[tokio::test]
async fn renditions_are_seeded_in_swarms_of_their_own() {
    within_patience(async {
        let origin = origin(1, 2, "").await;
        origin.put(
            "/master.m3u8",
            "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=800000,RESOLUTION=640x360\nmissing.m3u8\n\
             #EXT-X-STREAM-INF:BANDWIDTH=1700000,RESOLUTION=1280x720\ntv.m3u8\n",
        );
        let mut world = World::start(origin, &["/master.m3u8"], 1).await;
        let properties = StreamProperties {
            bitrate: 1_700_000,
            width: 1280,
            height: 720,
            ..StreamProperties::default()
        };
        let identity = identity(Generation::V2, 0, &properties);
        let text = swarm_string(Generation::V2, "swarm", StreamKind::Main, &identity);
        let swarm = info_hash(Generation::V2, &text).to_string();
        let mut viewer = Viewer::connect(&mut world.tracker, &swarm).await;
        viewer.hear_of(&[1, 2]).await;
        assert_eq!(viewer.download(2, 0).await, Some(content(2)));
    })
    .await;
}
