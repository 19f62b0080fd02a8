//! What an engine can be told about how to behave.

use beekeepr_model::limits;

/// Who the engine works for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A player: loads what the playhead will need, from peers when time allows, else from HTTP.
    Viewer,
    /// A super-peer: fetches every new live segment from HTTP at once, loads nothing from peers.
    SuperPeer,
}

/// Every setting, with defaults that suit a viewer. Durations are milliseconds, names are those of
/// p2p-media-loader where it has them.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Who the engine works for.
    pub role: Role,
    /// How many trackers the shell can reach; announces go to all of them.
    pub trackers: u32,
    /// Neither load from peers nor join swarms.
    pub p2p_disabled: bool,
    /// Announce nothing and answer every request with "absent".
    pub upload_disabled: bool,
    /// HTTP requests at a time.
    pub http_downloads_max: u32,
    /// Segments asked of peers at a time, over all peers.
    pub p2p_downloads_max: u32,
    /// A segment whose playback begins within this time is fetched over HTTP when no peer delivers it
    /// in time. What HTTP was measured to need makes it longer, never shorter.
    pub urgent_window_ms: u64,
    /// How far ahead of the playhead segments are fetched over HTTP although the player does not ask yet.
    pub http_window_ms: u64,
    /// How far ahead of the playhead segments are asked of peers although the player does not ask yet.
    pub p2p_window_ms: u64,
    /// How long the very first segment is left to peers before HTTP is asked.
    pub http_initial_ms: u64,
    /// A peer that sends nothing for so long while it should has failed.
    pub p2p_silence_ms: u64,
    /// An HTTP response that brings nothing for so long has failed.
    pub http_silence_ms: u64,
    /// Failures after which a peer is left.
    pub p2p_errors_max: u32,
    /// Failures after which a wanted segment is given back to the player's loader.
    pub http_errors_max: u32,
    /// Viewer only: segments sent at a time, over all peers; who asks for more is told "absent" and
    /// finds a quicker peer.
    pub uploads_max: u32,
    /// Bits per second for all peers together; 0 for no limit.
    pub upload_bps_max: u64,
    /// Bits per second for each peer; 0 for no limit.
    pub peer_upload_bps_max: u64,
    /// Peers in one swarm.
    pub peers_max: u32,
    /// A peer with whom nothing was exchanged for so long makes room when others want to come.
    pub useless_ms: u64,
    /// Meet super-peers only, and show nobody else our address: no offers, answers to super-peers alone. Which peer is
    /// one its id says; a tracker that checks tokens lets nobody else say so.
    pub super_peers_only: bool,
    /// Peers in a swarm, ourselves included, below which no viewer is met.
    pub viewers_min: u32,
    /// Offers in one announce.
    pub offers_per_announce: u32,
    /// Ask the shell to check segments that came from peers.
    pub check_segments: bool,
    /// Bytes of segments to keep for others.
    pub storage_bytes_max: u64,
    /// Largest command message; longer commands are sent in several.
    pub message_bytes_max: usize,
    /// How long a swarm is kept after its stream was last used.
    pub inactive_swarm_ms: u64,
    /// Super-peer only: segments of a stream on demand that are fetched before anybody asks.
    pub warm_segments: u32,
    /// Super-peer only: of a live stream, what ends within this time before its end is fetched at once, and what is older
    /// when it is asked for, as on demand.
    pub live_eager_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            role: Role::Viewer,
            trackers: 1,
            p2p_disabled: false,
            upload_disabled: false,
            http_downloads_max: 2,
            p2p_downloads_max: 3,
            urgent_window_ms: 1_500,
            http_window_ms: 60_000,
            p2p_window_ms: 120_000,
            http_initial_ms: 0,
            p2p_silence_ms: 2_000,
            http_silence_ms: 3_000,
            p2p_errors_max: 3,
            http_errors_max: 3,
            uploads_max: 8,
            upload_bps_max: 0,
            peer_upload_bps_max: 0,
            peers_max: 50,
            // Of 50 peers of a live stream each brings one of 50 segments.
            useless_ms: 120_000,
            super_peers_only: false,
            viewers_min: 0,
            offers_per_announce: 5,
            check_segments: false,
            storage_bytes_max: 512 * 1024 * 1024,
            message_bytes_max: limits::CHANNEL_MESSAGE_BYTES_MAX,
            inactive_swarm_ms: 30_000,
            warm_segments: 8,
            live_eager_ms: u64::MAX,
        }
    }
}
