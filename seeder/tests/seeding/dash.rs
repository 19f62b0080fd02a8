//! DASH in all its ways of naming segments.

use beekeepr_model::Generation;
use beekeepr_playlist::dash;

use crate::origin::Origin;
use crate::viewer::Viewer;
use crate::{World, content, within_patience};

/// The swarm of a manifest's stream.
fn swarm(text: &str, stream: usize, generation: Generation) -> String {
    let presentation = dash::read(text.as_bytes(), "http://origin.example/tv.mpd");
    let presentation = presentation.expect("a readable manifest");
    presentation.streams[stream]
        .info_hash(generation, "swarm")
        .to_string()
}

/// A manifest with one Period of video, of which `addressing` says where the segments are.
fn mpd(attributes: &str, extra: &str, addressing: &str) -> String {
    format!(
        "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" {attributes}>{extra}<Period id=\"1\" start=\"PT0S\">\
         <AdaptationSet contentType=\"video\" mimeType=\"video/mp4\">\
         <Representation id=\"v\" bandwidth=\"800000\" width=\"640\" height=\"360\" codecs=\"avc1.4d401e\">\
         {addressing}</Representation></AdaptationSet></Period></MPD>"
    )
}

const STATIC: &str = "type=\"static\" mediaPresentationDuration=\"PT20S\"";
const BY_NUMBER: &str = "<SegmentTemplate media=\"/seg/$Number$\" initialization=\"/init.mp4\" duration=\"4\" startNumber=\"1\"/>";

/// An origin with a manifest and ten segments of a number each.
async fn origin(text: &str) -> Origin {
    let origin = Origin::start().await;
    origin.put("/tv.mpd", text);
    for number in 1..=10 {
        origin.put(&format!("/seg/{number}"), content(number));
    }
    origin
}

#[tokio::test]
async fn each_generation_finds_the_segments_under_its_own_numbers() {
    within_patience(async {
        let text = mpd(STATIC, "", BY_NUMBER);
        let mut world = World::start(origin(&text).await, &["/tv.mpd"], 1).await;
        // The third segment begins after 8 s.
        let ids = [
            (Generation::V2Index, 16),
            (Generation::V2, 16),
            (Generation::V3, 80),
        ];
        for (generation, id) in ids {
            let swarm = swarm(&text, 0, generation);
            let mut viewer = Viewer::connect(&mut world.tracker, &swarm).await;
            viewer.hear_of(&[0, id]).await;
            let bytes = viewer.download(id, 0).await;
            assert_eq!(bytes, Some(content(3)), "{generation:?}");
        }
        assert_eq!(world.origin.requests("/seg/3"), 1, "once for all swarms");
        assert_eq!(world.origin.requests("/init.mp4"), 0, "never shared");
    })
    .await;
}

#[tokio::test]
async fn every_way_to_name_segments_is_followed() {
    let list = "<SegmentList duration=\"4\"><SegmentURL media=\"/seg/1\"/><SegmentURL media=\"/seg/2\"/>\
        <SegmentURL media=\"/seg/3\"/></SegmentList>";
    let timeline = "<SegmentTemplate media=\"/seg/$Number$\" startNumber=\"1\"><SegmentTimeline>\
        <S t=\"0\" d=\"4\" r=\"4\"/></SegmentTimeline></SegmentTemplate>";
    let time = "<SegmentTemplate media=\"/time/$Time$\"><SegmentTimeline><S t=\"0\" d=\"4\" r=\"4\"/>\
        </SegmentTimeline></SegmentTemplate>";
    for addressing in [list, timeline, time] {
        within_patience(async {
            let text = mpd(STATIC, "", addressing);
            let origin = origin(&text).await;
            origin.put("/time/8", content(3));
            let mut world = World::start(origin, &["/tv.mpd"], 1).await;
            let swarm = swarm(&text, 0, Generation::V3);
            let mut viewer = Viewer::connect(&mut world.tracker, &swarm).await;
            let bytes = viewer.download(80, 0).await;
            assert_eq!(bytes, Some(content(3)), "{addressing}");
        })
        .await;
    }
}

/// A `sidx` box of version 0 for segments of 4 s with these sizes.
fn sidx(sizes: &[u32]) -> Vec<u8> {
    let mut body = b"sidx".to_vec();
    for number in [0, 1, 1_000, 0, 0, sizes.len() as u32] {
        body.extend(u32::to_be_bytes(number));
    }
    for size in sizes {
        for number in [*size, 4_000, 0x9000_0000] {
            body.extend(u32::to_be_bytes(number));
        }
    }
    let mut bytes = (body.len() as u32 + 4).to_be_bytes().to_vec();
    bytes.extend(body);
    bytes
}

#[tokio::test]
async fn segments_in_one_file_are_found_by_its_index() {
    within_patience(async {
        let parts = [content(1), content(2), content(3)];
        let index = sidx(&parts.each_ref().map(|part| part.len() as u32));
        let addressing = format!(
            "<BaseURL>/video.mp4</BaseURL><SegmentBase indexRange=\"100-{}\"><Initialization range=\"0-99\"/></SegmentBase>",
            99 + index.len()
        );
        let text = mpd(STATIC, "", &addressing);
        let origin = origin(&text).await;
        let file = [vec![0; 100], index, parts.concat()].concat();
        origin.put("/video.mp4", file);
        let mut world = World::start(origin, &["/tv.mpd"], 1).await;
        let swarm = swarm(&text, 0, Generation::V3);
        let mut viewer = Viewer::connect(&mut world.tracker, &swarm).await;
        viewer.hear_of(&[0, 40, 80]).await;
        assert_eq!(viewer.download(40, 0).await, Some(content(2)));
    })
    .await;
}

#[tokio::test]
async fn periods_whose_representations_look_alike_share_a_swarm() {
    within_patience(async {
        let period = |id: &str, start: u32, first: u32| {
            format!(
                "<Period id=\"{id}\" start=\"PT{start}S\" duration=\"PT8S\"><AdaptationSet contentType=\"video\" mimeType=\"video/mp4\">\
                 <Representation id=\"{id}\" bandwidth=\"800000\" width=\"640\" height=\"360\" codecs=\"avc1.4d401e\">\
                 <SegmentTemplate media=\"/seg/$Number$\" duration=\"4\" startNumber=\"{first}\"/>\
                 </Representation></AdaptationSet></Period>"
            )
        };
        let (one, other) = (period("film", 0, 1), period("ad", 8, 6));
        let text = format!("<MPD type=\"static\" mediaPresentationDuration=\"PT16S\">{one}{other}</MPD>");
        let swarms = [0, 1].map(|stream| swarm(&text, stream, Generation::V2));
        assert_eq!(swarms[0], swarms[1]);
        let mut world = World::start(origin(&text).await, &["/tv.mpd"], 1).await;
        let mut viewer = Viewer::connect(&mut world.tracker, &swarms[0]).await;
        viewer.hear_of(&[0, 8, 16, 24]).await;
        assert_eq!(viewer.download(8, 0).await, Some(content(2)));
        assert_eq!(viewer.download(24, 0).await, Some(content(7)));
    })
    .await;
}

/// A live manifest whose presentation began a minute ago by the clock that it names; segments of half a second.
fn live(clock: &str) -> String {
    mpd(
        "type=\"dynamic\" availabilityStartTime=\"1970-01-01T00:00:00Z\" timeShiftBufferDepth=\"PT2S\"",
        clock,
        "<SegmentTemplate media=\"/live/$Number$\" timescale=\"2\" duration=\"1\" startNumber=\"0\"/>",
    )
}

async fn live_origin(text: &str) -> Origin {
    let origin = origin(text).await;
    for number in 110..180 {
        origin.put(&format!("/live/{number}"), content(number));
    }
    origin
}

#[tokio::test]
async fn live_segments_come_with_the_clock_and_not_before() {
    within_patience(async {
        let text = live("<UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:direct:2014\" value=\"1970-01-01T00:01:00Z\"/>");
        let mut world = World::start(live_origin(&text).await, &["/tv.mpd"], 1).await;
        let swarm = swarm(&text, 0, Generation::V2);
        let mut viewer = Viewer::connect(&mut world.tracker, &swarm).await;
        viewer.hear_of(&[119]).await;
        viewer.hear_of(&[123]).await;
        assert_eq!(viewer.download(123, 0).await, Some(content(123)));
        assert_eq!(world.origin.requests("/tv.mpd"), 1, "no newer one is promised");
        assert_eq!(world.origin.requests("/live/160"), 0, "asked for ahead of time");
    })
    .await;
}

#[tokio::test]
async fn a_time_server_is_asked() {
    within_patience(async {
        let text = live(
            "<UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:http-iso:2014\" value=\"/missing /time\"/>",
        );
        let origin = live_origin(&text).await;
        origin.put("/time", "1970-01-01T00:01:00Z\n");
        let mut world = World::start(origin, &["/tv.mpd"], 1).await;
        let swarm = swarm(&text, 0, Generation::V2);
        let mut viewer = Viewer::connect(&mut world.tracker, &swarm).await;
        viewer.hear_of(&[119]).await;
    })
    .await;
}

#[tokio::test]
async fn a_newer_manifest_is_read_where_the_last_one_says() {
    within_patience(async {
        let timeline = |count: u32| {
            mpd(
                "type=\"dynamic\" availabilityStartTime=\"1970-01-01T00:00:00Z\" minimumUpdatePeriod=\"PT0.1S\"",
                "<Location>/next.mpd</Location>",
                &format!(
                    "<SegmentTemplate media=\"/seg/$Number$\" startNumber=\"1\"><SegmentTimeline>\
                     <S t=\"0\" d=\"4\" r=\"{}\"/></SegmentTimeline></SegmentTemplate>",
                    count - 1
                ),
            )
        };
        let origin = origin(&timeline(2)).await;
        origin.put("/next.mpd", timeline(3));
        let mut world = World::start(origin, &["/tv.mpd"], 1).await;
        let swarm = swarm(&timeline(2), 0, Generation::V3);
        let mut viewer = Viewer::connect(&mut world.tracker, &swarm).await;
        viewer.hear_of(&[0, 40, 80]).await;
        world.origin.put("/next.mpd", timeline(4));
        viewer.hear_of(&[120]).await;
        assert_eq!(viewer.download(120, 0).await, Some(content(4)));
        assert_eq!(world.origin.requests("/tv.mpd"), 1);
    })
    .await;
}
