//! Bounds that more than one part must agree on.

/// The largest segment anybody is believed to have: 25 Mbit/s for 10 s, rounded up.
/// A peer that announces more breaks the protocol (upstream takes any size, which fills memory).
pub const SEGMENT_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// The largest data-channel message. p2p-media-loader's `webRtcMaxMessageSize`, 2.3.1.
pub const CHANNEL_MESSAGE_BYTES_MAX: usize = 65_535;

/// The slice of a segment that we send in one message. In Chromium 156 a window of 64 KiB with
/// messages of 16 KiB gave 270 to 370 Mbit/s and next to no drops; receivers accept any size.
pub const SEGMENT_SLICE_BYTES: u32 = 16 * 1024;

/// Most offers in one announce. bittorrent-tracker's client sends 5, older ones 10, wt-tracker takes 20.
pub const OFFERS_PER_ANNOUNCE_MAX: usize = 20;

/// The largest SDP that is relayed. Chromium's data-channel offers are 0.5 to 1.5 KB; a host with many
/// addresses reaches 4 KB.
pub const SDP_BYTES_MAX: usize = 16 * 1024;

/// The largest message on a tracker's socket: ten full offers and their frame.
pub const TRACKER_MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// Most segment ids in one announcement: 24 hours of segments of 2 s.
pub const ANNOUNCED_SEGMENTS_MAX: usize = 43_200;
