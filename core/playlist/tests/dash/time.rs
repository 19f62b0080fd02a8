//! What there is at a time, and what stays as time goes by.

use std::collections::HashMap;

use beekeepr_model::Generation;
use beekeepr_playlist::{SEGMENTS_MAX, Segment};
use proptest::prelude::*;

use super::{mpd, presentation};

const LIVE: &str = "type=\"dynamic\" availabilityStartTime=\"2026-01-01T00:00:00Z\"";
/// That time in milliseconds.
const START_MS: i64 = 1_767_225_600_000;

fn listed(text: &str, seconds: f64) -> Vec<Segment> {
    let presentation = presentation(text);
    presentation.segments(
        &presentation.streams[0],
        START_MS + (seconds * 1_000.0) as i64,
        0,
    )
}

fn names(text: &str, seconds: f64) -> Vec<String> {
    let name = |segment: &Segment| segment.url.as_str().rsplit('/').next().map(str::to_owned);
    listed(text, seconds).iter().filter_map(name).collect()
}

fn numbered(attributes: &str, template: &str) -> String {
    let template = format!("<SegmentTemplate timescale=\"1000\" media=\"$Number$\" {template}/>");
    mpd(
        &format!("{LIVE} {attributes}"),
        "start=\"PT10S\"",
        &template,
    )
}

/// Upstream's own case (p2p-media-loader 5.0, `dash-parser.test.ts`): segments of 8 s, a window of 60 s.
#[test]
fn the_window_follows_the_clock() {
    let template = "<SegmentTemplate duration=\"8\" startNumber=\"0\" media=\"$Number$\"/>";
    let text = mpd(
        &format!("{LIVE} timeShiftBufferDepth=\"PT60S\""),
        "start=\"PT0S\"",
        template,
    );
    assert_eq!(names(&text, 100.0), ["5", "6", "7", "8", "9", "10", "11"]);
    assert_eq!(
        names(&text, 104.0),
        ["5", "6", "7", "8", "9", "10", "11", "12"]
    );
    assert_eq!(names(&text, 103.999).last().map(String::as_str), Some("11"));
}

#[test]
fn it_is_known_when_the_next_segment_comes() {
    let text = numbered("", "duration=\"4000\" availabilityTimeOffset=\"1\"");
    let presentation = presentation(&text);
    let next = |seconds: i64| {
        let now = START_MS + seconds * 1_000;
        presentation
            .next_change_ms(&presentation.streams[0], now)
            .map(|at| at - START_MS)
    };
    // The third segment is from 18 s to 22 s, and can be had a second before its end.
    assert_eq!(
        (next(0), next(17), next(20)),
        (Some(13_000), Some(21_000), Some(21_000))
    );
    assert_eq!(names(&text, 20.999), ["1", "2"]);
    assert_eq!(names(&text, 21.0), ["1", "2", "3"]);
}

#[test]
fn nothing_is_there_before_the_period() {
    assert!(names(&numbered("", "duration=\"4000\""), 5.0).is_empty());
    assert!(names(&numbered("", "duration=\"4000\""), -1e15).is_empty());
}

#[test]
fn a_live_period_ends_with_the_next_one() {
    let text = numbered("", "duration=\"4000\"")
        .replace("start=\"PT10S\"", "start=\"PT10S\" duration=\"PT9S\"");
    assert_eq!(names(&text, 1_000.0), ["1", "2", "3"]);
}

#[test]
fn the_last_number_ends_the_list() {
    assert_eq!(
        names(&numbered("", "duration=\"4000\" endNumber=\"2\""), 1_000.0),
        ["1", "2"]
    );
}

#[test]
fn of_a_long_time_the_last_segments_are_listed() {
    let all = names(&numbered("", "duration=\"2000\""), 1_000_010.0);
    assert_eq!(all.len(), SEGMENTS_MAX);
    assert_eq!(all.last().map(String::as_str), Some("500000"));
}

#[test]
fn a_billion_repeats_take_no_room() {
    for end in ["mediaPresentationDuration=\"PT30S\"", ""] {
        let timeline = "<SegmentTemplate media=\"$Time$\"><SegmentTimeline><S d=\"3\" r=\"1000000000\"/>\
                        </SegmentTimeline></SegmentTemplate>";
        let count = names(&mpd(&format!("type=\"static\" {end}"), "", timeline), 0.0).len();
        assert_eq!(count, if end.is_empty() { SEGMENTS_MAX } else { 10 });
    }
}

#[test]
fn each_base_serves() {
    let bases = "<BaseURL>https://a.example/x/</BaseURL><BaseURL>https://b.example/y/</BaseURL>";
    let text = numbered("", "duration=\"4000\"").replace("<Period", &format!("{bases}<Period"));
    let presentation = presentation(&text);
    let stream = &presentation.streams[0];
    let first = |mirror| {
        presentation.segments(stream, START_MS + 14_000, mirror)[0]
            .url
            .to_string()
    };
    assert_eq!(stream.mirrors(), 2);
    assert_eq!(
        (first(0), first(1)),
        (
            "https://a.example/x/1".into(),
            "https://b.example/y/1".into()
        )
    );
    assert_eq!(first(9), first(0));
}

/// A live timeline of which the origin shows a window: `from` to `to` of the durations, the first at `offset`.
fn window(durations: &[u64], from: usize, to: usize, offset: u64) -> String {
    let time = offset + durations[..from].iter().sum::<u64>();
    let first = format!("<S t=\"{time}\" d=\"{}\"/>", durations[from]);
    let rest = durations[from + 1..to]
        .iter()
        .map(|it| format!("<S d=\"{it}\"/>"));
    let entries: String = std::iter::once(first).chain(rest).collect();
    let template = format!(
        "<SegmentTemplate timescale=\"1000\" media=\"$Number$-$Time$\" startNumber=\"{}\">\
         <SegmentTimeline>{entries}</SegmentTimeline></SegmentTemplate>",
        from + 1
    );
    mpd(LIVE, "start=\"PT0S\"", &template)
}

proptest! {
    /// Numbers rise, and so do the identities of segments long enough for them.
    #[test]
    fn identities_rise(durations in proptest::collection::vec(600_u64..12_000, 2..60), offset in 0_u64..1 << 45) {
        let segments = listed(&window(&durations, 0, durations.len(), offset), 0.0);
        prop_assert_eq!(segments.len(), durations.len());
        for pair in segments.windows(2) {
            prop_assert!(pair[0].number < pair[1].number);
            for generation in Generation::ALL {
                prop_assert!(pair[0].id(generation) < pair[1].id(generation));
            }
        }
    }

    /// Whoever reads the manifest later finds a segment under the same identities and the same address.
    #[test]
    fn a_moving_window_changes_no_segment(
        durations in proptest::collection::vec(1_u64..12_000, 3..60), offset in 0_u64..1 << 45, split in 1_usize..50,
    ) {
        let split = split.min(durations.len() - 2);
        let early = listed(&window(&durations, 0, split + 1, offset), 0.0);
        let late = listed(&window(&durations, split, durations.len(), offset), 0.0);
        let known: HashMap<_, _> = early.iter().map(|it| (it.number, it)).collect();
        prop_assert!(known.contains_key(&late[0].number) || durations[split] < 2);
        for segment in &late {
            if let Some(known) = known.get(&segment.number) {
                prop_assert_eq!(*known, segment);
            }
        }
    }

    /// The same where segments follow from the clock alone.
    #[test]
    fn a_moving_clock_changes_no_segment(
        duration in 500_u64..12_000, timescale in prop_oneof![Just(1_000_u64), Just(90_000), Just(48_000)],
        at in 100_i64..1_000_000, later in 0_i64..100,
    ) {
        let template = format!(
            "<SegmentTemplate timescale=\"{timescale}\" duration=\"{}\" media=\"$Number$\"/>",
            duration * timescale / 1_000 + 1
        );
        let text = mpd(&format!("{LIVE} timeShiftBufferDepth=\"PT60S\""), "start=\"PT0S\"", &template);
        let early = listed(&text, at as f64);
        let late = listed(&text, (at + later) as f64);
        let known: HashMap<_, _> = early.iter().map(|it| (it.number, it)).collect();
        for segment in &late {
            let ended = segment.number + segment.duration_ms <= at as u64 * 1_000;
            match known.get(&segment.number) {
                Some(known) => prop_assert_eq!(*known, segment),
                None => prop_assert!(!ended || segment.number / 1_000 + 2 > at as u64),
            }
        }
    }
}
