//! What the engine knows of one stream and its segments.

use beekeepr_model::{InfoHash, PeerId, SegmentId, Time};

use crate::api::{ConnKey, FetchKey, ListedSegment};
use crate::map::Map;
use crate::rate::bits_per_second;
use crate::split::Tail;
use crate::swarm::Swarm;

/// A stream, its segments, and its swarm on each tracker.
#[derive(Debug)]
pub(crate) struct Stream {
    /// The one it was added with, then those of other generations of clients.
    pub(crate) swarms: Vec<Swarm>,
    /// Who we are in all of them, so that our own clients know each other again.
    pub(crate) peer_id: PeerId,
    pub(crate) live: bool,
    /// As the manifest lists them, in the order of the timeline.
    pub(crate) listed: Map<SegmentId, Listed>,
    /// Those of which there is more to know than the manifest says.
    pub(crate) segments: Map<SegmentId, Segment>,
    /// Bits per second of its last segment; 0 when unknown.
    pub(crate) bps: u64,
    /// When the player last asked for a segment of it.
    pub(crate) last_wanted: Option<Time>,
    /// Whether we are, or want to be, in its swarm.
    pub(crate) joined: bool,
    /// When we last began to.
    pub(crate) joined_at: Time,
    /// Until then newcomers may still have what an encoder made before it began anew.
    pub(crate) doubtful_until: Time,
    /// What we have is no longer what we last told our peers.
    pub(crate) announcement_due: bool,
}

impl Stream {
    pub(crate) fn new(info_hash: InfoHash, peer_id: PeerId, trackers: u32) -> Self {
        Self {
            swarms: vec![Swarm::new(info_hash, trackers)],
            peer_id,
            live: false,
            listed: Map::new(),
            segments: Map::new(),
            bps: 0,
            last_wanted: None,
            joined: false,
            joined_at: Time::ZERO,
            doubtful_until: Time::ZERO,
            announcement_due: false,
        }
    }

    /// Whether it was added with this name and this id of ours.
    pub(crate) fn is(&self, info_hash: InfoHash, peer_id: PeerId) -> bool {
        self.peer_id == peer_id && self.swarms[0].info_hash == info_hash
    }

    /// Takes a manifest's new list over; what is known of a segment stays known.
    pub(crate) fn list(&mut self, live: bool, segments: &[ListedSegment], now: Time) {
        self.live = live;
        self.listed = segments
            .iter()
            .map(|segment| {
                let duration_ms = segment.end_ms.saturating_sub(segment.start_ms).max(0);
                let duration_ms = duration_ms.unsigned_abs();
                let listed = Listed {
                    start_ms: segment.start_ms,
                    duration_ms,
                };
                (segment.id, listed)
            })
            .collect();
        for (id, segment) in self.segments.iter_mut() {
            segment.unlisted_since = match self.listed.contains_key(id) {
                true => None,
                false => segment.unlisted_since.or(Some(now)),
            };
        }
    }

    /// The segment's state; a fresh one when nothing was known.
    pub(crate) fn segment_mut(&mut self, id: SegmentId, now: Time) -> &mut Segment {
        self.segments.get_or_insert_with(id, || Segment::new(now))
    }

    /// A segment's duration, 0 when it is not listed.
    pub(crate) fn duration_ms(&self, id: SegmentId) -> u64 {
        self.listed.get(&id).map_or(0, |listed| listed.duration_ms)
    }

    /// Asks for its swarm, unless that is done.
    pub(crate) fn join(&mut self, now: Time) {
        if !self.joined {
            self.joined = true;
            self.joined_at = now;
        }
    }

    pub(crate) fn is_complete(&self, id: SegmentId) -> bool {
        self.segments
            .get(&id)
            .is_some_and(|segment| segment.progress == Progress::Complete)
    }
}

/// A segment in the manifest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listed {
    pub(crate) start_ms: i64,
    pub(crate) duration_ms: u64,
}

impl Listed {
    pub(crate) fn end_ms(&self) -> i64 {
        self.start_ms.saturating_add_unsigned(self.duration_ms)
    }
}

/// How far a segment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Bytes are missing.
    Partial,
    /// All bytes are there, the page has not yet said whether they are right.
    Checking,
    /// All bytes are there and may be used.
    Complete,
}

/// Who is sending a segment right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transfer {
    Http(FetchKey),
    Peer(ConnKey),
}

/// A segment that is wanted, loading, or loaded.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) progress: Progress,
    /// Bytes from the start that are there.
    pub(crate) loaded: u64,
    /// What a second peer has brought of its end.
    pub(crate) tail: Option<Tail>,
    pub(crate) total: Option<u64>,
    pub(crate) wanted_since: Option<Time>,
    pub(crate) transfer: Option<Transfer>,
    /// When the running transfer began.
    pub(crate) transfer_since: Time,
    /// Milliseconds in which transfers ran, without those in which we waited on purpose.
    pub(crate) active_ms: u64,
    /// The peer that sent the last of the bytes that peers sent.
    pub(crate) from_peer: Option<ConnKey>,
    /// Several peers sent some of the bytes.
    pub(crate) from_several: bool,
    /// Peers brought wrong bytes: only the origin is asked from now on.
    pub(crate) http_only: bool,
    /// When a peer that had it last refused to send it.
    pub(crate) refused_at: Option<Time>,
    /// HTTP failures since the last success.
    pub(crate) http_errors: u32,
    pub(crate) http_status: u16,
    /// Not to be tried over HTTP before this.
    pub(crate) retry_at: Time,
    pub(crate) unlisted_since: Option<Time>,
    /// When it was last loaded, played or sent; decides what is forgotten first.
    pub(crate) last_used: Time,
    /// A peer asked a super-peer for it.
    pub(crate) demanded: bool,
}

impl Segment {
    fn new(now: Time) -> Self {
        Self {
            progress: Progress::Partial,
            loaded: 0,
            tail: None,
            total: None,
            wanted_since: None,
            transfer: None,
            transfer_since: now,
            active_ms: 0,
            from_peer: None,
            from_several: false,
            http_only: false,
            refused_at: None,
            http_errors: 0,
            http_status: 0,
            retry_at: Time::ZERO,
            unlisted_since: None,
            last_used: now,
            demanded: false,
        }
    }

    pub(crate) fn begin(&mut self, transfer: Transfer, now: Time) {
        self.transfer = Some(transfer);
        self.transfer_since = now;
    }

    /// Ends the running transfer, if there is one, and says which it was.
    pub(crate) fn end(&mut self, now: Time) -> Option<Transfer> {
        let ended = self.transfer.take();
        if ended.is_some() {
            self.active_ms += now.since_ms(self.transfer_since);
        }
        ended
    }

    /// Starts over with no bytes.
    pub(crate) fn reset(&mut self) {
        self.progress = Progress::Partial;
        self.loaded = 0;
        self.tail = None;
        self.total = None;
        self.from_peer = None;
        self.from_several = false;
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.progress == Progress::Partial && self.transfer.is_none()
    }

    pub(crate) fn missing(&self) -> u64 {
        self.total
            .map_or(0, |total| total.saturating_sub(self.bytes()))
    }

    /// Bits per second while it was being transferred.
    pub(crate) fn bandwidth_bps(&self) -> u64 {
        bits_per_second(self.loaded, self.active_ms)
    }
}
