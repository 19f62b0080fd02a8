//! Which swarm a stream belongs to, for every generation of clients.
//!
//! p2p-media-loader hashes a stream's description into the swarm's name, and did so in three ways
//! over its versions. Clients of different generations never meet, so whoever wants to reach all
//! of them joins three swarms.

use data_encoding::BASE64;
use md5::Md5;
use sha1::{Digest, Sha1};

use crate::InfoHash;

/// Which role a stream has in its presentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StreamKind {
    /// Video, muxed media, or the audio of an audio-only presentation.
    Main,
    /// An alternate audio rendition.
    Secondary,
}

impl StreamKind {
    /// As written in the swarm's string.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Secondary => "secondary",
        }
    }
}

/// A family of clients that name swarms in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Generation {
    /// p2p-media-loader 1.x to 2.2.x: the stream's index in the manifest, MD5.
    V2Index,
    /// p2p-media-loader 2.3.x to 4.x, and Beekeepr's own client: normalised properties, SHA-1.
    V2,
    /// p2p-media-loader 5.x: properties as written in the manifest, SHA-1.
    V3,
}

impl Generation {
    /// Every generation, newest last.
    pub const ALL: [Self; 3] = [Self::V2Index, Self::V2, Self::V3];

    /// How the swarm's string begins.
    const fn prefix(self) -> &'static str {
        match self {
            Self::V2Index | Self::V2 => "v2",
            Self::V3 => "v3",
        }
    }
}

/// What a manifest says of a stream; empty where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamProperties {
    /// Bits per second: HLS BANDWIDTH, DASH @bandwidth; 0 when not given.
    pub bitrate: u64,
    /// RFC 6381 codecs of this stream's own media, separated by commas.
    pub codecs: String,
    /// Pixels; 0 when not given.
    pub width: u32,
    /// Pixels; 0 when not given.
    pub height: u32,
    /// BCP 47 language.
    pub language: String,
    /// HLS CHANNELS.
    pub channels: String,
    /// HLS NAME of a rendition.
    pub name: String,
    /// Frames per second, as written.
    pub frame_rate: String,
    /// SDR, HLG or PQ.
    pub video_range: String,
}

/// The stream's part of the swarm's name.
///
/// `index` is the stream's place among those of its kind in the manifest; only
/// [`Generation::V2Index`] looks at it, and only the others look at `properties`.
#[must_use]
pub fn identity(generation: Generation, index: usize, properties: &StreamProperties) -> String {
    match generation {
        Generation::V2Index => index.to_string(),
        Generation::V2 => hash_properties(&properties.normalised()),
        Generation::V3 => hash_properties(properties),
    }
}

/// The text that is hashed into the swarm's [`InfoHash`]. `swarm_id` is the configured one, or the
/// manifest's URL without its query.
#[must_use]
pub fn swarm_string(
    generation: Generation,
    swarm_id: &str,
    kind: StreamKind,
    identity: &str,
) -> String {
    format!(
        "{}-{swarm_id}-{}-{identity}",
        generation.prefix(),
        kind.as_str()
    )
}

/// The swarm's name on the tracker: 15 bytes of a digest, whose 20 base64 characters serve as the
/// 20 bytes of the hash.
///
/// MD5 without its first byte for [`Generation::V2Index`], else the first 15 bytes of SHA-1
/// (p2p-media-loader 2.2.2 and 2.3.1, `utils/peer.ts`).
#[must_use]
pub fn info_hash(generation: Generation, swarm_string: &str) -> InfoHash {
    let mut digest = [0u8; 15];
    match generation {
        Generation::V2Index => digest.copy_from_slice(&Md5::digest(swarm_string)[1..]),
        Generation::V2 | Generation::V3 => {
            digest.copy_from_slice(&Sha1::digest(swarm_string)[..15]);
        }
    }
    let mut hash = [0; 20];
    BASE64.encode_mut(&digest, &mut hash);
    InfoHash(hash)
}

fn hash_properties(properties: &StreamProperties) -> String {
    BASE64.encode(&Sha1::digest(properties.joined()))
}

impl StreamProperties {
    /// All fields in p2p-media-loader's order, separated by `-`.
    fn joined(&self) -> String {
        let or_empty = |number: u32| {
            if number == 0 {
                String::new()
            } else {
                number.to_string()
            }
        };
        [
            self.bitrate.to_string(),
            self.codecs.clone(),
            or_empty(self.width),
            or_empty(self.height),
            self.language.clone(),
            self.channels.clone(),
            self.name.clone(),
            self.frame_rate.clone(),
            self.video_range.clone(),
        ]
        .join("-")
    }

    /// The form in which 2.3's `generateStreamShortId` hashes them.
    fn normalised(&self) -> Self {
        Self {
            bitrate: self.bitrate,
            codecs: normalise_codecs(&self.codecs),
            width: self.width,
            height: self.height,
            language: normalise_language(&self.language),
            channels: self
                .channels
                .split('/')
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned(),
            name: self.name.trim().to_lowercase(),
            frame_rate: normalise_number(&self.frame_rate),
            video_range: self.video_range.trim().to_ascii_uppercase(),
        }
    }
}

fn normalise_codecs(codecs: &str) -> String {
    let mut list: Vec<String> = codecs
        .split(',')
        .map(|codec| codec.trim().to_ascii_lowercase())
        .filter(|codec| !codec.is_empty())
        .map(|codec| avc1_to_hex(&codec).unwrap_or(codec))
        .collect();
    list.sort_unstable();
    list.join(",")
}

/// The old decimal form `avc1.66.30` as `avc1.42001e`.
fn avc1_to_hex(codec: &str) -> Option<String> {
    let (profile, level) = codec.strip_prefix("avc1.")?.split_once('.')?;
    let profile: u8 = profile.parse().ok()?;
    let level: u8 = level.parse().ok()?;
    Some(format!("avc1.{profile:02x}00{level:02x}"))
}

fn normalise_language(language: &str) -> String {
    let short: String = language
        .trim()
        .to_ascii_lowercase()
        .chars()
        .take(2)
        .collect();
    // `und` (undetermined) says nothing; cut to two letters it would look like a language.
    if language.trim().eq_ignore_ascii_case("und") {
        String::new()
    } else {
        short
    }
}

/// 30.000 as 30 and 29.970 as 29.97, as JavaScript's `Number` prints them; empty for what is no
/// decimal number. By hand, because reading and printing floating point is 10 KB in the browser.
fn normalise_number(number: &str) -> String {
    let number = number.trim();
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !is_digits(whole) || !is_digits(fraction) {
        return String::new();
    }
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    if fraction.is_empty() {
        whole.to_owned()
    } else {
        [whole, ".", fraction].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SWARM: &str = "http://127.0.0.1:8000/hls/live.m3u8";

    fn variant() -> StreamProperties {
        StreamProperties {
            bitrate: 1_700_000,
            codecs: "avc1.4d401e".into(),
            width: 640,
            height: 360,
            ..StreamProperties::default()
        }
    }

    fn hash_of(generation: Generation, kind: StreamKind, properties: &StreamProperties) -> String {
        let identity = identity(generation, 0, properties);
        info_hash(
            generation,
            &swarm_string(generation, SWARM, kind, &identity),
        )
        .to_string()
    }

    // The expected values below came out of p2p-media-loader's own code, 2.2.2, 2.3.1 and 5.x.
    #[test]
    fn swarms_of_each_generation_match_the_foreign_clients() {
        use Generation::{V2, V2Index, V3};
        use StreamKind::{Main, Secondary};
        assert_eq!(hash_of(V2Index, Main, &variant()), "/Vq0qF1biOpUTBIICV30");
        assert_eq!(
            hash_of(V2Index, Secondary, &variant()),
            "eAYmcwBPIi4P9Znt4KZZ"
        );
        assert_eq!(hash_of(V2, Main, &variant()), "hpw5DN1BrHoy/nDyIVbD");
        let without_bitrate = StreamProperties {
            bitrate: 0,
            ..variant()
        };
        assert_eq!(hash_of(V3, Main, &without_bitrate), "dWzShRMpT2iw023W5NAw");
        assert_eq!(hash_of(V3, Main, &variant()), "QNn4gNSCW4rH2e7yY8A1");
        let audio = StreamProperties {
            codecs: "mp4a.40.2".into(),
            language: "und".into(),
            channels: "2".into(),
            name: "3".into(),
            ..StreamProperties::default()
        };
        assert_eq!(hash_of(V3, Secondary, &audio), "oMy/fPsOkrCk7NaaZ/JP");
    }

    // Golden values of upstream's test/stream-identity.test.ts (5.x).
    #[test]
    fn v3_identities_match_upstreams_golden_values() {
        let full = StreamProperties {
            bitrate: 4_521_000,
            codecs: "avc1.64002a,mp4a.40.2".into(),
            width: 1920,
            height: 1080,
            frame_rate: "29.970".into(),
            video_range: "SDR".into(),
            ..StreamProperties::default()
        };
        assert_eq!(
            identity(Generation::V3, 0, &full),
            "iNz0Nm5CRoj3CPnATwZbzOR36hg="
        );
        let nothing = StreamProperties::default();
        assert_eq!(
            identity(Generation::V3, 0, &nothing),
            "UYnLxGhQilEV4D0HbCx+kRv0ZF0="
        );
    }

    #[test]
    fn v2_ignores_how_a_manifest_happens_to_spell_things() {
        let spelled = |codecs: &str, frame_rate: &str, language: &str| StreamProperties {
            codecs: codecs.into(),
            frame_rate: frame_rate.into(),
            language: language.into(),
            ..variant()
        };
        let same = identity(Generation::V2, 0, &spelled("avc1.42001e,hvc1", "30", "en"));
        let other = identity(
            Generation::V2,
            0,
            &spelled(" HVC1, avc1.66.30", "30.000", "en-US"),
        );
        assert_eq!(same, other);
    }

    #[test]
    fn frame_rates_are_written_as_javascript_prints_them() {
        let cases = [
            ("30.000", "30"),
            ("29.970", "29.97"),
            ("025.5", "25.5"),
            (".5", "0.5"),
            ("0", "0"),
        ];
        for (written, printed) in cases {
            assert_eq!(normalise_number(written), printed, "{written}");
        }
        for nonsense in ["", ".", "-1", "1e3", "NaN", "30 fps"] {
            assert_eq!(normalise_number(nonsense), "", "{nonsense}");
        }
    }
}
