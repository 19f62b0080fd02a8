//! The inputs of the fuzzers (`tests/fuzz/corpus`), through a reader. The module is no library, so fuzzers cannot call it;
//! what they have found in `core/playlist` comes here as one presentation that ends in another.

use std::fs;
use std::path::Path;

use crate::Reader;

const URL: &str = "http://origin.example/live/index";

/// Before everything, and in the time of the manifests.
const TIMES_MS: [i64; 2] = [0, 1_700_000_000_000];

/// Fields of a stream and of a segment (`shaka-reader.ts`).
const STREAM_FIELDS: usize = 14;
const SEGMENT_FIELDS: usize = 7;

/// Fields ahead of either.
const HEAD_FIELDS: usize = 2;

/// Fields of an index in the media.
const INDEX_FIELDS: usize = 4;

/// Streams that are looked at for each input, one of them not there.
const STREAMS_LOOKED_AT: usize = 3;

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus");
    let entries = fs::read_dir(folder.join(name)).expect("the corpus is there");
    let mut files: Vec<_> = entries.map(|it| it.expect("an entry").path()).collect();
    files.sort();
    let read = |file| fs::read(file).expect("a file");
    files.into_iter().map(read).collect()
}

/// Each answer is a text of ended fields, in whole rows.
fn rows(answer: &[u8], head: usize, row: usize) -> usize {
    let text = std::str::from_utf8(answer).expect("a text");
    assert!(text.is_empty() || text.ends_with('\0'));
    let Some(rows) = text.matches('\0').count().checked_sub(head) else {
        assert!(text.is_empty());
        return 0;
    };
    assert_eq!(rows % row, 0);
    rows / row
}

/// All that an adapter asks after it has heard something.
fn check(reader: &mut Reader, playlist: &[u8], index: &[u8]) {
    for stream in 0..STREAMS_LOOKED_AT {
        reader.playlist(stream, playlist, URL);
        let before = rows(&reader.indexes(stream), 0, INDEX_FIELDS);
        let read = usize::from(reader.index(stream, 0, index));
        assert!(rows(&reader.indexes(stream), 0, INDEX_FIELDS) + read >= before);
        for now_ms in TIMES_MS {
            rows(
                &reader.segments(stream, now_ms),
                HEAD_FIELDS,
                SEGMENT_FIELDS,
            );
        }
    }
}

/// One reader hears all manifests of both kinds, each after the other, and each with an index and a playlist that may be
/// of another presentation.
fn replay(manifests: &[Vec<u8>], playlists: &[Vec<u8>], indexes: &[Vec<u8>]) {
    let mut reader = Reader::default();
    let beside = playlists.iter().cycle().zip(indexes.iter().cycle());
    for (manifest, (playlist, index)) in manifests.iter().zip(beside) {
        for text in [
            &manifest[..],
            manifest.get(..manifest.len() / 2).unwrap_or_default(),
        ] {
            rows(&reader.manifest(text, URL), HEAD_FIELDS, STREAM_FIELDS);
            check(&mut reader, playlist, index);
        }
    }
}

#[test]
fn what_fuzzers_found_gives_whole_rows_and_no_panic() {
    let (hls, dash, sidx) = (corpus("hls"), corpus("dash"), corpus("sidx"));
    let mut manifests: Vec<_> = hls.iter().chain(&dash).cloned().collect();
    replay(&manifests, &hls, &sidx);
    manifests.reverse();
    replay(&manifests, &hls, &sidx);
    // By turns, so that each newer state belongs to something else.
    let mixed: Vec<_> = hls
        .iter()
        .zip(&dash)
        .flat_map(|(one, other)| [one.clone(), other.clone()])
        .collect();
    replay(&mixed, &dash, &sidx);
}
