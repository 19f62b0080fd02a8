//! Playlists that refer to something else: to their own last state, to the multivariant playlist, to their address.

#![expect(clippy::panic, reason = "a test that got something else has failed")]
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use beekeepr_model::Generation;
use beekeepr_playlist::{Context, Encryption, Manifest, Media, Variables, read_with};

const BASE: &str = "https://cdn.example/live/v.m3u8?token=a%2Fb&empty=";

fn read(text: &str, context: Context<'_>) -> Result<Media, String> {
    match read_with(text.as_bytes(), BASE, context) {
        Ok(Manifest::Media(media)) => Ok(media),
        Ok(other) => panic!("media playlist expected, got {other:?}"),
        Err(error) => Err(error.to_string()),
    }
}

fn media(text: &str) -> Media {
    read(text, Context::default()).unwrap()
}

fn update(text: &str, previous: &Media) -> Result<Media, String> {
    let context = Context {
        previous: Some(previous),
        ..Context::default()
    };
    read(text, context)
}

/// The head of a live playlist whose segments are parts of one encrypted file.
const WHOLE: &str = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:10\n#EXT-X-MAP:URI=\"init.mp4\"\n\
    #EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n\
    #EXTINF:4,\n#EXT-X-BYTERANGE:100@0\na.mp4\n#EXTINF:4,\n#EXT-X-BYTERANGE:100\na.mp4\n#EXTINF:4,\n\
    #EXT-X-BYTERANGE:100\na.mp4\n";

#[test]
fn a_delta_update_gives_the_same_as_the_whole_playlist() {
    let new = "#EXTINF:4,\n#EXT-X-BYTERANGE:50\na.mp4\n";
    let delta = format!(
        "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:11\n#EXT-X-SKIP:SKIPPED-SEGMENTS=2\n{new}"
    );
    let updated = update(&delta, &media(WHOLE)).unwrap();
    let mut whole = media(&format!("{WHOLE}{new}"));
    whole.segments.remove(0);
    whole.media_sequence = 11;
    assert_eq!(updated, whole);
    assert_eq!(updated.segments[2].byte_range.unwrap().start, 300);
    assert_eq!(updated.segments[2].hls.encryption, Encryption::Aes128);
    assert_eq!(updated.segments[2].hls.init, Some(0));
}

#[test]
fn a_delta_update_needs_what_it_skips() {
    let delta = |first: u64, count: u64| {
        format!(
            "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:{first}\n#EXT-X-SKIP:SKIPPED-SEGMENTS={count}\n#EXTINF:4,\nb\n"
        )
    };
    let previous = media(WHOLE);
    let error = read(&delta(10, 2), Context::default()).unwrap_err();
    assert!(
        error.contains("line 3") && error.contains("without _HLS_skip"),
        "{error}"
    );
    // It reaches beyond what was known, at either end.
    assert!(update(&delta(9, 2), &previous).is_err());
    assert!(update(&delta(12, 2), &previous).is_err());
    assert!(update(&delta(u64::MAX, u64::MAX), &previous).is_err());
    // Segments before it would be counted twice.
    let late = "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:10\n#EXTINF:4,\na\n#EXT-X-SKIP:SKIPPED-SEGMENTS=1\n";
    assert!(update(late, &previous).is_err());
    // Nothing skipped needs nothing.
    assert_eq!(media(&delta(10, 0)).segments.len(), 1);
}

#[test]
fn a_delta_update_numbers_on_when_the_stream_ends() {
    let delta = "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:10\n#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n#EXTINF:4,\nb\n#EXT-X-ENDLIST\n";
    let ended = update(delta, &media(WHOLE)).unwrap();
    let ids = |generation| {
        ended
            .segments
            .iter()
            .map(move |it| it.id(generation).0)
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(Generation::V3), [10, 11, 12, 13]);
    assert_eq!(ids(Generation::V2), [0, 1, 2, 3]);
}

#[test]
fn variables_are_imported_from_the_multivariant_playlist() {
    let multivariant = "#EXTM3U\n#EXT-X-DEFINE:NAME=\"dir\",VALUE=\"x/y\"\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{$dir}/v.m3u8\n";
    let Ok(Manifest::Multivariant(multivariant)) =
        read_with(multivariant.as_bytes(), BASE, Context::default())
    else {
        panic!("a multivariant playlist expected");
    };
    assert_eq!(
        multivariant.streams[0].url.as_str(),
        "https://cdn.example/live/x/y/v.m3u8"
    );
    let context = |variables| Context {
        variables,
        previous: None,
    };
    let text = "#EXTM3U\n#EXT-X-DEFINE:IMPORT=\"dir\"\n#EXTINF:4,\n{$dir}/{$dir}.ts\n";
    let media = read(text, context(Some(&multivariant.variables))).unwrap();
    assert_eq!(
        media.segments[0].url.as_str(),
        "https://cdn.example/live/x/y/x/y.ts"
    );
    let error = read(text, context(None)).unwrap_err();
    assert!(
        error.contains("line 2") && error.contains("multivariant"),
        "{error}"
    );
    assert!(read(text, context(Some(&Variables::default()))).is_err());
}

#[test]
fn variables_come_from_the_playlists_address() {
    let text = |name| {
        format!("#EXTM3U\n#EXT-X-DEFINE:QUERYPARAM=\"{name}\"\n#EXTINF:4,\na.ts?t={{${name}}}\n")
    };
    let url = |name| media(&text(name)).segments[0].url.to_string();
    assert_eq!(url("token"), "https://cdn.example/live/a.ts?t=a/b");
    assert_eq!(url("empty"), "https://cdn.example/live/a.ts?t=");
    assert!(read(&text("absent"), Context::default()).is_err());
}

#[test]
fn variables_that_nobody_defined_are_named() {
    let error = |text: &str| {
        read(
            &format!("#EXTM3U\n{text}\n#EXTINF:4,\na{{$b}}.ts\n"),
            Context::default(),
        )
        .unwrap_err()
    };
    assert!(
        error("").contains("line 4 (byte 20): seen \"a{$b}.ts\""),
        "{}",
        error("")
    );
    assert!(error("#EXT-X-DEFINE:VALUE=\"1\"").contains("NAME, IMPORT or QUERYPARAM"));
    let long = format!("#EXT-X-DEFINE:NAME=\"b\",VALUE=\"{}\"", "x".repeat(9000));
    assert!(error(&long).contains("8 KiB"));
    let many = "#EXT-X-DEFINE:NAME=\"c\",VALUE=\"1\"\n".repeat(65);
    assert!(error(&many).contains("64 variables"));
    assert!(read("#EXTM3U\n#EXTINF:4,\na{$b\n", Context::default()).is_err());
}
