//! What comes out: one text of fields.

use std::fmt::Write;

use beekeepr_model::{StreamKind, StreamProperties};
use beekeepr_playlist::Segment;

/// Fields, each ended by a NUL, which no manifest's text has.
#[derive(Default)]
pub(crate) struct Fields(String);

impl Fields {
    pub(crate) fn text(&mut self, text: &str) {
        self.0.extend(text.chars().filter(|&it| it != END));
        self.0.push(END);
    }

    /// Empty for `None`.
    pub(crate) fn number(&mut self, number: Option<i64>) {
        if let Some(number) = number {
            // Writing to a string does not fail.
            let _ = write!(self.0, "{number}");
        }
        self.0.push(END);
    }

    pub(crate) fn flag(&mut self, flag: bool) {
        self.number(Some(flag.into()));
    }

    /// A stream, in the order of `shaka-reader.ts`.
    pub(crate) fn stream(&mut self, stream: &Described<'_>) {
        let Described { v2, .. } = stream;
        self.text(stream.id);
        self.flag(stream.kind == StreamKind::Main);
        self.number(i64::try_from(stream.index).ok());
        self.number(bitrate(v2));
        self.text(&v2.codecs);
        self.number(Some(v2.width.into()));
        self.number(Some(v2.height.into()));
        self.text(&v2.language);
        self.text(&v2.channels);
        self.text(&v2.name);
        self.text(&v2.frame_rate);
        self.text(&v2.video_range);
        let written = stream.v3;
        self.number(written.map(|(kind, _)| (kind == StreamKind::Main).into()));
        self.text(&written.map(|(_, v3)| joined(v3)).unwrap_or_default());
    }

    /// A segment: its two numbers, when it begins and how long it plays in milliseconds, where it is. The last byte of
    /// a range is in it, as browsers count.
    pub(crate) fn segment(&mut self, segment: &Segment, start_ms: i64) {
        use beekeepr_model::Generation::{V2, V3};
        self.number(Some(segment.id(V2).0));
        self.number(Some(segment.id(V3).0));
        self.number(Some(start_ms));
        self.number(i64::try_from(segment.duration_ms).ok());
        let range = segment.byte_range;
        self.number(range.and_then(|it| i64::try_from(it.start).ok()));
        self.number(range.and_then(|it| i64::try_from(it.end).ok()?.checked_sub(1)));
        self.text(segment.url.as_str());
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0.into_bytes()
    }
}

const END: char = '\0';

/// What names a stream among the clients of each generation.
pub(crate) struct Described<'a> {
    pub(crate) id: &'a str,
    pub(crate) kind: StreamKind,
    pub(crate) index: usize,
    pub(crate) v2: &'a StreamProperties,
    /// None for what p2p-media-loader 5.x does not know.
    pub(crate) v3: Option<(StreamKind, &'a StreamProperties)>,
}

/// Nothing where a bitrate should have been given.
fn bitrate(properties: &StreamProperties) -> Option<i64> {
    let bitrate = Some(properties.bitrate).filter(|&it| it != StreamProperties::BITRATE_MISSING);
    i64::try_from(bitrate?).ok()
}

/// The properties joined as p2p-media-loader 5.x joins them before it makes a digest of them (`beekeepr_model::identity`).
fn joined(properties: &StreamProperties) -> String {
    let pixels = |number: u32| match number {
        0 => String::new(),
        number => number.to_string(),
    };
    [
        &bitrate(properties).unwrap_or(0).to_string(),
        &properties.codecs,
        &pixels(properties.width),
        &pixels(properties.height),
        &properties.language,
        &properties.channels,
        &properties.name,
        &properties.frame_rate,
        &properties.video_range,
    ]
    .map(String::as_str)
    .join("-")
}
