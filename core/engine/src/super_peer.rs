//! What a super-peer loads.

use beekeepr_model::SegmentId;

use crate::Engine;
use crate::api::SegmentKey;
use crate::stream::{Segment, Stream};

impl Engine {
    /// A super-peer fetches every new live segment at once, newest first, and of a stream on demand
    /// its beginning and whatever is asked for.
    pub(crate) fn schedule_super_peer(&mut self) {
        let mut open: Vec<SegmentKey> = Vec::new();
        for (&stream, state) in self.streams.iter() {
            let warm = state.listed.keys().take(self.config.warm_segments as usize);
            let wished: Vec<SegmentId> = match state.live {
                true => state.listed.keys().rev().copied().collect(),
                false => demanded(state).chain(warm.copied()).collect(),
            };
            let due = |id: &SegmentId| match state.segments.get(id) {
                None => true,
                Some(segment) => segment.is_idle() && self.now >= segment.retry_at,
            };
            open.extend(
                wished
                    .into_iter()
                    .filter(due)
                    .map(|id| SegmentKey { stream, id }),
            );
        }
        for key in open {
            let idle = self.segment(key).is_none_or(Segment::is_idle);
            if idle && self.fetches.len() < self.config.http_downloads_max as usize {
                self.fetch(key);
            }
        }
    }

    /// Has a super-peer fetch a segment that a peer asked for.
    pub(crate) fn demand(&mut self, key: SegmentKey) {
        let now = self.now;
        if let Some(stream) = self.streams.get_mut(&key.stream) {
            stream.segment_mut(key.id, now).demanded = true;
        }
    }

    /// Whether a stream's segments are announced before they are there, because we fetch what is
    /// asked for.
    pub(crate) fn offers_on_demand(&self, stream: &Stream) -> bool {
        self.is_super_peer() && !stream.live
    }
}

fn demanded(stream: &Stream) -> impl Iterator<Item = SegmentId> {
    stream
        .segments
        .iter()
        .filter(|(_, segment)| segment.demanded)
        .map(|(&id, _)| id)
}
