//! A stream's part of its swarms' names.

mod normal;
mod number;

use data_encoding::BASE64;
use sha1::{Digest, Sha1};

use crate::{Generation, IdentityRule};

pub use number::print as print_number;

/// What a manifest says of a stream; empty where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct StreamProperties {
    /// Bits per second: HLS BANDWIDTH, DASH @bandwidth; 0 where none belongs, [`Self::BITRATE_MISSING`] where one should
    /// have been given.
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
/// `index` is the stream's place among those of its kind in the manifest; only [`IdentityRule::Index`] looks at it, and
/// only the others look at `properties`.
#[must_use]
pub fn identity(generation: Generation, index: usize, properties: &StreamProperties) -> String {
    match generation.identity_rule() {
        IdentityRule::Index => index.to_string(),
        IdentityRule::Normalised => hash(&properties.bitrate_of_hlsjs(), &normal::form(properties)),
        IdentityRule::AsWritten => hash(&properties.bitrate_or_none().to_string(), properties),
    }
}

impl StreamProperties {
    /// A variant's bitrate when its manifest gives none, against RFC 8216. hls.js takes that for `NaN`, and the swarm's
    /// name says so up to p2p-media-loader 4.x.
    pub const BITRATE_MISSING: u64 = u64::MAX;

    fn bitrate_of_hlsjs(&self) -> String {
        match self.bitrate {
            Self::BITRATE_MISSING => "NaN".to_owned(),
            bitrate => bitrate.to_string(),
        }
    }

    fn bitrate_or_none(&self) -> u64 {
        match self.bitrate {
            Self::BITRATE_MISSING => 0,
            bitrate => bitrate,
        }
    }
}

/// All fields in p2p-media-loader's order, separated by `-`, as SHA-1 in base64.
fn hash(bitrate: &str, properties: &StreamProperties) -> String {
    let pixels = |number: u32| match number {
        0 => String::new(),
        number => number.to_string(),
    };
    let joined = [
        bitrate,
        &properties.codecs,
        &pixels(properties.width),
        &pixels(properties.height),
        &properties.language,
        &properties.channels,
        &properties.name,
        &properties.frame_rate,
        &properties.video_range,
    ]
    .join("-");
    BASE64.encode(&Sha1::digest(joined))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{StreamKind, info_hash, swarm_string};

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
        let text = swarm_string(generation, SWARM, kind, &identity);
        info_hash(generation, &text).to_string()
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
        let same = spelled("avc1.42001e,hvc1", "30", "en");
        let other = spelled(" HVC1, avc1.66.30", "30.000", "en-US");
        assert_eq!(
            identity(Generation::V2, 0, &same),
            identity(Generation::V2, 0, &other)
        );
    }

    /// What hls.js 1.7.4 and p2p-media-loader 2.3.1 made of `BANDWIDTH=0`: `NaN-avc1.4d401e-320-180----50-`.
    #[test]
    fn a_missing_bitrate_is_not_a_number_to_v2_and_nothing_to_v3() {
        let missing = StreamProperties {
            bitrate: StreamProperties::BITRATE_MISSING,
            codecs: "avc1.4d401e".into(),
            width: 320,
            height: 180,
            frame_rate: "50".into(),
            ..StreamProperties::default()
        };
        assert_eq!(
            identity(Generation::V2, 0, &missing),
            "kVdgJKpPpPlXxUDivQg5AXMx0Qo="
        );
        let none = StreamProperties {
            bitrate: 0,
            ..missing.clone()
        };
        assert_eq!(
            identity(Generation::V3, 0, &missing),
            identity(Generation::V3, 0, &none)
        );
    }
}
