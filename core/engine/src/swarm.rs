//! The swarms of a stream: one for each generation of clients that we want to meet.
//!
//! A segment is one segment in all of them, whatever number it has there: inside the engine only our
//! own numbers count, and those of a swarm are put in and taken out where commands are written and read.

use beekeepr_model::{InfoHash, SegmentId};
use beekeepr_peer_proto::Command;

use crate::Engine;
use crate::announce::Membership;
use crate::announcement::Written;
use crate::api::StreamKey;
use crate::limits;
use crate::map::Map;
use crate::stream::Segment;

/// A stream's swarm, by its place among the stream's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SwarmKey {
    pub(crate) stream: StreamKey,
    pub(crate) place: usize,
}

/// One swarm, on all trackers.
#[derive(Debug)]
pub(crate) struct Swarm {
    pub(crate) info_hash: InfoHash,
    /// One for each tracker, in the trackers' order.
    pub(crate) memberships: Vec<Membership>,
    /// The swarm's numbers by ours; none where these are the same.
    theirs: Map<SegmentId, SegmentId>,
    /// What its peers were last told, while that still holds.
    pub(crate) announcement: Option<Written>,
}

impl Swarm {
    pub(crate) fn new(info_hash: InfoHash, trackers: u32) -> Self {
        Self {
            info_hash,
            memberships: (0..trackers).map(|_| Membership::default()).collect(),
            theirs: Map::new(),
            announcement: None,
        }
    }

    /// Whether it has numbers of its own.
    pub(crate) fn renumbers(&self) -> bool {
        !self.theirs.is_empty()
    }

    /// The swarm's number of a segment.
    pub(crate) fn theirs(&self, id: SegmentId) -> Option<SegmentId> {
        match self.renumbers() {
            true => self.theirs.get(&id).copied(),
            false => Some(id),
        }
    }

    /// Our number of a segment.
    pub(crate) fn ours(&self, id: SegmentId) -> Option<SegmentId> {
        match self.renumbers() {
            true => self.theirs.key_of(id),
            false => Some(id),
        }
    }

    /// Takes pairs of our number and the swarm's; of those before, what `held` still has is kept.
    fn number(&mut self, pairs: &[(SegmentId, SegmentId)], held: &Map<SegmentId, Segment>) {
        let known = std::mem::replace(&mut self.theirs, Map::new());
        for (&ours, &theirs) in known.iter() {
            if held.contains_key(&ours) {
                self.theirs.insert(ours, theirs);
            }
        }
        for &(ours, theirs) in pairs {
            self.theirs.insert(ours, theirs);
        }
    }
}

impl Engine {
    /// A stream has one more swarm, or other numbers in one that it has.
    pub(crate) fn on_swarm_added(
        &mut self,
        key: StreamKey,
        info_hash: InfoHash,
        pairs: &[(SegmentId, SegmentId)],
    ) {
        let trackers = self.config.trackers;
        let Some(stream) = self.streams.get_mut(&key) else {
            return;
        };
        let mut swarms = stream.swarms.iter();
        let known = swarms.position(|it| it.info_hash == info_hash);
        let place = known.unwrap_or(stream.swarms.len());
        if place == limits::SWARMS_MAX {
            return;
        }
        if known.is_none() {
            stream.swarms.push(Swarm::new(info_hash, trackers));
        }
        if !pairs.is_empty() {
            stream.swarms[place].number(pairs, &stream.segments);
            stream.announcement_due = true;
            self.read_announcements_again(SwarmKey { stream: key, place });
        }
    }

    /// What peers said before we knew their numbers means something now.
    fn read_announcements_again(&mut self, key: SwarmKey) {
        let Some(stream) = self.streams.get(&key.stream) else {
            return;
        };
        for conn in self.conns.values_mut().filter(|conn| conn.swarm == key) {
            if let Some((_, peer)) = conn.peer_mut() {
                peer.understand(&stream.swarms[key.place]);
            }
        }
    }

    pub(crate) fn swarm_mut(&mut self, key: SwarmKey) -> Option<&mut Swarm> {
        self.streams.get_mut(&key.stream)?.swarms.get_mut(key.place)
    }

    pub(crate) fn swarm(&self, key: SwarmKey) -> Option<&Swarm> {
        self.streams.get(&key.stream)?.swarms.get(key.place)
    }
}

/// The same command with other numbers; `None` when its segment has none. Of an announcement's many
/// segments, those without are left out.
pub(crate) fn renumber(
    mut command: Command,
    number: &dyn Fn(SegmentId) -> Option<SegmentId>,
) -> Option<Command> {
    match &mut command {
        Command::SegmentsAnnouncement { loaded, loading } => {
            for list in [loaded, loading] {
                list.retain_mut(|id| number(*id).map(|known| *id = known).is_some());
            }
        }
        Command::SegmentRequest { segment, .. }
        | Command::SegmentData { segment, .. }
        | Command::SegmentDataSendingCompleted { segment, .. }
        | Command::SegmentAbsent { segment, .. }
        | Command::CancelSegmentRequest { segment, .. } => *segment = number(*segment)?,
    }
    Some(command)
}
