//! Every manifest gives what stands beside it.

use std::fmt::Write;

use beekeepr_model::{Generation, StreamProperties};
use beekeepr_playlist::Segment;
use beekeepr_playlist::dash::{Clock, Presentation, Stream, date_ms};

use super::{Known, MANIFESTS, presentation};

/// Set to write down what comes out. Check every line of it.
const BLESS: &str = "BEEKEEPR_BLESS";

#[test]
fn manifests_give_the_expected_streams_and_segments() {
    let mut wrong = Vec::new();
    for Known {
        name,
        text,
        expected,
    } in MANIFESTS.iter()
    {
        let first = expected.lines().next().unwrap_or_default();
        let now = first.strip_prefix("now ").and_then(date_ms);
        let now = now.unwrap_or_else(|| panic!("{name}.expected begins with the time"));
        let seen = format!("{first}\n{}", describe(&presentation(text), now));
        if std::env::var_os(BLESS).is_some() {
            let path = format!(
                "{}/tests/manifests/dash/{name}.expected",
                env!("CARGO_MANIFEST_DIR")
            );
            std::fs::write(path, &seen).expect("it can be written");
        } else if seen != *expected {
            wrong.push(format!("--- {name}\n{seen}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

fn describe(presentation: &Presentation, now_ms: i64) -> String {
    let mut out = String::new();
    let ms = |value: Option<u64>| value.map_or("-".to_owned(), |value| value.to_string());
    writeln!(
        out,
        "{} start {} duration {} update {} window {} delay {}",
        if presentation.live { "live" } else { "static" },
        presentation
            .start_ms
            .map_or("-".to_owned(), |it| it.to_string()),
        ms(presentation.duration_ms),
        ms(presentation.minimum_update_ms),
        ms(presentation.window_ms),
        ms(presentation.delay_ms),
    )
    .expect("a text takes all");
    for location in &presentation.locations {
        out.push_str(&format!("location {location}\n"));
    }
    for clock in &presentation.clocks {
        out.push_str(&match clock {
            Clock::Head(url) => format!("clock head {url}\n"),
            Clock::Get(url) => format!("clock get {url}\n"),
            Clock::Direct(ms) => format!("clock is {ms}\n"),
            Clock::Other { scheme, value } => format!("clock {scheme} {value}\n"),
        });
    }
    for stream in &presentation.streams {
        out.push_str(&describe_stream(presentation, stream, now_ms));
    }
    out
}

fn describe_stream(presentation: &Presentation, stream: &Stream, now_ms: i64) -> String {
    let mut out = format!(
        "stream {} {} {} bit/s, {} address(es){}\n",
        stream.id,
        if stream.is_video { "video" } else { "audio" },
        stream.bandwidth,
        stream.mirrors(),
        if stream.encrypted { ", encrypted" } else { "" },
    );
    for (name, generation) in [("v2", Generation::V2), ("v3", Generation::V3)] {
        let kind = stream.kind(generation).as_str();
        let properties = joined(stream.properties(generation));
        out.push_str(&format!("  {name} {kind} {} {properties}\n", stream.index));
    }
    for init in stream.inits() {
        out.push_str(&format!("  init {}{}\n", init.url, range(init.byte_range)));
    }
    for index in stream.indexes() {
        out.push_str(&format!(
            "  index {}{}\n",
            index.url,
            range(index.byte_range)
        ));
    }
    out.push_str(&describe_segments(
        &presentation.segments(stream, now_ms, 0),
    ));
    if let Some(next) = presentation.next_change_ms(stream, now_ms) {
        out.push_str(&format!("  next in {} ms\n", next - now_ms));
    }
    out
}

/// All segments, or of many the first and the last ones.
fn describe_segments(segments: &[Segment]) -> String {
    let line = |segment: &Segment| {
        let id = |generation| segment.id(generation).0;
        format!(
            "  {}+{} v2 {} v3 {} {}{}{}\n",
            segment.number,
            segment.duration_ms,
            id(Generation::V2),
            id(Generation::V3),
            segment.url,
            range(segment.byte_range),
            if segment.discontinuity {
                " discontinuity"
            } else {
                ""
            },
        )
    };
    if segments.len() <= 12 {
        return segments.iter().map(line).collect();
    }
    let first: String = segments[..4].iter().map(line).collect();
    let last: String = segments[segments.len() - 2..].iter().map(line).collect();
    format!("{first}  ... {} more ...\n{last}", segments.len() - 6)
}

fn range(range: Option<beekeepr_model::ByteRange>) -> String {
    range.map_or(String::new(), |range| {
        format!(" {}..{}", range.start, range.end)
    })
}

/// As p2p-media-loader joins them, before it hashes them.
fn joined(it: &StreamProperties) -> String {
    let number = |number: u32| {
        if number == 0 {
            String::new()
        } else {
            number.to_string()
        }
    };
    [
        it.bitrate.to_string(),
        it.codecs.clone(),
        number(it.width),
        number(it.height),
        it.language.clone(),
        it.channels.clone(),
        it.name.clone(),
        it.frame_rate.clone(),
        it.video_range.clone(),
    ]
    .join("-")
}
