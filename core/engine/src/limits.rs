//! The engine's own bounds. Those that other parts share are in `beekeepr_model::limits`.

/// First wait before a lost tracker is tried again; doubles with each failure.
pub(crate) const TRACKER_RETRY_MS: u64 = 1_000;
/// Longest wait before a lost tracker is tried again: a restarted tracker is full again in a minute.
pub(crate) const TRACKER_RETRY_MS_MAX: u64 = 60_000;
/// Time between announces until the tracker names one (bittorrent-tracker's client does the same).
pub(crate) const ANNOUNCE_INTERVAL_MS: u64 = 30_000;
/// Shortest time between announces that we accept from a tracker.
pub(crate) const ANNOUNCE_INTERVAL_MS_MIN: u64 = 5_000;
/// Longest time between announces that we accept from a tracker.
pub(crate) const ANNOUNCE_INTERVAL_MS_MAX: u64 = 600_000;
/// An announce goes out with the offers that are ready after this time.
pub(crate) const OFFERS_WAIT_MS: u64 = 3_000;
/// An unanswered offer is closed after this time (bittorrent-tracker's client: 50 s).
pub(crate) const OFFER_AGE_MS_MAX: u64 = 50_000;
/// A connection that is not open after this time is given up (p2p-media-loader 3: 15 s).
pub(crate) const CONNECT_MS_MAX: u64 = 15_000;
/// Offers of ours that may be open in one swarm: two announces and their answers.
pub(crate) const OFFERS_PENDING_MAX: usize = 20;

/// Offers that two peers sent each other at the same moment have arrived after this time.
pub(crate) const CROSSING_MS_MAX: u64 = 10_000;

/// Bytes handed to a data channel before waiting for it: more made Chromium drop packets.
pub(crate) const UPLOAD_WINDOW_BYTES: u32 = 64 * 1024;

/// An urgent segment's peer must send its first bytes within this time, else HTTP takes over.
pub(crate) const URGENT_FIRST_BYTE_MS: u64 = 400;
/// An urgent segment may stay with its peer when it will be whole within this time anyway.
pub(crate) const URGENT_REST_MS: i64 = 700;
/// An urgent segment has to be there this long before it is played: parsing and decoding.
pub(crate) const DECODE_MARGIN_MS: i64 = 500;
/// A rate is not judged before this time has passed.
pub(crate) const RATE_JUDGED_AFTER_MS: u64 = 200;
/// How long viewers leave a new segment to a connected super-peer, beyond the half duration in which
/// it polls the playlist: its request, the origin's answer and the announcement.
pub(crate) const SUPER_PEER_FETCH_MS: u64 = 1_500;
/// So long before a segment is urgent, viewers stop waiting for each other and ask the super-peer.
pub(crate) const SPREAD_MARGIN_MS: u64 = 500;
/// How long a viewer of a stream on demand waits for others before it asks the super-peer.
pub(crate) const SPREAD_WAIT_MS: u64 = 1_500;
/// What each place in the election waits longer than the one before.
pub(crate) const ELECTION_STEP_MS: u64 = 1_000;
/// A stream is in use until another was used for so long without it.
pub(crate) const STREAM_USE_MS: u64 = 15_000;

/// First wait before a failed HTTP request is repeated; doubles with each failure.
pub(crate) const HTTP_RETRY_MS: u64 = 500;
/// Longest wait before a failed HTTP request is repeated.
pub(crate) const HTTP_RETRY_MS_MAX: u64 = 8_000;
/// An HTTP measurement older than this no longer speaks for the network.
pub(crate) const HTTP_RATE_AGE_MS_MAX: u64 = 60_000;

/// A live segment is kept so long after the manifest dropped it, for viewers who lag behind.
pub(crate) const UNLISTED_KEEP_MS: u64 = 30_000;

/// How often the schedule is looked at while something is to be loaded.
pub(crate) const SCHEDULE_TICK_MS: u64 = 100;
/// How often the engine looks around when nothing is to be loaded.
pub(crate) const IDLE_TICK_MS: u64 = 1_000;
