//! Connections that broke, and new ones in their place (docs/decisions/peers.md).

use beekeepr_model::{PeerId, Time};

use crate::Engine;
use crate::api::{ConnKey, StreamKey};
use crate::limits;
use crate::peer::Peer;

impl Peer {
    /// Whether its connection may have broken without anybody noticing.
    pub(crate) fn is_silent(&self, now: Time) -> bool {
        now.since_ms(self.heard_at) >= limits::SILENT_MS
    }
}

impl Engine {
    pub(crate) fn is_silent(&self, key: ConnKey) -> bool {
        let peer = self.open_peer(key);
        peer.is_some_and(|(_, peer)| peer.is_silent(self.now))
    }

    /// A peer has opened a new connection: closes the silent one before it. p2p-media-loader closes the new one when it
    /// still believes in the old one, so with it both stay.
    pub(crate) fn close_replaced(&mut self, stream: StreamKey, peer: PeerId) {
        let is_replaced = |it: &Peer| it.id == peer && it.is_silent(self.now);
        let silent = self.peers_of(stream).find(|(_, it)| is_replaced(it));
        let old = silent.map(|(conn, _)| conn);
        if let Some(old) = old.filter(|_| peer.is_beekeepr()) {
            self.close_conn(old);
        }
    }

    pub(crate) fn on_channel_closed(&mut self, key: ConnKey) {
        let peer = self.open_peer(key);
        let missed = peer.filter(|(_, peer)| peer.errors == 0 && peer.useful_at > peer.opened_at);
        let stream = missed.map(|(stream, _)| stream);
        self.forget_conn(key);
        if let Some(stream) = stream {
            self.announce_soon(stream);
        }
    }

    /// Closes a connection that has broken; its peer may be met again at once.
    pub(crate) fn lose_conn(&mut self, key: ConnKey, stream: StreamKey) {
        self.close_conn(key);
        self.announce_soon(stream);
    }

    /// Looks for peers without waiting for the tracker's interval, when there are few left.
    fn announce_soon(&mut self, key: StreamKey) {
        if self.peers_of(key).count() >= limits::FEW_PEERS {
            return;
        }
        let jitter = self.random.below(limits::REPLACE_MS as usize) as u64;
        let then = self.now + (limits::REPLACE_MS + jitter);
        if let Some(stream) = self.streams.get_mut(&key) {
            for membership in stream.swarms.iter_mut().flat_map(|it| &mut it.memberships) {
                membership.announce_by(then);
            }
        }
    }
}
