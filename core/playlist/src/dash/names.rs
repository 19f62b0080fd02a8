//! How streams are named among the clients of each generation.

use beekeepr_model::StreamProperties;

use super::Stream;
use super::streams::Found;

/// Gives streams their names among the clients of each generation.
pub(crate) fn name(found: Vec<Found>) -> Vec<Stream> {
    let has_video = found.iter().any(|it| it.is_video);
    // Shaka pairs every video stream with every audio one, and the first pair names the video's swarm.
    let first_audio = found
        .iter()
        .find(|it| !it.is_video)
        .map_or(0, |it| it.bandwidth);
    let with_video = if has_video { first_audio } else { 0 };
    let same_but_bitrate = |one: &Found, other: &Found| {
        let without = |it: &Found| StreamProperties {
            bitrate: 0,
            ..it.v3.clone()
        };
        one.is_video == other.is_video && without(one) == without(other)
    };
    let tells: Vec<_> = found
        .iter()
        .map(|one| {
            found
                .iter()
                .filter(|other| same_but_bitrate(one, other))
                .count()
                > 1
        })
        .collect();
    let mut counts = [0, 0];
    let named = found.into_iter().zip(tells).map(|(mut it, bitrate_tells)| {
        let count = &mut counts[usize::from(it.is_video)];
        let index = *count;
        *count += 1;
        if it.is_video {
            it.v2.bitrate = it.bandwidth.saturating_add(with_video);
        } else if !has_video {
            // The audio of an audio-only presentation goes by its bitrate alone.
            it.v2 = StreamProperties {
                bitrate: it.bandwidth,
                ..StreamProperties::default()
            };
        }
        if it.v2.bitrate == 0 && (it.is_video || !has_video) {
            it.v2 = StreamProperties::default();
        }
        if !bitrate_tells {
            it.v3.bitrate = 0;
        }
        Stream {
            has_video,
            index,
            is_video: it.is_video,
            id: it.id,
            bandwidth: it.bandwidth,
            encrypted: it.encrypted,
            v2: it.v2,
            v3: it.v3,
            parts: it.parts,
        }
    });
    named.collect()
}
