//! Encoders that begin anew: numbers that have named segments name other ones.
//!
//! For as long as anybody has segments of before, an old segment's bytes could answer for a new one. Ours go at
//! once, with a word to our peers. What a peer has at that moment, or a newcomer brings along soon after, is not asked
//! for until that peer has announced to have nothing, which our own clients do for the same reason.

use crate::Engine;
use crate::api::{ListedSegment, SegmentKey, StreamKey};
use crate::limits;
use crate::stream::Stream;

impl Engine {
    pub(crate) fn on_stream_restarted(&mut self, stream: StreamKey) {
        let Some(state) = self.streams.get_mut(&stream) else {
            return;
        };
        state.doubtful_until = self.now + limits::DOUBTFUL_MS;
        state.announcement_due = true;
        for id in state.segments.all_keys() {
            let key = SegmentKey { stream, id };
            let segment = self.segment(key);
            match segment.is_some_and(|it| it.wanted_since.is_some()) {
                // The player waits for what has this number now.
                true => self.discard(key),
                false => self.forget(key),
            }
        }
        for (key, peer) in self.conns.values_mut().filter_map(|it| it.peer_mut()) {
            if key == stream {
                peer.doubt();
            }
        }
    }
}

impl Stream {
    /// Whether a live stream's new list lies wholly before the one that is known.
    pub(crate) fn goes_back(&self, live: bool, segments: &[ListedSegment]) -> bool {
        let first = self.listed.keys().next();
        let newest = segments.last().map(|segment| &segment.id);
        let both = first.zip(newest);
        self.live && live && both.is_some_and(|(first, newest)| newest < first)
    }
}
