//! Manifests and what they mean. Files in hls/ are of our own writing.

#![expect(clippy::panic, reason = "a test that got something else has failed")]

use beekeepr_model::{ByteRange, Generation, SegmentId, StreamKind};
use beekeepr_playlist::{
    Address, MANIFEST_BYTES_MAX, Manifest, ManifestError, Media, STREAMS_MAX, Stream, read,
};

const BASE: &str = "https://cdn.example/tv/master.m3u8?token=secret";

#[track_caller]
fn streams(text: &str) -> Vec<Stream> {
    match read(text.as_bytes(), BASE) {
        Ok(Manifest::Multivariant(multivariant)) => multivariant.streams,
        other => panic!("streams expected, got {other:?}"),
    }
}

#[track_caller]
fn media(text: &str) -> Media {
    match read(text.as_bytes(), BASE) {
        Ok(Manifest::Media(media)) => media,
        other => panic!("media playlist expected, got {other:?}"),
    }
}

fn error(text: &[u8]) -> String {
    read(text, BASE)
        .expect_err("an error is expected")
        .to_string()
}

#[test]
fn variants_and_audio_become_streams() {
    let streams = streams(include_str!("hls/variants.m3u8"));
    let seen: Vec<_> = streams
        .iter()
        .map(|it| (it.kind, it.url.as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            (
                StreamKind::Main,
                "https://cdn.example/tv/360p.m3u8?session=1"
            ),
            (StreamKind::Main, "https://other.example/1080p.m3u8"),
            (
                StreamKind::Secondary,
                "https://cdn.example/tv/audio/en.m3u8"
            ),
            (
                StreamKind::Secondary,
                "https://cdn.example/tv/audio/de.m3u8"
            ),
        ]
    );
}

#[test]
fn a_variant_keeps_what_names_its_swarm() {
    let streams = streams(include_str!("hls/variants.m3u8"));
    let video = &streams[0].properties;
    assert_eq!(
        (video.bitrate, video.width, video.height),
        (1_700_000, 640, 360)
    );
    assert_eq!(
        (video.codecs.as_str(), video.frame_rate.as_str()),
        ("avc1.4d401e", "30.000")
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
            .unwrap()
            .to_string()
    };
    assert_eq!(swarm(Generation::V2Index), "/Vq0qF1biOpUTBIICV30");
    assert_eq!(swarm(Generation::V2), "hpw5DN1BrHoy/nDyIVbD");
    assert_eq!(swarm(Generation::V3), "dWzShRMpT2iw023W5NAw");
}

/// hls.js gives a media playlist without a manifest bitrate 0, for which p2p-media-loader 2.3.1 and
/// 5.x hash no property at all: identity `UYnLxGhQilEV4D0HbCx+kRv0ZF0=`.
#[test]
fn a_lone_media_playlist_has_the_swarm_of_no_properties() {
    let stream = Stream::lone(Address::parse(BASE).unwrap());
    // Upstream's golden value for `v3-https://example.com/hls/master.m3u8-main-UYnL...`.
    let v3 = stream.info_hash(Generation::V3, "https://example.com/hls/master.m3u8");
    assert_eq!(v3.unwrap().to_string(), "s/SEXqQzSgMtVKrBDDMm");
    assert_ne!(
        v3,
        stream.info_hash(Generation::V2, "https://example.com/hls/master.m3u8")
    );
}

#[test]
fn live_segments_keep_their_place_address_and_time() {
    let media = media(include_str!("hls/live.m3u8"));
    assert!(media.live);
    assert_eq!(
        (media.media_sequence, media.target_duration_ms),
        (617, 4000)
    );
    let urls: Vec<_> = media.segments.iter().map(|it| it.url.as_str()).collect();
    assert_eq!(
        urls,
        [
            "https://cdn.example/tv/617.m4s",
            "https://cdn.example/elsewhere/618.m4s?token=x",
            "https://cdn.example/tv/619.m4s",
            "https://cdn.example/tv/620.m4s"
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
    let media = media(include_str!("hls/ranges.m3u8"));
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
    let text = "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:100\n#EXTINF:4,\na\n#EXTINF:4,\nb\n";
    let ids =
        |text: &str| [V2Index, V2, V3].map(|generation| media(text).segments[1].id(generation));
    assert_eq!(ids(text), [101, 101, 101].map(SegmentId));
    let ended = format!("{text}#EXT-X-ENDLIST\n");
    assert_eq!(ids(&ended), [1, 1, 101].map(SegmentId));
    let text = text.replace(":100", ":18446744073709551615");
    assert_eq!(media(&text).segments[1].id(V3), SegmentId((1 << 53) - 1));
}

#[test]
fn what_is_no_hls_is_named() {
    assert_eq!(
        error(b"<!DOCTYPE html>\n<html>"),
        "not a manifest: it begins with \"<!DOCTYPE html>\", expected #EXTM3U of HLS or <MPD> of DASH; check the address"
    );
    assert!(error(b"<?xml version=\"1.0\"?>\n<MPD>").contains("DASH"));
    assert!(error(b"\x47\x40\xff\xfe").contains("expected #EXTM3U"));
    assert!(error(b"").contains("expected #EXTM3U"));
    assert!(error(b"#EXTM3U\n#EXTINF:4,\n\xff\xfe\n").contains("no UTF-8"));
    assert!(error(b"#EXTM3U\n").contains("expected EXT-X-STREAM-INF or EXTINF"));
    assert!(error(&vec![b'#'; MANIFEST_BYTES_MAX + 1]).contains("expected at most"));
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let fault = |text: &str| match read(text.as_bytes(), BASE) {
        Err(ManifestError::Hls(fault)) => (fault.line, fault.offset, fault.seen, fault.expected),
        other => panic!("an error is expected, got {other:?}"),
    };
    assert_eq!(
        fault("\u{feff}#EXTM3U\r\n\r\n#EXTINF:4,\r\nhttp://[broken\r\n"),
        (
            4,
            26,
            "http://[broken".into(),
            "an address with a host, in ASCII (xn--... for others)"
        )
    );
    let number = "a number of seconds";
    assert_eq!(
        fault("#EXTM3U\n#EXTINF:soon,\na\n"),
        (2, 8, "#EXTINF:soon,".into(), number)
    );
    assert_eq!(fault("#EXTM3U\n#EXT-X-TARGETDURATION:\n").3, number);
    assert_eq!(
        fault("#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:-1\n#EXTINF:1\na").3,
        "a whole number"
    );
    assert_eq!(
        fault("#EXTM3U\n#EXTINF:1\n#EXT-X-BYTERANGE:x\na").3,
        "a byte range, length[@offset]"
    );
}

#[test]
fn every_bound_is_named() {
    let text = |line: &str, count| format!("#EXTM3U\n#EXTINF:1\na\n{}", line.repeat(count));
    let error = |line: &str, count| error(text(line, count).as_bytes());
    assert!(error(&format!("#EXT{}\n", "x".repeat(70_000)), 1).contains("64 KiB"));
    assert!(error("#EXT-X-PART:DURATION=1,URI=\"a\"\n", 4097).contains("4096 parts"));
    let maps: String = (0..1025)
        .map(|it| format!("#EXT-X-MAP:URI=\"{it}\"\n"))
        .collect();
    assert!(error(&maps, 1).contains("1024 different EXT-X-MAP"));
    assert!(error(&format!("{}\n", "x".repeat(9000)), 1).contains("8 KiB"));
    let folder = format!("https://cdn.example/{}/v.m3u8", "x".repeat(8000));
    let many = text("#EXTINF:1\na\n", 9000);
    let long = read(many.as_bytes(), &folder)
        .expect_err("too long")
        .to_string();
    assert!(long.contains("64 MiB of addresses"), "{long}");
    let same = text("#EXT-X-MAP:URI=\"a\"\n#EXT-X-MAP:URI=\"b\"\n", 2000);
    assert_eq!(media(&same).inits.len(), 2);
}

#[test]
fn of_many_streams_the_first_ones_are_taken() {
    let variant = |it: u32| format!("#EXT-X-STREAM-INF:BANDWIDTH={it}\n{it}.m3u8\n");
    let text: String = (1..2000).map(variant).collect();
    assert_eq!(streams(&format!("#EXTM3U\n{text}")).len(), STREAMS_MAX);
}

#[test]
fn an_address_without_extinf_counts_as_for_hlsjs() {
    let media = media("#EXTM3U\n#EXT-X-TARGETDURATION:4\na.ts\n#EXTINF:4,\nb.ts\n");
    let seen: Vec<_> = media
        .segments
        .iter()
        .map(|it| (it.number, it.duration_ms))
        .collect();
    assert_eq!(seen, [(0, 0), (1, 4000)]);
}

#[test]
fn the_manifests_own_address_has_to_be_one() {
    let error = read(b"#EXTM3U\n", "file:///live.m3u8")
        .expect_err("no address")
        .to_string();
    assert!(
        error.contains("expected an absolute http or https address"),
        "{error}"
    );
}

#[test]
fn a_byte_order_mark_and_a_missing_last_newline_do_no_harm() {
    let media = media("\u{feff}#EXTM3U\r\n#EXT-X-TARGETDURATION:4\r\n#EXTINF:4,\r\na.ts");
    assert_eq!(media.segments.len(), 1);
}
