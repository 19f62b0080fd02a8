//! Which peer is asked for a segment.

use crate::Engine;
use crate::api::ConnKey;
use crate::conn::Conn;
use crate::limits;
use crate::needs::Need;
use crate::peer::Peer;
use crate::rate::{product, transfer_ms};
use crate::stream::Segment;

/// Whoever brings a stream in this part of its time is as good as who is quicker still: so the load of many quick
/// peers is spread.
const QUICK_TIMES: u64 = 8;
/// One in so many choices is a random one.
const EXPLORE_ONE_IN: usize = 10;

/// One viewer in so many takes a new segment from the super-peer.
const SUPER_PEER_ONE_IN: u64 = 4;

impl Engine {
    /// Whether one more segment may be asked of peers.
    pub(crate) fn has_download_slot(&self) -> bool {
        let peers = self.conns.values().filter_map(|conn| Some(conn.peer()?.1));
        let brings = |peer: &Peer| peer.download.as_ref().is_some_and(|it| !it.is_tail);
        let busy = peers.filter(|peer| brings(peer)).count();
        busy < self.config.p2p_downloads_max as usize
    }

    /// An idle peer that has the segment: one of the fastest, now and then any to get to know it.
    pub(crate) fn choose_peer(&mut self, need: &Need) -> Option<ConnKey> {
        let segment = self.segment(need.key);
        let http_only = segment.is_some_and(|segment| segment.http_only);
        let ahead = need.until_ms <= self.config.p2p_window_ms as i64;
        if http_only || !ahead {
            return None;
        }
        let urgent = need.is_urgent();
        let tempting = self
            .peers_of(need.key.stream)
            .any(|(_, peer)| peer.id.is_seeder() && peer.has(need.key.id));
        let super_peers = urgent || tempting && self.may_take_from_super_peer(need);
        let bytes = segment.and_then(|segment| segment.total.map(|_| segment.missing()));
        let bytes = bytes.unwrap_or_else(|| self.usual_bytes(need.key));
        let bps = self.streams.get(&need.key.stream).map_or(0, |it| it.bps);
        let enough = magnitude(product(bps, QUICK_TIMES));
        let able = |peer: &Peer| {
            peer.download.is_none()
                && peer.has(need.key.id)
                && self.now >= peer.not_before
                && (super_peers || !peer.id.is_seeder())
                && (!urgent || self.is_in_time(peer, need, bytes))
        };
        let stream = need.key.stream;
        let is_able = |conn: &Conn| conn.peer().is_some_and(|it| it.0 == stream && able(it.1));
        let able = self.conns.keys_where(&|_, conn| is_able(conn));
        if able.is_empty() {
            return None;
        }
        // Equally good ones take turns, so that the first in the list does not carry all.
        let first = self.random.below(able.len());
        if !urgent && self.random.one_in(EXPLORE_ONE_IN) {
            return Some(able[first]);
        }
        let (before, from_first) = able.split_at(first);
        let mut best: Option<((bool, u32), ConnKey)> = None;
        for &conn in from_first.iter().chain(before) {
            let peer = self.open_peer(conn)?.1;
            let preference = preference(peer, urgent, enough);
            if best.is_none_or(|(known, _)| preference >= known) {
                best = Some((preference, conn));
            }
        }
        best.map(|(_, conn)| conn)
    }

    /// Whether a peer may be asked for a segment that HTTP would be asked for otherwise. One that has
    /// proven its rate is asked when that is enough; one that has not when HTTP could still take over,
    /// or when nothing plays yet that could stop.
    fn is_in_time(&self, peer: &Peer, need: &Need, bytes: u64) -> bool {
        if peer.errors > 0 {
            return false;
        }
        let first_byte_ms = limits::URGENT_FIRST_BYTE_MS as i64;
        match peer.rate_bps {
            Some(rate) => transfer_ms(bytes, rate) as i64 <= need.room_ms().max(need.work_ms),
            None => !self.started || need.room_ms() - first_byte_ms >= need.work_ms,
        }
    }

    /// Whether a segment with time may come from a super-peer already. One viewer in four takes it at
    /// once; the others get it from those, so that what the operator sends does not grow with every
    /// viewer. Who waits in vain turns to the super-peer before the segment is urgent.
    fn may_take_from_super_peer(&self, need: &Need) -> bool {
        let Some(stream) = self.streams.get(&need.key.stream) else {
            return false;
        };
        let election = self.election(need.key);
        let elected = election.place * SUPER_PEER_ONE_IN <= election.others;
        let waited = |since| self.now.since_ms(since) >= limits::SPREAD_WAIT_MS;
        elected
            || need.slack_ms <= limits::SPREAD_MARGIN_MS
            // Viewers of a stream on demand are at different places: the elected may never come by.
            || !stream.live && need.wanted_since.is_some_and(waited)
    }

    /// Whether an urgent segment may stay with the peer that is sending it.
    pub(crate) fn arrives_in_time(&self, need: &Need, conn: ConnKey) -> bool {
        let Some((_, peer)) = self.open_peer(conn) else {
            return false;
        };
        let Some(download) = &peer.download else {
            return false;
        };
        let elapsed = self.now.since_ms(download.asked_at);
        if download.received == 0 {
            return elapsed < limits::URGENT_FIRST_BYTE_MS;
        }
        if elapsed < limits::RATE_JUDGED_AFTER_MS {
            return true;
        }
        let missing = self.segment(need.key).map_or(0, Segment::missing);
        let rest_ms = product(missing, elapsed) / download.received;
        // Where HTTP would need longer as well there is nothing to gain.
        rest_ms as i64 <= need.room_ms().max(need.work_ms)
    }
}

/// Who is asked first: viewers before super-peers unless time is short, then by rate. Rates of about
/// the same size, and all that are `enough`, count as equal. Unknown ones come first when there is time to
/// get to know them.
fn preference(peer: &Peer, urgent: bool, enough: u32) -> (bool, u32) {
    let unknown = if urgent { 0 } else { enough };
    let known = peer.rate_bps.map(|bps| magnitude(bps).min(enough));
    let reliable = known
        .unwrap_or(unknown)
        .saturating_sub(2 * (peer.errors + peer.refusals));
    (urgent || !peer.id.is_seeder(), reliable)
}

fn magnitude(bps: u64) -> u32 {
    bps.checked_ilog2().unwrap_or(0)
}
