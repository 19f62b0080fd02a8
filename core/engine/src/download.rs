//! Segments that we ask peers for.

use beekeepr_model::{SegmentId, Time, limits as shared};
use beekeepr_peer_proto::Command;

use crate::Engine;
use crate::api::{ConnKey, Event, LoadError, Placement, SegmentKey, Source, StreamKey};
use crate::conn::Conn;
use crate::limits;
use crate::rate::product;
use crate::split::Tail;
use crate::stream::Transfer;

/// A segment that a peer was asked for.
#[derive(Debug)]
pub(crate) struct Download {
    pub(crate) segment: SegmentId,
    request: i64,
    /// Where its next byte belongs.
    at: u64,
    /// Somebody else is sending what is before.
    pub(crate) is_tail: bool,
    pub(crate) asked_at: Time,
    /// When it is looked at whether the peer drips.
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
        self.ask_from(key, conn, None);
    }

    /// The same, or for its tail from `start` on, while somebody else sends what is before.
    pub(crate) fn ask_from(&mut self, key: SegmentKey, conn: ConnKey, start: Option<u64>) {
        let now = self.now;
        // The range of p2p-media-loader's own request ids.
        let request = self.random.below(1000) as i64;
        let Some(stream) = self.streams.get_mut(&key.stream) else {
            return;
        };
        let patience = (2 * stream.duration_ms(key.id)).max(limits::DOWNLOAD_MS_MIN);
        let segment = stream.segment_mut(key.id, now);
        let offset = start.unwrap_or(segment.loaded);
        match start {
            None => segment.begin(Transfer::Peer(conn), now),
            Some(start) => {
                let conn = Some(conn);
                let end = start;
                segment.tail = Some(Tail { conn, start, end });
            }
        }
        let Some((_, peer)) = self.open_peer_mut(conn) else {
            return;
        };
        peer.download = Some(Download {
            segment: key.id,
            request,
            at: offset,
            is_tail: start.is_some(),
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
        let total = download.at.saturating_add(size);
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
        peer.heard_at = now;
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
        let offset = download.at;
        let reached = offset + bytes as u64;
        if reached > total {
            self.fail_peer(stream, conn, LoadError::PeerLength);
            return None;
        }
        download.last_at = now;
        download.at = reached;
        download.received += bytes as u64;
        let placement = Placement {
            segment: key,
            offset,
            total,
        };
        segment.advance(Transfer::Peer(conn), reached);
        segment.from_several |= segment.from_peer.is_some_and(|known| known != conn);
        segment.from_peer = Some(conn);
        self.downloaded += bytes as u64;
        self.event(Event::Downloaded {
            segment: key,
            bytes: bytes as u32,
            source,
        });
        self.join_tail(key);
        Some(placement)
    }

    pub(crate) fn on_segment_completed(
        &mut self,
        stream: StreamKey,
        conn: ConnKey,
        id: SegmentId,
        request: i64,
    ) {
        let Some((_, peer)) = self.open_peer_mut(conn) else {
            return;
        };
        let Some(download) = matching(&mut peer.download, id, request) else {
            return;
        };
        let (at, key) = (download.at, SegmentKey { stream, id });
        match self.segment(key).and_then(|segment| segment.total) {
            Some(total) if total == at => self.finish_download(key, conn),
            _ => self.fail_peer(stream, conn, LoadError::PeerLength),
        }
    }

    /// A peer has brought the last byte of a segment, and with it the segment, unless somebody else is
    /// still sending what is before.
    pub(crate) fn finish_download(&mut self, key: SegmentKey, conn: ConnKey) {
        let now = self.now;
        let Some((_, peer)) = self.open_peer_mut(conn) else {
            return;
        };
        let source = Source::Peer(peer.id);
        if let Some(download) = peer.download.take() {
            peer.measured(download.received, now.since_ms(download.asked_at));
            peer.succeeded();
            peer.useful_at = now;
        }
        let Some(segment) = self.segment_state(key) else {
            return;
        };
        segment.tail_ends(conn);
        if segment.transfer == Some(Transfer::Peer(conn)) {
            segment.end(now);
        }
        if segment.is_whole() {
            self.segment_arrived(key, source);
        }
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
            self.leave_liar(conn);
        }
    }

    /// Leaves a peer that announces segments and gives none, ever.
    fn leave_liar(&mut self, conn: ConnKey) {
        let peer = self.open_peer(conn).map(|(_, peer)| peer);
        if let Some(id) = peer
            .filter(|it| it.refusals >= limits::REFUSALS_LEAVE)
            .map(|it| it.id)
        {
            self.bans.add(id, self.now + limits::PAUSE_MS);
            self.close_conn(conn);
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
        segment.tail_ends(conn);
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
            let segment = SegmentKey { stream, id };
            let sends_tail = |tail: &Tail| tail.conn == Some(conn);
            let tail = self.segment(segment).and_then(|it| it.tail.as_ref());
            if tail.is_some_and(sends_tail) {
                self.drop_tail(segment);
            } else {
                self.discard(segment);
            }
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
        let Some((stream, peer)) = self.open_peer_mut(conn) else {
            return;
        };
        peer.errors += 1;
        peer.not_before =
            now + (limits::FAILED_MS << peer.errors.min(limits::REFUSED_DOUBLINGS_MAX));
        if peer.errors >= errors_max {
            let id = peer.id;
            if peer.is_silent(now) && peer.rate_bps.is_some() {
                // It was good before: its connection has broken, which is nobody's fault.
                return self.lose_conn(conn, stream);
            }
            self.bans.add(id, now + limits::PAUSE_MS);
            self.close_conn(conn);
        }
    }

    /// Whether a segment comes so slowly that even many such peers would be of no use.
    fn drips(&self, key: SegmentKey, download: &Download) -> bool {
        let stream = self.streams.get(&key.stream);
        let duration_ms = stream.map_or(0, |stream| stream.duration_ms(key.id));
        let total = self.segment(key).and_then(|segment| segment.total);
        let took_ms = self.now.since_ms(download.asked_at);
        let brought = product(download.received * limits::DRIP_PART, duration_ms);
        brought < product(total.unwrap_or(u64::MAX), took_ms)
    }

    /// Whether a peer fills a part of the line that is worth having.
    pub(crate) fn brings_much(&self, key: SegmentKey, conn: ConnKey) -> bool {
        let peer = self.open_peer(conn);
        peer.and_then(|(_, peer)| peer.download.as_ref())
            .is_some_and(|download| {
                let elapsed = self.now.since_ms(download.asked_at);
                let judged = elapsed >= limits::RATE_JUDGED_AFTER_MS;
                judged && download.received > 0 && !self.drips(key, download)
            })
    }

    /// Gives up on peers that owe bytes and send none, or drip.
    pub(crate) fn expire_downloads(&mut self) {
        let silence = self.config.p2p_silence_ms;
        let mut late = Vec::new();
        for (&conn, entry) in self.conns.iter() {
            if let Some((stream, peer)) = entry.peer()
                && let Some(download) = &peer.download
            {
                let id = download.segment;
                let segment = SegmentKey { stream, id };
                let silent = self.now.since_ms(download.last_at) >= silence;
                if silent || self.now >= download.until && self.drips(segment, download) {
                    late.push((conn, segment, peer.id));
                }
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
