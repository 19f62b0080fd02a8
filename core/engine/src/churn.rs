//! Room for newcomers: peers that have been of no use give way.

use crate::Engine;
use crate::api::{ConnKey, StreamKey};

impl Engine {
    /// Whether one more peer may be met. When there are as many as may be, the one leaves with whom nothing
    /// was exchanged for longest, if that is long enough.
    pub(crate) fn has_room(&mut self, stream: StreamKey) -> bool {
        let conns = self.conns.values().filter(|it| it.swarm.stream == stream);
        let met = conns.filter(|conn| !conn.phase.is_offer()).count();
        if met < self.config.peers_max as usize {
            return true;
        }
        let useless = self.most_useless(stream);
        if let Some(conn) = useless {
            self.close_conn(conn);
        }
        useless.is_some()
    }

    fn most_useless(&self, stream: StreamKey) -> Option<ConnKey> {
        let idle = self.peers_of(stream).filter(|(_, peer)| {
            let busy = peer.download.is_some() || peer.upload.is_some() || peer.id.is_seeder();
            !busy && self.now.since_ms(peer.useful_at) >= self.config.useless_ms
        });
        let most = idle.min_by_key(|(_, peer)| peer.useful_at);
        most.map(|(conn, _)| conn)
    }
}
