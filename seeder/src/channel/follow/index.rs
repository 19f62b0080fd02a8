//! Segments that a DASH manifest leaves to the media's own index.

use std::collections::HashMap;
use std::pin::pin;

use beekeepr_model::ByteRange;
use beekeepr_playlist::Segment;
use beekeepr_playlist::dash::sidx::{INDEX_BYTES_MAX, SidxError, segments};
use beekeepr_playlist::dash::{Index, Presentation, Stream};
use futures_util::stream::{self, StreamExt};
use url::Url;

use super::{Follower, url_of};
use crate::origin::{Origin, OriginError};

/// Indexes read at a time.
const AT_ONCE_MAX: usize = 4;
/// Without a place of the index its file's beginning is read: enough for the headers and an hour's index.
const BEGINNING_BYTES: u64 = 64 * 1024;
/// Readings of one index, each of which may say that it goes on.
const READINGS_MAX: usize = 6;

/// Indexes of one reading of the manifest. They do not change, unlike the addresses in it.
#[derive(Default)]
pub(super) struct Indexes(HashMap<Key, Vec<Segment>>);

/// File, and bytes in it.
type Key = (String, Option<ByteRange>);

impl Indexes {
    /// What the indexes of a stream list, as far as they could be read.
    pub(super) fn segments(&self, indexes: &[Index]) -> Vec<Segment> {
        let known = indexes.iter().filter_map(|index| self.0.get(&key(index)));
        known.flatten().cloned().collect()
    }

    /// Reads what is not known yet. Whether all is known then.
    pub(super) async fn read(&mut self, follower: &Follower, presentation: &Presentation) -> bool {
        let listed = presentation.streams.iter().flat_map(Stream::indexes);
        let mut wanted: HashMap<Key, Index> = listed.map(|index| (key(&index), index)).collect();
        self.0.retain(|key, _| wanted.contains_key(key));
        wanted.retain(|key, _| !self.0.contains_key(key));
        let readings = wanted.into_iter().map(|(key, index)| async move {
            let outcome = follower.index(index).await;
            (key, outcome)
        });
        let mut readings = pin!(stream::iter(readings).buffer_unordered(AT_ONCE_MAX));
        let mut is_complete = true;
        while let Some((key, outcome)) = readings.next().await {
            match outcome {
                Ok(segments) => {
                    self.0.insert(key, segments);
                }
                Err(_) => is_complete = false,
            }
        }
        is_complete
    }
}

fn key(index: &Index) -> Key {
    (index.url.as_str().to_owned(), index.byte_range)
}

impl Follower {
    async fn index(&self, index: Index) -> Result<Vec<Segment>, OriginError> {
        let Some(url) = url_of(&index.url) else {
            return Ok(Vec::new());
        };
        let outcome = read_index(&self.origin, &url, &index).await;
        match &outcome {
            Ok(_) => self.health.works(&url),
            Err(error) => self.failed(&url, error),
        }
        outcome
    }
}

/// The segments that an index lists.
pub(crate) async fn read_index(
    origin: &Origin,
    url: &Url,
    index: &Index,
) -> Result<Vec<Segment>, OriginError> {
    let mut range = index.byte_range.unwrap_or(ByteRange {
        start: 0,
        end: BEGINNING_BYTES,
    });
    for _ in 0..READINGS_MAX {
        let length = range.end.saturating_sub(range.start);
        if length > INDEX_BYTES_MAX as u64 {
            return Err(SidxError::TooLong(length as usize).into());
        }
        let bytes = origin.part(url, range).await?;
        match segments(&bytes, index) {
            // A file that ends before its index does would be asked for again and again.
            Err(SidxError::Incomplete(more)) if more.end > range.end => range = more,
            outcome => return Ok(outcome?),
        }
    }
    Err(SidxError::Incomplete(range).into())
}
