//! Segments that peers ask of us.
//!
//! Each connection gets one at a time. A viewer sends to a few at a time and tells the others
//! "absent", because a peer that gets its bytes slowly loses more time than one that asks elsewhere.

use beekeepr_model::{SegmentId, Time, limits as shared};
use beekeepr_peer_proto::Command;

use crate::Engine;
use crate::api::{ConnKey, Event, Output, SegmentKey};
use crate::limits;
use crate::rate::{bits_per_second, transfer_ms};

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

/// What leaves for all peers together.
#[derive(Debug, Default)]
pub(crate) struct Uplink {
    /// Bytes that may be sent at once, under a limit of the rate.
    allowance: u64,
    filled_at: Time,
    /// Who is served next, under a limit of the rate.
    turn: ConnKey,
    /// Bytes wait for the allowance to be filled.
    waits: bool,
    /// Since when peers have been waiting for bytes without a pause, as far as it is not measured yet.
    busy_since: Option<Time>,
    /// Bytes handed to channels since then, and in their buffers then.
    sent: u64,
    buffered: u64,
    /// The best rate lately, in bits per second; 0 when unknown.
    peak_bps: u64,
}

impl Uplink {
    /// Whether there is more to send, or to measure, as time goes by.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waits || self.busy_since.is_some()
    }

    fn refill(&mut self, bps_max: u64, now: Time) {
        let burst = (bps_max.saturating_mul(limits::UPLOAD_BURST_MS) / 8_000)
            .max(u64::from(shared::SEGMENT_SLICE_BYTES));
        let grown = bps_max.saturating_mul(now.since_ms(self.filled_at)) / 8_000;
        self.allowance = self.allowance.saturating_add(grown).min(burst);
        self.filled_at = now;
    }

    /// Takes note that peers wait for bytes, or that none does, while so many are in the channels' buffers.
    /// Only what takes a while is measured: a quick burst says nothing but that the uplink is quick enough.
    fn measure(&mut self, busy: bool, buffered: u64, now: Time) {
        let since = self.busy_since.filter(|_| busy);
        let Some(since) = since else {
            self.busy_since = busy.then_some(now);
            (self.sent, self.buffered) = (0, buffered);
            return;
        };
        let passed = now.since_ms(since);
        if passed >= limits::UPLOAD_MEASURE_MS {
            let left = (self.sent + self.buffered).saturating_sub(buffered);
            let faded = self.peak_bps - self.peak_bps / PEAK_FADES;
            self.peak_bps = bits_per_second(left, passed).max(faded);
            self.busy_since = Some(now);
            (self.sent, self.buffered) = (0, buffered);
        }
    }
}

/// The best rate loses this part of itself with each measurement.
const PEAK_FADES: u64 = 16;

impl Engine {
    pub(crate) fn on_request(&mut self, key: SegmentKey, conn: ConnKey, request: i64, offset: u64) {
        if let Some((_, peer)) = self.open_peer_mut(conn) {
            peer.upload = None;
        }
        if self.config.upload_disabled || !self.has_upload_slot(key) {
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

    /// Whether one more upload can end in good time. A super-peer serves whoever is connected.
    fn has_upload_slot(&self, key: SegmentKey) -> bool {
        if self.is_super_peer() {
            return true;
        }
        let (mut running, mut bytes) = (0, self.usual_bytes(key));
        for peer in self.conns.values().filter_map(|conn| Some(conn.peer()?.1)) {
            bytes += u64::from(peer.buffered);
            if let Some(upload) = &peer.upload {
                running += 1;
                bytes += upload
                    .end
                    .map_or(0, |end| end.saturating_sub(upload.offset));
            }
        }
        let bps = match self.config.upload_bps_max {
            0 => self.uplink.peak_bps,
            limit => limit,
        };
        let duration_ms = self
            .streams
            .get(&key.stream)
            .map_or(0, |stream| stream.duration_ms(key.id));
        let patience = duration_ms.max(limits::UPLOAD_MS_MIN);
        let slow = bps > 0 && transfer_ms(bytes, bps) > patience;
        running < self.config.uploads_max && (running < limits::UPLOADS_MIN || !slow)
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

    /// Hands bytes to a channel until its window is full or the segment is sent.
    fn pump(&mut self, conn: ConnKey) {
        if self.config.upload_bps_max > 0 {
            return self.run_uploads();
        }
        while self.send_slice(conn) {}
    }

    /// Measures the uplink and, under a limit of its rate, sends what has become allowed: a slice to
    /// each in turn.
    pub(crate) fn run_uploads(&mut self) {
        let (now, bps_max) = (self.now, self.config.upload_bps_max);
        let peers = self.conns.values().filter_map(|conn| Some(conn.peer()?.1));
        let (mut busy, mut buffered) = (false, 0);
        for peer in peers {
            busy |= peer.upload.is_some();
            buffered += u64::from(peer.buffered);
        }
        self.uplink.measure(busy, buffered, now);
        if bps_max == 0 {
            self.uplink.waits = false;
            return;
        }
        self.uplink.refill(bps_max, now);
        let mut idle = 0;
        while idle < self.conns.len()
            && self.uplink.allowance >= u64::from(shared::SEGMENT_SLICE_BYTES)
        {
            let conn = self.next_turn();
            idle = if self.send_slice(conn) { 0 } else { idle + 1 };
        }
        self.uplink.waits = idle < self.conns.len();
    }

    /// The connection after the one that had its turn last.
    fn next_turn(&mut self) -> ConnKey {
        let last = self.uplink.turn;
        let next = self.conns.keys().copied().find(|&conn| conn > last);
        let first = self.conns.keys().copied().next();
        self.uplink.turn = next.or(first).unwrap_or_default();
        self.uplink.turn
    }

    /// Sends one slice, or says that the segment is sent. False when there is nothing to do now.
    fn send_slice(&mut self, conn: ConnKey) -> bool {
        let Some((stream, peer)) = self.open_peer_mut(conn) else {
            return false;
        };
        let Some(upload) = &mut peer.upload else {
            return false;
        };
        let Some(end) = upload.end else { return false };
        let id = upload.segment;
        if upload.offset >= end {
            let request = upload.request;
            peer.upload = None;
            let done = Command::SegmentDataSendingCompleted {
                segment: id,
                request,
            };
            self.send_command(conn, &done);
            return false;
        }
        if peer.buffered >= limits::UPLOAD_WINDOW_BYTES {
            return false;
        }
        let offset = upload.offset;
        let bytes = (end - offset).min(u64::from(shared::SEGMENT_SLICE_BYTES)) as u32;
        upload.offset += u64::from(bytes);
        peer.buffered += bytes;
        let peer = peer.id;
        let segment = SegmentKey { stream, id };
        self.uploaded += u64::from(bytes);
        self.uplink.sent += u64::from(bytes);
        self.uplink.allowance = self.uplink.allowance.saturating_sub(bytes.into());
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
        true
    }

    /// The setting "give nothing to peers" has changed: tell them what there is to be had now.
    pub(crate) fn turn_uploads(&mut self) {
        for stream in self.streams.values_mut() {
            stream.announcement_due = true;
        }
        if !self.config.upload_disabled {
            return;
        }
        let conns: Vec<ConnKey> = self.conns.keys().copied().collect();
        for conn in conns {
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
