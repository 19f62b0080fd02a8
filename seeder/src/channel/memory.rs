//! What the cache is told of a channel's segments, and what it takes away.

use std::sync::Arc;

use beekeepr_engine::{Input, SegmentKey};

use super::Channel;
use crate::cache::Purpose;
use crate::origin::Source;

impl Channel {
    /// What one of the engines wants a segment for.
    pub(super) fn purpose(&self, peer: usize, segment: SegmentKey, source: &Source) -> Purpose {
        let listed_at = source.listed_at;
        match self.peers[peer].engine.is_demanded(segment) {
            _ if self.is_live() => Purpose::Live { listed_at },
            true => Purpose::Asked,
            false => Purpose::Ahead,
        }
    }

    /// Others need the memory more: no engine has these segments any more.
    pub(super) fn on_evicted(&mut self, evicted: &[Arc<Source>]) {
        for peer in 0..self.peers.len() {
            let segments = self.peers[peer].segments.iter();
            let gone = segments.filter(|(_, (source, _))| evicted.contains(source));
            let gone: Vec<SegmentKey> = gone.map(|(&segment, _)| segment).collect();
            for segment in gone {
                self.handle(peer, Input::SegmentEvicted(segment));
            }
        }
    }
}
