//! DASH manifests.

use beekeepr_model::Generation;
use beekeepr_playlist::dash::{Presentation, Stream};
use beekeepr_playlist::{Manifest, STREAMS_MAX, read};

use crate::check_error;
use crate::identity::check_hash;
use crate::manifest::{URL, check_address, check_segments};

/// How far after the presentation's start it is looked at, in milliseconds: at once, after a while,
/// and after half an hour.
const LATER_MS: [i64; 3] = [0, 61_234, 1_800_000];

/// Lists that are longer are looked at once: they take long.
const SEGMENTS_OFTEN_MAX: usize = 2_000;

/// The text of an MPD; its length chooses the stream that is looked at.
///
/// What is read of it is bounded, and the same when it is read again; a live stream only ever goes
/// forward.
pub fn dash(data: &[u8]) {
    match read(data, URL) {
        Ok(Manifest::Dash(presentation)) => {
            check(&presentation, data.len());
            // Not for all: most of the time goes into reading.
            if data.len().is_multiple_of(8) {
                assert_eq!(read(data, URL), Ok(Manifest::Dash(presentation)));
            }
        }
        // That is another target's.
        Ok(Manifest::Multivariant(_) | Manifest::Media(_)) => {}
        Err(error) => check_error(&error),
    }
}

fn check(presentation: &Presentation, choice: usize) {
    assert!(presentation.streams.len() <= STREAMS_MAX);
    presentation.locations.iter().for_each(check_address);
    for stream in &presentation.streams {
        for generation in Generation::ALL {
            check_hash(stream.info_hash(generation, "swarm"));
        }
        stream
            .inits()
            .iter()
            .for_each(|init| check_address(&init.url));
        stream
            .indexes()
            .iter()
            .for_each(|index| check_address(&index.url));
    }
    // A stream may have 43,200 segments, and the others are read by the same rules: one is enough.
    if let Some(stream) = presentation
        .streams
        .get(choice % presentation.streams.len().max(1))
    {
        check_stream(presentation, stream);
    }
}

fn check_stream(presentation: &Presentation, stream: &Stream) {
    let start_ms = presentation.start_ms.unwrap_or(0);
    let mut newest = None;
    for later_ms in LATER_MS {
        let now_ms = start_ms.saturating_add(later_ms);
        let segments = presentation.segments(stream, now_ms, stream.mirrors());
        check_segments(&segments);
        let last = segments.last().map(|segment| segment.number);
        assert!(newest <= last.or(newest), "{newest:?} before, {last:?} now");
        newest = last.or(newest);
        if let Some(next_ms) = presentation.next_change_ms(stream, now_ms) {
            assert!(presentation.live && next_ms > now_ms);
        }
        if !presentation.live || segments.len() > SEGMENTS_OFTEN_MAX {
            return;
        }
    }
}
