//! One participant: its mind (the engine, or plain HTTP), its line, its connections, its segments, its player.

use beekeepr_engine::{ConnKey, Engine, FetchKey, Input, Output, SegmentKey};
use beekeepr_model::Time;

use crate::audit::Audit;
use crate::line::Line;
use crate::plain::Plain;
use crate::player::{Experience, Listed, Player};
use crate::profile::{Conduct, Profile};
use crate::store::Store;

/// Somebody who will come, is there, or has left.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) profile: Profile,
    pub(crate) conduct: Conduct,
    /// While it is there.
    pub(crate) live: Option<Box<Live>>,
    pub(crate) outcome: Outcome,
}

/// Everything of a node that takes memory while it is there.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) mind: Mind,
    pub(crate) joined_at: Time,
    pub(crate) line: Line,
    pub(crate) player: Option<Player>,
    pub(crate) store: Store,
    pub(crate) wires: Vec<(ConnKey, Wire)>,
    pub(crate) fetches: Vec<(FetchKey, Fetch)>,
    /// Which of its sockets to the tracker is the present one; `None` while it has none.
    pub(crate) session: Option<u32>,
    pub(crate) sessions: u32,
    /// Of the rendition that is played.
    pub(crate) listed: Listed,
    /// Renditions whose playlist was read, as bits.
    pub(crate) read: u64,
    /// When the engine and the player are to be called next.
    pub(crate) wake_at: Time,
    pub(crate) player_at: Time,
    /// Slices that wait to be sent together: of one connection and segment, one after the other.
    pub(crate) batches: Vec<Batch>,
    pub(crate) audit: Option<Box<Audit>>,
}

/// What a node did and got, kept when it is gone.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) present_ms: u64,
    pub(crate) experience: Experience,
    pub(crate) uploaded: u64,
    pub(crate) from_http: u64,
    pub(crate) from_viewers: u64,
    pub(crate) from_super_peers: u64,
    /// Bytes handed to the player.
    pub(crate) played: u64,
    /// Bytes that were in its memory for later when it left.
    pub(crate) left_over: u64,
    pub(crate) peers_most: u32,
    pub(crate) stored_most: u64,
}

/// The decisions.
#[derive(Debug)]
pub(crate) enum Mind {
    Engine(Box<Engine>),
    Plain(Plain),
}

impl Mind {
    pub(crate) fn handle(&mut self, now: Time, input: Input<'_>) {
        match self {
            Self::Engine(engine) => engine.handle(now, input),
            Self::Plain(plain) => plain.handle(now, &input),
        }
    }

    pub(crate) fn poll(&mut self) -> Option<Output> {
        match self {
            Self::Engine(engine) => engine.poll(),
            Self::Plain(plain) => plain.poll(),
        }
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        match self {
            Self::Engine(engine) => engine.deadline(),
            Self::Plain(plain) => plain.deadline(),
        }
    }
}

/// One end of a connection.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wire {
    /// The other end, once its description has come.
    pub(crate) other: Option<(u32, ConnKey)>,
    pub(crate) is_open: bool,
    /// Bytes handed to the channel that have not left.
    pub(crate) buffered: u32,
    /// When the last thing sent arrives: a channel keeps its order.
    pub(crate) last_ms: u64,
    /// When the last bytes received have passed our line.
    pub(crate) through_ms: u64,
    /// What was received and waits for that.
    pub(crate) waiting: u32,
}

/// A running request to the origin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fetch {
    pub(crate) segment: SegmentKey,
    /// The next byte to arrive.
    pub(crate) at: u64,
    /// The next byte to be sent.
    pub(crate) sent: u64,
    pub(crate) total: u64,
    /// When what was sent last arrives, in microseconds.
    pub(crate) last_us: u64,
    /// The response has begun; it counts among the origin's.
    pub(crate) is_served: bool,
    /// Another logical peer of the same super-peer has asked for it before: the origin is spared.
    pub(crate) is_cached: bool,
    /// When anything last happened to it.
    pub(crate) moved_at: Time,
}

/// Bytes of a segment on their way to a peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batch {
    pub(crate) conn: ConnKey,
    pub(crate) segment: SegmentKey,
    pub(crate) offset: u64,
    pub(crate) bytes: u32,
}

impl Live {
    pub(crate) fn wire(&self, conn: ConnKey) -> Option<&Wire> {
        let place = self.wires.binary_search_by_key(&conn, |wire| wire.0).ok()?;
        Some(&self.wires[place].1)
    }

    pub(crate) fn wire_mut(&mut self, conn: ConnKey) -> Option<&mut Wire> {
        let place = self.wires.binary_search_by_key(&conn, |wire| wire.0).ok()?;
        Some(&mut self.wires[place].1)
    }

    /// Notes a new connection; engines number them upwards.
    pub(crate) fn add_wire(&mut self, conn: ConnKey) {
        self.wires.push((conn, Wire::default()));
    }

    pub(crate) fn take_wire(&mut self, conn: ConnKey) -> Option<Wire> {
        let place = self.wires.binary_search_by_key(&conn, |wire| wire.0).ok()?;
        Some(self.wires.remove(place).1)
    }

    pub(crate) fn fetch_mut(&mut self, fetch: FetchKey) -> Option<&mut Fetch> {
        let mut fetches = self.fetches.iter_mut();
        fetches.find_map(|(key, running)| (*key == fetch).then_some(running))
    }

    pub(crate) fn take_fetch(&mut self, fetch: FetchKey) -> Option<Fetch> {
        let place = self.fetches.iter().position(|(key, _)| *key == fetch)?;
        Some(self.fetches.remove(place).1)
    }

    pub(crate) fn open_wires(&self) -> usize {
        self.wires.iter().filter(|(_, wire)| wire.is_open).count()
    }
}
