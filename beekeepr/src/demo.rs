//! The demo channel: an embedded clip, looped as a live HLS stream and offered on demand.

mod clip;
mod live;

pub(crate) use clip::Clip;

/// Where the origin serves the looped clip, relative to the page's root.
pub(crate) const LIVE: &str = "demo/live/master.m3u8";
/// Where the origin serves the clip itself.
pub(crate) const VOD: &str = "demo/vod/master.m3u8";
