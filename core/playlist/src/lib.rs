//! HLS and DASH manifests to streams and segments, with the identities of every generation of clients.
//!
//! [`read`] takes the text of a manifest and the URL it came from. A multivariant playlist gives its
//! [`Stream`]s, each of which knows the swarm it belongs to; a media playlist gives its [`Segment`]s,
//! each of which knows its numbers in the swarms.
//!
//! Text in, values out: fetching, refreshing and following a live stream over time is the caller's.

mod address;
mod codecs;
pub mod dash;
mod error;
mod hls;
mod media;
mod multivariant;
mod segment;
mod stream;
mod text;

use beekeepr_model::limits;

pub use address::{ADDRESS_BYTES_MAX, Address, AddressError};
pub use error::{Fault, ManifestError};
pub use media::{Edge, Media, PlaylistKind, PreloadHint, RenditionReport, ServerControl, Start};
pub use multivariant::{Multivariant, Steering, Variables};
pub use segment::{Encryption, HlsDetails, Init, Part, Segment, SegmentIds};
pub use stream::{Stream, Written};

/// The longest manifest that is read: 24 hours of 2 s segments with 190 bytes for each.
pub const MANIFEST_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Most streams of one manifest. Apple's authoring guide arrives at about 30 variants with all codecs;
/// twice that leaves room for audio in many languages.
pub const STREAMS_MAX: usize = 64;

/// Most segments of one stream that are looked at; of more, the last ones.
pub const SEGMENTS_MAX: usize = limits::ANNOUNCED_SEGMENTS_MAX;

/// What a manifest is.
#[derive(Clone, Debug, PartialEq)]
pub enum Manifest {
    /// An HLS multivariant playlist.
    Multivariant(Multivariant),
    /// An HLS media playlist.
    Media(Media),
    /// A DASH manifest.
    Dash(dash::Presentation),
}

/// What a manifest is read with beside its own text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    /// The variables of the multivariant playlist that lists this media playlist.
    pub variables: Option<&'a Variables>,
    /// The last state of this media playlist, which EXT-X-SKIP refers to.
    pub previous: Option<&'a Media>,
}

/// Reads a manifest. `url` is the absolute address where it came from, after redirects.
///
/// # Errors
/// The text is no manifest.
pub fn read(text: &[u8], url: &str) -> Result<Manifest, ManifestError> {
    read_with(text, url, Context::default())
}

/// Reads a manifest that refers to others.
///
/// # Errors
/// The text is no manifest, or refers to what `context` does not have.
pub fn read_with(text: &[u8], url: &str, context: Context<'_>) -> Result<Manifest, ManifestError> {
    let base = Address::parse(url).map_err(|_| ManifestError::Address(text::quote(url)))?;
    let text = text::check(text)?;
    let start = text::trimmed(text);
    if text::is_dash(start) {
        return dash::parse(start, &base).map(Manifest::Dash);
    }
    if text::is_media(text) {
        return hls::media(text, &base, context).map(Manifest::Media);
    }
    hls::multivariant(text, &base).map(Manifest::Multivariant)
}
