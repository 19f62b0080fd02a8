//! As how many peers a channel is in a swarm.
//!
//! Each logical peer costs announces, whether somebody watches or not, and most swarms of a channel are
//! empty most of the time: every rendition has one for each generation of clients. So a single peer waits
//! for the first viewer; the others come when there is somebody to serve, and more of them when all have as
//! many connections as they may.

use std::collections::HashMap;

use beekeepr_model::{PeerId, Time};

/// Without viewers for so long, the others leave again. A viewer who reloads the page is back before.
const IDLE_MS: u64 = 60_000;
/// Between two peers more. The last one has had its announces and connections by then.
const GROWTH_MS: u64 = 10_000;
/// A peer with so many of its connections taken, in eighths, has no room to speak of.
const FULL_EIGHTHS: usize = 7;

/// What an operator allows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Logical peers where there is somebody to serve.
    pub(super) usual: usize,
    /// Most logical peers.
    pub(super) most: usize,
    /// Connections of one logical peer in one swarm.
    pub(super) connections_max: usize,
}

/// The channel in one swarm.
#[derive(Debug)]
pub(super) struct Presence {
    peers: usize,
    /// Connections of each viewer.
    viewers: HashMap<PeerId, usize>,
    /// Connections of each logical peer.
    connections: Vec<usize>,
    grown_at: Time,
    /// Since when there has been no viewer.
    idle_since: Time,
}

impl Presence {
    pub(super) fn new(now: Time) -> Self {
        Self {
            peers: 1,
            viewers: HashMap::new(),
            connections: Vec::new(),
            grown_at: now,
            idle_since: now,
        }
    }

    /// As how many logical peers the channel is there: the first so many.
    pub(super) fn peers(&self) -> usize {
        self.peers
    }

    pub(super) fn connected(&mut self, peer: usize, viewer: PeerId) {
        *self.viewers.entry(viewer).or_default() += 1;
        if self.connections.len() <= peer {
            self.connections.resize(peer + 1, 0);
        }
        self.connections[peer] += 1;
    }

    pub(super) fn closed(&mut self, peer: usize, viewer: PeerId, now: Time) {
        if let Some(connections) = self.connections.get_mut(peer) {
            *connections = connections.saturating_sub(1);
        }
        if let Some(connections) = self.viewers.get_mut(&viewer) {
            *connections -= 1;
            if *connections == 0 {
                self.viewers.remove(&viewer);
            }
        }
        if self.viewers.is_empty() {
            self.idle_since = now;
        }
    }

    /// Whether time alone can change anything.
    pub(super) fn is_settled(&self) -> bool {
        self.viewers.is_empty() && self.peers == 1
    }

    /// Takes in what has changed, time included.
    pub(super) fn adapt(&mut self, bounds: Bounds, now: Time) {
        if self.viewers.is_empty() {
            if now.since_ms(self.idle_since) >= IDLE_MS {
                self.peers = 1;
            }
        } else if self.peers < bounds.usual {
            (self.peers, self.grown_at) = (bounds.usual, now);
        } else if self.is_full(bounds)
            && self.peers < bounds.most
            && now.since_ms(self.grown_at) >= GROWTH_MS
        {
            (self.peers, self.grown_at) = (self.peers + 1, now);
        }
    }

    fn is_full(&self, bounds: Bounds) -> bool {
        let full = bounds.connections_max * FULL_EIGHTHS / 8;
        let taken = |peer: usize| self.connections.get(peer).copied().unwrap_or_default();
        (0..self.peers).all(|peer| taken(peer) >= full.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds {
        usual: 3,
        most: 5,
        connections_max: 8,
    };

    fn viewer(number: u8) -> PeerId {
        PeerId([number; 20])
    }

    const fn at(s: u64) -> Time {
        Time::from_ms(s * 1_000)
    }

    #[test]
    fn one_peer_waits_and_the_first_viewer_brings_the_others() {
        let mut presence = Presence::new(at(0));
        presence.adapt(BOUNDS, at(100));
        assert!(presence.peers() == 1 && presence.is_settled());
        presence.connected(0, viewer(1));
        presence.adapt(BOUNDS, at(100));
        assert_eq!(presence.peers(), 3);
    }

    #[test]
    fn the_others_leave_a_minute_after_the_last_viewer() {
        let mut presence = Presence::new(at(0));
        presence.connected(0, viewer(1));
        presence.connected(1, viewer(1));
        presence.adapt(BOUNDS, at(1));
        presence.closed(0, viewer(1), at(200));
        presence.closed(1, viewer(1), at(200));
        presence.adapt(BOUNDS, at(259));
        assert!(presence.peers() == 3 && !presence.is_settled());
        presence.adapt(BOUNDS, at(260));
        assert!(presence.peers() == 1 && presence.is_settled());
    }

    #[test]
    fn full_peers_get_company_one_at_a_time_up_to_the_most() {
        let mut presence = Presence::new(at(0));
        let mut now = 0;
        let mut fill = |presence: &mut Presence, peer| {
            (0..7).for_each(|number| presence.connected(peer, viewer(number)));
            now += 10;
            presence.adapt(BOUNDS, at(now));
            presence.adapt(BOUNDS, at(now));
            presence.peers()
        };
        let peers: Vec<usize> = (0..5).map(|peer| fill(&mut presence, peer)).collect();
        assert_eq!(peers, [3, 3, 4, 5, 5]);
    }
}
