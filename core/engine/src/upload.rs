//! Segments that peers ask of us.

use beekeepr_model::{SegmentId, limits as shared};
use beekeepr_peer_proto::Command;

use crate::Engine;
use crate::api::{ConnKey, Event, Output, SegmentKey};
use crate::limits;

/// A segment that a peer asked for. One at a time on a connection: a new request replaces it.
#[derive(Debug)]
pub(crate) struct Upload {
    segment: SegmentId,
    request: i64,
    /// The next byte to send.
    offset: u64,
    /// One past the last byte; unknown while a super-peer is still fetching the segment.
    end: Option<u64>,
}

impl Engine {
    pub(crate) fn on_request(&mut self, key: SegmentKey, conn: ConnKey, request: i64, offset: u64) {
        if let Some((_, peer)) = self.open_peer_mut(conn) {
            peer.upload = None;
        }
        if self.config.upload_disabled {
            return self.send_absent(key.id, conn, request);
        }
        let stream = &self.streams[&key.stream];
        let upload = Upload {
            segment: key.id,
            request,
            offset,
            end: None,
        };
        if stream.is_complete(key.id) {
            self.begin_upload(key, conn, upload);
        } else if self.offers_on_demand(stream) && stream.listed.contains_key(&key.id) {
            self.demand(key);
            if let Some((_, peer)) = self.open_peer_mut(conn) {
                peer.upload = Some(upload);
            }
        } else {
            self.send_absent(key.id, conn, request);
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
        let request = upload.request;
        if upload.offset >= total {
            // Nothing is left to send; a size of 0 makes p2p-media-loader take an empty segment.
            return self.send_absent(key.id, conn, request);
        }
        let size = total - upload.offset;
        upload.end = Some(total);
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
        let waits = |upload: &Upload| upload.segment == key.id && upload.end.is_none();
        let waiting: Vec<ConnKey> = self
            .peers_of(key.stream)
            .filter(|(_, peer)| peer.upload.as_ref().is_some_and(waits))
            .map(|(conn, _)| conn)
            .collect();
        for conn in waiting {
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

    pub(crate) fn on_drained(&mut self, conn: ConnKey, buffered: u32) {
        if let Some((_, peer)) = self.open_peer_mut(conn) {
            peer.buffered = buffered;
            self.pump(conn);
        }
    }

    /// Hands bytes to the channel until its window is full or the segment is sent.
    fn pump(&mut self, conn: ConnKey) {
        while let Some((stream, peer)) = self.open_peer_mut(conn) {
            let Some(upload) = &mut peer.upload else {
                return;
            };
            let Some(end) = upload.end else { return };
            let id = upload.segment;
            if upload.offset >= end {
                let request = upload.request;
                peer.upload = None;
                let done = Command::SegmentDataSendingCompleted {
                    segment: id,
                    request,
                };
                return self.send_command(conn, &done);
            }
            if peer.buffered >= limits::UPLOAD_WINDOW_BYTES {
                return;
            }
            let offset = upload.offset;
            let bytes = (end - offset).min(u64::from(shared::SEGMENT_SLICE_BYTES)) as u32;
            upload.offset += u64::from(bytes);
            peer.buffered += bytes;
            let peer = peer.id;
            let segment = SegmentKey { stream, id };
            self.uploaded += u64::from(bytes);
            self.outputs.push_back(Output::SliceSend {
                conn,
                segment,
                offset,
                bytes,
            });
            self.event(Event::Uploaded {
                segment,
                bytes,
                peer,
            });
        }
    }

    /// Ends the uploads of a segment whose bytes are going away.
    pub(crate) fn stop_uploads(&mut self, key: SegmentKey) {
        let sends = |upload: &Upload| upload.segment == key.id;
        let sending: Vec<ConnKey> = self
            .peers_of(key.stream)
            .filter(|(_, peer)| peer.upload.as_ref().is_some_and(sends))
            .map(|(conn, _)| conn)
            .collect();
        for conn in sending {
            let Some((_, peer)) = self.open_peer_mut(conn) else {
                continue;
            };
            let Some(upload) = peer.upload.take() else {
                continue;
            };
            self.send_absent(key.id, conn, upload.request);
        }
    }
}
