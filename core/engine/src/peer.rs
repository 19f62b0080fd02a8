//! What is said over an open channel, and what a peer has proven to be.

use beekeepr_model::{PeerId, SegmentId, Time, limits as shared};
use beekeepr_peer_proto::{Command, Joiner};

use crate::Engine;
use crate::api::{ConnKey, Output, SegmentKey, StreamKey};
use crate::download::Download;
use crate::limits;
use crate::rate::bits_per_second;
use crate::swarm::{Swarm, renumber};
use crate::uplink::Channel;
use crate::upload::Upload;

/// A peer with an open channel.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) id: PeerId,
    pub(crate) offered_by_us: bool,
    pub(crate) opened_at: Time,
    /// When anything was last exchanged with it.
    pub(crate) useful_at: Time,
    /// When it last said or sent anything.
    pub(crate) heard_at: Time,
    joiner: Joiner,
    /// What it says it has, sorted.
    loaded: Vec<SegmentId>,
    /// What it says it is fetching, sorted.
    loading: Vec<SegmentId>,
    /// What it had when an encoder began anew: the bytes of other segments.
    stale: Vec<SegmentId>,
    /// What it announces next is stale.
    doubted: bool,
    /// Both in its swarm's own numbers, where it has such.
    told: Option<(Vec<SegmentId>, Vec<SegmentId>)>,
    pub(crate) download: Option<Download>,
    pub(crate) upload: Option<Upload>,
    /// Bytes in the channel's send buffer, as far as we know.
    pub(crate) buffered: u32,
    pub(crate) channel: Channel,
    /// Failures, less half of them for each whole segment.
    pub(crate) errors: u32,
    /// How often in a row it said "absent".
    pub(crate) refusals: u32,
    /// When it is told once more what we have.
    pub(crate) tell_again_at: Option<Time>,
    /// Not to be asked before this.
    pub(crate) not_before: Time,
    /// Bits per second of its last segments; unknown before the first.
    pub(crate) rate_bps: Option<u64>,
}

impl Peer {
    pub(crate) fn new(id: PeerId, offered_by_us: bool, now: Time) -> Self {
        Self {
            id,
            offered_by_us,
            opened_at: now,
            useful_at: now,
            heard_at: now,
            joiner: Joiner::default(),
            loaded: Vec::new(),
            loading: Vec::new(),
            stale: Vec::new(),
            doubted: false,
            told: None,
            download: None,
            upload: None,
            buffered: 0,
            channel: Channel::default(),
            errors: 0,
            refusals: 0,
            tell_again_at: Some(now + limits::TELL_AGAIN_MS),
            not_before: Time::ZERO,
            rate_bps: None,
        }
    }

    pub(crate) fn has(&self, id: SegmentId) -> bool {
        self.loaded.binary_search(&id).is_ok()
    }

    pub(crate) fn is_fetching(&self, id: SegmentId) -> bool {
        self.loading.binary_search(&id).is_ok()
    }

    /// Whether it has announced nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.loaded.is_empty() && self.loading.is_empty()
    }

    /// Whether it has, or is fetching, a segment close to this one.
    pub(crate) fn is_near(&self, id: SegmentId) -> bool {
        [&self.loaded, &self.loading].into_iter().any(|list| {
            let place = list.partition_point(|known| known.0 < id.0);
            let around = list[..place].last().into_iter().chain(list.get(place));
            let mut distances = around.map(|known| known.0.abs_diff(id.0));
            distances.any(|distance| distance <= limits::NEAR_SEGMENTS.unsigned_abs())
        })
    }

    /// Whether what it announces is worth waiting for.
    pub(crate) fn is_credible(&self) -> bool {
        self.errors == 0 && self.refusals < limits::REFUSALS_MAX
    }

    /// It has brought a whole segment.
    pub(crate) fn succeeded(&mut self) {
        self.errors /= 2;
        self.refusals = 0;
    }

    /// It said that it does not have what it was asked for: it may be busy, and is asked again after a
    /// while. Were it gone, its next announcement would say so.
    pub(crate) fn refused(&mut self, now: Time) {
        let doublings = self.refusals.min(limits::REFUSED_DOUBLINGS_MAX);
        self.not_before = now + (limits::REFUSED_MS << doublings);
        self.refusals += 1;
    }

    /// Takes a measurement in, half and half with what was known.
    pub(crate) fn measured(&mut self, bytes: u64, ms: u64) {
        let bps = bits_per_second(bytes, ms);
        self.rate_bps = Some(self.rate_bps.map_or(bps, |known| u64::midpoint(known, bps)));
    }

    fn announces(
        &mut self,
        swarm: &Swarm,
        mut loaded: Vec<SegmentId>,
        mut loading: Vec<SegmentId>,
    ) {
        self.told = None;
        if swarm.renumbers() {
            self.told = Some((loaded.clone(), loading.clone()));
        }
        for list in [&mut loaded, &mut loading] {
            list.truncate(shared::ANNOUNCED_SEGMENTS_MAX);
            list.retain_mut(|id| swarm.ours(*id).map(|ours| *id = ours).is_some());
            list.sort_unstable();
        }
        if std::mem::take(&mut self.doubted) {
            self.stale = std::mem::take(&mut loaded);
        } else if loaded.is_empty() {
            // It has noticed as well, and dropped everything.
            self.stale.clear();
        }
        loaded.retain(|id| self.stale.binary_search(id).is_err());
        self.loaded = loaded;
        self.loading = loading;
    }

    /// Takes nothing that it has, or announces next, before it has announced to have nothing. Our own clients do
    /// that when they notice too; of others, only what they have at that moment is never asked for.
    pub(crate) fn doubt(&mut self) {
        self.doubted = true;
        self.loaded.clear();
    }

    /// More of its swarm's numbers are known than when it made its last announcement.
    pub(crate) fn understand(&mut self, swarm: &Swarm) {
        if let Some((loaded, loading)) = self.told.take() {
            self.announces(swarm, loaded, loading);
        }
    }
}

impl Engine {
    pub(crate) fn send_command(&mut self, conn: ConnKey, command: &Command) {
        let swarm = self.conns.get(&conn).and_then(|it| self.swarm(it.swarm));
        match swarm.filter(|swarm| swarm.renumbers()) {
            None => self.send_as_it_is(conn, command),
            Some(swarm) => {
                if let Some(theirs) = renumber(command.clone(), &|id| swarm.theirs(id)) {
                    self.send_as_it_is(conn, &theirs);
                }
            }
        }
    }

    fn send_as_it_is(&mut self, conn: ConnKey, command: &Command) {
        for message in self.written(command) {
            self.outputs
                .push_back(Output::CommandSend { conn, message });
        }
    }

    pub(crate) fn on_command(&mut self, conn: ConnKey, message: &[u8]) {
        let now = self.now;
        let Some((stream, peer)) = self.open_peer_mut(conn) else {
            return self.keep_early(conn, message);
        };
        peer.heard_at = now;
        match peer.joiner.push(message) {
            Ok(None) => {}
            Ok(Some(command)) => self.on_their_command(stream, conn, command),
            // p2p-media-loader up to 4.x garbles some long announcements; the rest of what it says can
            // be read. Whoever sends nothing readable while it owes us bytes is silent in time.
            Err(_) => {}
        }
    }

    /// Puts our own numbers in the place of the swarm's.
    fn on_their_command(&mut self, stream: StreamKey, conn: ConnKey, command: Command) {
        let key = self.conns.get(&conn).map(|it| it.swarm);
        let Some(swarm) = key.and_then(|key| self.swarm(key)) else {
            return;
        };
        if let Command::SegmentsAnnouncement { .. } = command {
            // Read below, and again when more numbers are known.
            return self.on_peer_says(stream, conn, command);
        }
        let request = match &command {
            Command::SegmentRequest {
                segment, request, ..
            } => Some((*segment, *request)),
            _ => None,
        };
        match renumber(command, &|id| swarm.ours(id)) {
            Some(ours) => self.on_peer_says(stream, conn, ours),
            // A segment that our manifest does not list.
            None => {
                if let Some((segment, request)) = request {
                    self.send_as_it_is(conn, &Command::SegmentAbsent { segment, request });
                }
            }
        }
    }

    fn on_peer_says(&mut self, stream: StreamKey, conn: ConnKey, command: Command) {
        match command {
            Command::SegmentsAnnouncement { loaded, loading } => {
                let Some(entry) = self.conns.get_mut(&conn) else {
                    return;
                };
                let key = entry.swarm;
                if let (Some((_, peer)), Some(state)) =
                    (entry.peer_mut(), self.streams.get(&key.stream))
                {
                    peer.announces(&state.swarms[key.place], loaded, loading);
                }
            }
            Command::SegmentRequest {
                segment,
                request,
                offset,
            } => {
                self.on_request(
                    SegmentKey {
                        stream,
                        id: segment,
                    },
                    conn,
                    request,
                    offset,
                );
            }
            Command::CancelSegmentRequest { segment, request } => {
                self.on_request_cancelled(conn, segment, request);
            }
            Command::SegmentData {
                segment,
                request,
                size,
            } => {
                self.on_segment_data(stream, conn, segment, request, size);
            }
            Command::SegmentDataSendingCompleted { segment, request } => {
                self.on_segment_completed(stream, conn, segment, request);
            }
            Command::SegmentAbsent { segment, request } => {
                self.on_segment_absent(stream, conn, segment, request);
            }
        }
    }
}
