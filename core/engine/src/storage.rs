//! Segments that are there: handed to the player, kept for others, forgotten.

use beekeepr_model::Time;

use crate::Engine;
use crate::api::{Event, Output, SegmentKey, Source};
use crate::limits;
use crate::stream::{Progress, Segment, Transfer};

impl Engine {
    pub(crate) fn segment(&self, key: SegmentKey) -> Option<&Segment> {
        self.streams.get(&key.stream)?.segments.get(&key.id)
    }

    pub(crate) fn segment_state(&mut self, key: SegmentKey) -> Option<&mut Segment> {
        self.streams.get_mut(&key.stream)?.segments.get_mut(&key.id)
    }

    pub(crate) fn on_wanted(&mut self, key: SegmentKey) {
        let now = self.now;
        let Some(stream) = self.streams.get_mut(&key.stream) else {
            return self.outputs.push_back(Output::SegmentFailed {
                segment: key,
                status: 0,
            });
        };
        stream.last_wanted = Some(now);
        stream.joined = !self.config.p2p_disabled;
        let segment = stream.segment_mut(key.id, now);
        segment.wanted_since = Some(now);
        segment.http_errors = 0;
        segment.retry_at = Time::ZERO;
        if segment.progress == Progress::Complete {
            self.hand_over(key);
        }
    }

    pub(crate) fn on_unwanted(&mut self, key: SegmentKey) {
        let Some(segment) = self.segment_state(key) else {
            return;
        };
        if segment.wanted_since.take().is_none() {
            return;
        }
        match segment.transfer {
            Some(Transfer::Http(fetch)) => self.cancel_fetch(fetch),
            Some(Transfer::Peer(conn)) => self.cancel_download(conn),
            None => {}
        }
        self.event(Event::SegmentAborted { segment: key });
    }

    /// The bytes are there and right.
    pub(crate) fn segment_complete(&mut self, key: SegmentKey, source: Source) {
        let now = self.now;
        let Some(stream) = self.streams.get_mut(&key.stream) else {
            return;
        };
        stream.announcement_due = true;
        let segment = stream.segment_mut(key.id, now);
        segment.progress = Progress::Complete;
        segment.last_used = now;
        segment.demanded = false;
        let bytes = segment.loaded;
        self.event(Event::SegmentLoaded {
            segment: key,
            bytes,
            source,
        });
        self.hand_over(key);
        self.answer_waiting(key, true);
    }

    /// Gives a whole segment to the player, when it waits for it.
    fn hand_over(&mut self, key: SegmentKey) {
        let (now, http_bps) = (self.now, self.http_bps());
        let Some(segment) = self.segment_state(key) else {
            return;
        };
        if segment.wanted_since.take().is_some() {
            segment.last_used = now;
            // What HTTP brings is always at hand, so a slow peer must not push the quality down.
            let bandwidth_bps = segment.bandwidth_bps().max(http_bps);
            self.outputs.push_back(Output::SegmentReady {
                segment: key,
                bandwidth_bps,
            });
        }
    }

    /// Throws a segment's bytes away; it can be loaded again.
    pub(crate) fn discard(&mut self, key: SegmentKey) {
        if let Some(segment) = self.segment_state(key) {
            segment.reset();
            self.outputs.push_back(Output::SegmentDropped(key));
        }
    }

    /// Forgets segments that nobody needs any more, and those beyond the memory's limit.
    pub(crate) fn evict(&mut self) {
        for key in self.outlived() {
            self.forget(key);
        }
        let mut held = self.held();
        let mut bytes: u64 = held.iter().map(|&(_, _, bytes)| bytes).sum();
        if bytes <= self.config.storage_bytes_max {
            return;
        }
        held.sort_unstable();
        for (_, key, size) in held {
            if bytes <= self.config.storage_bytes_max {
                break;
            }
            self.forget(key);
            bytes -= size;
        }
    }

    /// Live segments that have left the manifest for good.
    fn outlived(&self) -> Vec<SegmentKey> {
        let outlived = |segment: &Segment| {
            segment.wanted_since.is_none()
                && segment
                    .unlisted_since
                    .is_some_and(|since| self.now.since_ms(since) >= limits::UNLISTED_KEEP_MS)
        };
        let mut keys = Vec::new();
        for (&stream, state) in self.streams.iter() {
            for (&id, segment) in state.segments.iter() {
                if outlived(segment) {
                    keys.push(SegmentKey { stream, id });
                }
            }
        }
        keys
    }

    /// What could be forgotten, with the time of its last use and its size.
    fn held(&self) -> Vec<(Time, SegmentKey, u64)> {
        let mut held = Vec::new();
        for (&stream, state) in self.streams.iter() {
            for (&id, segment) in state.segments.iter() {
                if segment.loaded > 0
                    && segment.wanted_since.is_none()
                    && segment.transfer.is_none()
                {
                    held.push((segment.last_used, SegmentKey { stream, id }, segment.loaded));
                }
            }
        }
        held
    }

    pub(crate) fn forget(&mut self, key: SegmentKey) {
        match self.segment(key).and_then(|segment| segment.transfer) {
            Some(Transfer::Http(fetch)) => self.cancel_fetch(fetch),
            Some(Transfer::Peer(conn)) => self.cancel_download(conn),
            None => {}
        }
        self.stop_uploads(key);
        let Some(stream) = self.streams.get_mut(&key.stream) else {
            return;
        };
        let Some(segment) = stream.segments.remove(&key.id) else {
            return;
        };
        stream.announcement_due = true;
        if segment.loaded > 0 {
            self.outputs.push_back(Output::SegmentDropped(key));
        }
    }
}
