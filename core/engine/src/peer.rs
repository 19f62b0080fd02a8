//! What is said over an open channel, and what a peer has proven to be.

use beekeepr_model::{PeerId, SegmentId, Time, limits as shared};
use beekeepr_peer_proto::{Command, Joiner, encode};

use crate::Engine;
use crate::api::{ConnKey, Output, SegmentKey, StreamKey};
use crate::download::Download;
use crate::limits;
use crate::rate::bits_per_second;
use crate::stream::Transfer;
use crate::upload::Upload;

/// A peer with an open channel.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) id: PeerId,
    pub(crate) offered_by_us: bool,
    pub(crate) opened_at: Time,
    joiner: Joiner,
    /// What it says it has, sorted.
    loaded: Vec<SegmentId>,
    /// What it says it is fetching, sorted.
    loading: Vec<SegmentId>,
    pub(crate) download: Option<Download>,
    pub(crate) upload: Option<Upload>,
    /// Bytes in the channel's send buffer, as far as we know.
    pub(crate) buffered: u32,
    /// Failures, less half of them for each whole segment.
    pub(crate) errors: u32,
    /// How often in a row it said "absent".
    pub(crate) refusals: u32,
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
            joiner: Joiner::default(),
            loaded: Vec::new(),
            loading: Vec::new(),
            download: None,
            upload: None,
            buffered: 0,
            errors: 0,
            refusals: 0,
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

    fn announces(&mut self, mut loaded: Vec<SegmentId>, mut loading: Vec<SegmentId>) {
        for list in [&mut loaded, &mut loading] {
            list.truncate(shared::ANNOUNCED_SEGMENTS_MAX);
            list.sort_unstable();
        }
        self.loaded = loaded;
        self.loading = loading;
    }
}

impl Engine {
    pub(crate) fn send_command(&mut self, conn: ConnKey, command: &Command) {
        let messages = encode(command, self.config.message_bytes_max);
        // A number beyond the wire's comes from a broken manifest: no peer can be told of it.
        for message in messages.into_iter().flatten() {
            self.outputs
                .push_back(Output::CommandSend { conn, message });
        }
    }

    /// Tells every peer of the stream what we have, if that changed.
    pub(crate) fn send_due_announcements(&mut self) {
        let mut due = Vec::new();
        for (&key, stream) in self.streams.iter_mut() {
            if std::mem::take(&mut stream.announcement_due) {
                due.push(key);
            }
        }
        for stream in due {
            let conns: Vec<ConnKey> = self.peers_of(stream).map(|(key, _)| key).collect();
            for conn in conns {
                self.send_announcement(stream, conn);
            }
        }
    }

    pub(crate) fn send_announcement(&mut self, stream: StreamKey, conn: ConnKey) {
        if !self.config.upload_disabled {
            let command = self.announcement(stream);
            self.send_command(conn, &command);
        }
    }

    fn announcement(&self, stream: StreamKey) -> Command {
        let state = &self.streams[&stream];
        let mut loaded: Vec<SegmentId> = if self.offers_on_demand(state) {
            state.listed.keys().copied().collect()
        } else {
            let complete = |id: &&SegmentId| state.is_complete(**id);
            state.segments.keys().filter(complete).copied().collect()
        };
        // The newest are the ones that others still need.
        let surplus = loaded.len().saturating_sub(shared::ANNOUNCED_SEGMENTS_MAX);
        loaded.drain(..surplus);
        let over_http = state
            .segments
            .iter()
            .filter(|(_, segment)| matches!(segment.transfer, Some(Transfer::Http(_))));
        let loading = over_http
            .map(|(&id, _)| id)
            .filter(|id| loaded.binary_search(id).is_err())
            .collect();
        Command::SegmentsAnnouncement { loaded, loading }
    }

    pub(crate) fn on_command(&mut self, conn: ConnKey, message: &[u8]) {
        let Some((stream, peer)) = self.open_peer_mut(conn) else {
            return;
        };
        match peer.joiner.push(message) {
            Ok(None) => {}
            Ok(Some(command)) => self.on_peer_says(stream, conn, command),
            // p2p-media-loader up to 4.x garbles some long announcements; the rest of what it says can
            // be read. Whoever sends nothing readable while it owes us bytes is silent in time.
            Err(_) => {}
        }
    }

    fn on_peer_says(&mut self, stream: StreamKey, conn: ConnKey, command: Command) {
        match command {
            Command::SegmentsAnnouncement { loaded, loading } => {
                if let Some((_, peer)) = self.open_peer_mut(conn) {
                    peer.announces(loaded, loading);
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
