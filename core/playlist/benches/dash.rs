//! A live MPD with a timeline of 2,000 entries, read by us and by dash-mpd's parser.

#![expect(clippy::expect_used, reason = "a bench that cannot run has failed")]

use std::hint::black_box;

use beekeepr_playlist::{Manifest, read};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const ENTRIES: usize = 2_000;
const URL: &str = "https://cdn.example/tv/manifest.mpd";
/// Some time after the last segment has ended.
const NOW_MS: i64 = 1_767_240_000_000;

/// Video of three bitrates; durations alternate as those of audio frames do, so no entry repeats.
fn manifest() -> String {
    let entry = |index: usize| match index {
        0 => "<S t=\"4147200\" d=\"95232\"/>".to_owned(),
        _ => format!("<S d=\"{}\"/>", 95_232 + index % 2 * 1_024),
    };
    let entries: String = (0..ENTRIES).map(entry).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" profiles=\"urn:mpeg:dash:profile:isoff-live:2011\" type=\"dynamic\" \
         availabilityStartTime=\"2026-01-01T00:00:00Z\" minimumUpdatePeriod=\"PT2S\" minBufferTime=\"PT4S\">\
         <Period id=\"0\" start=\"PT0S\"><AdaptationSet contentType=\"video\" mimeType=\"video/mp4\">\
         <SegmentTemplate timescale=\"48000\" initialization=\"$RepresentationID$/init.mp4\" \
         media=\"$RepresentationID$/$Time$.m4s\"><SegmentTimeline>{entries}</SegmentTimeline></SegmentTemplate>\
         <Representation id=\"1\" bandwidth=\"1000000\" codecs=\"avc1.64001f\" width=\"640\" height=\"360\"/>\
         <Representation id=\"2\" bandwidth=\"2000000\" codecs=\"avc1.64001f\" width=\"1280\" height=\"720\"/>\
         <Representation id=\"3\" bandwidth=\"4000000\" codecs=\"avc1.640028\" width=\"1920\" height=\"1080\"/>\
         </AdaptationSet></Period></MPD>"
    )
}

fn benches(criterion: &mut Criterion) {
    let text = manifest();
    let Ok(Manifest::Dash(presentation)) = read(text.as_bytes(), URL) else {
        return;
    };
    let mut group = criterion.benchmark_group("mpd_2000_entries");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("read", |bencher| {
        bencher.iter(|| read(black_box(text.as_bytes()), URL).expect("it is an MPD"));
    });
    group.bench_function("segments_of_a_stream", |bencher| {
        bencher.iter(|| black_box(&presentation).segments(&presentation.streams[0], NOW_MS, 0));
    });
    group.bench_function("dash_mpd_parse", |bencher| {
        bencher.iter(|| dash_mpd_core::parse(black_box(&text)).expect("it is an MPD"));
    });
    group.bench_function("roxmltree_parse", |bencher| {
        bencher.iter(|| {
            roxmltree::Document::parse(black_box(&text))
                .expect("it is XML")
                .descendants()
                .count()
        });
    });
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
