//! Manifests and what they mean. Files in golden/ are of our own writing.

#![expect(clippy::panic, reason = "a test that got something else has failed")]

use beekeepr_model::{ByteRange, Generation, SegmentId, StreamKind};
use beekeepr_playlist::{
    MANIFEST_BYTES_MAX, Manifest, ManifestError, Media, Stream, read, segment_id,
};
use proptest::prelude::*;
use url::Url;

const BASE: &str = "https://cdn.example/tv/master.m3u8?token=secret";

fn base() -> Url {
    Url::parse(BASE).expect("the base is a URL")
}

#[track_caller]
fn streams(text: &str) -> Vec<Stream> {
    match read(text.as_bytes(), &base()) {
        Ok(Manifest::Streams(streams)) => streams,
        other => panic!("streams expected, got {other:?}"),
    }
}

#[track_caller]
fn media(text: &str) -> Media {
    match read(text.as_bytes(), &base()) {
        Ok(Manifest::Media(media)) => media,
        other => panic!("media playlist expected, got {other:?}"),
    }
}

fn error(text: &[u8]) -> String {
    read(text, &base())
        .expect_err("an error is expected")
        .to_string()
}

#[test]
fn variants_and_audio_become_streams() {
    let streams = streams(include_str!("golden/variants.m3u8"));
    let seen: Vec<_> = streams
        .iter()
        .map(|it| (it.kind, it.index, it.url.as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            (
                StreamKind::Main,
                0,
                "https://cdn.example/tv/360p.m3u8?session=1"
            ),
            (StreamKind::Main, 1, "https://other.example/1080p.m3u8"),
            (
                StreamKind::Secondary,
                0,
                "https://cdn.example/tv/audio/en.m3u8"
            ),
            (
                StreamKind::Secondary,
                1,
                "https://cdn.example/tv/audio/de.m3u8"
            ),
        ]
    );
}

#[test]
fn a_variant_keeps_what_names_its_swarm() {
    let streams = streams(include_str!("golden/variants.m3u8"));
    let video = &streams[0].properties;
    assert_eq!(
        (video.bitrate, video.width, video.height),
        (1_700_000, 640, 360)
    );
    assert_eq!(
        (video.codecs.as_str(), video.frame_rate.as_str()),
        ("avc1.4d401e", "30")
    );
    assert_eq!(video.video_range, "SDR");
    let audio = &streams[3].properties;
    assert_eq!((audio.bitrate, audio.codecs.as_str()), (0, "mp4a.40.2"));
    assert_eq!(
        (audio.language.as_str(), audio.channels.as_str()),
        ("de", "6/JOC")
    );
    assert_eq!(audio.name, "Deutsch");
}

/// The hashes came out of p2p-media-loader 2.2.2, 2.3.1 and 5.x for a variant of 1700000 bit/s,
/// avc1.4d401e, 640x360.
#[test]
fn swarms_match_the_foreign_clients() {
    let text = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1700000,RESOLUTION=640x360,\
                CODECS=\"avc1.4d401e,mp4a.40.2\"\n360p.m3u8";
    let stream = &streams(text)[0];
    let swarm = |generation| {
        stream
            .info_hash(generation, "http://127.0.0.1:8000/hls/live.m3u8")
            .to_string()
    };
    assert_eq!(swarm(Generation::V2Index), "/Vq0qF1biOpUTBIICV30");
    assert_eq!(swarm(Generation::V2), "hpw5DN1BrHoy/nDyIVbD");
    assert_eq!(swarm(Generation::V3), "dWzShRMpT2iw023W5NAw");
}

#[test]
fn the_newest_clients_name_the_bitrate_only_where_nothing_else_differs() {
    let text = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=2x2\na.m3u8\n\
                #EXT-X-STREAM-INF:BANDWIDTH=2,RESOLUTION=2x2\nb.m3u8\n\
                #EXT-X-STREAM-INF:BANDWIDTH=3,RESOLUTION=4x4\nc.m3u8\n";
    let tells: Vec<_> = streams(text).iter().map(|it| it.bitrate_tells).collect();
    assert_eq!(tells, [true, true, false]);
}

/// hls.js gives a media playlist without a manifest bitrate 0, for which p2p-media-loader 2.3.1 and
/// 5.x hash no property at all: identity `UYnLxGhQilEV4D0HbCx+kRv0ZF0=`.
#[test]
fn a_lone_media_playlist_has_the_swarm_of_no_properties() {
    let stream = Stream::lone(base());
    // Upstream's golden value for `v3-https://example.com/hls/master.m3u8-main-UYnL...`.
    let v3 = stream.info_hash(Generation::V3, "https://example.com/hls/master.m3u8");
    assert_eq!(v3.to_string(), "s/SEXqQzSgMtVKrBDDMm");
    assert_ne!(
        v3,
        stream.info_hash(Generation::V2, "https://example.com/hls/master.m3u8")
    );
}

#[test]
fn audio_inside_the_variant_counts_but_is_no_stream() {
    let text = "#EXTM3U\n\
                #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"inside\"\n\
                #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"apart\",URI=\"apart.m3u8\"\n\
                #EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"a\"\nv.m3u8\n";
    let seen: Vec<_> = streams(text).iter().map(|it| (it.kind, it.index)).collect();
    assert_eq!(seen, [(StreamKind::Main, 0), (StreamKind::Secondary, 1)]);
}

#[test]
fn live_segments_keep_their_place_address_and_time() {
    let media = media(include_str!("golden/live.m3u8"));
    assert!(media.live);
    assert_eq!(
        (media.media_sequence, media.target_duration_ms),
        (617, 4000)
    );
    let urls: Vec<_> = media.segments.iter().map(|it| it.url.path()).collect();
    assert_eq!(
        urls,
        [
            "/tv/617.m4s",
            "/elsewhere/618.m4s",
            "/tv/619.m4s",
            "/tv/620.m4s"
        ]
    );
    let durations: Vec<_> = media.segments.iter().map(|it| it.duration_ms).collect();
    assert_eq!(durations, [4000, 3967, 4000, 4000]);
    let breaks: Vec<_> = media.segments.iter().map(|it| it.discontinuity).collect();
    assert_eq!(breaks, [false, false, true, false]);
    assert!(media.segments[3].gap && !media.segments[2].gap);
}

#[test]
fn byte_ranges_continue_within_one_file() {
    let media = media(include_str!("golden/ranges.m3u8"));
    assert!(!media.live);
    let ranges: Vec<_> = media.segments.iter().map(|it| it.byte_range).collect();
    let range = |start, end| Some(ByteRange { start, end });
    assert_eq!(
        ranges,
        [range(500, 1500), range(1500, 1750), range(0, 250), None]
    );
}

#[test]
fn ids_follow_the_generation() {
    use Generation::{V2, V2Index, V3};
    let ids = |live| [V2Index, V2, V3].map(|generation| segment_id(generation, live, 100, 3).0);
    assert_eq!(ids(true), [103, 103, 103]);
    assert_eq!(ids(false), [3, 3, 103]);
    assert_eq!(segment_id(V3, true, u64::MAX, 3), SegmentId((1 << 53) - 1));
}

#[test]
fn what_is_no_hls_is_named() {
    assert_eq!(
        error(b"<!DOCTYPE html>\n<html>"),
        "not an HLS manifest: it begins with \"<!DOCTYPE html>\", expected #EXTM3U"
    );
    assert!(error(b"<?xml version=\"1.0\"?>\n<MPD>").contains("DASH"));
    assert!(error(b"\x47\x40\xff\xfe").contains("expected #EXTM3U"));
    assert!(error(b"").contains("expected #EXTM3U"));
    assert!(error(b"#EXTM3U\n#EXTINF:4,\n\xff\xfe\n").contains("no UTF-8"));
    assert!(error(b"#EXTM3U\n").contains("lists nothing"));
    assert!(error(&vec![b'#'; MANIFEST_BYTES_MAX + 1]).contains("expected at most"));
}

#[test]
fn an_address_that_cannot_be_resolved_is_named() {
    assert_eq!(
        read(b"#EXTM3U\n#EXTINF:4,\nhttp://[broken\n", &base()),
        Err(ManifestError::Url("http://[broken".into()))
    );
}

#[test]
fn a_byte_order_mark_and_a_missing_last_newline_do_no_harm() {
    let media = media("\u{feff}#EXTM3U\r\n#EXT-X-TARGETDURATION:4\r\n#EXTINF:4,\r\na.ts");
    assert_eq!(media.segments.len(), 1);
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(
        lines in proptest::collection::vec(prop_oneof![
            Just("#EXTINF:".to_owned()), Just("#EXT-X-STREAM-INF:BANDWIDTH=".to_owned()),
            Just("#EXT-X-MEDIA:TYPE=AUDIO,".to_owned()), Just("#EXT-X-BYTERANGE:".to_owned()),
            Just("\n".to_owned()), Just("#EXT-X-MEDIA-SEQUENCE:".to_owned()), ".*", "[0-9@.,=\"x]*",
        ], 0..20),
    ) {
        let _outcome = read(format!("#EXTM3U\n{}", lines.concat()).as_bytes(), &base());
    }
}
