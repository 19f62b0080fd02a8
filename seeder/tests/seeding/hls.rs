//! What HLS has beyond a list of files.

use beekeepr_model::Generation;
use beekeepr_playlist::{Manifest, read};

use crate::origin::Origin;
use crate::viewer::Viewer;
use crate::{World, content, origin, playlist, swarm, within_patience};

#[tokio::test]
async fn encrypted_parts_of_a_file_are_passed_on_as_they_are() {
    within_patience(async {
        let origin = Origin::start().await;
        let (one, two) = (content(1), content(2));
        let text = format!(
            "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-KEY:METHOD=AES-128,URI=\"/key\"\n#EXT-X-MAP:URI=\"/init.mp4\"\n\
             #EXTINF:2,\n#EXT-X-BYTERANGE:{}@0\n/all.mp4\n#EXTINF:2,\n#EXT-X-BYTERANGE:{}\n/all.mp4\n#EXT-X-ENDLIST\n",
            one.len(),
            two.len()
        );
        origin.put("/tv.m3u8", text);
        origin.put("/all.mp4", [one, two].concat());
        let mut world = World::start(origin, &["/tv.m3u8"], 1).await;
        let mut viewer = Viewer::connect(&mut world.tracker, &swarm(Generation::V2)).await;
        assert_eq!(viewer.download(1, 0).await, Some(content(2)));
        assert_eq!(world.origin.requests("/key"), 0);
        assert_eq!(world.origin.requests("/init.mp4"), 0);
    })
    .await;
}

#[tokio::test]
async fn audio_renditions_have_swarms_of_their_own() {
    within_patience(async {
        let master = "#EXTM3U\n\
            #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"English\",LANGUAGE=\"en\",URI=\"/tv.m3u8\"\n\
            #EXT-X-STREAM-INF:BANDWIDTH=800000,RESOLUTION=640x360,AUDIO=\"a\"\n/video.m3u8\n";
        let origin = origin(1, 2, "").await;
        origin.put("/master.m3u8", master);
        let Ok(Manifest::Multivariant(listed)) = read(master.as_bytes(), "http://o.example/") else {
            panic!("expected a multivariant playlist");
        };
        let mut world = World::start(origin, &["/master.m3u8"], 1).await;
        for generation in Generation::ALL {
            let swarm = listed.streams[1].info_hash(generation, "swarm");
            let swarm = swarm.expect("all know audio").to_string();
            let mut viewer = Viewer::connect(&mut world.tracker, &swarm).await;
            viewer.hear_of(&[1, 2]).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_variant_that_stands_in_is_read_when_the_first_fails() {
    within_patience(async {
        let origin = origin(1, 2, "").await;
        let text = |count| playlist(1, count, "").replace("/seg/", "");
        let master = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=800000\n/a/tv.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=800000\n/b/tv.m3u8\n";
        origin.put("/master.m3u8", master);
        for path in ["/a/tv.m3u8", "/b/tv.m3u8"] {
            origin.put(path, text(2));
        }
        origin.put("/a/1.ts", content(1));
        // The first has not got this one.
        origin.put("/b/2.ts", content(2));
        let Ok(Manifest::Multivariant(listed)) = read(master.as_bytes(), "http://o.example/") else {
            panic!("expected a multivariant playlist");
        };
        let swarm = listed.streams[0].info_hash(Generation::V2, "swarm");
        let mut world = World::start(origin, &["/master.m3u8"], 1).await;
        let swarm = swarm.expect("all know variants").to_string();
        let mut viewer = Viewer::connect(&mut world.tracker, &swarm).await;
        viewer.hear_of(&[1, 2]).await;
        assert_eq!(world.origin.requests("/b/tv.m3u8"), 0, "not read while the first works");
        world.origin.remove("/a/tv.m3u8");
        world.origin.put("/b/3.ts", content(3));
        world.origin.put("/b/tv.m3u8", text(3));
        viewer.hear_of(&[3]).await;
        assert_eq!(viewer.download(3, 0).await, Some(content(3)));
    })
    .await;
}

#[tokio::test]
async fn addresses_that_have_run_out_are_read_anew() {
    within_patience(async {
        let text = |token: &str| {
            playlist(0, 30, "#EXT-X-ENDLIST\n").replace(".ts", &format!(".ts?t={token}"))
        };
        let origin = Origin::start().await;
        origin.put("/tv.m3u8", text("old"));
        for number in 0..30 {
            origin.put(&format!("/seg/{number}.ts"), content(number));
        }
        let mut world = World::start(origin, &["/tv.m3u8"], 1).await;
        let mut viewer = Viewer::connect(&mut world.tracker, &swarm(Generation::V2)).await;
        viewer.hear_of(&[0, 25]).await;
        world.origin.put("/tv.m3u8", text("new"));
        world.origin.require("/seg/25.ts", "t=new");
        assert_eq!(viewer.download(25, 0).await, Some(content(25)));
        assert_eq!(world.origin.queries("/seg/25.ts"), ["t=old", "t=new"]);
    })
    .await;
}

#[tokio::test]
async fn a_server_that_can_wait_for_the_next_segment_is_let_wait() {
    within_patience(async {
        let ability = "#EXT-X-TARGETDURATION:2\n#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12\n";
        let text = |count| playlist(1, count, "").replace("#EXT-X-TARGETDURATION:2\n", ability);
        let origin = origin(1, 3, "").await;
        origin.put("/tv.m3u8", text(3));
        origin.hold("/tv.m3u8?_HLS_msn=4");
        origin.hold("/tv.m3u8?_HLS_msn=5");
        let mut world = World::start(origin, &["/tv.m3u8"], 1).await;
        let mut viewer = Viewer::connect(&mut world.tracker, &swarm(Generation::V2)).await;
        viewer.hear_of(&[1, 2, 3]).await;
        world.origin.put("/seg/4.ts", content(4));
        world.origin.put("/tv.m3u8", text(4));
        world.origin.release("/tv.m3u8?_HLS_msn=4");
        viewer.hear_of(&[4]).await;
        // What is only a part of a segment, or of a playlist, is not asked for.
        assert_eq!(world.origin.queries("/tv.m3u8")[..2], ["", "_HLS_msn=4"]);
    })
    .await;
}

#[tokio::test]
async fn an_event_grows_and_stays_when_it_is_over() {
    within_patience(async {
        let event = |count, end: &str| {
            let kind = "#EXT-X-TARGETDURATION:1\n#EXT-X-PLAYLIST-TYPE:EVENT\n";
            let text = playlist(0, count, end).replace("#EXT-X-TARGETDURATION:2\n", kind);
            text.replace("/seg/2.ts", "#EXT-X-DISCONTINUITY\n/seg/2.ts")
        };
        let origin = origin(0, 5, "").await;
        origin.put("/tv.m3u8", event(3, ""));
        let mut world = World::start(origin, &["/tv.m3u8"], 1).await;
        let mut viewer = Viewer::connect(&mut world.tracker, &swarm(Generation::V3)).await;
        viewer.hear_of(&[0, 1, 2]).await;
        world.origin.put("/tv.m3u8", event(5, "#EXT-X-ENDLIST\n"));
        viewer.hear_of(&[0, 1, 2, 3, 4]).await;
        assert_eq!(viewer.download(4, 0).await, Some(content(4)));
        assert_eq!(viewer.download(0, 0).await, Some(content(0)));
    })
    .await;
}
