//! What holds for every playlist; m3u8-rs is the oracle where it is right.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::fs;
use std::path::PathBuf;

use beekeepr_model::Generation;
use beekeepr_playlist::{Context, Manifest, Media, SEGMENTS_MAX, read, read_with};
use proptest::prelude::*;

const BASE: &str = "https://cdn.example/live/v.m3u8";

/// All manifests that lie beside the tests.
fn manifests() -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/manifests/hls");
    let paths = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let playlists = paths.filter(|path| path.extension().is_some_and(|it| it == "m3u8"));
    playlists.map(|path| fs::read(path).unwrap()).collect()
}

fn media(text: &[u8]) -> Option<Media> {
    match read(text, BASE) {
        Ok(Manifest::Media(media)) => Some(media),
        Ok(Manifest::Multivariant(_) | Manifest::Dash(_)) | Err(_) => None,
    }
}

#[test]
fn segments_are_those_of_the_oracle() {
    let mut compared = 0;
    for text in manifests() {
        let Some(media) = media(&text) else { continue };
        // The oracle takes a comma in a title for one more segment, and reads no number below 0.
        let text = String::from_utf8(text).unwrap();
        if text.contains("\"live\"") || text.contains("EXTINF:-1") {
            continue;
        }
        let (_, oracle) = m3u8_rs::parse_media_playlist(text.as_bytes()).unwrap();
        assert_eq!(media.live, !oracle.end_list);
        assert_eq!(media.target_duration_ms, oracle.target_duration * 1000);
        assert_eq!(media.media_sequence, oracle.media_sequence);
        assert_eq!(media.segments.len(), oracle.segments.len());
        for (ours, theirs) in media.segments.iter().zip(&oracle.segments) {
            assert!(
                ours.duration_ms
                    .abs_diff((f64::from(theirs.duration) * 1000.0) as u64)
                    <= 1
            );
            assert_eq!(ours.discontinuity, theirs.discontinuity);
            assert_eq!(ours.byte_range.is_some(), theirs.byte_range.is_some());
            // It reads no zone without a colon, which is how ffmpeg writes it.
            if let Some(date) = theirs.program_date_time {
                assert_eq!(ours.hls.program_ms, Some(date.timestamp_millis()));
            }
        }
        compared += 1;
    }
    assert!(compared > 25, "only {compared}");
}

#[test]
fn of_more_segments_than_anybody_looks_at_the_last_ones_keep_their_numbers() {
    let segments = "#EXTINF:1\na\n".repeat(SEGMENTS_MAX + 3);
    let text = format!("#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:10\n{segments}#EXT-X-ENDLIST\n");
    let media = media(text.as_bytes()).unwrap();
    assert_eq!(media.segments.len(), SEGMENTS_MAX);
    let first = &media.segments[0];
    assert_eq!((first.number, first.id(Generation::V2).0), (13, 3));
    let delta = format!(
        "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:10\n#EXT-X-SKIP:SKIPPED-SEGMENTS={}\n#EXTINF:1\nb\n",
        SEGMENTS_MAX + 3
    );
    let context = Context {
        previous: Some(&media),
        ..Context::default()
    };
    let Ok(Manifest::Media(updated)) = read_with(delta.as_bytes(), BASE, context) else {
        unreachable!("a media playlist is expected");
    };
    assert_eq!(updated.segments.len(), SEGMENTS_MAX);
    assert_eq!(updated.segments[0].number, 14);
}

/// What lines begin with, as far as it matters.
const TAGS: &[&str] = &[
    "#EXTINF:",
    "#EXT-X-STREAM-INF:BANDWIDTH=",
    "#EXT-X-MEDIA:TYPE=AUDIO,",
    "#EXT-X-BYTERANGE:",
    "\n",
    "#EXT-X-MEDIA-SEQUENCE:",
    "#EXT-X-SKIP:SKIPPED-SEGMENTS=",
    "#EXT-X-DEFINE:",
    "#EXT-X-PART:URI=\"",
    "{$a}",
    "#EXT-X-PROGRAM-DATE-TIME:2024-01-01T",
    "#EXT-X-MAP:URI=\"a\",BYTERANGE=\"",
    "NAME=\"a\",VALUE=\"",
    "IMPORT=\"a\"",
];

/// A line of a playlist.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(TAGS.to_vec()).prop_map(str::to_owned),
        ".*",
        "[0-9@.,=\"x:+-]*",
    ]
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(lines in proptest::collection::vec(line(), 0..20)) {
        let text = format!("#EXTM3U\n{}", lines.concat());
        let first = read(text.as_bytes(), BASE);
        if let Ok(Manifest::Media(media)) = &first {
            let context = Context { previous: Some(media), variables: None };
            let _again = read_with(text.as_bytes(), BASE, context);
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _outcome = read(&bytes, BASE);
    }

    #[test]
    fn no_mutation_of_a_manifest_makes_the_reader_panic(
        manifest in any::<proptest::sample::Index>(),
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>(), 0..3), 1..6),
    ) {
        let mut text = manifest.get(&manifests()).clone();
        for (place, byte, kind) in edits {
            let at = place.index(text.len());
            match kind {
                0 => text[at] = byte,
                1 => { text.remove(at); }
                _ => text.insert(at, byte),
            }
            prop_assume!(!text.is_empty());
        }
        let _outcome = read(&text, BASE);
    }

    #[test]
    fn segments_keep_their_ids_when_others_come_and_go(
        first in 0_u64..1_000_000, known in 1_usize..20, new in 0_usize..20, gone in 0_usize..20,
    ) {
        let playlist = |first: u64, count: usize| {
            let mut text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:{first}\n");
            for number in first..first + count as u64 {
                text.push_str(&format!("#EXTINF:4,\n{number}.ts\n"));
            }
            media(text.as_bytes()).unwrap()
        };
        let gone = gone.min(known - 1);
        let before = playlist(first, known);
        let after = playlist(first + gone as u64, known - gone + new);
        for generation in Generation::ALL {
            for (old, new) in before.segments[gone..].iter().zip(&after.segments) {
                prop_assert_eq!(&old.url, &new.url);
                prop_assert_eq!(old.id(generation), new.id(generation));
            }
        }
    }
}
