//! Which segments are forgotten.

use beekeepr_model::SegmentId;

use crate::Engine;
use crate::api::SegmentKey;
use crate::limits;
use crate::stream::{Segment, Stream};

/// A segment that could be forgotten, the least useful first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Held {
    class: Class,
    /// Milliseconds, among those of one class: the farthest goes first.
    distance_ms: u64,
    key: SegmentKey,
    bytes: u64,
}

/// Why a segment is kept, from the best reason to the poorest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    /// The playhead will come to it.
    Ahead,
    /// Others, who are later, may want it.
    Behind,
    /// It is of a rendition that the player has left.
    Unused,
}

impl Engine {
    /// Forgets segments that nobody needs any more, and those beyond the memory's limit.
    pub(crate) fn evict(&mut self) {
        for key in self.outlived() {
            self.forget(key);
        }
        let mut held = self.held();
        let mut bytes = self.stored_bytes();
        while bytes > self.config.storage_bytes_max {
            let Some(worst) = (0..held.len()).max_by_key(|&place| held[place]) else {
                break;
            };
            let worst = held.swap_remove(worst);
            self.forget(worst.key);
            bytes = bytes.saturating_sub(worst.bytes);
        }
        // What lies behind gives way to what is loaded ahead, but what is ahead must not push itself out.
        let gives_way = held.iter().filter(|held| held.class != Class::Ahead);
        let gives_way: u64 = gives_way.map(|held| held.bytes).sum();
        self.full = bytes.saturating_sub(gives_way) >= self.config.storage_bytes_max / 8 * 7;
    }

    fn stored_bytes(&self) -> u64 {
        let streams = self.streams.values();
        let segments = streams.flat_map(|stream| stream.segments.values());
        segments.map(Segment::bytes).sum()
    }

    /// Live segments that have left the manifest for good, or that nobody lists any more because the
    /// player left their rendition.
    fn outlived(&self) -> Vec<SegmentKey> {
        let mut keys = Vec::new();
        for (&stream, state) in self.streams.iter() {
            let unused = state.live && !self.is_super_peer() && !self.is_in_use(state);
            for (&id, segment) in state.segments.iter() {
                let unlisted = segment
                    .unlisted_since
                    .is_some_and(|since| self.now.since_ms(since) >= limits::UNLISTED_KEEP_MS);
                // What a super-peer fetched for somebody who watches the past is not kept for the live viewers.
                let past = state.live && self.is_on_demand(state, id) && !segment.demanded;
                let left = (unused || past)
                    && self.now.since_ms(segment.last_used) >= limits::UNUSED_KEEP_MS;
                if segment.wanted_since.is_none() && (unlisted || left) {
                    keys.push(SegmentKey { stream, id });
                }
            }
        }
        keys
    }

    fn held(&self) -> Vec<Held> {
        let mut held = Vec::new();
        for (&stream, state) in self.streams.iter() {
            let used = self.is_super_peer() || self.is_in_use(state);
            for (&id, segment) in state.segments.iter() {
                if segment.bytes() > 0
                    && segment.wanted_since.is_none()
                    && segment.transfer.is_none()
                {
                    let (class, distance_ms) = self.worth(state, segment, id, used);
                    let bytes = segment.bytes();
                    let key = SegmentKey { stream, id };
                    held.push(Held {
                        class,
                        distance_ms,
                        key,
                        bytes,
                    });
                }
            }
        }
        held
    }

    fn worth(&self, stream: &Stream, segment: &Segment, id: SegmentId, used: bool) -> (Class, u64) {
        let age_ms = self.now.since_ms(segment.last_used);
        let listed = stream.listed.get(&id);
        match (listed, self.playhead.position_ms(self.now)) {
            _ if !used => (Class::Unused, age_ms),
            // A super-peer has no playhead: what was asked for lately is asked for again.
            (Some(listed), Some(position)) => {
                let ahead = listed.start_ms.saturating_add_unsigned(listed.duration_ms) > position;
                let class = if ahead { Class::Ahead } else { Class::Behind };
                (class, listed.start_ms.abs_diff(position))
            }
            _ => (Class::Behind, age_ms),
        }
    }
}
