//! Segments that are there: handed to the player, kept for others, forgotten.

use beekeepr_model::Time;

use crate::Engine;
use crate::api::{Event, LoadError, Output, SegmentKey, Source};
use crate::limits;
use crate::rate::{bits_per_second, product};
use crate::stream::{Progress, Segment, Transfer};

impl Engine {
    pub(crate) fn segment(&self, key: SegmentKey) -> Option<&Segment> {
        self.streams.get(&key.stream)?.segments.get(&key.id)
    }

    pub(crate) fn segment_state(&mut self, key: SegmentKey) -> Option<&mut Segment> {
        self.streams.get_mut(&key.stream)?.segments.get_mut(&key.id)
    }

    pub(crate) fn on_wanted(&mut self, key: SegmentKey) {
        let (now, joins) = (self.now, !self.config.p2p_disabled);
        let Some(stream) = self.streams.get_mut(&key.stream) else {
            return self.outputs.push_back(Output::SegmentFailed {
                segment: key,
                status: 0,
            });
        };
        stream.last_wanted = Some(now);
        if joins {
            stream.join(now);
        }
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
        self.stop_transfer(key);
        self.event(Event::SegmentAborted { segment: key });
    }

    /// All bytes of a segment are there.
    pub(crate) fn segment_arrived(&mut self, key: SegmentKey, source: Source) {
        let check = self.config.check_segments;
        let Some(segment) = self.segment_state(key) else {
            return;
        };
        if check && segment.from_peer.is_some() {
            segment.progress = Progress::Checking;
            self.outputs.push_back(Output::SegmentCheck(key));
        } else {
            self.segment_complete(key, source);
        }
    }

    pub(crate) fn on_segment_checked(&mut self, key: SegmentKey, valid: bool) {
        let Some(segment) = self.segment_state(key) else {
            return;
        };
        if segment.progress != Progress::Checking {
            return;
        }
        let sender = segment.from_peer;
        let several = segment.from_several;
        segment.http_only |= !valid;
        let peer = sender.and_then(|conn| Some(self.open_peer(conn)?.1.id));
        let source = peer.map_or(Source::Http, Source::Peer);
        if valid {
            return self.segment_complete(key, source);
        }
        self.discard(key);
        self.event(Event::SegmentError {
            segment: key,
            error: LoadError::Invalid,
            source,
        });
        // Of several senders, one is wrong and the last may be right.
        if let Some(conn) = sender {
            self.count_error(conn);
            if let Some(peer) = peer
                && !several
            {
                self.bans.add(peer, self.now + limits::BAN_MS);
                self.close_conn(conn);
            }
        }
    }

    /// The bytes are there and right.
    pub(crate) fn segment_complete(&mut self, key: SegmentKey, source: Source) {
        let now = self.now;
        let Some(stream) = self.streams.get_mut(&key.stream) else {
            return;
        };
        stream.announcement_due = true;
        let duration_ms = stream.duration_ms(key.id);
        let segment = stream.segment_mut(key.id, now);
        segment.progress = Progress::Complete;
        segment.last_used = now;
        segment.demanded = false;
        let bytes = segment.loaded;
        if duration_ms > 0 {
            stream.bps = bits_per_second(bytes, duration_ms);
        }
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
        let (now, http_bps) = (self.now, self.http_rate.last_bps(self.now));
        let Some(segment) = self.segment_state(key) else {
            return;
        };
        if segment.wanted_since.take().is_some() {
            segment.last_used = now;
            let bandwidth_bps = segment.bandwidth_bps();
            self.started = true;
            // What HTTP brings is always at hand, what peers bring only while they have it: a slow peer
            // must not push the quality down, nor a quick one up to where HTTP cannot follow.
            let bandwidth_bps = if http_bps > 0 {
                http_bps
            } else {
                bandwidth_bps
            };
            self.outputs.push_back(Output::SegmentReady {
                segment: key,
                bandwidth_bps,
            });
        }
    }

    /// Throws a segment's bytes away; it can be loaded again.
    pub(crate) fn discard(&mut self, key: SegmentKey) {
        self.stop_transfer(key);
        if let Some(segment) = self.segment_state(key) {
            segment.reset();
            self.outputs.push_back(Output::SegmentDropped(key));
        }
    }

    /// Ends whatever is bringing a segment; what has come stays.
    pub(crate) fn stop_transfer(&mut self, key: SegmentKey) {
        self.stop_tail(key);
        match self.segment(key).and_then(|segment| segment.transfer) {
            Some(Transfer::Http(fetch)) => self.cancel_fetch(fetch),
            Some(Transfer::Peer(conn)) => self.cancel_download(conn),
            None => {}
        }
    }

    pub(crate) fn forget(&mut self, key: SegmentKey) {
        self.stop_transfer(key);
        self.stop_uploads(key);
        let Some(stream) = self.streams.get_mut(&key.stream) else {
            return;
        };
        let Some(segment) = stream.segments.remove(&key.id) else {
            return;
        };
        stream.announcement_due = true;
        if segment.bytes() > 0 {
            self.outputs.push_back(Output::SegmentDropped(key));
        }
    }

    /// How large a segment probably is: as its stream's last one, for its duration.
    pub(crate) fn usual_bytes(&self, key: SegmentKey) -> u64 {
        let stream = self.streams.get(&key.stream);
        stream.map_or(0, |stream| {
            product(stream.bps, stream.duration_ms(key.id)) / 8_000
        })
    }
}
