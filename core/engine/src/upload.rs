//! Segments that peers ask of us.
//!
//! Each connection gets one at a time: a new request takes the place of the one before. Whoever asks
//! for what is not there, or for what could not be sent in good time (`admission`), is told "absent".
//! How bytes leave is in `uplink`.

use beekeepr_model::{SegmentId, Time};
use beekeepr_peer_proto::Command;

use crate::Engine;
use crate::api::{ConnKey, SegmentKey};
use crate::limits;

/// An upload may take so many durations of its segment: who is slower does not keep up by far.
const UPLOAD_DURATIONS_MAX: u64 = 4;

/// A segment that a peer asked for. One at a time on a connection: a new request replaces it.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) segment: SegmentId,
    pub(crate) request: i64,
    /// The next byte to send.
    pub(crate) offset: u64,
    /// One past the last byte; unknown while a super-peer is still fetching the segment.
    pub(crate) end: Option<u64>,
    /// When it was asked for, then when it began.
    since: Time,
}

impl Upload {
    /// Bytes that are still to be handed to the channel, as far as is known.
    pub(crate) fn missing(&self) -> u64 {
        self.end.map_or(0, |end| end.saturating_sub(self.offset))
    }
}

impl Engine {
    pub(crate) fn on_request(&mut self, key: SegmentKey, conn: ConnKey, request: i64, offset: u64) {
        if let Some((_, peer)) = self.open_peer_mut(conn) {
            peer.upload = None;
        }
        let known = self.streams.get(&key.stream);
        let is_here = known.is_some_and(|stream| stream.is_complete(key.id));
        let can_be_had = is_here || known.is_some_and(|it| self.is_on_demand(it, key.id));
        let gives = !self.config.upload_disabled && !self.draining;
        if !gives || !can_be_had || !self.has_upload_slot(key, offset) {
            return self.send_absent(key.id, conn, request);
        }
        let upload = Upload {
            segment: key.id,
            request,
            offset,
            end: None,
            since: self.now,
        };
        if is_here {
            return self.begin_upload(key, conn, upload);
        }
        self.demand(key);
        if let Some((_, peer)) = self.open_peer_mut(conn) {
            peer.upload = Some(upload);
        }
    }

    fn send_absent(&mut self, segment: SegmentId, conn: ConnKey, request: i64) {
        self.send_command(conn, &Command::SegmentAbsent { segment, request });
    }

    fn begin_upload(&mut self, key: SegmentKey, conn: ConnKey, mut upload: Upload) {
        let now = self.now;
        let Some(segment) = self.segment_state(key) else {
            return;
        };
        segment.last_used = now;
        let total = segment.loaded;
        if let Some((_, peer)) = self.open_peer_mut(conn) {
            peer.useful_at = now;
        }
        let request = upload.request;
        if upload.offset >= total {
            // Nothing is left to send; a size of 0 makes p2p-media-loader take an empty segment.
            return self.send_absent(key.id, conn, request);
        }
        let size = total - upload.offset;
        upload.end = Some(total);
        upload.since = now;
        if let Some((_, peer)) = self.open_peer_mut(conn) {
            peer.upload = Some(upload);
        }
        self.send_command(
            conn,
            &Command::SegmentData {
                segment: key.id,
                request,
                size,
            },
        );
        self.pump(conn);
    }

    /// Starts the uploads that waited for a segment, or ends them when it cannot be had.
    pub(crate) fn answer_waiting(&mut self, key: SegmentKey, available: bool) {
        for conn in self.uploading(key, &|upload| upload.end.is_none()) {
            let Some((_, peer)) = self.open_peer_mut(conn) else {
                continue;
            };
            let Some(upload) = peer.upload.take() else {
                continue;
            };
            match available {
                true => self.begin_upload(key, conn, upload),
                false => self.send_absent(key.id, conn, upload.request),
            }
        }
    }

    pub(crate) fn on_request_cancelled(&mut self, conn: ConnKey, id: SegmentId, request: i64) {
        if let Some((_, peer)) = self.open_peer_mut(conn)
            && let Some(upload) = &peer.upload
            && (upload.segment, upload.request) == (id, request)
        {
            peer.upload = None;
        }
    }

    /// Ends what will never end well, so that nobody holds memory or slots for ever.
    pub(crate) fn end_hopeless_uploads(&mut self) {
        let now = self.now;
        let (mut stuck, mut late) = (Vec::new(), Vec::new());
        for (&conn, entry) in self.conns.iter() {
            let Some((stream, peer)) = entry.peer() else {
                continue;
            };
            if peer.stuck_ms(now) >= limits::STUCK_MS_MAX {
                stuck.push(conn);
            } else if let Some(upload) = &peer.upload {
                let state = self.streams.get(&stream);
                let duration_ms = state.map_or(0, |state| state.duration_ms(upload.segment));
                let patience_ms = match upload.end {
                    None => limits::UPLOAD_WAIT_MS_MAX,
                    Some(_) => (UPLOAD_DURATIONS_MAX * duration_ms).max(limits::UPLOAD_MS_MAX),
                };
                if now.since_ms(upload.since) >= patience_ms {
                    late.push(conn);
                }
            }
        }
        for conn in stuck {
            self.close_conn(conn);
        }
        for conn in late {
            self.refuse_upload(conn);
        }
    }

    /// Ends an upload before its end and says so.
    fn refuse_upload(&mut self, conn: ConnKey) {
        if let Some((_, peer)) = self.open_peer_mut(conn)
            && let Some(upload) = peer.upload.take()
        {
            self.send_absent(upload.segment, conn, upload.request);
        }
    }

    /// The setting "give nothing to peers" has changed: tell them what there is to be had now.
    pub(crate) fn turn_uploads(&mut self) {
        for stream in self.streams.values_mut() {
            stream.announcement_due = true;
        }
        if !self.config.upload_disabled {
            return;
        }
        for conn in self.conns.all_keys() {
            if let Some((_, peer)) = self.open_peer_mut(conn) {
                let ended = peer.upload.take();
                self.send_command(
                    conn,
                    &Command::SegmentsAnnouncement {
                        loaded: Vec::new(),
                        loading: Vec::new(),
                    },
                );
                if let Some(upload) = ended {
                    self.send_absent(upload.segment, conn, upload.request);
                }
            }
        }
    }

    /// The connections with an upload of a segment that passes a test.
    fn uploading(&self, key: SegmentKey, test: &dyn Fn(&Upload) -> bool) -> Vec<ConnKey> {
        self.conns.keys_where(&|_, conn| {
            let open = conn.peer().filter(|(stream, _)| *stream == key.stream);
            let upload = open.and_then(|(_, peer)| peer.upload.as_ref());
            upload.is_some_and(|upload| upload.segment == key.id && test(upload))
        })
    }

    /// Ends the uploads of a segment whose bytes are going away.
    pub(crate) fn stop_uploads(&mut self, key: SegmentKey) {
        for conn in self.uploading(key, &|_| true) {
            self.refuse_upload(conn);
        }
    }
}
