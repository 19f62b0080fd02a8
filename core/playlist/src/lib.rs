//! HLS manifests to streams and segments, with the identities of every generation of clients.
//!
//! [`read`] takes the text of a manifest and the URL it came from. A multivariant playlist gives its
//! [`Stream`]s, each of which knows the swarm it belongs to; a media playlist gives its [`Segment`]s,
//! whose numbers in the swarm [`segment_id`] tells.
//!
//! Text in, values out: fetching, refreshing and following a live stream over time is the caller's.

mod codecs;
mod hls;
mod stream;
mod text;

use std::fmt;

use beekeepr_model::{ByteRange, Generation, SegmentId, limits};
use url::Url;

pub use stream::Stream;

/// The longest manifest that is read: 24 hours of 2 s segments with 190 bytes for each.
pub const MANIFEST_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Most streams of one manifest. Apple's authoring guide arrives at about 30 variants with all codecs;
/// twice that leaves room for audio in many languages.
pub const STREAMS_MAX: usize = 64;

/// Most segments of one stream that are looked at; of more, the last ones.
pub const SEGMENTS_MAX: usize = limits::ANNOUNCED_SEGMENTS_MAX;

/// What a manifest is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Manifest {
    /// A multivariant playlist: the streams in the order of the manifest, main ones first.
    Streams(Vec<Stream>),
    /// A media playlist.
    Media(Media),
}

/// A media playlist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// Whether more segments may come: there is no EXT-X-ENDLIST.
    pub live: bool,
    /// EXT-X-TARGETDURATION in milliseconds.
    pub target_duration_ms: u64,
    /// EXT-X-MEDIA-SEQUENCE.
    pub media_sequence: u64,
    /// In the order of the playlist.
    pub segments: Vec<Segment>,
}

/// A segment of a media playlist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its place in the playlist, from 0. The media sequence is that of the playlist plus this.
    pub index: usize,
    /// Where it is.
    pub url: Url,
    /// Which part of the file it is; `None` for all of it.
    pub byte_range: Option<ByteRange>,
    /// EXTINF in milliseconds.
    pub duration_ms: u64,
    /// Whether its timestamps do not continue those of the segment before.
    pub discontinuity: bool,
    /// Whether EXT-X-GAP says that it cannot be loaded.
    pub gap: bool,
}

/// Why a text cannot be used as a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ManifestError {
    /// Longer than [`MANIFEST_BYTES_MAX`].
    TooLong(usize),
    /// It does not begin as HLS does; here is how it begins.
    NotHls(String),
    /// It is a DASH manifest.
    Dash,
    /// It is no UTF-8 from this byte on.
    NotUtf8(usize),
    /// It begins as HLS does, but the rest makes no sense.
    Malformed,
    /// A multivariant playlist without a variant.
    NoStreams,
    /// An address in it that cannot be resolved.
    Url(String),
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(bytes) => {
                write!(
                    f,
                    "manifest has {bytes} bytes, expected at most {MANIFEST_BYTES_MAX}"
                )
            }
            Self::NotHls(seen) => {
                write!(
                    f,
                    "not an HLS manifest: it begins with {seen:?}, expected #EXTM3U"
                )
            }
            Self::Dash => write!(f, "a DASH manifest, expected HLS (#EXTM3U)"),
            Self::NotUtf8(at) => write!(f, "manifest is no UTF-8 text at byte {at}"),
            Self::Malformed => write!(f, "HLS manifest cannot be read beyond #EXTM3U"),
            Self::NoStreams => {
                write!(
                    f,
                    "HLS manifest lists nothing, expected EXT-X-STREAM-INF or EXTINF"
                )
            }
            Self::Url(seen) => write!(f, "HLS manifest names {seen:?}, which is no address"),
        }
    }
}

impl std::error::Error for ManifestError {}

/// Reads a manifest. `url` is where it came from, after redirects.
///
/// # Errors
/// The text is no HLS manifest.
pub fn read(text: &[u8], url: &Url) -> Result<Manifest, ManifestError> {
    let text = text::check(text)?;
    if text::is_media(text) {
        return hls::media(text, url).map(Manifest::Media);
    }
    hls::streams(text, url).map(Manifest::Streams)
}

/// A segment's number in its swarm. `media_sequence` is the playlist's, `index` the segment's place in it.
///
/// Clients up to p2p-media-loader 4.x number live segments by media sequence and others from 0
/// (hlsjs `segment-manager.ts`, 2.3.1); 5.x always takes the media sequence.
#[must_use]
pub fn segment_id(
    generation: Generation,
    live: bool,
    media_sequence: u64,
    index: usize,
) -> SegmentId {
    let first = match generation {
        Generation::V2Index | Generation::V2 if !live => 0,
        Generation::V2Index | Generation::V2 | Generation::V3 => media_sequence,
    };
    let number = first.saturating_add(index as u64).min(ID_MAX);
    SegmentId(number as i64)
}

/// The largest integer JavaScript holds exactly, which bounds a [`SegmentId`].
const ID_MAX: u64 = (1 << 53) - 1;
