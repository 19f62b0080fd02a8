//! Names on the tracker: of a stream's swarm and of ourselves.

use beekeepr_model::{
    Generation, PEER_ID_PREFIX_VIEWER, PeerId, Random, StreamKind, StreamProperties, identity,
    info_hash, swarm_string,
};
use wasm_bindgen::prelude::wasm_bindgen;

/// A stream's part of its swarm's name among the clients of p2p-media-loader 2.3.x to 4.x and ours:
/// their `Stream.index`. 0 and "" stand for what the manifest does not say, and a bitrate of `NaN` for one that is
/// missing.
#[wasm_bindgen(js_name = streamIdentity)]
#[must_use]
#[expect(
    clippy::too_many_arguments,
    reason = "flat calls keep the generated glue small"
)]
pub fn stream_identity(
    bitrate: f64,
    codecs: &str,
    width: u32,
    height: u32,
    language: &str,
    channels: &str,
    name: &str,
    frame_rate: &str,
    video_range: &str,
) -> String {
    let properties = StreamProperties {
        bitrate: if bitrate.is_nan() {
            StreamProperties::BITRATE_MISSING
        } else {
            bitrate as u64
        },
        codecs: codecs.into(),
        width,
        height,
        language: language.into(),
        channels: channels.into(),
        name: name.into(),
        frame_rate: frame_rate.into(),
        video_range: video_range.into(),
    };
    identity(Generation::V2, 0, &properties)
}

/// The swarm's name on the tracker, 20 characters.
#[wasm_bindgen(js_name = infoHash)]
#[must_use]
pub fn swarm_info_hash(swarm_id: &str, secondary: bool, identity: &str) -> String {
    let kind = if secondary {
        StreamKind::Secondary
    } else {
        StreamKind::Main
    };
    let swarm = swarm_string(Generation::V2, swarm_id, kind, identity);
    info_hash(Generation::V2, &swarm).chars().collect()
}

/// A new peer id, 20 characters that begin with `-BK0001-`. The page makes one for each swarm and
/// keeps it for its whole life.
#[wasm_bindgen(js_name = peerId)]
#[must_use]
pub fn peer_id(seed_high: u32, seed_low: u32) -> String {
    let mut random = Random::new(seed(seed_high, seed_low));
    PeerId::generate(PEER_ID_PREFIX_VIEWER, &mut random)
        .chars()
        .collect()
}

/// JavaScript has no 64-bit integers that cross cheaply.
pub(crate) fn seed(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    // p2p-media-loader 2.3.1 gave this hash for the same variant.
    #[test]
    fn a_stream_meets_p2p_media_loader_2_3() {
        let swarm = "http://127.0.0.1:8000/hls/live.m3u8";
        let identity = stream_identity(1.7e6, "avc1.4d401e", 640, 360, "", "", "", "", "");
        assert_eq!(identity, "Q3n1DOxzvJ28TzhUYVTkmeM+wpg=");
        assert_eq!(
            swarm_info_hash(swarm, false, &identity),
            "hpw5DN1BrHoy/nDyIVbD"
        );
    }

    #[test]
    fn peer_ids_differ_by_seed_and_name_the_client() {
        assert!(peer_id(1, 2).starts_with("-BK0001-"));
        assert_ne!(peer_id(1, 2), peer_id(2, 1));
        assert_eq!(peer_id(1, 2).len(), 20);
    }
}
