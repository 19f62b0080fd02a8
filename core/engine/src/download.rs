//! Segments that we ask peers for.

use beekeepr_model::{SegmentId, Time, limits as shared};
use beekeepr_peer_proto::Command;

use crate::Engine;
use crate::api::{ConnKey, Event, LoadError, Placement, SegmentKey, Source, StreamKey};
use crate::conn::Conn;
use crate::limits;
use crate::stream::Transfer;

/// A segment that a peer was asked for.
#[derive(Debug)]
pub(crate) struct Download {
    pub(crate) segment: SegmentId,
    request: i64,
    pub(crate) asked_at: Time,
    /// By when it has to be whole: who is slower does not keep up.
    until: Time,
    /// When anything last came.
    last_at: Time,
    /// The peer said that it will send; only then are bytes accepted.
    accepted: bool,
    pub(crate) received: u64,
}

impl Engine {
    /// Asks a peer for a segment, or for what is missing of it.
    pub(crate) fn ask(&mut self, key: SegmentKey, conn: ConnKey) {
        let now = self.now;
        // The range of p2p-media-loader's own request ids.
        let request = self.random.below(1000) as i64;
        let Some(stream) = self.streams.get_mut(&key.stream) else {
            return;
        };
        let patience = (2 * stream.duration_ms(key.id)).max(limits::DOWNLOAD_MS_MIN);
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
            until: now + patience,
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

    pub(crate) fn on_segment_data(
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
        segment.from_several |= segment.from_peer.is_some_and(|known| known != conn);
        segment.from_peer = Some(conn);
        self.downloaded += bytes as u64;
        self.event(Event::Downloaded {
            segment: key,
            bytes: bytes as u32,
            source,
        });
        Some(placement)
    }

    pub(crate) fn on_segment_completed(
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
        let took_ms = now.since_ms(download.asked_at);
        let received = download.received;
        let key = SegmentKey { stream, id };
        if self
            .segment(key)
            .is_none_or(|segment| segment.total != Some(segment.loaded))
        {
            return self.fail_peer(stream, conn, LoadError::PeerLength);
        }
        if let Some((_, peer)) = self.open_peer_mut(conn) {
            peer.download = None;
            peer.measured(received, took_ms);
            peer.succeeded();
        }
        if let Some(segment) = self.segment_state(key) {
            segment.end(now);
        }
        self.segment_arrived(key, source);
    }

    pub(crate) fn on_segment_absent(
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
        if matching(&mut peer.download, id, request).is_some() {
            let credible = peer.is_credible();
            peer.refused(now);
            let source = Source::Peer(peer.id);
            self.abandon_download(conn);
            let segment = SegmentKey { stream, id };
            if credible && let Some(state) = self.segment_state(segment) {
                state.refused_at = Some(now);
            }
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
        let took_ms = now.since_ms(download.asked_at);
        if download.received > 0 && took_ms >= limits::RATE_JUDGED_AFTER_MS {
            peer.measured(download.received, took_ms);
        }
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

    /// Takes a segment back from a peer that would bring it too late.
    pub(crate) fn leave_late_peer(&mut self, conn: ConnKey) {
        let Some((_, peer)) = self.open_peer(conn) else {
            return;
        };
        let silent = peer
            .download
            .as_ref()
            .is_some_and(|download| download.received == 0);
        // A super-peer may have had to fetch it first.
        let failed = silent && !peer.id.is_seeder();
        self.cancel_download(conn);
        if failed {
            self.count_error(conn);
        }
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
        let id = peer.id;
        let source = Source::Peer(id);
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
        self.bans.add(id, self.now + limits::BAN_MS);
        self.close_conn(conn);
    }

    pub(crate) fn count_error(&mut self, conn: ConnKey) {
        let (now, errors_max) = (self.now, self.config.p2p_errors_max);
        let Some((_, peer)) = self.open_peer_mut(conn) else {
            return;
        };
        peer.errors += 1;
        peer.not_before =
            now + (limits::FAILED_MS << peer.errors.min(limits::REFUSED_DOUBLINGS_MAX));
        if peer.errors >= errors_max {
            let id = peer.id;
            self.bans.add(id, now + limits::PAUSE_MS);
            self.close_conn(conn);
        }
    }

    /// Gives up on peers that owe bytes and send none, or drip.
    pub(crate) fn expire_downloads(&mut self) {
        let silence = self.config.p2p_silence_ms;
        let mut late = Vec::new();
        for (&conn, entry) in self.conns.iter() {
            if let Some((stream, peer)) = entry.peer()
                && let Some(download) = &peer.download
                && (self.now.since_ms(download.last_at) >= silence || self.now >= download.until)
            {
                let id = download.segment;
                late.push((conn, SegmentKey { stream, id }, peer.id));
            }
        }
        for (conn, segment, peer) in late {
            let source = Source::Peer(peer);
            self.event(Event::SegmentError {
                segment,
                error: LoadError::Timeout,
                source,
            });
            self.cancel_download(conn);
            self.count_error(conn);
        }
    }
}

fn matching(download: &mut Option<Download>, id: SegmentId, request: i64) -> Option<&mut Download> {
    download
        .as_mut()
        .filter(|download| download.segment == id && download.request == request)
}
