//! Segments that are listed in the media: `sidx` boxes.

use beekeepr_model::{ByteRange, Generation};
use beekeepr_playlist::dash::Index;
use beekeepr_playlist::dash::sidx::{INDEX_BYTES_MAX, SidxError, segments};
use proptest::prelude::*;

use super::{mpd, presentation};

/// A `sidx` box: its references are sizes and durations, of media or of an index below.
struct Sidx {
    version: u8,
    timescale: u32,
    earliest: u64,
    first_offset: u64,
    references: Vec<(bool, u32, u32)>,
}

impl Sidx {
    fn of_media(references: &[(u32, u32)]) -> Self {
        Self {
            version: 0,
            timescale: 1_000,
            earliest: 0,
            first_offset: 0,
            references: references
                .iter()
                .map(|&(size, duration)| (false, size, duration))
                .collect(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut body = b"sidx".to_vec();
        body.extend([self.version, 0, 0, 0]);
        body.extend(1_u32.to_be_bytes());
        body.extend(self.timescale.to_be_bytes());
        for number in [self.earliest, self.first_offset] {
            let bytes = number.to_be_bytes();
            body.extend(if self.version == 0 {
                &bytes[4..]
            } else {
                &bytes[..]
            });
        }
        body.extend((self.references.len() as u32).to_be_bytes());
        for &(below, size, duration) in &self.references {
            body.extend((size | u32::from(below) << 31).to_be_bytes());
            body.extend(duration.to_be_bytes());
            body.extend(0x9000_0000_u32.to_be_bytes());
        }
        let mut bytes = (body.len() as u32 + 4).to_be_bytes().to_vec();
        bytes.extend(body);
        bytes
    }
}

/// Bytes 500 to 599 of video.mp4, in a Period that begins after 30 s; the media time 2000 ms is its start.
fn index() -> Index {
    let text = mpd(
        "type=\"static\" mediaPresentationDuration=\"PT100S\"",
        "start=\"PT30S\"",
        "<BaseURL>video.mp4</BaseURL><SegmentBase indexRange=\"500-599\" timescale=\"1000\" \
         presentationTimeOffset=\"2000\"><Initialization range=\"0-499\"/></SegmentBase>",
    );
    let presentation = presentation(&text);
    let stream = &presentation.streams[0];
    assert_eq!(presentation.segments(stream, 0, 0), []);
    stream.indexes().remove(0)
}

/// Number, both ids, and bytes.
fn read(bytes: &[u8]) -> Vec<(u64, i64, i64, u64, u64)> {
    let segments = segments(bytes, &index()).expect("the bytes are an index");
    segments
        .iter()
        .map(|it| {
            let range = it.byte_range.expect("each is a part of the file");
            let id = |generation| it.id(generation).0;
            (
                it.number,
                id(Generation::V2),
                id(Generation::V3),
                range.start,
                range.end,
            )
        })
        .collect()
}

#[test]
fn the_manifest_says_what_to_fetch() {
    let index = index();
    assert_eq!(index.url.as_str(), "https://cdn.example/tv/video.mp4");
    assert_eq!(
        index.byte_range,
        Some(ByteRange {
            start: 500,
            end: 600
        })
    );
}

/// Shaka counts the earliest time (2.5 s) and the offset (2 s), p2p-media-loader 5.x neither.
#[test]
fn subsegments_follow_the_box_and_each_other() {
    for version in [0, 1] {
        let sidx = Sidx {
            version,
            earliest: 2_500,
            first_offset: 10,
            ..Sidx::of_media(&[(100, 4_000), (200, 3_960), (50, 40)])
        };
        let end = 500 + sidx.bytes().len() as u64 + 10;
        let expected = [
            (30_500, 61, 300, end, end + 100),
            (34_500, 69, 340, end + 100, end + 300),
            (38_460, 76, 380, end + 300, end + 350),
        ];
        assert_eq!(read(&sidx.bytes()), expected);
    }
}

#[test]
fn boxes_before_the_index_are_passed_over() {
    let mut bytes = [&16_u32.to_be_bytes()[..], b"styp", &[0; 8]].concat();
    bytes.extend(Sidx::of_media(&[(100, 1_000)]).bytes());
    assert_eq!(read(&bytes)[0].3, 500 + bytes.len() as u64);
}

#[test]
fn indexes_below_indexes_are_followed() {
    let below = Sidx {
        earliest: 4_000,
        ..Sidx::of_media(&[(10, 1_000), (20, 1_000)])
    };
    let length = below.bytes().len() as u32;
    let mut top = Sidx::of_media(&[]);
    // The index below stands right behind, and what it refers to behind that.
    top.references = vec![(true, length, 2_000)];
    top.earliest = 4_000;
    let bytes = [top.bytes(), below.bytes()].concat();
    let end = 500 + bytes.len() as u64;
    let expected = [
        (32_000, 64, 300, end, end + 10),
        (33_000, 66, 310, end + 10, end + 30),
    ];
    assert_eq!(read(&bytes), expected);
    let missing = segments(&top.bytes(), &index());
    assert_eq!(
        missing,
        Err(SidxError::Incomplete(ByteRange { start: 500, end }))
    );
}

#[test]
fn an_index_in_a_file_of_its_own_places_segments_from_the_start_of_theirs() {
    let text = mpd(
        "type=\"static\" mediaPresentationDuration=\"PT100S\"",
        "",
        "<BaseURL>video.mp4</BaseURL><SegmentBase><RepresentationIndex sourceURL=\"video.sidx\"/></SegmentBase>",
    );
    let index = presentation(&text).streams[0].indexes().remove(0);
    assert_eq!(
        (index.url.as_str(), index.byte_range),
        ("https://cdn.example/tv/video.sidx", None)
    );
    let sidx = Sidx {
        first_offset: 700,
        ..Sidx::of_media(&[(100, 1_000)])
    };
    let segments = segments(&sidx.bytes(), &index).expect("the bytes are an index");
    assert_eq!(
        segments[0].byte_range,
        Some(ByteRange {
            start: 700,
            end: 800
        })
    );
    assert_eq!(segments[0].url.as_str(), "https://cdn.example/tv/video.mp4");
}

#[test]
fn what_is_no_index_is_refused() {
    let whole = Sidx::of_media(&[(100, 1_000)]).bytes();
    let error = |bytes: &[u8]| {
        segments(bytes, &index())
            .expect_err("an error is expected")
            .to_string()
    };
    assert!(error(b"").contains("no sidx box"));
    assert!(error(&[0; 64]).contains("no sidx box"));
    assert!(error(&whole[..20]).contains("expected 500 to 544"));
    assert!(error(&vec![0; INDEX_BYTES_MAX + 1]).contains("expected at most"));
    let no_time = Sidx {
        timescale: 0,
        ..Sidx::of_media(&[(100, 1_000)])
    };
    assert!(error(&no_time.bytes()).contains("expected a timescale above 0"));
    let empty = Sidx::of_media(&[(0, 1_000)]);
    assert!(error(&empty.bytes()).contains("expected a segment of one byte or more"));
    let far = Sidx {
        version: 1,
        first_offset: u64::MAX,
        ..Sidx::of_media(&[(1, 1)])
    };
    assert!(error(&far.bytes()).contains("expected a segment of one byte or more"));
    let loops = Sidx {
        references: vec![(true, 44, 1); 9],
        ..Sidx::of_media(&[])
    };
    let chain: Vec<u8> = std::iter::repeat_n(loops.bytes(), 9).flatten().collect();
    assert!(segments(&chain, &index()).is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..200), place in 0_usize..8, large: bool,
    ) {
        bytes.splice(0..0, [0, 0, if large { 255 } else { 0 }, 150]);
        bytes.splice(4..4, *b"sidx");
        bytes.splice(8..8, [place as u8 & 1, 0, 0, 0]);
        let _outcome = segments(&bytes, &index());
    }

    #[test]
    fn all_subsegments_come_out(references in proptest::collection::vec((1_u32..1 << 31, 1_u32..100_000), 1..100)) {
        let read = read(&Sidx::of_media(&references).bytes());
        prop_assert_eq!(read.len(), references.len());
        prop_assert!(read.windows(2).all(|pair| pair[0].4 == pair[1].3 && pair[0].0 < pair[1].0));
    }
}
