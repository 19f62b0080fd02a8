//! Connections between nodes: offers, answers, NAT, channels, and bytes on their way.

use beekeepr_engine::{ConnKey, Input, SegmentKey, ServerMessage, TrackerKey, TrackerMessage};
use beekeepr_model::limits;

use crate::chance::unit;
use crate::event::{Parcel, What};
use crate::line::{ceil_ms, flow_bps_max, packets, pass, takes_us};
use crate::node::{Batch, Node};
use crate::profile::{Role, can_connect, distance_ms};
use crate::tracker::Socket;
use crate::world::World;

/// From the wish for an offer to its candidates, besides the way to the STUN server and back.
const GATHERING_MS: u64 = 40;
/// Setting up DTLS and SCTP, besides the round trips (Chromium over loopback: 55 to 78 ms, docs/benchmarks).
const SET_UP_MS: u64 = 60;
/// Round trips of ICE, DTLS and SCTP.
const SET_UP_ROUND_TRIPS: u64 = 4;
/// A browser notices after this time that the other end is gone without a word.
const SILENCE_MS: u64 = 15_000;
/// What a channel holds when it says that it has run low (`LOW_WATER_BYTES` of the client and the seeder).
const LOW_WATER_BYTES: u32 = 32 * 1024;
/// Slices that follow each other within this time travel as one event.
const BATCH_MS: u64 = 50;
/// One way from a region's exchange to the tracker and the STUN server.
const SERVER_MS: u64 = 15;
/// Wrong bytes are found by their digest: SubtleCrypto takes 2 ms for a MiB.
const CHECK_MS_PER_MIB: u64 = 2;

impl World {
    pub(crate) fn tracker_distance_ms(&self, node: usize) -> u64 {
        self.nodes[node].profile.last_mile_ms + SERVER_MS
    }

    fn between_ms(&self, one: usize, other: usize) -> u64 {
        let profiles = (&self.nodes[one].profile, &self.nodes[other].profile);
        distance_ms(&self.config.lines, profiles.0, profiles.1)
    }

    // The tracker.

    pub(crate) fn say_to_tracker(&mut self, node: usize, message: TrackerMessage) {
        let delay_ms = self.tracker_distance_ms(node);
        let live = self.nodes[node].live.as_ref();
        if let Some(session) = live.and_then(|live| live.session) {
            self.at(
                node,
                delay_ms,
                What::SaysToTracker(session, Box::new(message)),
            );
        }
    }

    pub(crate) fn hear(&mut self, node: usize, session: u32, message: TrackerMessage) {
        let live = self.nodes[node].live.as_ref();
        let is_present = live.is_some_and(|live| live.session == Some(session));
        if !is_present || !self.tracker.is_up {
            return;
        }
        let socket = Socket {
            node: node as u32,
            session,
        };
        let mut replies = std::mem::take(&mut self.replies);
        let profile = &self.nodes[node].profile;
        self.tracker
            .handle(self.now, socket, profile, message, &mut replies);
        for (Socket { node, session }, reply) in replies.drain(..) {
            let node = node as usize;
            let delay_ms = self.tracker_distance_ms(node);
            self.at(node, delay_ms, What::TrackerSays(session, Box::new(reply)));
        }
        self.replies = replies;
    }

    pub(crate) fn tracker_says(&mut self, node: usize, session: u32, message: &ServerMessage) {
        let live = self.nodes[node].live.as_ref();
        if live.is_some_and(|live| live.session == Some(session)) {
            let tracker = TrackerKey(0);
            self.input(node, Input::TrackerMessage { tracker, message });
        }
    }

    pub(crate) fn disconnect_tracker(&mut self, node: usize) {
        self.break_session(node);
    }

    /// The tracker sees that a node's socket is closed.
    pub(crate) fn break_session(&mut self, node: usize) {
        let live = self.nodes[node].live.as_mut();
        if let Some(session) = live.and_then(|live| live.session.take()) {
            let node = node as u32;
            self.tracker.close(Socket { node, session });
        }
    }

    pub(crate) fn tracker_dies(&mut self) {
        self.tracker.die(&self.config, self.now);
        for node in 0..self.nodes.len() {
            let live = self.nodes[node].live.as_ref();
            if let Some(session) = live.and_then(|live| live.session) {
                let delay_ms = self.tracker_distance_ms(node);
                self.at(node, delay_ms, What::TrackerCloses(session));
            }
        }
    }

    pub(crate) fn sweep_tracker(&mut self) {
        self.tracker.sweep(self.now);
        let at_ms = self.tracker.deadline().as_ms();
        self.at_ms(0, at_ms.max(self.now.as_ms() + 1), What::TrackerSweeps);
    }

    // Descriptions: each names its end.

    pub(crate) fn create_offer(&mut self, node: usize, conn: ConnKey) {
        let delay_ms = GATHERING_MS + 2 * self.tracker_distance_ms(node);
        if let Some(live) = &mut self.nodes[node].live {
            live.add_wire(conn);
            self.at(node, delay_ms, What::OfferReady(conn));
        }
    }

    pub(crate) fn offer_ready(&mut self, node: usize, conn: ConnKey) {
        let sdp = description(node, conn);
        self.input(node, Input::OfferReady { conn, sdp: &sdp });
    }

    pub(crate) fn accept_offer(&mut self, node: usize, conn: ConnKey, sdp: &str) {
        let delay_ms = GATHERING_MS + 2 * self.tracker_distance_ms(node);
        if let Some(live) = &mut self.nodes[node].live {
            live.add_wire(conn);
            if let Some(wire) = live.wire_mut(conn) {
                wire.other = end(sdp);
            }
            self.at(node, delay_ms, What::AnswerReady(conn));
        }
    }

    pub(crate) fn answer_ready(&mut self, node: usize, conn: ConnKey) {
        let sdp = description(node, conn);
        self.input(node, Input::AnswerReady { conn, sdp: &sdp });
    }

    /// Both descriptions are exchanged: the channel opens, if the two can reach each other.
    pub(crate) fn accept_answer(&mut self, node: usize, conn: ConnKey, sdp: &str) {
        let Some((other, there)) = end(sdp) else {
            return;
        };
        let live = self.nodes[node].live.as_mut();
        if let Some(wire) = live.and_then(|live| live.wire_mut(conn)) {
            wire.other = Some((other, there));
        }
        let other = other as usize;
        let profiles = (&self.nodes[node].profile, &self.nodes[other].profile);
        if !can_connect(&self.config, (node, profiles.0), (other, profiles.1)) {
            return;
        }
        let way_ms = self.between_ms(node, other);
        let delay_ms = SET_UP_MS + 2 * SET_UP_ROUND_TRIPS * way_ms;
        self.at(other, delay_ms, What::ChannelOpens(there));
        self.at(node, delay_ms + way_ms, What::ChannelOpens(conn));
    }

    pub(crate) fn channel_opens(&mut self, node: usize, conn: ConnKey) {
        let Some((other, there)) = self.other_end(node, conn) else {
            return;
        };
        // Whoever gave up before answers no handshake.
        if self.other_end(other, there) != Some((node, conn)) {
            return;
        }
        let Node { live, outcome, .. } = &mut self.nodes[node];
        if let Some(live) = live
            && let Some(wire) = live.wire_mut(conn)
        {
            wire.is_open = true;
            outcome.peers_most = outcome.peers_most.max(live.open_wires() as u32);
            self.input(node, Input::ChannelOpened(conn));
        }
    }

    fn other_end(&self, node: usize, conn: ConnKey) -> Option<(usize, ConnKey)> {
        let wire = self.nodes[node].live.as_ref()?.wire(conn)?;
        let (other, there) = wire.other?;
        Some((other as usize, there))
    }

    pub(crate) fn channel_closes(&mut self, node: usize, conn: ConnKey) {
        let live = self.nodes[node].live.as_mut();
        if live.and_then(|live| live.take_wire(conn)).is_some() {
            self.input(node, Input::ChannelClosed(conn));
        }
    }

    fn is_open(&self, node: usize, conn: ConnKey) -> bool {
        let live = self.nodes[node].live.as_ref();
        live.and_then(|live| live.wire(conn))
            .is_some_and(|wire| wire.is_open)
    }

    /// A node closes a connection; the other end hears of it.
    pub(crate) fn close(&mut self, node: usize, conn: ConnKey) {
        self.send_batches(node);
        let live = self.nodes[node].live.as_mut();
        let wire = live.and_then(|live| live.take_wire(conn));
        let Some(wire) = wire.filter(|wire| wire.is_open) else {
            return;
        };
        if let Some((other, there)) = wire.other {
            let way_ms = self.between_ms(node, other as usize);
            let at_ms = (self.now.as_ms() + way_ms).max(wire.last_ms);
            self.at_ms(other as usize, at_ms, What::ChannelCloses(there));
        }
    }

    /// Somebody has left: with a word, or without.
    pub(crate) fn break_wires(&mut self, node: usize, crashed: bool) {
        let live = self.nodes[node].live.as_mut();
        let wires = live.map(|live| std::mem::take(&mut live.wires));
        for (_, wire) in wires.into_iter().flatten() {
            if let Some((other, there)) = wire.other {
                let delay_ms = match crashed {
                    true => SILENCE_MS,
                    false => self.between_ms(node, other as usize),
                };
                self.at(other as usize, delay_ms, What::ChannelCloses(there));
            }
        }
    }

    // What is said.

    pub(crate) fn send_command(&mut self, node: usize, conn: ConnKey, message: Vec<u8>) {
        // Slices that came before it leave before it.
        self.send_batches(node);
        let end = self.other_end(node, conn);
        let Some((other, there)) = end.filter(|_| self.is_open(node, conn)) else {
            return self.closed_fault(node, conn);
        };
        let way_ms = self.between_ms(node, other);
        let now_ms = self.now.as_ms();
        let live = self.nodes[node].live.as_mut();
        let Some(wire) = live.and_then(|live| live.wire_mut(conn)) else {
            return;
        };
        let at_ms = (now_ms + way_ms).max(wire.last_ms);
        wire.last_ms = at_ms;
        self.at_ms(
            other,
            at_ms,
            What::Command(there, message.into_boxed_slice()),
        );
    }

    pub(crate) fn command_arrives(&mut self, node: usize, conn: ConnKey, message: Box<[u8]>) {
        let live = self.nodes[node].live.as_mut();
        let Some(wire) = live.and_then(|live| live.wire_mut(conn)) else {
            return;
        };
        // Bytes that came before it wait for the line.
        if wire.waiting > 0 {
            wire.waiting += 1;
            let at_ms = wire.through_ms;
            return self.at_ms(node, at_ms, What::CommandThrough(conn, message));
        }
        let message = &message;
        self.input(node, Input::Command { conn, message });
    }

    /// A command that had to wait behind bytes.
    pub(crate) fn command_through(&mut self, node: usize, conn: ConnKey, message: &[u8]) {
        let live = self.nodes[node].live.as_mut();
        if let Some(wire) = live.and_then(|live| live.wire_mut(conn)) {
            wire.waiting -= 1;
            self.input(node, Input::Command { conn, message });
        }
    }

    /// Collects slices that follow each other.
    pub(crate) fn send_slice(
        &mut self,
        node: usize,
        conn: ConnKey,
        segment: SegmentKey,
        offset: u64,
        bytes: u32,
    ) {
        self.verify_slice(node, conn, segment, offset, bytes);
        let Node { live, profile, .. } = &mut self.nodes[node];
        let Some(live) = live else {
            return;
        };
        let most = profile.up_bps / 8 * BATCH_MS / 1_000;
        let most = most.min(u64::from(LOW_WATER_BYTES)) as u32;
        let follows = |batch: &&mut Batch| {
            batch.conn == conn
                && batch.segment == segment
                && batch.offset + u64::from(batch.bytes) == offset
                && batch.bytes + bytes <= most
        };
        if let Some(batch) = live.batches.iter_mut().rev().find(follows) {
            batch.bytes += bytes;
        } else {
            live.batches.push(Batch {
                conn,
                segment,
                offset,
                bytes,
            });
        }
    }

    /// Sends what was collected.
    pub(crate) fn send_batches(&mut self, node: usize) {
        let Some(live) = &mut self.nodes[node].live else {
            return;
        };
        if live.batches.is_empty() {
            return;
        }
        let mut batches = std::mem::take(&mut live.batches);
        for batch in &batches {
            self.transmit(node, batch);
        }
        batches.clear();
        if let Some(live) = &mut self.nodes[node].live {
            live.batches = batches;
        }
    }

    /// Hands bytes to a channel: they wait for the uplink, which the receiver may hold up, and travel.
    fn transmit(&mut self, node: usize, batch: &Batch) {
        let &Batch {
            conn,
            segment,
            offset,
            bytes,
        } = batch;
        let size = u64::from(bytes);
        self.nodes[node].outcome.uploaded += size;
        self.books.sent += size;
        let end = self.other_end(node, conn);
        let Some((other, there)) = end.filter(|_| self.is_open(node, conn)) else {
            self.books.lost += size;
            return self.closed_fault(node, conn);
        };
        self.books.on_the_way += size;
        let way_ms = self.between_ms(node, other);
        let now_us = self.now.as_ms() * 1_000;
        let receiver = self.nodes[other].live.as_ref();
        let receiver_us = receiver.map_or(0, |live| live.line.down_free_us);
        let flow_bps = flow_bps_max(&self.config.lines, 2 * way_ms);
        let late_ms = self.retransmission_ms(size, way_ms);
        let Node { live, profile, .. } = &mut self.nodes[node];
        let Some(live) = live else {
            return;
        };
        let up_us = pass(&mut live.line.up_free_us, now_us, size, profile.up_bps);
        let slow_us = now_us + takes_us(size, flow_bps);
        // A full line at the other end fills the sender's buffer too.
        let sent_us = up_us
            .max(slow_us)
            .max(receiver_us.saturating_sub(way_ms * 1_000));
        let sent_ms = ceil_ms(sent_us);
        let is_bad = profile.is_polluter || live.store.get(segment).is_some_and(|held| held.is_bad);
        let is_from_super_peer = profile.role == Role::SuperPeer;
        let Some(wire) = live.wire_mut(conn) else {
            return;
        };
        wire.buffered += bytes;
        let arrives_ms = (sent_ms + way_ms + late_ms).max(wire.last_ms);
        wire.last_ms = arrives_ms;
        let parcel = Parcel {
            segment,
            offset,
            bytes,
            is_bad,
            is_through: false,
            is_from_super_peer,
        };
        self.at_ms(node, sent_ms, What::Sent(conn, bytes));
        self.at_ms(other, arrives_ms, What::Arrives(there, Box::new(parcel)));
    }

    /// How much later bytes come because a packet of theirs was lost: a round trip and a half.
    fn retransmission_ms(&mut self, bytes: u64, way_ms: u64) -> u64 {
        let loss = self.config.lines.loss;
        if loss <= 0.0 {
            return 0;
        }
        let all_pass = (1.0 - loss).powi(packets(bytes) as i32);
        match unit(&mut self.random) < all_pass {
            true => 0,
            false => 3 * way_ms,
        }
    }

    pub(crate) fn bytes_have_left(&mut self, node: usize, conn: ConnKey, bytes: u32) {
        let live = self.nodes[node].live.as_mut();
        let Some(wire) = live.and_then(|live| live.wire_mut(conn)) else {
            return;
        };
        wire.buffered -= bytes;
        let buffered = wire.buffered;
        if buffered <= LOW_WATER_BYTES {
            self.input(node, Input::Drained { conn, buffered });
        }
    }

    /// Bytes reach the receiver's line, pass it, and are handed over.
    pub(crate) fn parcel_arrives(&mut self, node: usize, conn: ConnKey, mut parcel: Box<Parcel>) {
        let size = u64::from(parcel.bytes);
        let now_us = self.now.as_ms() * 1_000;
        let Node { live, profile, .. } = &mut self.nodes[node];
        let live = live.as_mut().filter(|live| live.wire(conn).is_some());
        let Some(live) = live else {
            self.books.on_the_way -= size;
            self.books.lost += size;
            return;
        };
        if !parcel.is_through {
            parcel.is_through = true;
            let takes_us = takes_us(size, profile.down_bps);
            let begun_us = now_us.saturating_sub(takes_us);
            let through_us = live.line.down_free_us.max(begun_us) + takes_us;
            live.line.down_free_us = through_us;
            let Some(wire) = live.wire_mut(conn) else {
                return;
            };
            // A channel keeps its order, also where the line holds it up.
            let through_ms = ceil_ms(through_us).max(wire.through_ms);
            if wire.waiting > 0 || through_ms > self.now.as_ms() {
                wire.waiting += 1;
                wire.through_ms = through_ms;
                return self.at_ms(node, through_ms, What::Arrives(conn, parcel));
            }
        } else if let Some(wire) = live.wire_mut(conn) {
            wire.waiting -= 1;
        }
        self.take(node, conn, &parcel);
    }

    fn take(&mut self, node: usize, conn: ConnKey, parcel: &Parcel) {
        let now = self.now;
        let size = u64::from(parcel.bytes);
        self.books.on_the_way -= size;
        let Node { live, outcome, .. } = &mut self.nodes[node];
        let Some(live) = live else {
            return;
        };
        match parcel.is_from_super_peer {
            true => outcome.from_super_peers += size,
            false => outcome.from_viewers += size,
        }
        let second = self.series.at(now.as_ms());
        match parcel.is_from_super_peer {
            true => second.super_peer_bytes += size,
            false => second.viewer_bytes += size,
        }
        let crate::node::Mind::Engine(engine) = &mut live.mind else {
            return;
        };
        let Some(place) = engine.place(now, conn, parcel.bytes as usize) else {
            self.books.thrown += size;
            return self.carry_out_all(node);
        };
        self.books.taken += size;
        live.store
            .put(place.segment, place.offset, size, parcel.is_bad);
        outcome.stored_most = outcome.stored_most.max(live.store.bytes());
        if let Some(audit) = &mut live.audit {
            audit.bytes(now, conn);
        }
        if (place.segment, place.offset) != (parcel.segment, parcel.offset) {
            let fault = format!("node {node} put {parcel:?} at {place:?}");
            self.faults.add(now, &fault);
        }
        self.carry_out_all(node);
    }

    // What is kept.

    pub(crate) fn check_segment(&mut self, node: usize, segment: SegmentKey) {
        let mib = self.segment_bytes(segment) >> 20;
        let delay_ms = 1 + CHECK_MS_PER_MIB * (mib + 1);
        self.at(node, delay_ms, What::Checked(segment));
    }

    pub(crate) fn checked(&mut self, node: usize, segment: SegmentKey) {
        let live = self.nodes[node].live.as_ref();
        let held = live.and_then(|live| live.store.get(segment));
        if let Some(is_bad) = held.map(|held| held.is_bad) {
            let valid = !is_bad;
            self.input(node, Input::SegmentChecked { segment, valid });
        }
    }

    pub(crate) fn drop_segment(&mut self, node: usize, segment: SegmentKey) {
        if let Some(live) = &mut self.nodes[node].live {
            live.store.remove(segment);
        }
    }
}

/// Both ends of a connection know each other by these.
fn description(node: usize, conn: ConnKey) -> String {
    format!("{node} {}", conn.0)
}

fn end(sdp: &str) -> Option<(u32, ConnKey)> {
    let (node, conn) = sdp.split_once(' ')?;
    Some((node.parse().ok()?, ConnKey(conn.parse().ok()?)))
}

const _: () = assert!(
    LOW_WATER_BYTES.is_multiple_of(limits::SEGMENT_SLICE_BYTES),
    "a batch is made of whole slices"
);
