//! Streams that come and go, and with them our place in their swarms.

use beekeepr_model::{InfoHash, PeerId};

use crate::Engine;
use crate::api::{ListedSegment, SegmentKey, StreamKey};
use crate::stream::Stream;

impl Engine {
    pub(crate) fn on_stream_added(&mut self, key: StreamKey, info_hash: InfoHash, peer_id: PeerId) {
        let known = self.streams.get(&key);
        if known.is_some_and(|known| known.is(info_hash, peer_id)) {
            return;
        }
        self.on_stream_removed(key);
        self.streams
            .insert(key, Stream::new(info_hash, peer_id, self.config.trackers));
    }

    pub(crate) fn on_stream_removed(&mut self, key: StreamKey) {
        self.leave(key);
        let Some(stream) = self.streams.get(&key) else {
            return;
        };
        for id in stream.segments.all_keys() {
            self.forget(SegmentKey { stream: key, id });
        }
        self.streams.remove(&key);
    }

    pub(crate) fn on_segments_listed(
        &mut self,
        key: StreamKey,
        live: bool,
        segments: &[ListedSegment],
    ) {
        let joins = self.is_super_peer() && !self.config.p2p_disabled && !segments.is_empty();
        let now = self.now;
        let known = self.streams.get(&key);
        if known.is_some_and(|known| known.goes_back(live, segments)) {
            self.on_stream_restarted(key);
        }
        let Some(stream) = self.streams.get_mut(&key) else {
            return;
        };
        let before = stream.listed.all_keys();
        let ended = stream.live && !live;
        stream.list(live, segments, now);
        if joins {
            stream.join(now);
        }
        let changed = ended || !before.iter().eq(stream.listed.keys());
        // On demand, what is listed is what we announce.
        let announces = joins && changed;
        if announces && let Some(stream) = self.streams.get(&key) {
            let is_due = self.on_demand(stream).next().is_some();
            if let Some(stream) = self.streams.get_mut(&key) {
                stream.announcement_due |= is_due;
            }
        }
    }

    /// Leaves a stream's swarm; its segments stay.
    fn leave(&mut self, key: StreamKey) {
        let met_there = self.conns.keys_where(&|_, it| it.swarm.stream == key);
        for conn in met_there {
            self.close_conn(conn);
        }
        self.send_stopped(key);
        if let Some(stream) = self.streams.get_mut(&key) {
            stream.joined = false;
        }
    }

    pub(crate) fn leave_all(&mut self) {
        for key in self.streams.all_keys() {
            self.leave(key);
        }
    }

    /// Leaves the swarms of renditions that the player switched away from. A paused player leaves
    /// nothing: only the use of another stream makes one idle.
    pub(crate) fn leave_idle_swarms(&mut self) {
        let Some(latest) = self.last_wanted() else {
            return;
        };
        let idle = |stream: &Stream| {
            let wanted = stream.last_wanted.unwrap_or(latest);
            stream.joined && latest.since_ms(wanted) > self.config.inactive_swarm_ms
        };
        for key in self.streams.keys_where(&|_, stream| idle(stream)) {
            self.leave(key);
        }
    }
}
