//! A media playlist.

use crate::{Address, Init, Part, Segment};

/// An HLS media playlist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// Where it came from, after redirects.
    pub url: Address,
    /// Whether more segments may come: there is no EXT-X-ENDLIST.
    pub live: bool,
    /// EXT-X-PLAYLIST-TYPE.
    pub kind: PlaylistKind,
    /// EXT-X-TARGETDURATION in milliseconds.
    pub target_duration_ms: u64,
    /// EXT-X-MEDIA-SEQUENCE.
    pub media_sequence: u64,
    /// EXT-X-DISCONTINUITY-SEQUENCE.
    pub discontinuity_sequence: u64,
    /// EXT-X-INDEPENDENT-SEGMENTS: playback can begin with any of them.
    pub independent_segments: bool,
    /// EXT-X-START.
    pub start: Option<Start>,
    /// In the order of the playlist.
    pub segments: Vec<Segment>,
    /// EXT-X-MAP, each once; [`crate::HlsDetails::init`] points here.
    pub inits: Vec<Init>,
    /// EXT-X-SERVER-CONTROL.
    pub server: ServerControl,
    /// What stands near the live edge; empty without low-latency HLS.
    pub edge: Edge,
}

/// EXT-X-PLAYLIST-TYPE (RFC 8216bis, 4.4.3.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlaylistKind {
    /// Not given: segments may leave the playlist again.
    #[default]
    Sliding,
    /// Segments are added alone.
    Event,
    /// Nothing changes.
    Vod,
}

/// EXT-X-START: where playback should begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// From the playlist's beginning, or, below 0, from its end; in milliseconds.
    pub offset_ms: i64,
    /// Whether playback should begin inside a segment.
    pub precise: bool,
}

/// EXT-X-SERVER-CONTROL: what the playlist's server can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerControl {
    /// CAN-BLOCK-RELOAD: it answers `_HLS_msn` and `_HLS_part` when they are there.
    pub can_block_reload: bool,
    /// CAN-SKIP-UNTIL in milliseconds: it leaves out what is farther from the edge when asked by `_HLS_skip`.
    pub can_skip_until_ms: Option<u64>,
    /// CAN-SKIP-DATERANGES.
    pub can_skip_dateranges: bool,
    /// HOLD-BACK in milliseconds: how far from the edge players stay.
    pub hold_back_ms: Option<u64>,
    /// PART-HOLD-BACK in milliseconds: how far those stay that play parts.
    pub part_hold_back_ms: Option<u64>,
}

/// Low-latency HLS: what stands after the last whole segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    /// PART-TARGET of EXT-X-PART-INF in milliseconds.
    pub part_target_ms: Option<u64>,
    /// The parts of the segment that is not complete.
    pub parts: Vec<Part>,
    /// EXT-X-PRELOAD-HINT: what comes next.
    pub hints: Vec<PreloadHint>,
    /// EXT-X-RENDITION-REPORT: how far the other playlists are.
    pub reports: Vec<RenditionReport>,
}

/// EXT-X-PRELOAD-HINT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreloadHint {
    /// Whether an EXT-X-MAP comes; otherwise a part.
    pub init: bool,
    /// Where it will be.
    pub url: Address,
    /// BYTERANGE-START.
    pub start: u64,
    /// BYTERANGE-LENGTH; `None` for all to the end.
    pub length: Option<u64>,
}

/// EXT-X-RENDITION-REPORT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenditionReport {
    /// The other playlist.
    pub url: Address,
    /// LAST-MSN: the media sequence number of its last segment.
    pub last_sequence: Option<u64>,
    /// LAST-PART: the index of its last part.
    pub last_part: Option<u64>,
}
