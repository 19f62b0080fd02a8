//! The engine's own bounds. Those that other parts share are in `beekeepr_model::limits`.

/// First wait before a lost tracker is tried again; doubles with each failure.
pub(crate) const TRACKER_RETRY_MS: u64 = 1_000;
/// Longest wait before a lost tracker is tried again: a restarted tracker is full again in a minute.
pub(crate) const TRACKER_RETRY_MS_MAX: u64 = 60_000;
/// Least time between two requests for a new token.
pub(crate) const TOKEN_RETRY_MS: u64 = 15_000;
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
/// So much earlier than the tracker says an announce may go out, as a part of the interval: the swarms
/// of a seeder begin at the same moment, and viewers when a stream does.
pub(crate) const ANNOUNCE_JITTER_PART: u64 = 8;
/// Offers of ours that may be open in one swarm: two announces and their answers.
pub(crate) const OFFERS_PENDING_MAX: usize = 20;

/// Who is about to meet peers in one of a stream's swarms waits so long before it makes offers in another:
/// most are the same peers.
pub(crate) const GENERATION_WAIT_MS: u64 = 3_000;
/// Swarms of one stream: three generations of p2p-media-loader.
pub(crate) const SWARMS_MAX: usize = 3;

/// Offers that two peers sent each other at the same moment have arrived after this time.
pub(crate) const CROSSING_MS_MAX: u64 = 10_000;

/// Who has said nothing for so long may be gone, although its connection is still called open: browsers notice after
/// 15 to 30 s, and in a live stream each new segment is told of.
pub(crate) const SILENT_MS: u64 = 10_000;
/// With fewer peers than that, one that is lost is replaced at once; who has more does without it.
pub(crate) const FEW_PEERS: usize = 5;
/// After a connection is lost an announce may go out this soon.
pub(crate) const REPLACE_MS: u64 = 1_000;

/// A viewer of a stream on demand waits at most so long to meet others before HTTP fills its whole buffer: an announce,
/// an answer that has gathered its candidates for 2 s, and a handshake.
pub(crate) const MEETING_MS_MAX: u64 = 5_000;
/// So far ahead of the playhead nobody waits to meet others.
pub(crate) const MEETING_AHEAD_MS: i64 = 10_000;

/// A peer is told once more what we have so long after its channel has opened.
pub(crate) const TELL_AGAIN_MS: u64 = 2_000;
/// Bytes of messages that are kept for a channel of which we do not know yet that it is open: one of the
/// largest.
pub(crate) const EARLY_BYTES_MAX: usize = 64 * 1024;
/// How many messages these may be: an announcement, its renewal, and a few requests.
pub(crate) const EARLY_MESSAGES_MAX: usize = 8;

/// Bytes handed to a data channel before waiting for it: more made Chromium drop packets.
pub(crate) const UPLOAD_WINDOW_BYTES: u32 = 64 * 1024;

/// Time that an urgent segment's peer has for its first bytes, else HTTP takes over.
pub(crate) const URGENT_FIRST_BYTE_MS: u64 = 400;
/// A segment has to be there this long before it is played: parsing and decoding.
pub(crate) const DECODE_MARGIN_MS: i64 = 500;
/// A rate is not judged before this time has passed.
pub(crate) const RATE_JUDGED_AFTER_MS: u64 = 200;
/// Before anything was measured, HTTP is taken to need half of a segment's duration, at most this.
pub(crate) const HTTP_GUESS_MS_MAX: u64 = 2_000;
/// So far ahead of the first segment that is missing, HTTP's work is added up: a player alone would
/// fill a buffer of about this length, which has to stay possible.
pub(crate) const HTTP_HORIZON_MS: i64 = 20_000;
/// On demand, where nothing keeps the buffer short, so much more of it is kept than HTTP needs.
pub(crate) const ON_DEMAND_RESERVE_MS: i64 = 4_000;
/// A response that brings nothing for so long is left for a peer when its segment is urgent.
pub(crate) const HTTP_STUCK_MS: u64 = 1_000;

/// So long before a segment is urgent, viewers stop waiting for each other and ask the super-peer.
pub(crate) const SPREAD_MARGIN_MS: i64 = 1_000;
/// How long a viewer of a stream on demand waits for others before it asks the super-peer.
pub(crate) const SPREAD_WAIT_MS: u64 = 1_500;
/// What a backup allows for the announcement of whoever is before it (p2p-media-loader 5: the same).
pub(crate) const ELECTION_MARGIN_MS: i64 = 500;
/// A peer that has announced nothing is taken for a newcomer for so long, then for one that never will.
pub(crate) const NEWCOMER_MS: u64 = 10_000;
/// On demand, a peer that has no segment within so many of one is somewhere else in the film.
pub(crate) const NEAR_SEGMENTS: i64 = 30;
/// A stream is in use until another was used for so many of its segments' durations without it.
pub(crate) const STREAM_USE_SEGMENTS: u64 = 3;
/// The least of that: two segments of an ordinary live stream and the reaction of the player.
pub(crate) const STREAM_USE_MS_MIN: u64 = 5_000;

/// After this time, or twice a segment's duration, whoever drips is left.
pub(crate) const DOWNLOAD_MS_MIN: u64 = 4_000;
/// Who brings less than this part of a stream's bit rate drips.
pub(crate) const DRIP_PART: u64 = 8;
/// Less than this is left to one sender: a second one would hardly have begun.
pub(crate) const SPLIT_BYTES_MIN: u64 = 16 * 1024;
/// First wait before a peer is asked again that said "absent"; doubles with each time in a row.
pub(crate) const REFUSED_MS: u64 = 250;
/// Half of the wait before a peer is asked again that failed; doubles with each failure.
pub(crate) const FAILED_MS: u64 = 1_000;
/// Doublings of these waits: at most 8 s and 32 s.
pub(crate) const REFUSED_DOUBLINGS_MAX: u32 = 5;
/// A peer that refused so often in a row is no longer believed to have or to fetch anything.
pub(crate) const REFUSALS_MAX: u32 = 4;
/// A segment that a peer had but refused is waited for so long as if that peer had it still.
pub(crate) const REFUSED_KEEP_MS: u64 = 2_000;
/// A peer whose bytes were wrong is not met again for this time.
pub(crate) const BAN_MS: u64 = 600_000;
/// A peer that failed too often is not met again for this time (p2p-media-loader: 60 s).
pub(crate) const PAUSE_MS: u64 = 60_000;
/// A peer that refused so often in a row, over about a minute, is not met for a while.
pub(crate) const REFUSALS_LEAVE: u32 = 12;
/// Peers that are not met; the longest known is let in again when there are more.
pub(crate) const BANS_MAX: usize = 64;

/// Uploads that are always begun. More only when they end, at the rate seen lately, within a segment's
/// duration: who gets its bytes more slowly than they play is better off with another peer.
pub(crate) const UPLOADS_MIN: u32 = 2;
/// The least of that time.
pub(crate) const UPLOAD_MS_MIN: u64 = 1_000;
/// A super-peer begins to send what it has to fetch first within this time, else it says "absent":
/// p2p-media-loader takes 2 s without a byte for a failure.
pub(crate) const UPLOAD_WAIT_MS_MAX: u64 = 1_500;
/// An upload ends within this time, or within four durations of its segment.
pub(crate) const UPLOAD_MS_MAX: u64 = 20_000;
/// A channel that takes nothing for so long is closed. Below 13 kbit/s nobody watches anything.
pub(crate) const STUCK_MS_MAX: u64 = 20_000;
/// Of so many segments at the live edge there are few copies yet.
pub(crate) const NEWEST_SEGMENTS: usize = 2;
/// Requests answered are counted over such times.
pub(crate) const REFUSALS_WINDOW_MS: u64 = 5_000;
/// Fewer requests than that say nothing of the load.
pub(crate) const REFUSALS_JUDGED_FROM: u32 = 8;
/// A channel that needs so long to take half of its window (32 KiB) carries 0.5 Mbit/s.
pub(crate) const LOADED_DRAIN_MS: u64 = 500;
/// Fewer peers than that may all have slow lines of their own.
pub(crate) const LOAD_JUDGED_FROM: usize = 8;
/// What fewer or more uploads change takes so long to show: the windows have to run empty.
pub(crate) const LOAD_SETTLES_MS: u64 = 500;
/// Uploads that go on under any load.
pub(crate) const LOADED_UPLOADS_MIN: u32 = 4;
/// Over such times the rate of uploads is measured.
pub(crate) const UPLOAD_MEASURE_MS: u64 = 500;
/// Under a limit of the rate, this much of it may be sent at once.
pub(crate) const UPLOAD_BURST_MS: u64 = 250;

/// First wait before a failed HTTP request is repeated; doubles with each failure.
pub(crate) const HTTP_RETRY_MS: u64 = 500;
/// Longest wait before a failed HTTP request is repeated.
pub(crate) const HTTP_RETRY_MS_MAX: u64 = 8_000;
/// How long HTTP takes is believed for so long: of 30 viewers of a live stream each asks the origin once a
/// minute.
pub(crate) const HTTP_TIME_AGE_MS_MAX: u64 = 300_000;

/// So long after an encoder began anew, a newcomer may not have noticed: the longest usual time between two looks
/// at a playlist, three times.
pub(crate) const DOUBTFUL_MS: u64 = 30_000;

/// Who looks after nothing for so long has slept: it is called each second.
pub(crate) const SLEEP_MS_MIN: u64 = 2_000;

/// A live segment is kept so long after the manifest dropped it, for viewers who lag behind.
pub(crate) const UNLISTED_KEEP_MS: u64 = 30_000;

/// A live segment of a rendition that the player left is kept so long after its last use: as long as
/// its swarm, and until the player may have come back.
pub(crate) const UNUSED_KEEP_MS: u64 = 60_000;

/// How often the schedule is looked at while something is to be loaded.
pub(crate) const SCHEDULE_TICK_MS: u64 = 100;
/// How often the engine looks around when nothing is to be loaded.
pub(crate) const IDLE_TICK_MS: u64 = 1_000;
