//! An HLS presentation.

use beekeepr_playlist::{Context, Manifest, Media, Multivariant, Stream, Variables, read_with};

use crate::fields::{Described, Fields};

pub(crate) struct Hls {
    streams: Vec<Rendition>,
    variables: Variables,
}

struct Rendition {
    stream: Stream,
    listed: Option<Listed>,
}

/// The last state of a media playlist.
struct Listed {
    media: Media,
    /// When its first segment begins, in milliseconds since the first one of its first state.
    start_ms: i64,
}

impl Hls {
    /// Streams that only p2p-media-loader 5.x knows are left out: to other generations they look like their variant,
    /// whose bytes are others.
    pub(crate) fn new(read: Multivariant) -> Self {
        let streams = read.streams.into_iter().filter(|it| it.index.is_some());
        Self {
            streams: streams
                .map(|stream| Rendition {
                    stream,
                    listed: None,
                })
                .collect(),
            variables: read.variables,
        }
    }

    /// A media playlist that no other lists.
    pub(crate) fn lone(media: Media) -> Self {
        let stream = Stream::lone(media.url.clone());
        let listed = Some(Listed { media, start_ms: 0 });
        Self {
            streams: vec![Rendition { stream, listed }],
            variables: Variables::default(),
        }
    }

    pub(crate) fn write(&self, kind: &str, fields: &mut Fields) {
        fields.text(kind);
        fields.number(None);
        for Rendition { stream, .. } in &self.streams {
            fields.stream(&Described {
                id: stream.url.as_str(),
                kind: stream.kind,
                index: stream.index.unwrap_or_default(),
                v2: &stream.properties,
                v3: stream.written.as_ref().map(|it| (it.kind, &it.properties)),
            });
        }
    }

    pub(crate) fn playlist(&mut self, stream: usize, text: &[u8], url: &str) -> bool {
        let Some(rendition) = self.streams.get_mut(stream) else {
            return false;
        };
        let context = Context {
            variables: Some(&self.variables),
            previous: rendition.listed.as_ref().map(|it| &it.media),
        };
        let Ok(Manifest::Media(media)) = read_with(text, url, context) else {
            return false;
        };
        let start_ms = rendition
            .listed
            .as_ref()
            .map_or(0, |before| before.start_of(&media));
        rendition.listed = Some(Listed { media, start_ms });
        true
    }

    pub(crate) fn write_segments(&self, stream: usize, fields: &mut Fields) {
        let rendition = self.streams.get(stream);
        let Some(listed) = rendition.and_then(|it| it.listed.as_ref()) else {
            return;
        };
        fields.flag(listed.media.live);
        fields.number(None);
        let mut start_ms = listed.start_ms;
        for segment in &listed.media.segments {
            if !segment.gap {
                fields.segment(segment, start_ms);
            }
            start_ms = start_ms.saturating_add_unsigned(segment.duration_ms);
        }
    }
}

impl Listed {
    /// When the first segment of a newer state begins. Where the two have no segment in common, those between them are
    /// taken to be as long as the target duration.
    fn start_of(&self, newer: &Media) -> i64 {
        let Some(first) = newer.segments.first() else {
            return self.start_ms;
        };
        let mut start_ms = self.start_ms;
        let mut number = self.media.media_sequence;
        for segment in &self.media.segments {
            if segment.number >= first.number {
                return start_ms;
            }
            start_ms = start_ms.saturating_add_unsigned(segment.duration_ms);
            number = segment.number.saturating_add(1);
        }
        let missing = first.number.saturating_sub(number);
        start_ms.saturating_add_unsigned(missing.saturating_mul(newer.target_duration_ms))
    }
}
