//! A playlist of 1,000 segments, beside what m3u8-rs takes for it, which resolves no address.

use std::fmt::Write as _;
use std::hint::black_box;

use beekeepr_playlist::read;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const SEGMENTS: usize = 1000;
const BASE: &str = "https://cdn.example/live/channel/v.m3u8?token=abc";

/// As ffmpeg writes it with `program_date_time`.
fn playlist() -> String {
    let mut text =
        "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:2680\n"
            .to_owned();
    for number in 2680..2680 + SEGMENTS {
        let (minute, second) = (number / 30 % 60, number * 2 % 60);
        let written = writeln!(
            text,
            "#EXTINF:2.000000,\n#EXT-X-PROGRAM-DATE-TIME:2024-05-01T14:{minute:02}:{second:02}.000+0200\nlive{number}.ts"
        );
        assert!(written.is_ok());
    }
    text
}

fn benches(criterion: &mut Criterion) {
    let text = playlist();
    let mut group = criterion.benchmark_group("hls of 1000 segments");
    group.throughput(Throughput::Elements(SEGMENTS as u64));
    group.bench_function("read", |it| {
        it.iter(|| read(black_box(text.as_bytes()), BASE));
    });
    group.bench_function("m3u8-rs", |it| {
        it.iter(|| m3u8_rs::parse_media_playlist_res(black_box(text.as_bytes())));
    });
    group.finish();
}

criterion_group!(hls, benches);
criterion_main!(hls);
