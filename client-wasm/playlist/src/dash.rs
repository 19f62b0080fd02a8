//! A DASH presentation.

use std::collections::HashMap;

use beekeepr_model::{ByteRange, Generation};
use beekeepr_playlist::Segment;
use beekeepr_playlist::dash::{Clock, Index, Presentation, Stream, sidx};

use crate::fields::{Described, Fields};

pub(crate) struct Dash {
    presentation: Presentation,
    /// What the indexes list that have been read. They do not change, unlike the addresses in the manifest.
    indexes: HashMap<Key, Vec<Segment>>,
}

/// File, and bytes in it.
type Key = (String, Option<ByteRange>);

impl Dash {
    pub(crate) fn new(presentation: Presentation) -> Self {
        Self {
            presentation,
            indexes: HashMap::new(),
        }
    }

    /// A newer state of the manifest.
    pub(crate) fn renew(&mut self, newer: Presentation) {
        let listed: Vec<Key> = newer
            .streams
            .iter()
            .flat_map(Stream::indexes)
            .map(|it| key(&it))
            .collect();
        self.indexes.retain(|known, _| listed.contains(known));
        self.presentation = newer;
    }

    pub(crate) fn write(&self, fields: &mut Fields) {
        fields.text("dash");
        fields.number(
            self.presentation
                .clocks
                .iter()
                .find_map(|clock| match clock {
                    Clock::Direct(now_ms) => Some(*now_ms),
                    Clock::Head(_) | Clock::Get(_) | Clock::Other { .. } => None,
                }),
        );
        for stream in &self.presentation.streams {
            fields.stream(&Described {
                id: &name(stream),
                kind: stream.kind(Generation::V2),
                index: stream.index,
                v2: stream.properties(Generation::V2),
                v3: Some((
                    stream.kind(Generation::V3),
                    stream.properties(Generation::V3),
                )),
            });
        }
    }

    pub(crate) fn write_indexes(&self, stream: usize, fields: &mut Fields) {
        for (place, index) in self.indexes_of(stream).into_iter().enumerate() {
            let range = index.byte_range;
            let url = index.url.as_str().to_owned();
            if !self.indexes.contains_key(&key(&index)) {
                fields.number(i64::try_from(place).ok());
                fields.number(range.and_then(|it| i64::try_from(it.start).ok()));
                fields.number(range.and_then(|it| i64::try_from(it.end).ok()?.checked_sub(1)));
                fields.text(&url);
            }
        }
    }

    pub(crate) fn index(&mut self, stream: usize, place: usize, bytes: &[u8]) -> bool {
        let Some(index) = self.indexes_of(stream).into_iter().nth(place) else {
            return false;
        };
        let segments = sidx::segments(bytes, &index);
        let is_read = segments.is_ok();
        self.indexes
            .extend(segments.map(|segments| (key(&index), segments)));
        is_read
    }

    pub(crate) fn write_segments(&self, stream: usize, now_ms: i64, fields: &mut Fields) {
        let Some(stream) = self.presentation.streams.get(stream) else {
            return;
        };
        let mut segments = self.presentation.segments(stream, now_ms, 0);
        for index in stream.indexes() {
            segments.extend(
                self.indexes
                    .get(&key(&index))
                    .into_iter()
                    .flatten()
                    .cloned(),
            );
        }
        segments.sort_by_key(|segment| segment.number);
        segments.dedup_by_key(|segment| segment.number);
        fields.flag(self.presentation.live);
        fields.number(self.presentation.next_change_ms(stream, now_ms));
        for segment in &segments {
            // The number of a segment is the time at which it begins.
            fields.segment(segment, i64::try_from(segment.number).unwrap_or(i64::MAX));
        }
    }

    fn indexes_of(&self, stream: usize) -> Vec<Index> {
        let stream = self.presentation.streams.get(stream);
        stream.map(Stream::indexes).unwrap_or_default()
    }
}

/// Ids of Representations are unique in a Period among those of one kind.
fn name(stream: &Stream) -> String {
    let kind = if stream.is_video { "video/" } else { "audio/" };
    [kind, &stream.id].concat()
}

fn key(index: &Index) -> Key {
    (index.url.as_str().to_owned(), index.byte_range)
}
