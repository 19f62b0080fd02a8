//! What we tell peers that we have.
//!
//! An announcement says everything and takes the place of the one before. It is written once for all
//! peers of a swarm: a seeder of 400 viewers and 3 logical peers sends each new segment 1,200 times.

use beekeepr_model::limits as shared;
use beekeepr_peer_proto::{Command, encode};

use crate::Engine;
use crate::api::{ConnKey, Output, StreamKey};
use crate::conn::Conn;
use crate::stream::{Progress, Segment, Transfer};
use crate::swarm::{SwarmKey, renumber};

/// An announcement as it goes over the wire, in one message or several.
pub(crate) type Written = Vec<Vec<u8>>;

impl Engine {
    /// Tells every peer of the stream what we have, if that changed, and every new peer once more.
    pub(crate) fn send_due_announcements(&mut self) {
        let mut due = Vec::new();
        for (&key, stream) in self.streams.iter_mut() {
            if std::mem::take(&mut stream.announcement_due) {
                due.push((key, stream.swarms.len()));
            }
        }
        for (stream, swarms) in due {
            for place in 0..swarms {
                self.announce_to_swarm(SwarmKey { stream, place });
            }
        }
        self.tell_again();
    }

    fn announce_to_swarm(&mut self, key: SwarmKey) {
        if let Some(swarm) = self.swarm_mut(key) {
            swarm.announcement = None;
        }
        let is_open = |conn: &Conn| conn.swarm == key && conn.peer().is_some();
        for conn in self.conns.keys_where(&|_, conn| is_open(conn)) {
            self.send_announcement(key, conn);
        }
    }

    /// Tells a peer whose channel has just opened.
    pub(crate) fn announce_to_newcomer(&mut self, conn: ConnKey) {
        let Some(key) = self.conns.get(&conn).map(|it| it.swarm) else {
            return;
        };
        let stream = self.streams.get(&key.stream);
        // What is due goes to all at the end of this input.
        if stream.is_some_and(|stream| !stream.announcement_due) {
            self.send_announcement(key, conn);
        }
    }

    /// A far end that was not ready for the first message never hears of anything, when nothing changes
    /// here any more: of a stream on demand, we may have all that there is.
    fn tell_again(&mut self) {
        let now = self.now;
        let mut due = Vec::new();
        for (&conn, entry) in self.conns.iter_mut() {
            let swarm = entry.swarm;
            if let Some((_, peer)) = entry.peer_mut()
                && peer.tell_again_at.is_some_and(|at| now >= at)
            {
                peer.tell_again_at = None;
                due.push((swarm, conn));
            }
        }
        for (swarm, conn) in due {
            self.send_announcement(swarm, conn);
        }
    }

    fn send_announcement(&mut self, key: SwarmKey, conn: ConnKey) {
        if self.config.upload_disabled || self.draining {
            return;
        }
        if self
            .swarm(key)
            .is_some_and(|swarm| swarm.announcement.is_none())
        {
            let written = self.write_announcement(key);
            if let Some(swarm) = self.swarm_mut(key) {
                swarm.announcement = Some(written);
            }
        }
        let stream = self.streams.get(&key.stream);
        let swarm = stream.and_then(|stream| stream.swarms.get(key.place));
        let written = swarm.and_then(|swarm| swarm.announcement.as_ref());
        for message in written.into_iter().flatten() {
            let message = message.clone();
            self.outputs
                .push_back(Output::CommandSend { conn, message });
        }
    }

    fn write_announcement(&self, key: SwarmKey) -> Written {
        let ours = self.announcement(key.stream);
        let theirs = match self.swarm(key).filter(|swarm| swarm.renumbers()) {
            Some(swarm) => renumber(ours, &|id| swarm.theirs(id)),
            None => Some(ours),
        };
        theirs.map_or(Vec::new(), |command| self.written(&command))
    }

    /// A command as it goes over the wire. A number beyond the wire's comes from a broken manifest: no peer can be
    /// told of it.
    pub(crate) fn written(&self, command: &Command) -> Written {
        let mut written = Vec::new();
        if let Ok(messages) = encode(command, self.config.message_bytes_max) {
            for message in messages {
                written.push(message);
            }
        }
        written
    }

    fn announcement(&self, stream: StreamKey) -> Command {
        let state = &self.streams[&stream];
        let is_complete = |segment: &Segment| segment.progress == Progress::Complete;
        let mut loaded = state.segments.keys_where(&|_, it| is_complete(it));
        if self.is_super_peer() {
            loaded.extend(self.on_demand(state));
            loaded.sort_unstable();
            loaded.dedup();
        }
        // The newest are the ones that others still need.
        let surplus = loaded.len().saturating_sub(shared::ANNOUNCED_SEGMENTS_MAX);
        loaded.drain(..surplus);
        let over_http = |segment: &Segment| matches!(segment.transfer, Some(Transfer::Http(_)));
        let mut loading = state.segments.keys_where(&|_, it| over_http(it));
        if self.is_super_peer() {
            loading.retain(|id| loaded.binary_search(id).is_err());
        }
        Command::SegmentsAnnouncement { loaded, loading }
    }
}
