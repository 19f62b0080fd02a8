//! What each generation of clients makes of the variants and renditions of a multivariant playlist.
//!
//! Up to p2p-media-loader 4.x clients see what hls.js gives them (1.7.4: `m3u8-parser.ts`, `playlist-loader.ts`;
//! p2p-media-loader-hlsjs 2.3.1: `segment-manager.ts`); 5.x reads the playlist itself, with m3u8-parser 7.2
//! (`manifest/hls.ts`, `manifest/properties.ts`).

use beekeepr_model::{StreamKind, StreamProperties, print_number};

use crate::stream::{self, Described};
use crate::{Address, STREAMS_MAX, Stream, codecs};

/// EXT-X-STREAM-INF with its address. Texts are as written; empty is not given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variant {
    pub(super) url: Address,
    pub(super) bandwidth: Option<u64>,
    pub(super) average_bandwidth: Option<u64>,
    pub(super) codecs: String,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) frame_rate: String,
    pub(super) video_range: String,
    /// The AUDIO group.
    pub(super) audio: Option<String>,
    /// The VIDEO group.
    pub(super) video: Option<String>,
    pub(super) pathway: Option<String>,
}

/// EXT-X-MEDIA of TYPE=AUDIO or TYPE=VIDEO.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rendition {
    pub(super) is_video: bool,
    /// `None` for what its variant carries.
    pub(super) url: Option<Address>,
    pub(super) group: String,
    pub(super) name: String,
    pub(super) language: String,
    pub(super) channels: String,
    pub(super) pathway: Option<String>,
}

/// The streams that any generation knows, main ones first.
pub(super) fn streams(variants: &[Variant], renditions: &[Rendition]) -> Vec<Stream> {
    stream::name(
        v2(variants, renditions),
        v3(variants, renditions),
        STREAMS_MAX,
    )
}

/// Each with its place among those of its kind.
fn v2<'a>(variants: &'a [Variant], renditions: &'a [Rendition]) -> Vec<(usize, Described<'a>)> {
    // hls.js leaves out variants with codecs it does not know, if there are others.
    let known = |variant: &&Variant| codecs::are_known(&variant.codecs);
    let mut levels: Vec<_> = variants.iter().filter(known).collect();
    if levels.is_empty() {
        levels = variants.iter().collect();
    }
    let mut streams: Vec<_> = levels
        .iter()
        .map(|it| it.main(it.properties_v2()))
        .enumerate()
        .collect();
    let audio = || renditions.iter().filter(|it| !it.is_video);
    let first = usize::from(hlsjs_adds_a_track(audio(), &levels));
    // Renditions without a playlist count too.
    for (index, rendition) in audio().enumerate() {
        let of_group = |level: &&&Variant| level.audio.as_ref() == Some(&rendition.group);
        let level = levels.iter().find(of_group).or_else(|| levels.first());
        let properties = StreamProperties {
            codecs: level
                .map(|it| codecs::audio(&it.codecs))
                .unwrap_or_default(),
            language: rendition.language.clone(),
            channels: rendition.channels.clone(),
            name: rendition.name_v2(),
            ..StreamProperties::default()
        };
        let described = rendition.described(StreamKind::Secondary, properties);
        streams.extend(described.map(|it| (first + index, it)));
    }
    streams
}

/// hls.js puts a track of its own before the others when all of them have playlists but the first variant carries audio
/// outside of any group, which moves the indices.
fn hlsjs_adds_a_track<'a>(
    mut audio: impl Iterator<Item = &'a Rendition>,
    levels: &[&Variant],
) -> bool {
    let alone =
        |level: &&Variant| level.audio.is_none() && !codecs::audio(&level.codecs).is_empty();
    levels.first().is_some_and(alone) && audio.all(|rendition| rendition.url.is_some())
}

fn v3<'a>(variants: &'a [Variant], renditions: &'a [Rendition]) -> Vec<Described<'a>> {
    let mut streams: Vec<_> = variants
        .iter()
        .map(|it| it.main(it.properties_v3()))
        .collect();
    for (place, rendition) in renditions.iter().enumerate() {
        // m3u8-parser keeps the last of one name.
        let later = renditions.get(place + 1..).unwrap_or_default();
        if !rendition.is_complete() || later.iter().any(|other| other.replaces(rendition)) {
            continue;
        }
        let in_group =
            |variant: &&Variant| variant.group(rendition.is_video) == Some(&rendition.group);
        let mut group = variants.iter().filter(in_group).peekable();
        let Some(&first) = group.peek() else {
            continue;
        };
        let described = if rendition.is_video {
            let properties = StreamProperties {
                language: rendition.language.clone(),
                name: rendition.name.clone(),
                ..first.properties_v3()
            };
            rendition.described(StreamKind::Main, properties)
        } else {
            let mut codecs = group.map(|variant| codecs::audio_v3(&variant.codecs));
            let properties = StreamProperties {
                codecs: codecs.find(|it| !it.is_empty()).unwrap_or_default(),
                language: rendition.language.clone(),
                channels: rendition.channels.clone(),
                name: rendition.name.clone(),
                ..StreamProperties::default()
            };
            rendition.described(StreamKind::Secondary, properties)
        };
        let is_new = |it: &Described<'_>| streams.iter().all(|known| known.url != it.url);
        if let Some(described) = described.filter(is_new) {
            streams.push(described);
        }
    }
    streams
}

impl Variant {
    fn main(&self, properties: StreamProperties) -> Described<'_> {
        Described {
            kind: StreamKind::Main,
            url: &self.url,
            pathway: self.pathway.as_ref(),
            properties,
        }
    }

    fn group(&self, is_video: bool) -> Option<&String> {
        if is_video {
            self.video.as_ref()
        } else {
            self.audio.as_ref()
        }
    }

    fn properties_v2(&self) -> StreamProperties {
        let bandwidth = self.bandwidth.filter(|&bandwidth| bandwidth > 0);
        let bitrate = bandwidth.or(self.average_bandwidth);
        // With a bitrate of 0 nothing else counts either; without any number it does.
        if bitrate == Some(0) {
            return StreamProperties::default();
        }
        StreamProperties {
            bitrate: bitrate.unwrap_or(StreamProperties::BITRATE_MISSING),
            codecs: codecs::video(&self.codecs),
            width: self.width,
            height: self.height,
            frame_rate: self.frame_rate.clone(),
            video_range: self.video_range.clone(),
            ..StreamProperties::default()
        }
    }

    fn properties_v3(&self) -> StreamProperties {
        StreamProperties {
            bitrate: self.bandwidth.unwrap_or(0),
            codecs: codecs::video_v3(&self.codecs),
            width: self.width,
            height: self.height,
            frame_rate: print_number(&self.frame_rate),
            video_range: self.video_range.clone(),
            ..StreamProperties::default()
        }
    }
}

impl Rendition {
    fn described(&self, kind: StreamKind, properties: StreamProperties) -> Option<Described<'_>> {
        Some(Described {
            kind,
            url: self.url.as_ref()?,
            pathway: self.pathway.as_ref(),
            properties,
        })
    }

    fn name_v2(&self) -> String {
        let name = if self.name.is_empty() {
            &self.language
        } else {
            &self.name
        };
        name.clone()
    }

    /// What m3u8-parser does not pass over.
    fn is_complete(&self) -> bool {
        !self.group.is_empty() && !self.name.is_empty()
    }

    fn replaces(&self, other: &Self) -> bool {
        let key = |it: &Self| (it.is_video, it.group.clone(), it.name.clone());
        self.is_complete() && key(self) == key(other)
    }
}
