//! Viewers come and go: as how many peers the channel is in their swarms, and how fast it may send.

use std::time::Duration;

use beekeepr_engine::{Input, StreamKey};
use beekeepr_model::PeerId;
use tokio::time::Instant;

use super::Channel;
use super::presence::{Bounds, Presence};

/// Between two looks at what has changed. A limit of the rate is divided anew as often: an engine that is
/// short of it loses no more than a burst.
const LOOK: Duration = Duration::from_millis(250);

impl Channel {
    /// As how many logical peers the channel is in a swarm.
    pub(super) fn present(&mut self, stream: StreamKey) -> usize {
        let now = self.now();
        let presence = self.presence.entry(stream);
        let presence = presence.or_insert_with(|| Presence::new(now));
        presence.peers().min(self.peers.len())
    }

    pub(super) fn viewer_connected(&mut self, peer: usize, stream: StreamKey, viewer: PeerId) {
        self.account.connected();
        if let Some(presence) = self.presence.get_mut(&stream) {
            presence.connected(peer, viewer);
            self.look_at.get_or_insert_with(|| Instant::now() + LOOK);
            self.adapt_presence(stream);
        }
    }

    pub(super) fn viewer_closed(&mut self, peer: usize, stream: StreamKey, viewer: PeerId) {
        self.account.closed();
        let now = self.now();
        if let Some(presence) = self.presence.get_mut(&stream) {
            presence.closed(peer, viewer, now);
        }
    }

    /// What is due a few times a second, while there are viewers.
    pub(super) fn look_around(&mut self) {
        let now = Instant::now();
        if self.look_at.is_none_or(|at| now < at) {
            return;
        }
        self.presence
            .retain(|stream, _| self.streams.contains_key(stream));
        let all: Vec<StreamKey> = self.presence.keys().copied().collect();
        for stream in all {
            self.adapt_presence(stream);
        }
        if self.account.is_limited() {
            self.divide_uplink();
        }
        let is_settled = self.presence.values().all(Presence::is_settled);
        self.look_at = (!is_settled).then_some(now + LOOK);
    }

    fn adapt_presence(&mut self, stream: StreamKey) {
        let config = &self.common.config;
        let bounds = Bounds {
            usual: config.logical_peers as usize,
            most: self.peers.len(),
            connections_max: config.peers_max as usize,
        };
        let (now, is_full) = (self.now(), self.account.is_full());
        let Some(presence) = self.presence.get_mut(&stream) else {
            return;
        };
        let before = presence.peers();
        if is_full {
            // More peers would only ask the same viewers for connections that nobody may have.
            return;
        }
        presence.adapt(bounds, now);
        let after = presence.peers();
        for peer in before..after {
            self.enter(stream, peer);
        }
        for peer in after..before {
            self.handle(peer, Input::StreamRemoved { stream });
        }
    }

    fn divide_uplink(&mut self) {
        let ms = LOOK.as_millis() as u64;
        let now = self.now();
        let engines = self.peers.iter_mut().map(|peer| &mut peer.engine);
        // Those that are in no swarm have nothing to send.
        let mut busy: Vec<_> = engines.filter(|it| it.deadline().is_some()).collect();
        let wishes = busy.iter_mut().map(|engine| engine.upload_wish(ms));
        let parts = self.account.settle(wishes.collect());
        for (engine, bps_max) in busy.into_iter().zip(parts) {
            engine.limit_uploads(now, bps_max);
        }
        self.act_all();
    }
}
