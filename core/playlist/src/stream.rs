//! A stream and the swarms it belongs to.

use beekeepr_model::{
    Generation, InfoHash, StreamKind, StreamProperties, identity, info_hash, swarm_string,
};
use url::Url;

/// A stream that a manifest lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Its role.
    pub kind: StreamKind,
    /// Its place among all of its kind in the manifest, as p2p-media-loader up to 2.2 counts.
    pub index: usize,
    /// Its media playlist.
    pub url: Url,
    /// What the manifest says of it.
    pub properties: StreamProperties,
    /// Whether only the bitrate tells it from another of its kind. Otherwise 5.x leaves the bitrate out.
    pub bitrate_tells: bool,
}

impl Stream {
    /// The one stream of a media playlist that no manifest lists.
    #[must_use]
    pub fn lone(url: Url) -> Self {
        Self {
            kind: StreamKind::Main,
            index: 0,
            url,
            properties: StreamProperties::default(),
            bitrate_tells: false,
        }
    }

    /// The stream's swarm among clients of one generation. `swarm_id` is the configured one, or the
    /// manifest's URL without its query.
    #[must_use]
    pub fn info_hash(&self, generation: Generation, swarm_id: &str) -> InfoHash {
        let identity = identity(generation, self.index, &self.properties_for(generation));
        info_hash(
            generation,
            &swarm_string(generation, swarm_id, self.kind, &identity),
        )
    }

    fn properties_for(&self, generation: Generation) -> StreamProperties {
        let mut properties = self.properties.clone();
        match generation {
            // hls.js gives a variant without bandwidth no other property that could be trusted
            // (p2p-media-loader-hlsjs 2.3.1, `isMissingMetadata`).
            Generation::V2 if self.kind == StreamKind::Main && properties.bitrate == 0 => {
                StreamProperties::default()
            }
            Generation::V2Index | Generation::V2 => properties,
            Generation::V3 => {
                if !self.bitrate_tells {
                    properties.bitrate = 0;
                }
                properties
            }
        }
    }
}

/// Finds out of which streams only the bitrate tells one from another.
pub(crate) fn compare(streams: &mut [Stream]) {
    let without_bitrate = |stream: &Stream| {
        (
            stream.kind,
            StreamProperties {
                bitrate: 0,
                ..stream.properties.clone()
            },
        )
    };
    let all: Vec<_> = streams.iter().map(without_bitrate).collect();
    for (stream, own) in streams.iter_mut().zip(&all) {
        stream.bitrate_tells = all.iter().filter(|other| *other == own).count() > 1;
    }
}
