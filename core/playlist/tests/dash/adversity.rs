//! What is wrong is refused, with a word on where and what.

use beekeepr_playlist::read;
use proptest::prelude::*;

use super::{BASE, MANIFESTS, error, mpd, presentation};

const STATIC: &str = "type=\"static\" mediaPresentationDuration=\"PT10S\"";

fn wrong(segments: &str) -> String {
    error(&mpd(STATIC, "", segments))
}

#[test]
fn errors_say_where_what_and_what_to_try() {
    assert_eq!(
        wrong("<SegmentTemplate timescale=\"0\" duration=\"4\" media=\"a\"/>"),
        "DASH manifest, line 5 (byte 180): seen \"SegmentTemplate timescale=0\", expected a number above 0; \
         check the packager"
    );
    let cases = [
        (
            "<SegmentTemplate timescale=\"x\" media=\"a\"/>",
            "timescale=x\", expected a whole number",
        ),
        (
            "<SegmentTemplate duration=\"0\" media=\"a\"/>",
            "duration=0\", expected a number above 0",
        ),
        (
            "<SegmentTemplate duration=\"4\"/>",
            "without media\", expected the address of segments",
        ),
        (
            "<SegmentTemplate duration=\"4\" media=\"ftp://x/$Number$\"/>",
            "ftp://x/1\", expected an address",
        ),
        (
            "<SegmentList><SegmentURL mediaRange=\"9-1\"/></SegmentList>",
            "mediaRange=9-1\", expected first-last",
        ),
        (
            "<SegmentTemplate media=\"a\"><SegmentTimeline><S d=\"-4\"/></SegmentTimeline></SegmentTemplate>",
            "d=-4",
        ),
        (
            "<SegmentTemplate media=\"a\"><SegmentTimeline><S d=\"4\" r=\"x\"/></SegmentTimeline></SegmentTemplate>",
            "r=x",
        ),
        (
            "<BaseURL>data:,x</BaseURL>",
            "data:,x\", expected an address",
        ),
        ("", "without segments\", expected SegmentTemplate"),
    ];
    for (segments, expected) in cases {
        let error = wrong(segments);
        assert!(error.contains(expected), "{segments}: {error}");
    }
}

#[test]
fn errors_of_the_whole_are_told() {
    let template = "<SegmentTemplate duration=\"4\" media=\"a\"/>";
    let cases = [
        (
            mpd("mediaPresentationDuration=\"10\"", "", template),
            "mediaPresentationDuration=10\", expected a duration",
        ),
        (
            mpd(STATIC, "start=\"soon\"", template),
            "start=soon\", expected a duration",
        ),
        (
            mpd("type=\"dynamic\"", "", template),
            "expected availabilityStartTime",
        ),
        (
            mpd(STATIC, "", template).replace("video/mp4", "text/vtt"),
            "without video and audio",
        ),
        (
            mpd(STATIC, "", template).replace("</MPD>", ""),
            "the text may be cut off",
        ),
        (
            format!("<!DOCTYPE MPD>{}", mpd(STATIC, "", template)),
            "document types are not accepted",
        ),
        (
            "<html><MPD/></html>".to_owned(),
            "seen \"html\", expected MPD",
        ),
    ];
    for (text, expected) in cases {
        let error = error(&text);
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn links_that_must_be_followed_are_refused() {
    let text = mpd(
        STATIC,
        "x:href=\"https://ads.example/p\" x:actuate=\"onLoad\"",
        "",
    );
    let error = error(&text);
    assert!(
        error.contains("a link to https://ads.example/p") && error.contains("xlink:actuate=onLoad"),
        "{error}"
    );
}

#[test]
fn bounds_hold() {
    let template = "<SegmentTemplate duration=\"4\" media=\"a\"/>";
    let text = mpd(STATIC, "", template);
    let (begin, rest) = text.split_once("<Representation").expect("there is one");
    let (one, end) = rest.split_once("</Representation>").expect("it ends");
    let many: String = (0..100)
        .map(|index| {
            format!(
                "<Representation{}</Representation>",
                one.replace("\"v\"", &format!("\"{index}\""))
            )
        })
        .collect();
    assert_eq!(
        presentation(&format!("{begin}{many}{end}")).streams.len(),
        beekeepr_playlist::STREAMS_MAX
    );
    let period =
        &text[text.find("<Period").expect("there is one")..text.find("</MPD>").expect("it ends")];
    let periods = period
        .replace("<Period ", "<Period duration=\"PT1S\" ")
        .repeat(2_049);
    assert!(error(&format!("<MPD>{periods}</MPD>")).contains("at most 2048 Periods"));
}

/// A value as packagers and attackers write it.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("-1".to_owned()),
        Just("0".to_owned()),
        Just("18446744073709551615".to_owned()),
        Just("9007199254740993".to_owned()),
        Just("INF".to_owned()),
        Just("PT9999999H".to_owned()),
        Just("$Number%032d$".to_owned()),
        Just("2026-01-01T00:00:00Z".to_owned()),
        Just("0-18446744073709551615".to_owned()),
        "[0-9.PTHMS:/$-]{0,12}",
        "\\PC{0,8}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// One value of a real manifest is another, some bytes are gone: there are streams, or an error.
    #[test]
    fn no_mutation_makes_the_reader_panic(
        which in any::<prop::sample::Index>(), quote in any::<prop::sample::Index>(), value in value(),
        cut in any::<prop::sample::Index>(), length in 0_usize..3, now in any::<i64>(),
    ) {
        let text = &MANIFESTS[which.index(MANIFESTS.len())].text;
        let places: Vec<_> = text.match_indices("=\"").map(|(at, _)| at + 2).collect();
        let at = places[quote.index(places.len())];
        let end = at + text[at..].find('"').unwrap_or(0);
        let mut bytes = [&text.as_bytes()[..at], value.as_bytes(), &text.as_bytes()[end..]].concat();
        let cut = cut.index(bytes.len() - length);
        bytes.drain(cut..cut + length);
        if let Ok(beekeepr_playlist::Manifest::Dash(presentation)) = read(&bytes, BASE) {
            for stream in &presentation.streams {
                let listed = presentation.segments(stream, now, 0);
                prop_assert!(listed.windows(2).all(|pair| pair[0].number < pair[1].number));
                let _next = presentation.next_change_ms(stream, now);
                let _rest = (stream.inits(), stream.indexes());
            }
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "<MPD[ <>/=\"a-zA-Z0-9&;!\\[\\]-]{0,200}") {
        let _outcome = read(text.as_bytes(), BASE);
    }
}
