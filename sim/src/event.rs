//! What happens at a point in time, to whom.

use beekeepr_engine::{ConnKey, FetchKey, SegmentKey, ServerMessage, TrackerMessage};

/// Something that happens to a node.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) node: u32,
    pub(crate) what: What,
}

/// Small, because there are millions: what is large or rare is boxed.
#[derive(Debug)]
pub(crate) enum What {
    Joins,
    Leaves,
    /// The engine's deadline.
    Wakes,
    /// The player's.
    Plays,
    ReadsManifest,
    Seeks,
    Switches,
    TrackerOpens(u32),
    TrackerCloses(u32),
    TrackerSays(u32, Box<ServerMessage>),
    SaysToTracker(u32, Box<TrackerMessage>),
    OfferReady(ConnKey),
    AnswerReady(ConnKey),
    ChannelOpens(ConnKey),
    ChannelCloses(ConnKey),
    Command(ConnKey, Box<[u8]>),
    CommandThrough(ConnKey, Box<[u8]>),
    Arrives(ConnKey, Box<Parcel>),
    /// So many bytes have left the uplink.
    Sent(ConnKey, u32),
    FetchBegins(FetchKey),
    FetchBrings(FetchKey, u32),
    Checked(SegmentKey),
    /// The world's own: trackers that die and come back, what they forget, super-peers that die.
    TrackerDies,
    TrackerReturns,
    TrackerSweeps,
    SuperPeersDie,
}

/// Bytes of a segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parcel {
    pub(crate) segment: SegmentKey,
    pub(crate) offset: u64,
    pub(crate) bytes: u32,
    /// They are not those of the origin.
    pub(crate) is_bad: bool,
    /// They have passed the receiver's line.
    pub(crate) is_through: bool,
    /// Who sent them is a super-peer.
    pub(crate) is_from_super_peer: bool,
}
