//! HLS playlists (RFC 8216) to our types.

use std::collections::HashSet;

use beekeepr_model::{ByteRange, StreamKind, StreamProperties};
use m3u8_rs::{
    AlternativeMedia, AlternativeMediaType, MasterPlaylist, MediaSegment, VariantStream,
};
use url::Url;

use crate::{
    ManifestError, Media, SEGMENTS_MAX, STREAMS_MAX, Segment, Stream, codecs, stream, text,
};

/// A segment that lasts longer is a mistake of the manifest: one hour.
const SEGMENT_MS_MAX: f32 = 3_600_000.0;

pub(crate) fn streams(text: &str, base: &Url) -> Result<Vec<Stream>, ManifestError> {
    let playlist = m3u8_rs::parse_master_playlist_res(text.as_bytes())
        .map_err(|_| ManifestError::Malformed)?;
    let variants: Vec<_> = playlist
        .variants
        .iter()
        .filter(|it| !it.is_i_frame)
        .collect();
    let mut streams = main_streams(&variants, base)?;
    if streams.is_empty() {
        return Err(ManifestError::NoStreams);
    }
    streams.extend(audio_streams(&playlist, &variants, base)?);
    // One media playlist may be listed for several variants; the first description names its swarm
    // (p2p-media-loader-core 2.3.1, `addStreamIfNoneExists`).
    let mut seen = HashSet::new();
    streams.retain(|stream| seen.insert(stream.url.clone()));
    streams.truncate(STREAMS_MAX);
    stream::compare(&mut streams);
    Ok(streams)
}

fn main_streams(variants: &[&VariantStream], base: &Url) -> Result<Vec<Stream>, ManifestError> {
    variants
        .iter()
        .enumerate()
        .map(|(index, variant)| {
            Ok(Stream {
                kind: StreamKind::Main,
                index,
                url: join(base, &variant.uri)?,
                properties: main_properties(variant),
                bitrate_tells: false,
            })
        })
        .collect()
}

fn main_properties(variant: &VariantStream) -> StreamProperties {
    let pixels = |number: u64| u32::try_from(number).unwrap_or(0);
    let other = variant.other_attributes.as_ref();
    StreamProperties {
        bitrate: match variant.bandwidth {
            0 => variant.average_bandwidth.unwrap_or(0),
            bandwidth => bandwidth,
        },
        codecs: variant
            .codecs
            .as_deref()
            .map(codecs::video)
            .unwrap_or_default(),
        width: variant
            .resolution
            .map_or(0, |resolution| pixels(resolution.width)),
        height: variant
            .resolution
            .map_or(0, |resolution| pixels(resolution.height)),
        frame_rate: variant
            .frame_rate
            .map(|rate| rate.to_string())
            .unwrap_or_default(),
        video_range: other
            .and_then(|attributes| attributes.get("VIDEO-RANGE"))
            .map(|range| range.as_str().to_owned())
            .unwrap_or_default(),
        ..StreamProperties::default()
    }
}

/// Audio renditions with a playlist of their own. Those without count too, as their variant carries them.
fn audio_streams(
    playlist: &MasterPlaylist,
    variants: &[&VariantStream],
    base: &Url,
) -> Result<Vec<Stream>, ManifestError> {
    let renditions: Vec<_> = playlist
        .alternatives
        .iter()
        .filter(|media| media.media_type == AlternativeMediaType::Audio)
        .collect();
    let index_first = usize::from(hlsjs_adds_a_track(&renditions, variants));
    let mut streams = Vec::new();
    for (index, rendition) in renditions.iter().enumerate() {
        let Some(uri) = rendition.uri.as_deref().filter(|uri| !uri.is_empty()) else {
            continue;
        };
        streams.push(Stream {
            kind: StreamKind::Secondary,
            index: index_first + index,
            url: join(base, uri)?,
            properties: audio_properties(rendition, variants),
            bitrate_tells: false,
        });
    }
    Ok(streams)
}

/// hls.js puts a track of its own before the others when all of them have playlists but the first
/// variant carries audio outside of any group (1.7, `playlist-loader.ts`), which moves the indices.
fn hlsjs_adds_a_track(renditions: &[&AlternativeMedia], variants: &[&VariantStream]) -> bool {
    let all_apart = renditions.iter().all(|rendition| rendition.uri.is_some());
    let first = variants.first();
    all_apart && first.is_some_and(|variant| variant.audio.is_none() && carries_audio(variant))
}

fn carries_audio(variant: &VariantStream) -> bool {
    variant
        .codecs
        .as_deref()
        .is_some_and(|codecs| !codecs::audio(codecs).is_empty())
}

fn audio_properties(rendition: &AlternativeMedia, variants: &[&VariantStream]) -> StreamProperties {
    let of_group = |variant: &&&VariantStream| variant.audio.as_ref() == Some(&rendition.group_id);
    let variant = variants.iter().find(of_group).or_else(|| variants.first());
    let codecs = variant.and_then(|variant| variant.codecs.as_deref());
    StreamProperties {
        codecs: codecs.map(codecs::audio).unwrap_or_default(),
        language: rendition.language.clone().unwrap_or_default(),
        channels: rendition.channels.clone().unwrap_or_default(),
        name: rendition.name.clone(),
        ..StreamProperties::default()
    }
}

pub(crate) fn media(text: &str, base: &Url) -> Result<Media, ManifestError> {
    let playlist = m3u8_rs::parse_media_playlist_res(text::without_titles(text).as_bytes())
        .map_err(|_| ManifestError::Malformed)?;
    let mut segments = Vec::with_capacity(playlist.segments.len().min(SEGMENTS_MAX));
    let left_out = playlist.segments.len().saturating_sub(SEGMENTS_MAX);
    let mut range_end = None;
    for (index, listed) in playlist.segments.iter().enumerate() {
        let byte_range = byte_range(listed, range_end.as_ref());
        range_end = byte_range.map(|range| (listed.uri.as_str(), range.end));
        if index >= left_out {
            segments.push(segment(index, listed, byte_range, base)?);
        }
    }
    Ok(Media {
        live: !playlist.end_list,
        target_duration_ms: playlist.target_duration.saturating_mul(1000),
        media_sequence: playlist.media_sequence,
        segments,
    })
}

/// A range without an offset begins where the one before, of the same file, has ended (RFC 8216, 4.3.2.2).
fn byte_range(listed: &MediaSegment, before: Option<&(&str, u64)>) -> Option<ByteRange> {
    let range = listed.byte_range.as_ref()?;
    let follows = before
        .filter(|(uri, _)| *uri == listed.uri)
        .map(|(_, end)| *end);
    let start = range.offset.or(follows).unwrap_or(0);
    Some(ByteRange {
        start,
        end: start.saturating_add(range.length),
    })
}

fn segment(
    index: usize,
    listed: &MediaSegment,
    byte_range: Option<ByteRange>,
    base: &Url,
) -> Result<Segment, ManifestError> {
    Ok(Segment {
        index,
        url: join(base, &listed.uri)?,
        byte_range,
        // A float to integer cast saturates, and takes NaN as 0.
        duration_ms: (listed.duration * 1000.0)
            .round()
            .clamp(0.0, SEGMENT_MS_MAX) as u64,
        discontinuity: listed.discontinuity,
        gap: listed.unknown_tags.iter().any(|tag| tag.tag == "X-GAP"),
    })
}

fn join(base: &Url, uri: &str) -> Result<Url, ManifestError> {
    base.join(uri)
        .map_err(|_| ManifestError::Url(text::quote(uri)))
}
