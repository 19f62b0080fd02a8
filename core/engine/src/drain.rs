//! Coming to an end without cutting anybody off.

use beekeepr_model::Time;
use beekeepr_peer_proto::Command;

use crate::Engine;

impl Engine {
    /// Leaves the swarms on the trackers and takes on nothing new: peers are told that there is nothing more to be had,
    /// and every request is answered with "absent". What is being sent is sent to its end ([`Engine::uploads`]).
    pub fn drain(&mut self, now: Time) {
        self.pass_to(now);
        if self.draining {
            return;
        }
        for stream in self.streams.all_keys() {
            self.send_stopped(stream);
        }
        self.draining = true;
        for conn in self.conns.all_keys() {
            if self.open_peer(conn).is_some() {
                let nothing = Command::SegmentsAnnouncement {
                    loaded: Vec::new(),
                    loading: Vec::new(),
                };
                self.send_command(conn, &nothing);
            }
        }
        self.decide();
    }

    /// How many segments are being sent, those that are still fetched for it included.
    #[must_use]
    pub fn uploads(&self) -> usize {
        let peers = self.conns.values().filter_map(|conn| Some(conn.peer()?.1));
        peers.filter(|peer| peer.upload.is_some()).count()
    }

    /// Bytes handed to channels that have not left yet, as far as is known.
    #[must_use]
    pub fn upload_queue_bytes(&self) -> u64 {
        let peers = self.conns.values().filter_map(|conn| Some(conn.peer()?.1));
        peers.map(|peer| u64::from(peer.waiting_bytes())).sum()
    }
}
