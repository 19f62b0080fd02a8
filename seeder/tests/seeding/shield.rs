//! The cache over HTTP, and on disk.

use std::net::SocketAddr;

use beekeepr_seeder::{Channel, Disk, Secret, Shield};
use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::origin::Origin;
use crate::{World, channel, content, origin, playlist, within_patience};

const MASTER: &str = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=800000\ntv.m3u8\n";

/// What a player gets.
struct Reply {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Reply {
    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("a text")
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }
}

async fn world(origin: Origin, channels: Vec<Channel>) -> World {
    let listen = "127.0.0.1:0".parse().expect("an address");
    World::start_configured(origin, channels, 1, |config| {
        config.shield = Some(Shield::new(listen));
    })
    .await
}

/// A channel named "tv" of the playlist at a path.
fn tv(origin: &Origin, path: &str) -> Channel {
    Channel {
        name: "tv".to_owned(),
        ..channel(origin, path)
    }
}

async fn ask(address: SocketAddr, line: &str, headers: &str) -> Reply {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let request = format!("{line} HTTP/1.1\r\nhost: shield\r\nconnection: close\r\n{headers}\r\n");
    let sent = stream.write_all(request.as_bytes()).await;
    sent.expect("it takes requests");
    let mut reply = Vec::new();
    let read = stream.read_to_end(&mut reply).await;
    read.expect("it answers");
    let end = reply.windows(4).position(|it| it == b"\r\n\r\n");
    let body = reply.split_off(end.expect("a head") + 4);
    let head = String::from_utf8(reply).expect("heads are texts");
    let status = head.get(9..12).and_then(|it| it.parse().ok());
    Reply {
        status: status.expect("a status"),
        head,
        body,
    }
}

impl World {
    async fn get(&self, path: &str, headers: &str) -> Reply {
        let address = self.seeder.shield.expect("the shield is on");
        ask(address, &format!("GET {path}"), headers).await
    }

    /// The last address in a manifest, as the player asks for it.
    async fn last_address(&self, manifest: &str) -> String {
        let text = self.get(manifest, "").await.text();
        let last = text.lines().rfind(|line| !line.starts_with('#'));
        let last = last.expect("an address").to_owned();
        match last.starts_with('/') {
            true => last,
            false => format!("{}/{last}", manifest.rsplit_once('/').expect("a path").0),
        }
    }
}

#[tokio::test]
async fn a_player_finds_its_way_from_the_manifest_to_the_segments() {
    within_patience(async {
        let origin = origin(1, 3, "").await;
        origin.put("/master.m3u8", MASTER);
        let host = origin.address.to_string();
        let channels = vec![tv(&origin, "/master.m3u8")];
        let world = world(origin, channels).await;
        let master = world.get("/tv/master.m3u8", "").await;
        let kind = "application/vnd.apple.mpegurl";
        assert_eq!(master.header("content-type"), Some(kind));
        assert!(!master.text().contains(&host), "{}", master.text());
        let media = world.last_address("/tv/master.m3u8").await;
        let reply = world.get(&media, "").await;
        assert_eq!(reply.header("cache-control"), Some("public, max-age=1"));
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
        let segment = world.get(&world.last_address(&media).await, "").await;
        assert_eq!((segment.status, segment.body), (200, content(3)));
        assert!(segment.head.contains("immutable"), "{}", segment.head);
        assert_eq!(
            world.origin.requests("/seg/3.ts"),
            1,
            "viewers and players share it"
        );
    })
    .await;
}

#[tokio::test]
async fn a_hundred_players_who_want_a_new_segment_make_one_request() {
    within_patience(async {
        let world = {
            let origin = origin(1, 3, "").await;
            let channels = vec![tv(&origin, "/tv.m3u8")];
            world(origin, channels).await
        };
        world.origin.hold("/seg/4.ts");
        world.origin.put("/seg/4.ts", content(4));
        let older = world.last_address("/tv/tv.m3u8").await;
        let newer = older.replace("/3.ts", "/4.ts");
        let burst = join_all((0..100).map(|_| world.get(&newer, "")));
        let release = async {
            while world.metric("beekeepr_seeder_shield_requests_total") < 101.0 {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            // Meanwhile the swarm's peers want it too.
            world.origin.put("/tv.m3u8", playlist(1, 4, ""));
            while world.origin.requests("/seg/4.ts") == 0 {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            world.origin.release("/seg/4.ts");
        };
        let (replies, ()) = tokio::join!(burst, release);
        for reply in replies {
            assert!(reply.status == 200 && reply.body == content(4));
        }
        assert_eq!(world.origin.requests("/seg/4.ts"), 1);
    })
    .await;
}

#[tokio::test]
async fn parts_are_served_as_they_are_asked_for() {
    within_patience(async {
        let origin = origin(1, 3, "#EXT-X-ENDLIST\n").await;
        let channels = vec![tv(&origin, "/tv.m3u8")];
        let world = world(origin, channels).await;
        let path = world.last_address("/tv/tv.m3u8").await;
        let (whole, length) = (world.get(&path, "").await, content(3).len());
        let tag = whole.header("etag").expect("a tag").to_owned();
        let part = world.get(&path, "range: bytes=10-19\r\n").await;
        assert_eq!((part.status, &part.body[..]), (206, &content(3)[10..20]));
        let range = format!("bytes 10-19/{length}");
        assert_eq!(part.header("content-range"), Some(range.as_str()));
        let same = format!("range: bytes=100-\r\nif-range: {tag}\r\n");
        assert_eq!(world.get(&path, &same).await.body, &content(3)[100..]);
        let other = world
            .get(&path, "range: bytes=100-\r\nif-range: \"x\"\r\n")
            .await;
        assert_eq!((other.status, other.body.len()), (200, length));
        let outside = world.get(&path, "range: bytes=900000-\r\n").await;
        assert_eq!(outside.status, 416);
        let same = world.get(&path, &format!("if-none-match: {tag}\r\n")).await;
        assert_eq!((same.status, same.body.len()), (304, 0));
        let address = world.seeder.shield.expect("the shield is on");
        let head = ask(address, &format!("HEAD {path}"), "").await;
        assert_eq!(
            head.header("content-length"),
            Some(length.to_string().as_str())
        );
        assert!(head.body.is_empty());
        let preflight = ask(address, &format!("OPTIONS {path}"), "").await;
        let allowed = preflight.header("access-control-allow-headers");
        assert!(allowed.is_some_and(|it| it.contains("range")));
        assert_eq!(ask(address, &format!("POST {path}"), "").await.status, 405);
        assert_eq!(world.origin.requests("/seg/3.ts"), 1);
    })
    .await;
}

#[tokio::test]
async fn parts_of_a_large_file_are_fetched_alone() {
    within_patience(async {
        let origin = Origin::start().await;
        let text = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n#EXT-X-BYTERANGE:1000@500\n/all.mp4\n#EXT-X-ENDLIST\n";
        origin.put("/tv.m3u8", text);
        origin.put("/all.mp4", content(1));
        let channels = vec![Channel { warm_s: 0, ..tv(&origin, "/tv.m3u8") }];
        let world = world(origin, channels).await;
        let path = world.last_address("/tv/tv.m3u8").await;
        let part = world.get(&path, "range: bytes=500-1499\r\n").await;
        assert_eq!((part.status, &part.body[..]), (206, &content(1)[500..1500]));
        assert_eq!(part.header("content-range"), Some("bytes 500-1499/*"));
        let seen = world.origin.header("/all.mp4", "range");
        assert_eq!(seen.as_deref(), Some("bytes=500-1499"));
    })
    .await;
}

#[tokio::test]
async fn nothing_is_fetched_that_no_manifest_names() {
    within_patience(async {
        let origin = origin(1, 3, "").await;
        origin.put("/secret", "secret");
        let channels = vec![tv(&origin, "/tv.m3u8")];
        let world = world(origin, channels).await;
        let path = world.last_address("/tv/tv.m3u8").await;
        let outside = path.replace("/3.ts", "/../secret");
        let encoded = path.replace("/3.ts", "/%2e%2e/secret");
        let forged = path.replace("/tv/", "/tv/A");
        for path in [
            "/",
            "/tv",
            "/tv/",
            "/tv/other.m3u8",
            "/radio/tv.m3u8",
            "/tv/http://127.0.0.1/secret",
            &outside,
            &encoded,
            &forged,
        ] {
            assert_eq!(world.get(path, "").await.status, 404, "{path}");
        }
        assert_eq!(world.origin.requests("/secret"), 0);
        world.get(&format!("{path}?token=1"), "").await;
        assert_eq!(
            world.origin.queries("/seg/3.ts"),
            [""],
            "players add nothing"
        );
    })
    .await;
}

#[tokio::test]
async fn what_the_origin_wants_to_know_stays_between_it_and_us() {
    within_patience(async {
        let origin = origin(1, 3, "#EXT-X-ENDLIST\n").await;
        let tokens = playlist(1, 3, "#EXT-X-ENDLIST\n").replace(".ts", ".ts?token=abc");
        origin.put("/tv.m3u8", tokens);
        let mut secret = tv(&origin, "/tv.m3u8?token=abc");
        secret.headers.insert("x-key".into(), Secret("abc".into()));
        let world = world(origin, vec![secret]).await;
        let manifest = world.get("/tv/tv.m3u8", "cookie: a=player\r\n").await;
        assert!(!manifest.text().contains("abc") && !manifest.head.contains("abc"));
        let path = world.last_address("/tv/tv.m3u8").await;
        assert_eq!(
            world.get(&path, "cookie: a=player\r\n").await.body,
            content(3)
        );
        assert_eq!(world.origin.queries("/seg/3.ts"), ["token=abc"]);
        let seen = |name| world.origin.header("/seg/3.ts", name);
        assert_eq!(
            (seen("x-key").as_deref(), seen("cookie")),
            (Some("abc"), None)
        );
    })
    .await;
}

#[tokio::test]
async fn a_failing_origin_is_told_from_a_missing_file() {
    within_patience(async {
        let origin = origin(1, 3, "").await;
        let channels = vec![tv(&origin, "/tv.m3u8")];
        let world = world(origin, channels).await;
        let path = world.last_address("/tv/tv.m3u8").await;
        let missing = world.get(&path.replace("/3.ts", "/77.ts"), "").await;
        assert_eq!(
            (missing.status, missing.header("cache-control")),
            (404, Some("no-store"))
        );
        world.origin.go_down();
        let failing = world.get(&path.replace("/3.ts", "/78.ts"), "").await;
        assert_eq!(failing.status, 502);
        assert_eq!(failing.text(), "the origin answered 503\n");
    })
    .await;
}

#[tokio::test]
async fn dash_is_played_through_it() {
    within_patience(async {
        let origin = Origin::start().await;
        let text = "<MPD type=\"static\" mediaPresentationDuration=\"PT8S\"><BaseURL>/media/</BaseURL><Period id=\"1\">\
            <AdaptationSet mimeType=\"video/mp4\"><Representation id=\"v\" bandwidth=\"1\">\
            <SegmentTemplate media=\"$Number$.m4s\" duration=\"4\"/></Representation></AdaptationSet></Period></MPD>";
        origin.put("/tv.mpd", text);
        origin.put("/media/2.m4s", content(2));
        let channels = vec![Channel { warm_s: 0, ..tv(&origin, "/tv.mpd") }];
        let world = world(origin, channels).await;
        let manifest = world.get("/tv/tv.mpd", "").await;
        assert_eq!(manifest.header("content-type"), Some("application/dash+xml"));
        let text = manifest.text();
        let base = text.split("BaseURL>").nth(1).expect("a base").trim_end_matches("</");
        let segment = world.get(&format!("{base}2.m4s"), "").await;
        assert_eq!(segment.header("content-type"), Some("video/iso.segment"));
        assert_eq!((segment.status, segment.body), (200, content(2)));
    })
    .await;
}

#[tokio::test]
async fn segments_on_demand_outlive_a_restart_on_disk_and_live_ones_do_not() {
    within_patience(async {
        let folder = tempfile::tempdir().expect("a folder");
        let mut origin = origin(1, 3, "#EXT-X-ENDLIST\n").await;
        origin.put("/live.m3u8", playlist(4, 1, ""));
        origin.put("/seg/4.ts", content(4));
        for _ in 0..2 {
            let channels = vec![tv(&origin, "/tv.m3u8"), channel(&origin, "/live.m3u8")];
            let world = World::start_configured(origin, channels, 1, |config| {
                config.disk = Some(Disk {
                    path: folder.path().join("segments"),
                    bytes_max: 64 * 1024 * 1024,
                });
            })
            .await;
            while world.metric("beekeepr_seeder_cached_segments") < 4.0
                || world.metric("beekeepr_seeder_disk_bytes") < 450_000.0
            {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            world.trigger.request();
            world.seeder.wait().await;
            origin = world.origin;
        }
        let requests = [1, 2, 3, 4].map(|number| origin.requests(&format!("/seg/{number}.ts")));
        assert_eq!(requests, [1, 1, 1, 2]);
    })
    .await;
}
