//! What a super-peer loads.

use beekeepr_model::SegmentId;

use crate::Engine;
use crate::api::SegmentKey;
use crate::stream::{Listed, Segment, Stream};

impl Engine {
    /// A super-peer fetches every new live segment at once, newest first, of a stream on demand its
    /// beginning, and of both whatever is asked for.
    pub(crate) fn schedule_super_peer(&mut self) {
        let mut open: Vec<SegmentKey> = Vec::new();
        for (&stream, state) in self.streams.iter() {
            let warm = state.listed.keys().take(self.config.warm_segments as usize);
            let wished: Vec<SegmentId> = match state.live {
                true => self.eager(state).chain(demanded(state)).collect(),
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
        self.look_at(now);
    }

    /// Whether a peer waits for a segment, rather than that it is fetched ahead.
    #[must_use]
    pub fn is_demanded(&self, key: SegmentKey) -> bool {
        self.segment(key).is_some_and(|segment| segment.demanded)
    }

    /// Whether a segment can be had although it may not be here, because we fetch it when it is asked for.
    pub(crate) fn is_on_demand(&self, stream: &Stream, id: SegmentId) -> bool {
        let listed = stream.listed.get(&id);
        listed.is_some_and(|listed| self.is_super_peer() && !self.is_eager(stream, listed))
    }

    /// All such segments, which are announced before they are here.
    pub(crate) fn on_demand<'a>(&self, stream: &'a Stream) -> impl Iterator<Item = &'a SegmentId> {
        let eager_from_ms = self.eager_from_ms(stream);
        let is_super_peer = self.is_super_peer();
        let listed = stream.listed.iter();
        let older = listed.take_while(move |(_, it)| is_super_peer && it.end_ms() <= eager_from_ms);
        older.map(|(id, _)| id)
    }

    /// Live segments that are fetched before anybody asks, newest first.
    fn eager(&self, stream: &Stream) -> impl Iterator<Item = SegmentId> {
        let eager_from_ms = self.eager_from_ms(stream);
        let newest = stream.listed.iter().rev();
        newest
            .take_while(move |(_, listed)| listed.end_ms() > eager_from_ms)
            .map(|(&id, _)| id)
    }

    /// Whether a super-peer fetches a segment before anybody asks.
    pub(crate) fn is_eager(&self, stream: &Stream, listed: &Listed) -> bool {
        listed.end_ms() > self.eager_from_ms(stream)
    }

    /// What ends after this is fetched at once.
    fn eager_from_ms(&self, stream: &Stream) -> i64 {
        let newest = stream.listed.iter().next_back();
        match newest {
            Some((_, newest)) if stream.live => newest
                .end_ms()
                .saturating_sub_unsigned(self.config.live_eager_ms),
            Some(_) | None => i64::MAX,
        }
    }
}

fn demanded(stream: &Stream) -> impl Iterator<Item = SegmentId> {
    stream
        .segments
        .iter()
        .filter(|(_, segment)| segment.demanded)
        .map(|(&id, _)| id)
}
