//! HLS playlists (RFC 8216, and draft-pantos-hls-rfc8216bis for what came later) to our types.
//!
//! One pass over the lines, and no more kept of them than [`crate::Media`] and [`crate::Multivariant`] tell. What a
//! player would overlook is overlooked: unknown tags and attributes, dates, ads. What would give a segment another
//! place or number than players give it is refused, with the line it stands on.

mod attributes;
mod edge;
mod generations;
mod lines;
mod media;
mod multivariant;
mod number;
mod scope;
mod segments;

pub(crate) use media::media;
pub(crate) use multivariant::multivariant;
