//! How a node is connected, and how it treats others.

use std::collections::{BTreeMap, BTreeSet};

use beekeepr_engine::{ConnKey, FetchKey};
use beekeepr_model::{SegmentId, Time};
use beekeepr_peer_proto::{Command, Joiner, encode};

use super::{SEGMENT_BYTES, SEGMENT_MS};

/// A node's way to the origin and to other nodes.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    /// Bits per millisecond from the origin, for all requests together.
    pub(crate) http_kbps: u64,
    pub(crate) http_latency_ms: u64,
    /// Times (from, to) in which the origin sends nothing.
    pub(crate) outages: Vec<(u64, u64)>,
    /// Bits per millisecond to all peers together.
    pub(crate) up_kbps: u64,
    pub(crate) mischief: Mischief,
    /// The first message on each channel is lost: the far end was not listening yet.
    pub(crate) loses_first: bool,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            http_kbps: 10_000,
            http_latency_ms: 30,
            outages: Vec::new(),
            up_kbps: 60_000,
            mischief: Mischief::None,
            loses_first: false,
        }
    }
}

/// What a bad peer does to those who ask it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mischief {
    None,
    /// Announces everything, then says nothing when asked.
    Withhold,
    /// Sends a few hundred bytes a second.
    Drip,
    /// Announces everything, has nothing.
    Lie,
    /// Promises another size than the segment has.
    WrongSize,
}

/// Bytes that a dripping peer sends in each [`DRIP_MS`].
pub(crate) const DRIP_BYTES: u32 = 500;
pub(crate) const DRIP_MS: u64 = 1_000;

/// The state of a node's link.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    /// Requests in flight that have begun, with the offset that each has reached.
    pub(crate) flowing: BTreeMap<FetchKey, u64>,
    pub(crate) ticking: bool,
    /// Channels over which something was said.
    pub(crate) spoken: BTreeSet<ConnKey>,
    /// When the uplink has sent what it was given, in microseconds.
    pub(crate) up_free_us: u64,
    /// Of each channel: bytes not yet sent, and when its last message arrives.
    pub(crate) channels: BTreeMap<ConnKey, (u32, Time)>,
}

/// What becomes of a message on its way out of a node.
pub(crate) fn distort(mischief: Mischief, message: Vec<u8>, now: Time) -> Option<Vec<u8>> {
    let Ok(Some(command)) = Joiner::default().push(&message) else {
        return Some(message);
    };
    let distorted = match (mischief, command) {
        (Mischief::Withhold | Mischief::Lie, Command::SegmentsAnnouncement { .. }) => {
            everything(now)
        }
        (
            Mischief::Lie,
            Command::SegmentData {
                segment, request, ..
            },
        ) => Command::SegmentAbsent { segment, request },
        (Mischief::Withhold, Command::SegmentData { .. } | Command::SegmentAbsent { .. }) => {
            return None;
        }
        (
            Mischief::WrongSize,
            Command::SegmentData {
                segment, request, ..
            },
        ) => {
            let size = SEGMENT_BYTES / 2;
            Command::SegmentData {
                segment,
                request,
                size,
            }
        }
        (_, command) => command,
    };
    let messages = encode(&distorted, 65_535).expect("the numbers are small");
    messages.into_iter().next()
}

fn everything(now: Time) -> Command {
    let edge = (now.as_ms() / SEGMENT_MS) as i64;
    let live = edge - 20..edge + 20;
    Command::SegmentsAnnouncement {
        loaded: (0..60).chain(live).map(SegmentId).collect(),
        loading: Vec::new(),
    }
}
