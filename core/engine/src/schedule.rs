//! Which segment is loaded next, and from whom.
//!
//! A viewer looks at what its playhead will need, most urgent first. A segment comes from a peer
//! while there is time for it, and over HTTP when there is not, so that playback is never worse than
//! with HTTP alone. Who fetches a segment that nobody has is settled without a word being said: every
//! viewer computes the same order of the peers it knows, and those behind the first wait a while.

use beekeepr_model::{PeerId, SegmentId, Time};

use crate::Engine;
use crate::api::{ConnKey, SegmentKey, StreamKey};
use crate::limits;
use crate::peer::Peer;
use crate::stream::{Listed, Progress, Segment, Stream, Transfer};

/// A segment that is worth loading.
#[derive(Clone, Copy, Debug)]
struct Need {
    key: SegmentKey,
    /// Milliseconds until it is played.
    until_ms: i64,
    /// Since when the player asks for it.
    wanted_since: Option<Time>,
    /// When the manifest first listed it.
    seen: Time,
    duration_ms: u64,
}

impl Need {
    fn new(key: SegmentKey, until_ms: i64, wanted_since: Option<Time>, listed: &Listed) -> Self {
        Self {
            key,
            until_ms,
            wanted_since,
            seen: listed.seen,
            duration_ms: listed.duration_ms,
        }
    }
}

impl Engine {
    pub(crate) fn schedule(&mut self) {
        if self.is_super_peer() {
            return self.schedule_super_peer();
        }
        for need in self.needs() {
            self.serve(need);
        }
    }

    /// What the player asks for and what it will ask for next, most urgent first.
    fn needs(&self) -> Vec<Need> {
        let latest = self
            .streams
            .values()
            .filter_map(|stream| stream.last_wanted)
            .max();
        let mut needs = Vec::new();
        for (&key, stream) in self.streams.iter() {
            let in_use = stream.last_wanted.is_some_and(|wanted| {
                latest.is_some_and(|latest| latest.since_ms(wanted) <= limits::STREAM_USE_MS)
            });
            self.add_wanted(key, stream, &mut needs);
            if in_use {
                self.add_ahead(key, stream, &mut needs);
            }
        }
        needs.sort_unstable_by_key(|need| (need.wanted_since.is_none(), need.until_ms, need.key));
        needs
    }

    fn add_wanted(&self, key: StreamKey, stream: &Stream, needs: &mut Vec<Need>) {
        for (&id, segment) in stream.segments.iter() {
            if segment.wanted_since.is_some() && segment.progress == Progress::Partial {
                let key = SegmentKey { stream: key, id };
                let unlisted = Listed {
                    start_ms: i64::MIN,
                    duration_ms: 0,
                    seen: self.now,
                };
                let listed = stream.listed.get(&id).unwrap_or(&unlisted);
                let until_ms = self.playhead.until_ms(listed.start_ms, self.now);
                needs.push(Need::new(key, until_ms, segment.wanted_since, listed));
            }
        }
    }

    /// Segments ahead of the playhead that the player has not asked for yet.
    fn add_ahead(&self, key: StreamKey, stream: &Stream, needs: &mut Vec<Need>) {
        if self.playhead.position_ms(self.now).is_none() {
            return;
        }
        let window_ms = self.config.p2p_window_ms.max(self.config.http_window_ms) as i64;
        for (&id, listed) in stream.listed.iter() {
            let until_ms = self.playhead.until_ms(listed.start_ms, self.now);
            if until_ms > window_ms {
                break;
            }
            let known = stream.segments.get(&id);
            let open = known.is_none_or(|segment| {
                segment.progress == Progress::Partial && segment.wanted_since.is_none()
            });
            if open && until_ms > 0 {
                let key = SegmentKey { stream: key, id };
                needs.push(Need::new(key, until_ms, None, listed));
            }
        }
    }

    fn serve(&mut self, need: Need) {
        let segment = self.segment(need.key);
        let urgent = self.is_urgent(&need);
        match segment.and_then(|segment| segment.transfer) {
            Some(Transfer::Http(_)) => {}
            Some(Transfer::Peer(conn)) => {
                if urgent && !self.arrives_in_time(&need, conn) {
                    self.cancel_download(conn);
                    self.fetch(need.key);
                }
            }
            None => self.start(&need, urgent),
        }
    }

    fn is_urgent(&self, need: &Need) -> bool {
        need.wanted_since.is_some() && need.until_ms <= self.config.urgent_window_ms as i64
    }

    fn start(&mut self, need: &Need, urgent: bool) {
        if let Some(conn) = self.choose_peer(need, urgent) {
            return self.ask(need.key, conn);
        }
        let retry_at = self
            .segment(need.key)
            .map_or(Time::ZERO, |segment| segment.retry_at);
        if self.now < retry_at {
            return;
        }
        let may = if need.wanted_since.is_some() {
            urgent || self.http_slot_is_free() && self.is_our_turn(need)
        } else {
            self.http_slot_is_free() && self.may_prefetch(need)
        };
        if may {
            self.fetch(need.key);
        }
    }

    fn http_slot_is_free(&self) -> bool {
        self.fetches.len() < self.config.http_downloads_max as usize
    }

    /// An idle peer that has the segment: the fastest known one, now and then another to get to know it.
    fn choose_peer(&mut self, need: &Need, urgent: bool) -> Option<ConnKey> {
        let ahead = need.until_ms <= self.config.p2p_window_ms as i64;
        let busy = self.conns.values().filter_map(|conn| conn.peer());
        let busy = busy.filter(|(_, peer)| peer.download.is_some()).count();
        if !ahead || busy >= self.config.p2p_downloads_max as usize {
            return None;
        }
        let super_peers = urgent || self.may_take_from_super_peer(need);
        let refused =
            |peer: &Peer| urgent && peer.errors > 0 || !super_peers && peer.id.is_seeder();
        let mut able: Vec<(ConnKey, (bool, u64))> = self
            .peers_of(need.key.stream)
            .filter(|(_, peer)| peer.download.is_none() && peer.has(need.key.id))
            .filter(|(_, peer)| !refused(peer))
            .map(|(conn, peer)| (conn, preference(peer, urgent)))
            .collect();
        if able.is_empty() {
            return None;
        }
        if !urgent && self.random.one_in(EXPLORE_ONE_IN) {
            let any = self.random.below(able.len());
            return Some(able[any].0);
        }
        // Equally good ones take turns, so that the first in the list does not carry all.
        let first = self.random.below(able.len());
        able.rotate_left(first);
        able.into_iter()
            .max_by_key(|&(_, preference)| preference)
            .map(|(conn, _)| conn)
    }

    /// Whether a segment with time may come from a super-peer already. One viewer in four takes it at
    /// once; the others get it from those, so that what the operator sends does not grow with every
    /// viewer. Who waits in vain turns to the super-peer before the segment is urgent.
    fn may_take_from_super_peer(&self, need: &Need) -> bool {
        let Some(stream) = self.streams.get(&need.key.stream) else {
            return false;
        };
        let viewers = self
            .peers_of(need.key.stream)
            .filter(|(_, peer)| !peer.id.is_seeder());
        let swarm = viewers.count() as u64 + 1;
        let elected = self.place_in_election(need.key) * SUPER_PEER_ONE_IN < swarm;
        let late = self.config.urgent_window_ms + limits::SPREAD_MARGIN_MS;
        let waited = |since: Time| self.now.since_ms(since) >= limits::SPREAD_WAIT_MS;
        elected
            || need.until_ms <= late as i64
            // Viewers of a stream on demand are at different places: the elected may never come by.
            || !stream.live && need.wanted_since.is_some_and(waited)
    }

    /// Whether an urgent segment may stay with the peer that is sending it.
    fn arrives_in_time(&self, need: &Need, conn: ConnKey) -> bool {
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
        let rest_ms = (missing.saturating_mul(elapsed) / download.received) as i64;
        rest_ms <= (need.until_ms - limits::DECODE_MARGIN_MS).max(limits::URGENT_REST_MS)
    }

    /// Whether it is on us to fetch a wanted segment that no idle peer has.
    fn is_our_turn(&self, need: &Need) -> bool {
        if self.config.p2p_disabled || self.peers_of(need.key.stream).next().is_none() {
            return true;
        }
        let open = need.wanted_since.unwrap_or(self.now).max(need.seen);
        let waited = self.now.since_ms(open);
        let id = need.key.id;
        if self
            .peers_of(need.key.stream)
            .any(|(_, peer)| peer.has(id) || peer.is_fetching(id))
        {
            // It is coming; urgency decides when we no longer wait for it.
            return false;
        }
        let super_peer = self
            .peers_of(need.key.stream)
            .any(|(_, peer)| peer.id.is_seeder());
        let patience = if super_peer {
            need.duration_ms / 2 + limits::SUPER_PEER_FETCH_MS
        } else {
            0
        };
        waited >= patience + self.place_in_election(need.key) * limits::ELECTION_STEP_MS
    }

    /// Whether we fetch a segment ahead of time, for us and for others: when it is ours in the
    /// election, so that N viewers fetch one N-th each.
    fn may_prefetch(&self, need: &Need) -> bool {
        let id = need.key.id;
        let mut viewers = 0;
        for (_, peer) in self.peers_of(need.key.stream) {
            if peer.id.is_seeder() || peer.has(id) || peer.is_fetching(id) {
                return false;
            }
            viewers += 1;
        }
        viewers > 0
            && !self.config.upload_disabled
            && need.until_ms <= self.config.http_window_ms as i64
            && self.place_in_election(need.key) == 0
    }

    /// How many of the peers we know come before us for this segment.
    fn place_in_election(&self, key: SegmentKey) -> u64 {
        let ours = score(self.streams[&key.stream].peer_id, key.id);
        let viewers = self
            .peers_of(key.stream)
            .filter(|(_, peer)| !peer.id.is_seeder());
        viewers
            .filter(|(_, peer)| score(peer.id, key.id) < ours)
            .count() as u64
    }

    /// A super-peer fetches every new live segment at once, newest first, and of a stream on demand
    /// its beginning and whatever is asked for.
    fn schedule_super_peer(&mut self) {
        let mut open: Vec<SegmentKey> = Vec::new();
        for (&stream, state) in self.streams.iter() {
            let warm = state.listed.keys().take(self.config.warm_segments as usize);
            let wished: Vec<SegmentId> = match state.live {
                true => state.listed.keys().rev().copied().collect(),
                false => demanded(state).chain(warm.copied()).collect(),
            };
            let due = |id: &SegmentId| match state.segments.get(id) {
                None => true,
                Some(segment) => segment.is_idle() && self.now >= segment.retry_at,
            };
            open.extend(
                wished
                    .into_iter()
                    .filter(due)
                    .map(|id| SegmentKey { stream, id }),
            );
        }
        for key in open {
            let idle = self.segment(key).is_none_or(Segment::is_idle);
            if self.http_slot_is_free() && idle {
                self.fetch(key);
            }
        }
    }

    /// Has a super-peer fetch a segment that a peer asked for.
    pub(crate) fn demand(&mut self, key: SegmentKey) {
        let now = self.now;
        if let Some(stream) = self.streams.get_mut(&key.stream) {
            stream.segment_mut(key.id, now).demanded = true;
        }
    }

    /// Whether a stream's segments are announced before they are there, because we fetch what is
    /// asked for.
    pub(crate) fn offers_on_demand(&self, stream: &Stream) -> bool {
        self.is_super_peer() && !stream.live
    }
}

/// One in so many choices is a random one.
const EXPLORE_ONE_IN: usize = 10;

/// One viewer in so many takes a new segment from the super-peer.
const SUPER_PEER_ONE_IN: u64 = 4;

/// Who is asked first: the fastest when time is short, else viewers before super-peers.
fn preference(peer: &Peer, urgent: bool) -> (bool, u64) {
    let rate = peer.rate_bps.unwrap_or(u64::MAX) >> peer.errors.min(63);
    (urgent || !peer.id.is_seeder(), rate)
}

fn demanded(stream: &Stream) -> impl Iterator<Item = SegmentId> {
    stream
        .segments
        .iter()
        .filter(|(_, segment)| segment.demanded)
        .map(|(&id, _)| id)
}

impl Segment {
    fn is_idle(&self) -> bool {
        self.progress == Progress::Partial && self.transfer.is_none()
    }

    fn missing(&self) -> u64 {
        self.total
            .map_or(0, |total| total.saturating_sub(self.loaded))
    }
}

/// A peer's place in the election for a segment: lower is earlier. FNV-1a over the peer id and the
/// segment's number, then MurmurHash3's finaliser, because FNV alone hardly mixes the last bytes.
fn score(peer: PeerId, segment: SegmentId) -> u32 {
    let number = segment.0.to_be_bytes();
    let mut hash = peer
        .0
        .iter()
        .chain(&number)
        .fold(0x811c_9dc5_u32, |hash, &byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_election_spreads_segments_evenly() {
        let peers = [PeerId([b'a'; 20]), PeerId([b'b'; 20]), PeerId([b'c'; 20])];
        let mut won = [0; 3];
        for id in 0..3_000 {
            let first = (0..3).min_by_key(|&peer| score(peers[peer], SegmentId(id)));
            won[first.expect("there are three peers")] += 1;
        }
        assert!(
            won.iter().all(|&won| (900..1_100).contains(&won)),
            "{won:?}"
        );
    }
}
