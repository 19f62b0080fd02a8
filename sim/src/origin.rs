//! HTTP: requests, responses, what the origin can carry, and what goes wrong with it.

use std::collections::BTreeSet;

use beekeepr_engine::{FetchKey, Input, SegmentKey};

use crate::chance::{Purpose, stream};
use crate::config::{Fault, FaultKind, Media};
use crate::event::What;
use crate::line::{ceil_ms, flow_bps_max, pass, takes_us};
use crate::node::{Fetch, Node};
use crate::profile::Role;
use crate::world::{START_MS, World};

/// The state of the origin.
#[derive(Debug, Default)]
pub(crate) struct Origin {
    /// When what it has to send has left, in microseconds.
    free_us: u64,
    running: u32,
    pub(crate) requests: u64,
    /// What super-peers hold for all of their logical peers, by the super-peer's number.
    shelves: BTreeSet<(usize, SegmentKey)>,
}

/// One way from a region's exchange to the nearest server of the origin or its CDN.
const EDGE_MS: u64 = 3;
/// A response comes in pieces of about this time, so that an engine sees progress.
const PIECE_MS: u64 = 25;
/// The least and the most of one. Flows share a line as their bytes on the way: two of the least are what a peer's
/// channel holds.
const PIECE_BYTES: (u64, u64) = (32 * 1024, 256 * 1024);
/// Pieces on their way at a time.
const PIECES: usize = 2;

impl Origin {
    /// A super-peer did not get what it asked for.
    fn forget(&mut self, super_peer: usize, failed: Fetch) {
        if !failed.is_cached {
            self.shelves.remove(&(super_peer, failed.segment));
        }
    }
}

impl FaultKind {
    pub(crate) fn stops_playlists(self) -> bool {
        matches!(self, Self::Status(_) | Self::Hang)
    }
}

impl World {
    pub(crate) fn origin_distance_ms(&self, node: usize) -> u64 {
        self.nodes[node].profile.last_mile_ms + EDGE_MS
    }

    /// What is wrong with the origin now.
    pub(crate) fn origin_fault(&self) -> Option<FaultKind> {
        let now_ms = self.now.as_ms() - START_MS;
        let runs = |fault: &&Fault| (fault.from_ms..fault.to_ms).contains(&now_ms);
        let fault = self.config.origin.faults.iter().find(runs)?;
        Some(fault.kind)
    }

    pub(crate) fn segment_bytes(&self, segment: SegmentKey) -> u64 {
        segment_bytes(&self.config.media, self.config.seed, segment)
    }

    pub(crate) fn start_fetch(
        &mut self,
        node: usize,
        fetch: FetchKey,
        segment: SegmentKey,
        offset: u64,
    ) {
        let total = self.segment_bytes(segment);
        let moved_at = self.now;
        let is_cached = self.is_on_shelf(node, segment);
        self.origin.requests += u64::from(!is_cached);
        if let Some(live) = &mut self.nodes[node].live {
            let running = Fetch {
                segment,
                at: offset,
                sent: offset,
                total,
                last_us: 0,
                is_served: false,
                is_cached,
                moved_at,
            };
            live.fetches.push((fetch, running));
        }
        let delay_ms = 2 * self.origin_distance_ms(node) + self.config.origin.latency_ms;
        self.at(node, delay_ms, What::FetchBegins(fetch));
    }

    /// Whether a super-peer has asked for a segment already, for one of its logical peers.
    fn is_on_shelf(&mut self, node: usize, segment: SegmentKey) -> bool {
        let logical = self.config.super_peers.logical.max(1) as usize;
        let is_super_peer = self.nodes[node].profile.role == Role::SuperPeer;
        is_super_peer && !self.origin.shelves.insert((node / logical, segment))
    }

    pub(crate) fn cancel_fetch(&mut self, node: usize, fetch: FetchKey) {
        let live = self.nodes[node].live.as_mut();
        if let Some(ended) = live.and_then(|live| live.take_fetch(fetch)) {
            self.origin.running -= u32::from(ended.is_served);
        }
    }

    /// The requests of somebody who has left.
    pub(crate) fn break_fetches(&mut self, node: usize) {
        let live = self.nodes[node].live.as_mut();
        let fetches = live.map(|live| std::mem::take(&mut live.fetches));
        let served = fetches.into_iter().flatten().filter(|(_, it)| it.is_served);
        self.origin.running -= served.count() as u32;
    }

    pub(crate) fn fetch_begins(&mut self, node: usize, fetch: FetchKey) {
        let fault = self.origin_fault();
        let most = self.config.origin.requests_max;
        let is_full = most > 0 && self.origin.running >= most;
        let now = self.now;
        let live = self.nodes[node].live.as_mut();
        let Some(running) = live.and_then(|live| live.fetch_mut(fetch)) else {
            return;
        };
        match fault {
            Some(FaultKind::Status(status)) => return self.fetch_fails(node, fetch, status),
            Some(FaultKind::Hang) => return,
            Some(FaultKind::Slow(_)) | None if is_full => {
                return self.fetch_fails(node, fetch, OVERLOADED);
            }
            Some(FaultKind::Slow(_)) | None => {}
        }
        running.is_served = true;
        running.moved_at = now;
        let (offset, total) = (running.at, running.total);
        self.origin.running += 1;
        self.input(
            node,
            Input::FetchStarted {
                fetch,
                offset,
                total: Some(total),
            },
        );
        for _ in 0..PIECES {
            self.send_piece(node, fetch);
        }
    }

    fn fetch_fails(&mut self, node: usize, fetch: FetchKey, status: u16) {
        let logical = self.config.super_peers.logical.max(1) as usize;
        let live = self.nodes[node].live.as_mut();
        if let Some(ended) = live.and_then(|live| live.take_fetch(fetch)) {
            self.origin.running -= u32::from(ended.is_served);
            self.origin.forget(node / logical, ended);
            self.input(node, Input::FetchFailed { fetch, status });
        }
    }

    /// The next piece of a response leaves the origin and passes the receiver's line.
    fn send_piece(&mut self, node: usize, fetch: FetchKey) {
        let fault = self.origin_fault();
        if fault == Some(FaultKind::Hang) {
            // What was begun stops; whoever waits notices by the silence.
            return;
        }
        let now_us = self.now.as_ms() * 1_000;
        let round_trip_ms = 2 * self.origin_distance_ms(node);
        let flow_bps = flow_bps_max(&self.config.lines, round_trip_ms);
        let Node { live, profile, .. } = &mut self.nodes[node];
        let Some(live) = live else {
            return;
        };
        let Some(running) = live.fetch_mut(fetch) else {
            return;
        };
        let flow_bps = match fault {
            Some(FaultKind::Slow(bps)) => flow_bps.min(bps),
            _ => flow_bps,
        };
        let line_bps = profile.down_bps.min(flow_bps);
        let usual = line_bps / 8 * PIECE_MS / 1_000;
        let left = running.total - running.sent;
        let bytes = usual.clamp(PIECE_BYTES.0, PIECE_BYTES.1).min(left);
        if bytes == 0 {
            return;
        }
        running.sent += bytes;
        let before_us = running.last_us;
        let is_cached = running.is_cached;
        let egress_bps = self.config.origin.egress_bps;
        let left_us = match egress_bps {
            0 => now_us,
            bps => pass(&mut self.origin.free_us, now_us, bytes, bps),
        };
        let down_us = pass(
            &mut live.line.down_free_us,
            left_us,
            bytes,
            profile.down_bps,
        );
        let flow_us = before_us.max(now_us.saturating_sub(1_000)) + takes_us(bytes, flow_bps);
        let arrives_us = down_us.max(flow_us);
        if let Some(running) = live.fetch_mut(fetch) {
            running.last_us = arrives_us;
        }
        self.count_origin(node, bytes, is_cached);
        self.at_ms(
            node,
            ceil_ms(arrives_us),
            What::FetchBrings(fetch, bytes as u32),
        );
    }

    fn count_origin(&mut self, node: usize, bytes: u64, is_cached: bool) {
        self.books.origin_sent += bytes;
        self.books.origin_on_the_way += bytes;
        if is_cached {
            return;
        }
        let second = self.series.at(self.now.as_ms());
        match self.nodes[node].profile.role {
            Role::Viewer => second.origin_bytes += bytes,
            Role::SuperPeer => second.seed_bytes += bytes,
        }
    }

    pub(crate) fn fetch_brings(&mut self, node: usize, fetch: FetchKey, bytes: u32) {
        let now = self.now;
        let size = u64::from(bytes);
        self.books.origin_on_the_way -= size;
        let Node { live, outcome, .. } = &mut self.nodes[node];
        let running = live.as_mut().and_then(|live| live.fetch_mut(fetch));
        outcome.from_http += size;
        let Some(running) = running else {
            self.books.origin_thrown += size;
            return;
        };
        self.books.origin_taken += size;
        let (segment, at) = (running.segment, running.at);
        running.at += size;
        running.moved_at = now;
        let is_whole = running.at == running.total;
        if let Some(live) = live {
            live.store.put(segment, at, size, false);
            outcome.stored_most = outcome.stored_most.max(live.store.bytes());
        }
        self.input(node, Input::FetchProgress { fetch, bytes });
        let live = self.nodes[node].live.as_mut();
        match is_whole {
            true if live.is_some_and(|live| live.fetch_mut(fetch).is_some()) => {
                self.cancel_fetch(node, fetch);
                self.input(node, Input::FetchDone { fetch });
            }
            true => {}
            false => self.send_piece(node, fetch),
        }
    }
}

/// The answer of a server with too many requests.
const OVERLOADED: u16 = 503;

/// How large a segment is: the same for everybody.
fn segment_bytes(media: &Media, seed: u64, segment: SegmentKey) -> u64 {
    let bps = media.ladder[segment.stream.0 as usize];
    let usual = bps * media.segment_ms / 8_000;
    let number = segment.id.0.unsigned_abs() << 8 | u64::from(segment.stream.0);
    let spread = usual * media.vary_percent / 100;
    let more = stream(seed, Purpose::Size, number).below(2 * spread as usize + 1) as u64;
    (usual + more - spread).max(1)
}
