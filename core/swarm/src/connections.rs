//! Which peers each connection stands for.

use std::collections::HashMap;

use beekeepr_model::{InfoHash, PeerId};

use crate::ConnKey;

/// The peers of every connection that stands for any. One socket of a page carries all its swarms,
/// with another peer id in each.
#[derive(Debug, Default)]
pub(crate) struct Connections(HashMap<ConnKey, Vec<(InfoHash, PeerId)>>);

impl Connections {
    pub(crate) fn of(&self, conn: ConnKey) -> &[(InfoHash, PeerId)] {
        self.0.get(&conn).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn insert(&mut self, conn: ConnKey, info_hash: InfoHash, peer_id: PeerId) {
        self.0.entry(conn).or_default().push((info_hash, peer_id));
    }

    pub(crate) fn remove(&mut self, conn: ConnKey, info_hash: InfoHash, peer_id: PeerId) {
        let Some(peers) = self.0.get_mut(&conn) else {
            return;
        };
        if let Some(place) = peers.iter().position(|peer| *peer == (info_hash, peer_id)) {
            peers.swap_remove(place);
        }
        if peers.is_empty() {
            self.0.remove(&conn);
        }
    }

    pub(crate) fn take(&mut self, conn: ConnKey) -> Vec<(InfoHash, PeerId)> {
        self.0.remove(&conn).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }
}
