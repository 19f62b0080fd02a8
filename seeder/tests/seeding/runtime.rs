//! Channels that come, change and go while others run, and the end of the process.

use std::time::Duration;

use beekeepr_model::{Generation, SegmentId};
use beekeepr_peer_proto::Command;
use beekeepr_seeder::Channel;
use beekeepr_service::admin::{Reply, Request, Verb};
use serde_json::{Value, json};

use crate::origin::Origin;
use crate::viewer::Viewer;
use crate::{World, channel, content, origin, playlist, swarm_of, within_patience};

fn request(verb: Verb, name: &str, body: &Value) -> Request {
    Request {
        verb,
        name: (!name.is_empty()).then(|| name.to_owned()),
        if_match: None,
        if_none_match: None,
        body: body.to_string().into_bytes(),
    }
}

fn json_of(reply: &Reply) -> Value {
    serde_json::from_str(reply.body()).expect("JSON")
}

impl World {
    fn put(&self, name: &str, body: &Value) -> Reply {
        self.seeder.channels.answer(&request(Verb::Put, name, body))
    }

    fn delete(&self, name: &str) -> Reply {
        let request = request(Verb::Delete, name, &Value::Null);
        self.seeder.channels.answer(&request)
    }

    /// Waits until a channel has no series in the metrics any more.
    async fn no_series_of(&self, channel: &str) {
        let is_there = || {
            let families = self.registry.gather();
            let mut labels = families.iter().flat_map(|family| {
                let metrics = family.get_metric().iter();
                metrics
                    .flat_map(prometheus::proto::Metric::get_label)
                    .collect::<Vec<_>>()
            });
            labels.any(|label| label.value() == channel)
        };
        while is_there() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// An origin with two live channels of their own segments.
async fn two_channels() -> Origin {
    let origin = origin(1, 3, "").await;
    let other = playlist(51, 3, "").replace("/seg/", "/other/");
    origin.put("/other.m3u8", other);
    for number in 51..=53 {
        origin.put(&format!("/other/{number}.ts"), content(number));
    }
    origin
}

#[tokio::test]
async fn a_channel_comes_goes_and_comes_again_and_disturbs_no_other() {
    within_patience(async {
        let mut world = World::start(two_channels().await, &["/tv.m3u8"], 1).await;
        let mut staying =
            Viewer::connect(&mut world.tracker, &swarm_of(Generation::V2, "swarm")).await;
        staying.hear_of(&[1, 2, 3]).await;

        let manifest = world.origin.url("/other.m3u8");
        let body = json!({ "manifest": manifest, "swarm_id": "other" });
        let put = world.put("other", &body);
        assert_eq!(put.status(), 201, "{}", put.body());
        for _ in 0..2 {
            let swarm = swarm_of(Generation::V2, "other");
            let mut viewer = Viewer::connect(&mut world.tracker, &swarm).await;
            viewer.hear_of(&[51, 52, 53]).await;
            assert_eq!(viewer.download(52, 0).await, Some(content(52)));

            assert_eq!(world.delete("other").status(), 204);
            let is_farewell =
                |it: &Value| it["event"] == "stopped" && it["info_hash"] == swarm.as_str();
            world.tracker.next(is_farewell).await;
            world.no_series_of("other").await;
            assert_eq!(world.metric("beekeepr_seeder_cached_segments"), 3.0);
            let polled = world.origin.requests("/other.m3u8");
            assert_eq!(world.put("other", &body).status(), 201);
            while world.origin.requests("/other.m3u8") == polled {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        assert_eq!(staying.download(2, 0).await, Some(content(2)));
        assert_eq!(world.origin.requests("/seg/2.ts"), 1);
    })
    .await;
}

#[tokio::test]
async fn a_put_that_changes_nothing_does_nothing_and_another_one_begins_anew() {
    within_patience(async {
        let world = World::start(two_channels().await, &[], 1).await;
        let body =
            json!({ "manifest": world.origin.url("/tv.m3u8"), "headers": { "x-key": "abc" } });
        assert_eq!(world.put("tv", &body).status(), 201);
        while world.metric("beekeepr_seeder_cached_segments") < 3.0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let same = world.put("tv", &body);
        assert_eq!(same.status(), 200);
        // What was shown may be given back, secrets and all.
        let shown = json_of(&same)["config"].clone();
        assert_eq!(shown["headers"]["x-key"], "(hidden)");
        assert_eq!(world.put("tv", &shown), same);
        assert_eq!(world.metric("beekeepr_seeder_cached_segments"), 3.0);
        assert_eq!(
            world.origin.header("/tv.m3u8", "x-key").as_deref(),
            Some("abc")
        );

        let other = json!({ "manifest": world.origin.url("/other.m3u8") });
        assert_eq!(world.put("tv", &other).status(), 200);
        while world.origin.requests("/other/53.ts") == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(world.origin.header("/other.m3u8", "x-key"), None);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_is_a_problem_that_says_so() {
    within_patience(async {
        let world = World::start(two_channels().await, &["/tv.m3u8"], 1).await;
        let manifest = world.origin.url("/other.m3u8");
        let status = |name: &str, body: Value| {
            let reply = world.put(name, &body);
            assert_eq!(json_of(&reply)["status"], reply.status());
            (reply.status(), json_of(&reply)["detail"].to_string())
        };
        let (code, detail) = status("tv.m3u8", json!({ "manifest": manifest }));
        assert!(
            code == 409 && detail.contains("configuration file"),
            "{detail}"
        );
        for (name, body, part) in [
            (
                "a",
                json!({ "manifest": "ftp://x" }),
                "no address of a manifest",
            ),
            (
                "a",
                json!({ "manifest": manifest, "colour": 1 }),
                "unknown field `colour`",
            ),
            (
                "a",
                json!({ "manifest": manifest, "name": "b" }),
                "make them the same",
            ),
            (
                "a/b",
                json!({ "manifest": manifest }),
                "the name is not one",
            ),
            (
                "a",
                json!({ "manifest": manifest, "prefetch_s": 1 }),
                "prefetch_s is 1",
            ),
            (
                "a",
                json!({ "manifest": manifest, "cookies": { "c": "(hidden)" } }),
                "write it out",
            ),
        ] {
            let (code, detail) = status(name, body);
            assert!(code == 422 && detail.contains(part), "{code} {detail}");
        }
        assert_eq!(status("a", json!([])).0, 400);
        assert_eq!(world.delete("none").status(), 404);
        assert_eq!(world.delete("tv.m3u8").status(), 409);
        assert_eq!(world.delete("").status(), 405);
    })
    .await;
}

#[tokio::test]
async fn a_change_for_another_state_is_refused() {
    within_patience(async {
        let world = World::start(two_channels().await, &[], 1).await;
        let body = json!({ "manifest": world.origin.url("/tv.m3u8") });
        let with = |if_match: Option<&str>, if_none_match: Option<&str>| {
            world.seeder.channels.answer(&Request {
                if_match: if_match.map(str::to_owned),
                if_none_match: if_none_match.map(str::to_owned),
                ..request(Verb::Put, "tv", &body)
            })
        };
        assert_eq!(with(Some("*"), None).status(), 412);
        assert_eq!(with(None, Some("*")).status(), 201);
        assert_eq!(with(None, Some("*")).status(), 412);
        assert_eq!(with(Some("*"), None).status(), 200);
        assert_eq!(with(Some("\"0123456789abcdef\""), None).status(), 412);
    })
    .await;
}

#[tokio::test]
async fn the_configuration_takes_a_name_and_gives_it_back() {
    within_patience(async {
        let world = World::start(two_channels().await, &[], 1).await;
        let body = json!({ "manifest": world.origin.url("/tv.m3u8") });
        assert_eq!(world.put("other.m3u8", &body).status(), 201);
        let of_file = channel(&world.origin, "/other.m3u8");
        let channels = &world.seeder.channels;
        let changes = channels
            .set_file(vec![of_file.clone()])
            .expect("it is fine");
        assert_eq!(changes.changed, ["other.m3u8"]);
        assert_eq!(changes.set_aside, ["other.m3u8"]);
        assert!(channels.set_file(vec![of_file.clone(), of_file]).is_err());
        let all: Value = serde_json::from_str(&channels.json()).expect("JSON");
        assert_eq!(all["channels"][0]["source"], "file");
        let changes = channels.set_file(Vec::new()).expect("it is fine");
        assert_eq!(changes.changed, ["other.m3u8"]);
        let all: Value = serde_json::from_str(&channels.json()).expect("JSON");
        assert_eq!(all["channels"][0]["source"], "api");
    })
    .await;
}

#[tokio::test]
async fn a_shutdown_takes_nothing_on_and_finishes_what_is_being_sent() {
    within_patience(async {
        let origin = origin(0, 30, "#EXT-X-ENDLIST\n").await;
        origin.hold("/seg/25.ts");
        let mut world = World::start(origin, &["/tv.m3u8"], 1).await;
        let swarm = swarm_of(Generation::V2, "swarm");
        let mut viewer = Viewer::connect(&mut world.tracker, &swarm).await;
        viewer.hear_of(&[0, 25]).await;
        let (segment, number) = (SegmentId(25), 7);
        viewer.say(&Command::SegmentRequest {
            segment,
            request: number,
            offset: 0,
        });
        while world.origin.requests("/seg/25.ts") == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        world.trigger.request();
        let is_farewell = |it: &Value| it["event"] == "stopped";
        world.tracker.next(is_farewell).await;
        // Nothing more is to be had.
        let is_empty = |command: &Command| {
            matches!(command, Command::SegmentsAnnouncement { loaded, loading } if loaded.is_empty() && loading.is_empty())
        };
        viewer.hear(is_empty).await;
        world.origin.release("/seg/25.ts");
        assert_eq!(viewer.receive(segment, number).await, Some(content(25)));
        world.seeder.wait().await;
    })
    .await;
}

#[tokio::test]
async fn a_shutdown_does_not_wait_longer_than_it_is_told() {
    within_patience(async {
        let origin = origin(0, 30, "#EXT-X-ENDLIST\n").await;
        origin.hold("/seg/25.ts");
        let settings = vec![channel(&origin, "/tv.m3u8")];
        let mut world =
            World::start_configured(origin, settings, 1, |config| config.drain_s = 0).await;
        let swarm = swarm_of(Generation::V2, "swarm");
        let mut viewer = Viewer::connect(&mut world.tracker, &swarm).await;
        viewer.hear_of(&[0, 25]).await;
        viewer.say(&Command::SegmentRequest {
            segment: SegmentId(25),
            request: 7,
            offset: 0,
        });
        while world.origin.requests("/seg/25.ts") == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        world.trigger.request();
        world.seeder.wait().await;
    })
    .await;
}

#[tokio::test]
async fn the_past_of_an_event_is_fetched_when_it_is_asked_for() {
    within_patience(async {
        let kind = "#EXT-X-TARGETDURATION:2\n#EXT-X-PLAYLIST-TYPE:EVENT\n";
        let event = |count| playlist(0, count, "").replace("#EXT-X-TARGETDURATION:2\n", kind);
        let origin = origin(0, 40, "").await;
        origin.put("/tv.m3u8", event(39));
        let short = Channel {
            prefetch_s: 10,
            ..channel(&origin, "/tv.m3u8")
        };
        let mut world = World::start_with(origin, vec![short], 1).await;
        let mut viewer =
            Viewer::connect(&mut world.tracker, &swarm_of(Generation::V2, "swarm")).await;
        // All of it can be had, although only the newest 10 s are here.
        viewer.hear_of(&[0, 1, 20, 33, 34, 38]).await;
        assert_eq!(world.metric("beekeepr_seeder_cached_segments"), 5.0);
        assert_eq!(world.origin.requests("/seg/33.ts"), 0);
        assert_eq!(viewer.download(3, 0).await, Some(content(3)));
        world.origin.put("/tv.m3u8", event(40));
        viewer.hear_of(&[0, 39]).await;
        assert_eq!(world.origin.requests("/seg/33.ts"), 0);
    })
    .await;
}
