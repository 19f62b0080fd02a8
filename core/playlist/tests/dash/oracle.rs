//! What two other readers find: dash-mpd's for MPDs, roxmltree for XML.

use std::collections::BTreeSet;

use dash_mpd_core::{AdaptationSet, MPD, Representation};
use proptest::prelude::*;

use super::{BASE, Known, MANIFESTS, presentation};

/// dash-mpd has no links, no trick modes and no content types of its own to tell; those manifests say more than it.
const BEYOND_IT: [&str; 1] = ["shaka-demo-trickmode"];

#[test]
fn dash_mpd_finds_the_same_streams() {
    for Known { name, text, .. } in MANIFESTS.iter() {
        if BEYOND_IT.contains(&name.as_str()) {
            continue;
        }
        let ours = presentation(text);
        let mpd = dash_mpd_core::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let found: BTreeSet<_> = ours
            .streams
            .iter()
            .map(|it| (it.id.clone(), it.is_video))
            .collect();
        assert_eq!(found, streams(&mpd), "{name}");
        let highest = |id: &str| {
            let all = representations(&mpd)
                .into_iter()
                .filter(|(_, it)| it.id.as_deref() == Some(id));
            all.filter_map(|(_, it)| it.bandwidth).max()
        };
        for stream in &ours.streams {
            assert_eq!(
                Some(stream.bandwidth),
                highest(&stream.id),
                "{name} {}",
                stream.id
            );
        }
    }
}

#[test]
fn dash_mpd_finds_the_same_times() {
    for Known { name, text, .. } in MANIFESTS.iter() {
        let ours = presentation(text);
        let mpd = dash_mpd_core::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let ms = |time: Option<std::time::Duration>| time.map(|time| time.as_millis() as u64);
        assert_eq!(
            ours.live,
            mpd.mpdtype.as_deref() == Some("dynamic"),
            "{name}"
        );
        assert_eq!(
            ours.duration_ms,
            ms(mpd.mediaPresentationDuration),
            "{name}"
        );
        assert_eq!(
            ours.minimum_update_ms,
            ms(mpd.minimumUpdatePeriod),
            "{name}"
        );
        assert_eq!(ours.window_ms, ms(mpd.timeShiftBufferDepth), "{name}");
        assert_eq!(ours.delay_ms, ms(mpd.suggestedPresentationDelay), "{name}");
        let start = mpd.availabilityStartTime.map(|it| it.timestamp_millis());
        assert_eq!(ours.start_ms, start, "{name}");
    }
}

fn representations(mpd: &MPD) -> Vec<(&AdaptationSet, &Representation)> {
    let sets = mpd.periods.iter().flat_map(|period| &period.adaptations);
    sets.flat_map(|set| set.representations.iter().map(move |it| (set, it)))
        .collect()
}

fn streams(mpd: &MPD) -> BTreeSet<(String, bool)> {
    let kind = |set: &AdaptationSet, it: &Representation| {
        let all = [
            &it.contentType,
            &set.contentType,
            &it.mimeType,
            &set.mimeType,
        ];
        all.into_iter()
            .flatten()
            .next()
            .cloned()
            .unwrap_or_default()
    };
    representations(mpd)
        .into_iter()
        .filter_map(|(set, it)| Some((it.id.clone()?, kind(set, it))))
        .filter(|(_, kind)| kind.starts_with("video") || kind.starts_with("audio"))
        .map(|(id, kind)| (id, kind.starts_with("video")))
        .collect()
}

/// Small documents, most of them XML.
fn document() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<MPD>".to_owned()),
        Just("</MPD>".to_owned()),
        Just("<Period id='a&amp;&#x62;'>".to_owned()),
        Just("</Period>".to_owned()),
        Just("<S t=\"1\" d = '2'/>".to_owned()),
        Just("<!-- - -->".to_owned()),
        Just("<![CDATA[<x>&]]>".to_owned()),
        Just("<?pi?>".to_owned()),
        "[ a-z&;<>\"/=]{0,4}",
    ];
    proptest::collection::vec(piece, 0..8)
        .prop_map(|pieces| format!("<MPD>{}</MPD>", pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// What another reader takes for XML is never refused as such.
    #[test]
    fn xml_is_xml(text in document()) {
        if roxmltree::Document::parse(&text).is_ok() {
            let error = beekeepr_playlist::read(text.as_bytes(), BASE).expect_err("there are no streams");
            prop_assert!(error.to_string().contains("without video and audio"), "{text}: {error}");
        }
    }
}
