//! One of the peers as which a channel appears to its viewers.

use std::collections::HashMap;
use std::sync::Arc;

use beekeepr_engine::{Config, Engine, FetchKey, Role, SegmentKey, TrackerKey};
use beekeepr_model::{InfoHash, PEER_ID_PREFIX_SEEDER, PeerId, Random, Time};
use bytes::Bytes;

use crate::config;
use crate::origin::{FETCH_MS_MAX, Source};
use crate::tracker::Socket;

/// Requests that one engine may have open. Most are answered from memory or join a fetch that runs
/// for another peer or swarm already; how many reach the origin is limited there.
const REQUESTS_MAX: u32 = 48;

/// Which socket: the logical peer, its tracker, and a number that is never used again.
pub(crate) type SocketKey = (usize, TrackerKey, u64);

/// An engine and what it cannot hold itself.
pub(crate) struct LogicalPeer {
    pub(crate) engine: Engine,
    pub(crate) sockets: HashMap<TrackerKey, Socket<SocketKey>>,
    /// Requests that have not been answered.
    pub(crate) requests: HashMap<FetchKey, (SegmentKey, Arc<Source>)>,
    /// Segments that the engine counts as loaded.
    pub(crate) segments: HashMap<SegmentKey, (Arc<Source>, Bytes)>,
    /// Who it is in each swarm, for as long as the process lives.
    ids: HashMap<InfoHash, PeerId>,
    random: Random,
}

/// What an operator decides of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) trackers: u32,
    pub(crate) peers_max: u32,
    pub(crate) warm_segments: u32,
    /// Bits per second, until the first share of them is known; 0 for no limit.
    pub(crate) upload_bps_max: u64,
    /// Bits per second to one viewer; 0 for no limit.
    pub(crate) peer_upload_bps_max: u64,
    /// Of a live stream so much is fetched before anybody asks.
    pub(crate) live_eager_ms: u64,
}

impl Limits {
    /// `warm_segments` of a stream on demand are fetched before anybody asks.
    pub(crate) fn of(config: &config::Config, warm_segments: u32) -> Self {
        Self {
            trackers: config.trackers.len() as u32,
            peers_max: config.peers_max,
            warm_segments,
            upload_bps_max: config.upload_bps_max,
            // A viewer takes from as many at a time.
            peer_upload_bps_max: config.viewer_upload_bps_max
                / u64::from(config.logical_peers.max(1)),
            live_eager_ms: u64::MAX,
        }
    }
}

impl LogicalPeer {
    pub(crate) fn new(limits: Limits, seed: u64, now: Time) -> Self {
        let mut random = Random::new(seed);
        let config = Config {
            role: Role::SuperPeer,
            trackers: limits.trackers,
            http_downloads_max: REQUESTS_MAX,
            http_silence_ms: FETCH_MS_MAX,
            peers_max: limits.peers_max,
            // What is kept decides the cache, which knows the other engines and channels.
            storage_bytes_max: u64::MAX,
            warm_segments: limits.warm_segments,
            upload_bps_max: limits.upload_bps_max,
            peer_upload_bps_max: limits.peer_upload_bps_max,
            live_eager_ms: limits.live_eager_ms,
            ..Config::default()
        };
        Self {
            engine: Engine::new(config, random.next_u64(), now),
            sockets: HashMap::new(),
            requests: HashMap::new(),
            segments: HashMap::new(),
            ids: HashMap::new(),
            random,
        }
    }

    /// Who it is in a swarm. Another one in each, so that swarms cannot be linked by it.
    pub(crate) fn id(&mut self, swarm: InfoHash) -> PeerId {
        let random = &mut self.random;
        *self
            .ids
            .entry(swarm)
            .or_insert_with(|| PeerId::generate(PEER_ID_PREFIX_SEEDER, random))
    }
}
