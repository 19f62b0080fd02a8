//! What an MPD says of a Representation, as p2p-media-loader's clients see it.
//!
//! Up to 4.x they took it from Shaka (`manifest-parser-decorator.ts`; Shaka 4.16, `dash_parser.js`), 5.x reads the MPD
//! itself (`manifest/dash.ts`, `manifest/properties.ts`).

use std::borrow::Cow;

use beekeepr_model::StreamProperties;

use super::xml::Element;
use super::{language, number, scalar};

/// Prefixes of audio codecs that p2p-media-loader up to 4.x takes out of a video stream's list.
const AUDIO_V2: [&str; 7] = ["mp4a", "ac-3", "ec-3", "ec+3", "opus", "vorb", "flac"];

/// Prefixes of what 5.x takes for video codecs (vhs-utils 4.1, `codecs.js`).
const VIDEO_V3: [&str; 16] = [
    "av1", "av01", "avc1", "avc2", "avc3", "avc4", "avc01", "avc02", "avc03", "avc04", "vp8",
    "vp9", "vp08", "vp09", "hvc1", "hev1",
];

/// More of them.
const VIDEO_V3_OLD: [&str; 2] = ["theora", "mp4v"];

const MPEG_CHANNELS: &str = "23003:3:audio_channel_configuration";

/// A Representation and the AdaptationSet it inherits from.
#[derive(Clone, Copy)]
pub(crate) struct Described<'d, 'a> {
    pub(crate) representation: Element<'d, 'a>,
    pub(crate) set: Element<'d, 'a>,
}

impl Described<'_, '_> {
    pub(crate) fn attribute(self, name: &str) -> String {
        let own = self.representation.attribute(name);
        let value = own.or_else(|| self.set.attribute(name));
        value.map(Cow::into_owned).unwrap_or_default()
    }

    pub(crate) fn bandwidth(self) -> u64 {
        scalar::whole(&self.attribute("bandwidth")).unwrap_or(0)
    }

    /// A video stream up to 4.x. Its bitrate is that of the first variant with it, which the caller adds.
    pub(crate) fn video_v2(self) -> StreamProperties {
        let is_video = |codec: &&str| {
            let codec = codec.to_ascii_lowercase();
            !AUDIO_V2.iter().any(|audio| codec.starts_with(audio))
        };
        StreamProperties {
            codecs: self.codecs(is_video),
            video_range: self.video_range(),
            ..self.video()
        }
    }

    pub(crate) fn video_v3(self) -> StreamProperties {
        let is_video = |codec: &&str| {
            let codec = codec.to_ascii_lowercase();
            let mut known = VIDEO_V3.iter().chain(&VIDEO_V3_OLD);
            known.any(|video| codec.starts_with(video))
        };
        StreamProperties {
            bitrate: self.bandwidth(),
            codecs: self.codecs(is_video),
            ..self.video()
        }
    }

    fn video(self) -> StreamProperties {
        let pixels =
            |name| scalar::whole(&self.attribute(name)).and_then(|it| u32::try_from(it).ok());
        StreamProperties {
            width: pixels("width").unwrap_or(0),
            height: pixels("height").unwrap_or(0),
            frame_rate: scalar::ratio(&self.attribute("frameRate"))
                .map(number::print)
                .unwrap_or_default(),
            ..StreamProperties::default()
        }
    }

    pub(crate) fn audio_v2(self) -> StreamProperties {
        let channels = [self.representation, self.set]
            .into_iter()
            .find_map(channels_v2);
        // Shaka does not replace references in attributes.
        let written =
            |element: Element<'_, '_>, name| element.written(name).unwrap_or_default().to_owned();
        let label = self
            .label_element()
            .unwrap_or_else(|| written(self.set, "label"));
        StreamProperties {
            codecs: self.attribute("codecs"),
            language: language::short(&self.attribute("lang")),
            channels: channels.map(|it| it.to_string()).unwrap_or_default(),
            name: if label.is_empty() {
                written(self.representation, "id")
            } else {
                label
            },
            ..StreamProperties::default()
        }
    }

    /// `language` is that of the group it belongs to.
    pub(crate) fn audio_v3(self, language: String) -> StreamProperties {
        let channels = [self.representation, self.set]
            .into_iter()
            .find_map(channels_v3);
        StreamProperties {
            codecs: self.attribute("codecs"),
            language,
            channels: channels.map(|it| it.to_string()).unwrap_or_default(),
            name: self.attribute("id"),
            ..StreamProperties::default()
        }
    }

    /// The label of the group that mpd-parser puts an audio stream into.
    pub(crate) fn group(self) -> String {
        let (label, language) = (self.label(), self.attribute("lang"));
        let role = self
            .set
            .child("Role")
            .and_then(|role| role.attribute("value"));
        match (label.is_empty(), language.is_empty(), role) {
            (false, _, _) => label,
            (true, true, _) => "main".to_owned(),
            (true, false, Some(role)) => format!("{language} ({role})"),
            (true, false, None) => language,
        }
    }

    fn label(self) -> String {
        self.label_element()
            .unwrap_or_else(|| self.attribute("label"))
    }

    fn label_element(self) -> Option<String> {
        let label = self.set.child("Label")?.text();
        (!label.is_empty()).then(|| label.to_owned())
    }

    fn codecs(self, wanted: impl Fn(&&str) -> bool) -> String {
        let all = self.attribute("codecs");
        let chosen: Vec<_> = all.split(',').map(str::trim).filter(wanted).collect();
        chosen.join(",")
    }

    /// From the transfer characteristics (DASH-IF IOP 4.3, 6.2.5.1), or from the profile for HEVC with PQ.
    fn video_range(self) -> String {
        let range = |property: Element<'_, '_>| {
            let scheme = property.attribute("schemeIdUri")?;
            if scheme != "urn:mpeg:mpegB:cicp:TransferCharacteristics" {
                return None;
            }
            match scalar::whole(&property.attribute("value")?)? {
                1 | 6 | 13 | 14 | 15 => Some("SDR"),
                16 => Some("PQ"),
                18 => Some("HLG"),
                _ => None,
            }
        };
        let properties = |name| self.set.all(name).filter_map(range).last();
        let found = properties("SupplementalProperty").or_else(|| properties("EssentialProperty"));
        found.unwrap_or_default().to_owned()
    }
}

/// The number of channels for 5.x, which knows the MPEG scheme only.
fn channels_v3(element: Element<'_, '_>) -> Option<u64> {
    element
        .all("AudioChannelConfiguration")
        .find_map(|configuration| {
            let scheme = configuration.attribute("schemeIdUri")?;
            let value = scalar::whole(&configuration.attribute("value")?)?;
            (scheme.contains(MPEG_CHANNELS) && value > 0).then_some(value)
        })
}

fn channels_v2(element: Element<'_, '_>) -> Option<u64> {
    element
        .all("AudioChannelConfiguration")
        .find_map(|configuration| {
            let scheme = configuration.attribute("schemeIdUri")?;
            let value = configuration.attribute("value")?;
            let number = scalar::whole(&value);
            let count = match &*scheme {
                "urn:mpeg:dash:outputChannelPositionList:2012" => {
                    Some(value.split_whitespace().count() as u64)
                }
                "urn:mpeg:dash:23003:3:audio_channel_configuration:2011"
                | "urn:dts:dash:audio_channel_configuration:2012" => number,
                "tag:dolby.com,2015:dash:audio_channel_configuration:2015" => {
                    speakers(&value, &DOLBY_2015)
                }
                "tag:dolby.com,2014:dash:audio_channel_configuration:2011"
                | "urn:dolby:dash:audio_channel_configuration:2011" => {
                    speakers(&value, &DOLBY_2011)
                }
                "urn:mpeg:mpegB:cicp:ChannelConfiguration" => CICP
                    .get(usize::try_from(number?).ok()?)
                    .map(|&count| u64::from(count)),
                _ => None,
            };
            count.filter(|&count| count > 0)
        })
}

/// Channels of each bit of ETSI TS 103 190-2, annex G.3, the lowest bit first.
const DOLBY_2015: [u8; 18] = [2, 1, 2, 2, 2, 2, 1, 2, 2, 1, 1, 1, 1, 2, 1, 1, 2, 2];

/// Channels of each bit of Dolby Digital Plus in DASH, the lowest bit first.
const DOLBY_2011: [u8; 16] = [1, 1, 2, 1, 2, 2, 2, 1, 1, 2, 2, 1, 1, 1, 1, 1];

/// Channels of each configuration of ISO/IEC 23091-3.
const CICP: [u8; 21] = [
    0, 1, 2, 3, 4, 5, 6, 8, 2, 3, 4, 7, 8, 24, 8, 12, 10, 12, 14, 12, 14,
];

fn speakers(mask: &str, channels: &[u8]) -> Option<u64> {
    let mask = u64::from_str_radix(mask, 16).ok()?;
    let of_bit = |(bit, &channels): (usize, &u8)| ((mask >> bit) & 1) * u64::from(channels);
    Some(channels.iter().enumerate().map(of_bit).sum())
}
