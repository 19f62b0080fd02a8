//! What is said over an open channel: announcements, and segments that we ask for.

use beekeepr_model::{PeerId, SegmentId, Time, limits as shared};
use beekeepr_peer_proto::{Command, Joiner, encode};

use crate::Engine;
use crate::api::{ConnKey, Event, LoadError, Output, Placement, SegmentKey, Source, StreamKey};
use crate::conn::Conn;
use crate::stream::{Progress, Transfer};
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
    /// Failures since its last whole segment.
    pub(crate) errors: u32,
    /// Bits per second of its last segment; unknown before that.
    pub(crate) rate_bps: Option<u64>,
}

/// A segment that a peer was asked for.
#[derive(Debug)]
pub(crate) struct Download {
    pub(crate) segment: SegmentId,
    request: i64,
    pub(crate) asked_at: Time,
    /// When anything last came.
    last_at: Time,
    /// The peer said that it will send; only then are bytes accepted.
    accepted: bool,
    pub(crate) received: u64,
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
            rate_bps: None,
        }
    }

    pub(crate) fn has(&self, id: SegmentId) -> bool {
        self.loaded.binary_search(&id).is_ok()
    }

    pub(crate) fn is_fetching(&self, id: SegmentId) -> bool {
        self.loading.binary_search(&id).is_ok()
    }

    fn announces(&mut self, mut loaded: Vec<SegmentId>, mut loading: Vec<SegmentId>) {
        for list in [&mut loaded, &mut loading] {
            list.truncate(shared::ANNOUNCED_SEGMENTS_MAX);
            list.sort_unstable();
        }
        self.loaded = loaded;
        self.loading = loading;
    }

    fn no_longer_has(&mut self, id: SegmentId) {
        if let Ok(place) = self.loaded.binary_search(&id) {
            self.loaded.remove(place);
        }
    }
}

impl Engine {
    pub(crate) fn send_command(&mut self, conn: ConnKey, command: &Command) {
        for message in encode(command, self.config.message_bytes_max) {
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
        if self.config.upload_disabled {
            return;
        }
        let command = self.announcement(stream);
        self.send_command(conn, &command);
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
            // Old p2p-media-loader peers with a full page of 256 ids cannot be read; the rest of what
            // they say can. Whoever sends nothing readable is of no use but does no harm either.
            Err(_) => self.count_error(conn),
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

    /// Asks a peer for a segment, or for what is missing of it.
    pub(crate) fn ask(&mut self, key: SegmentKey, conn: ConnKey) {
        let now = self.now;
        // The range of p2p-media-loader's own request ids.
        let request = self.random.below(1000) as i64;
        let Some(stream) = self.streams.get_mut(&key.stream) else {
            return;
        };
        let segment = stream.segment_mut(key.id, now);
        segment.begin(Transfer::Peer(conn), now);
        let offset = segment.loaded;
        let Some((_, peer)) = self.open_peer_mut(conn) else {
            return;
        };
        peer.download = Some(Download {
            segment: key.id,
            request,
            asked_at: now,
            last_at: now,
            accepted: false,
            received: 0,
        });
        let source = Source::Peer(peer.id);
        self.send_command(
            conn,
            &Command::SegmentRequest {
                segment: key.id,
                request,
                offset,
            },
        );
        self.event(Event::SegmentStarted {
            segment: key,
            source,
        });
    }

    fn on_segment_data(
        &mut self,
        stream: StreamKey,
        conn: ConnKey,
        id: SegmentId,
        request: i64,
        size: u64,
    ) {
        let now = self.now;
        let Some(state) = self.streams.get_mut(&stream) else {
            return;
        };
        let Some((_, peer)) = self.conns.get_mut(&conn).and_then(Conn::peer_mut) else {
            return;
        };
        let Some(download) = matching(&mut peer.download, id, request) else {
            return;
        };
        let segment = state.segment_mut(id, now);
        let total = segment.loaded.saturating_add(size);
        let fits = segment.total.is_none_or(|known| known == total);
        if size == 0 || total > shared::SEGMENT_BYTES_MAX || !fits || download.accepted {
            return self.fail_peer(stream, conn, LoadError::PeerLength);
        }
        segment.total = Some(total);
        download.accepted = true;
        download.last_at = now;
    }

    /// See [`Engine::place`].
    pub(crate) fn on_peer_bytes(&mut self, conn: ConnKey, bytes: usize) -> Option<Placement> {
        let now = self.now;
        let (stream, peer) = self.conns.get_mut(&conn).and_then(Conn::peer_mut)?;
        let source = Source::Peer(peer.id);
        let download = peer
            .download
            .as_mut()
            .filter(|download| download.accepted)?;
        let key = SegmentKey {
            stream,
            id: download.segment,
        };
        let segment = self.streams.get_mut(&stream)?.segments.get_mut(&key.id)?;
        let total = segment.total?;
        if segment.loaded + bytes as u64 > total {
            self.fail_peer(stream, conn, LoadError::PeerLength);
            return None;
        }
        download.last_at = now;
        download.received += bytes as u64;
        let placement = Placement {
            segment: key,
            offset: segment.loaded,
            total,
        };
        segment.loaded += bytes as u64;
        segment.from_peer = Some(conn);
        self.downloaded += bytes as u64;
        self.event(Event::Downloaded {
            segment: key,
            bytes: bytes as u32,
            source,
        });
        Some(placement)
    }

    fn on_segment_completed(
        &mut self,
        stream: StreamKey,
        conn: ConnKey,
        id: SegmentId,
        request: i64,
    ) {
        let now = self.now;
        let Some((_, peer)) = self.open_peer_mut(conn) else {
            return;
        };
        let source = Source::Peer(peer.id);
        let Some(download) = matching(&mut peer.download, id, request) else {
            return;
        };
        let took_ms = now.since_ms(download.asked_at).max(1);
        let rate = download.received.saturating_mul(8_000) / took_ms;
        let key = SegmentKey { stream, id };
        if self
            .segment(key)
            .is_none_or(|segment| segment.total != Some(segment.loaded))
        {
            return self.fail_peer(stream, conn, LoadError::PeerLength);
        }
        if let Some((_, peer)) = self.open_peer_mut(conn) {
            peer.download = None;
            peer.rate_bps = Some(rate);
            peer.errors = 0;
        }
        if let Some(segment) = self.segment_state(key) {
            segment.end(now);
        }
        self.segment_arrived(key, source);
    }

    fn on_segment_absent(&mut self, stream: StreamKey, conn: ConnKey, id: SegmentId, request: i64) {
        let Some((_, peer)) = self.open_peer_mut(conn) else {
            return;
        };
        peer.no_longer_has(id);
        if matching(&mut peer.download, id, request).is_some() {
            let source = Source::Peer(peer.id);
            self.abandon_download(conn);
            let segment = SegmentKey { stream, id };
            self.event(Event::SegmentError {
                segment,
                error: LoadError::PeerAbsent,
                source,
            });
        }
    }

    /// Frees the segment that a connection was bringing; what has come stays.
    pub(crate) fn abandon_download(&mut self, conn: ConnKey) -> Option<(SegmentId, i64)> {
        let now = self.now;
        let (stream, peer) = self.conns.get_mut(&conn).and_then(Conn::peer_mut)?;
        let download = peer.download.take()?;
        let segment = self
            .streams
            .get_mut(&stream)?
            .segments
            .get_mut(&download.segment)?;
        if segment.transfer == Some(Transfer::Peer(conn)) {
            segment.end(now);
        }
        Some((download.segment, download.request))
    }

    /// Takes a segment back from the peer that was asked for it.
    pub(crate) fn cancel_download(&mut self, conn: ConnKey) {
        if let Some((segment, request)) = self.abandon_download(conn) {
            self.send_command(conn, &Command::CancelSegmentRequest { segment, request });
        }
    }

    /// Leaves a peer that broke the protocol.
    fn fail_peer(&mut self, stream: StreamKey, conn: ConnKey, error: LoadError) {
        let Some((_, peer)) = self.open_peer(conn) else {
            return;
        };
        let source = Source::Peer(peer.id);
        let asked = peer.download.as_ref().map(|download| download.segment);
        if let Some(id) = asked {
            // What came of it may be wrong as well.
            self.abandon_download(conn);
            self.discard(SegmentKey { stream, id });
            let segment = SegmentKey { stream, id };
            self.event(Event::SegmentError {
                segment,
                error,
                source,
            });
        }
        self.close_conn(conn);
    }

    fn count_error(&mut self, conn: ConnKey) {
        let errors_max = self.config.p2p_errors_max;
        let Some((_, peer)) = self.open_peer_mut(conn) else {
            return;
        };
        peer.errors += 1;
        // A peer that only garbles announcements is kept; one that fails while it owes us a segment
        // is not.
        if peer.errors >= errors_max && peer.download.is_some() {
            self.close_conn(conn);
        }
    }

    /// Gives up on peers that owe bytes and send none.
    pub(crate) fn expire_downloads(&mut self) {
        let silence = self.config.p2p_silence_ms;
        let silent = |peer: &Peer| {
            let last = peer.download.as_ref()?;
            (self.now.since_ms(last.last_at) >= silence).then_some((last.segment, peer.id))
        };
        let mut late = Vec::new();
        for (&conn, entry) in self.conns.iter() {
            if let Some((stream, peer)) = entry.peer()
                && let Some((id, peer)) = silent(peer)
            {
                late.push((conn, SegmentKey { stream, id }, peer));
            }
        }
        for (conn, segment, peer) in late {
            let source = Source::Peer(peer);
            self.event(Event::SegmentError {
                segment,
                error: LoadError::Timeout,
                source,
            });
            self.count_error(conn);
            self.cancel_download(conn);
        }
    }

    /// All bytes of a segment are there.
    pub(crate) fn segment_arrived(&mut self, key: SegmentKey, source: Source) {
        let check = self.config.check_segments;
        let Some(segment) = self.segment_state(key) else {
            return;
        };
        if check && segment.from_peer.is_some() {
            segment.progress = Progress::Checking;
            self.outputs.push_back(Output::SegmentCheck(key));
        } else {
            self.segment_complete(key, source);
        }
    }

    pub(crate) fn on_segment_checked(&mut self, key: SegmentKey, valid: bool) {
        let Some(segment) = self.segment_state(key) else {
            return;
        };
        if segment.progress != Progress::Checking {
            return;
        }
        let sender = segment.from_peer;
        let peer = sender.and_then(|conn| Some(self.open_peer(conn)?.1.id));
        let source = peer.map_or(Source::Http, Source::Peer);
        if valid {
            return self.segment_complete(key, source);
        }
        self.discard(key);
        self.event(Event::SegmentError {
            segment: key,
            error: LoadError::Invalid,
            source,
        });
        if let Some(conn) = sender {
            self.close_conn(conn);
        }
    }
}

fn matching(download: &mut Option<Download>, id: SegmentId, request: i64) -> Option<&mut Download> {
    download
        .as_mut()
        .filter(|download| download.segment == id && download.request == request)
}
