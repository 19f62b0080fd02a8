//! One segment from two senders at once.
//!
//! Peers send from an offset to the end, and so does HTTP. When whoever sends a segment would be too late,
//! a second peer is asked for its last part: the tail. When the first sender reaches the tail it is told to
//! stop, and the second one goes on alone; a third may then be asked for the rest of the rest.

use crate::Engine;
use crate::api::{ConnKey, SegmentKey, Source};
use crate::limits;
use crate::needs::Need;
use crate::rate::{bits_per_second, product, transfer_ms};
use crate::stream::{Segment, Transfer};

/// The last part of a segment, as far as it has come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tail {
    /// The peer that is sending it.
    pub(crate) conn: Option<ConnKey>,
    pub(crate) start: u64,
    /// One past the last byte that is there.
    pub(crate) end: u64,
}

impl Engine {
    /// Has a second peer bring the last part of a segment that its sender would bring too late.
    pub(crate) fn help(&mut self, need: &Need, sender: Transfer) {
        let Some((loaded, missing, bps, spare)) = self.lateness(need, sender) else {
            return;
        };
        let Some(helper) = self.choose_peer(need) else {
            return;
        };
        let known = self.open_peer(helper).and_then(|(_, peer)| peer.rate_bps);
        let both = bps.saturating_add(known.unwrap_or(bps)).max(1);
        if transfer_ms(missing, both) as i64 > spare {
            return;
        }
        // Each gets as much as it brings in the same time.
        let first = product(missing, bps) / both;
        self.ask_from(need.key, helper, Some(loaded + first));
    }

    /// What is there and what is missing, and the sender's rate, when that is too low for it.
    fn lateness(&self, need: &Need, sender: Transfer) -> Option<(u64, u64, u64, i64)> {
        let segment = self.segment(need.key)?;
        let missing = segment.total?.saturating_sub(segment.loaded);
        let (asked_at, received) = match sender {
            Transfer::Http(fetch) => self.fetches.get(&fetch)?.progress(),
            Transfer::Peer(conn) => {
                let download = self.open_peer(conn)?.1.download.as_ref()?;
                (download.asked_at, download.received)
            }
        };
        let elapsed = self.now.since_ms(asked_at);
        if segment.tail.is_some()
            || missing < limits::SPLIT_BYTES_MIN
            || received == 0
            || elapsed < limits::RATE_JUDGED_AFTER_MS
        {
            return None;
        }
        let bps = bits_per_second(received, elapsed);
        // A peer has until HTTP would have to begin, HTTP until the segment is played.
        let spare = match sender {
            Transfer::Peer(_) if !need.is_urgent() => need.slack_ms,
            Transfer::Http(_) | Transfer::Peer(_) => need.room_ms(),
        };
        let late = transfer_ms(missing, bps) as i64 > spare;
        late.then_some((segment.loaded, missing, bps, spare))
    }

    /// The first part has come further: where it meets the tail, one sender is enough.
    pub(crate) fn join_tail(&mut self, key: SegmentKey) {
        let now = self.now;
        let Some(segment) = self.segment_state(key) else {
            return;
        };
        let Some(tail) = segment.tail.filter(|tail| segment.loaded >= tail.start) else {
            return;
        };
        if tail.end == tail.start {
            // Its peer has not even begun.
            return self.drop_tail(key);
        }
        segment.tail = None;
        segment.loaded = segment.loaded.max(tail.end);
        let first = segment.transfer;
        let whole = segment.is_whole();
        match first {
            Some(Transfer::Http(fetch)) => self.cancel_fetch(fetch),
            Some(Transfer::Peer(conn)) => self.cancel_download(conn),
            None => {}
        }
        if let Some(conn) = tail.conn
            && let Some(segment) = self.segment_state(key)
        {
            segment.begin(Transfer::Peer(conn), now);
            if let Some((_, peer)) = self.open_peer_mut(conn)
                && let Some(download) = &mut peer.download
            {
                download.is_tail = false;
            }
            if whole {
                self.finish_download(key, conn);
            }
        } else if whole {
            self.segment_arrived(key, Source::Http);
        }
    }

    /// Ends whatever is bringing the last part; what has come stays.
    pub(crate) fn stop_tail(&mut self, key: SegmentKey) {
        let tail = self.segment(key).and_then(|it| it.tail);
        if let Some(conn) = tail.and_then(|tail| tail.conn) {
            self.cancel_download(conn);
        }
    }

    /// Gives the last part up, with what has come of it.
    pub(crate) fn drop_tail(&mut self, key: SegmentKey) {
        self.stop_tail(key);
        if let Some(segment) = self.segment_state(key) {
            segment.tail = None;
        }
    }
}

impl Segment {
    /// Whether all bytes are there.
    pub(crate) fn is_whole(&self) -> bool {
        self.total == Some(self.loaded)
    }

    /// Bytes have come up to `reached`, from a peer or from HTTP.
    pub(crate) fn advance(&mut self, sender: Transfer, reached: u64) {
        match &mut self.tail {
            Some(tail) if tail.conn.map(Transfer::Peer) == Some(sender) => tail.end = reached,
            _ => self.loaded = self.loaded.max(reached),
        }
    }

    /// A peer no longer sends the tail; what has come of it stays.
    pub(crate) fn tail_ends(&mut self, conn: ConnKey) {
        if let Some(tail) = self.tail.filter(|tail| tail.conn == Some(conn)) {
            let part = Tail { conn: None, ..tail };
            self.tail = (tail.end > tail.start).then_some(part);
        }
    }

    /// How many bytes are there.
    pub(crate) fn bytes(&self) -> u64 {
        self.loaded + self.tail.map_or(0, |tail| tail.end - tail.start)
    }
}
