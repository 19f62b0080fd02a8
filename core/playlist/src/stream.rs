//! A stream and the swarms it belongs to.

use std::collections::{HashMap, HashSet};

use beekeepr_model::{
    Generation, IdentityRule, InfoHash, StreamKind, StreamProperties, identity, info_hash,
    swarm_string,
};

use crate::Address;

/// A stream that a manifest lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Its role.
    pub kind: StreamKind,
    /// Its media playlist.
    pub url: Address,
    /// What the manifest says of it, as our own client reads it. It names its swarms up to p2p-media-loader 4.x.
    pub properties: StreamProperties,
    /// PATHWAY-ID: on which of several origins it is (EXT-X-CONTENT-STEERING). Swarms do not depend on it.
    pub pathway: Option<String>,
    /// Its place among those of its kind; none for a stream that only p2p-media-loader 5.x knows for one.
    pub index: Option<usize>,
    /// What p2p-media-loader 5.x names it by; none for a stream that it does not know for one.
    pub written: Option<Written>,
}

/// A stream as p2p-media-loader 5.x reads it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Written {
    /// Its role.
    pub kind: StreamKind,
    /// What the manifest says of it; the bitrate is there only where it counts.
    pub properties: StreamProperties,
}

/// A stream as one generation of clients reads a manifest.
#[derive(Clone, Debug)]
pub(crate) struct Described<'a> {
    pub(crate) kind: StreamKind,
    pub(crate) url: &'a Address,
    pub(crate) pathway: Option<&'a String>,
    pub(crate) properties: StreamProperties,
}

impl Stream {
    /// The one stream of a media playlist that no manifest lists: no generation knows anything of it.
    #[must_use]
    pub fn lone(url: Address) -> Self {
        let kind = StreamKind::Main;
        let properties = StreamProperties::default();
        Self {
            kind,
            url,
            properties: properties.clone(),
            pathway: None,
            index: Some(0),
            written: Some(Written { kind, properties }),
        }
    }

    /// The stream's swarm among clients of one generation; none when they do not know it for a stream. `swarm_id` is
    /// the configured one, or that of the manifest's address ([`beekeepr_model::swarm_id`]).
    #[must_use]
    pub fn info_hash(&self, generation: Generation, swarm_id: &str) -> Option<InfoHash> {
        let (kind, identity) = self.name(generation)?;
        let text = swarm_string(generation, swarm_id, kind, &identity);
        Some(info_hash(generation, &text))
    }

    /// Whether another has the same name in the swarms of every generation.
    #[must_use]
    pub fn is_named_like(&self, other: &Self) -> bool {
        let is_same = |generation| self.name(generation) == other.name(generation);
        Generation::ALL.into_iter().all(is_same)
    }

    /// Its part of its swarm's name. Digests are made only when asked for: the browser makes its own.
    fn name(&self, generation: Generation) -> Option<(StreamKind, String)> {
        let (kind, index, properties) = match generation.identity_rule() {
            IdentityRule::Index | IdentityRule::Normalised => {
                (self.kind, self.index?, &self.properties)
            }
            IdentityRule::AsWritten => {
                let written = self.written.as_ref()?;
                (written.kind, 0, &written.properties)
            }
        };
        Some((kind, identity(generation, index, properties)))
    }
}

/// Puts together what the generations make of one manifest. `v2` is with the place among those of its kind. Where
/// several streams have one address, the first names its swarms (p2p-media-loader 2.3.1, `addStreamIfNoneExists`; 5.0,
/// `ManifestRegistry`).
pub(crate) fn name(
    v2: Vec<(usize, Described<'_>)>,
    v3: Vec<Described<'_>>,
    streams_max: usize,
) -> Vec<Stream> {
    let mut v3 = first_of_each(written(v3), |(described, _)| described.url);
    let mut by_address: HashMap<_, _> = v3
        .iter()
        .map(|(described, written)| (described.url, written.clone()))
        .collect();
    let v2 = first_of_each(v2, |(_, described)| described.url);
    let mut streams: Vec<_> = v2
        .into_iter()
        .map(|(index, described)| {
            let written = by_address.remove(described.url);
            described.stream(Some(index), written)
        })
        .collect();
    v3.retain(|(described, _)| by_address.contains_key(described.url));
    let only_v3 = v3.into_iter();
    streams.extend(only_v3.map(|(described, written)| described.stream(None, Some(written))));
    streams.sort_by_key(|stream| stream.kind == StreamKind::Secondary);
    streams.truncate(streams_max);
    streams
}

/// 5.x leaves out the bitrate, which some packagers change all the time, unless nothing else tells two streams apart.
fn written<'a>(described: Vec<Described<'a>>) -> Vec<(Described<'a>, Written)> {
    let without_bitrate = |it: &Described<'_>| Written {
        kind: it.kind,
        properties: StreamProperties {
            bitrate: 0,
            ..it.properties.clone()
        },
    };
    let short: Vec<_> = described.iter().map(without_bitrate).collect();
    let mut count: HashMap<_, usize> = HashMap::new();
    for written in &short {
        *count.entry(written.clone()).or_default() += 1;
    }
    let name = |(it, mut written): (Described<'a>, Written)| {
        if count.get(&written).is_some_and(|&twins| twins > 1) {
            written.properties.bitrate = it.properties.bitrate;
        }
        (it, written)
    };
    described.into_iter().zip(short).map(name).collect()
}

fn first_of_each<'a, T>(all: Vec<T>, address: impl Fn(&T) -> &'a Address) -> Vec<T> {
    let mut seen = HashSet::new();
    let is_first = |it: &T| seen.insert(address(it));
    let mut all = all;
    all.retain(is_first);
    all
}

impl Described<'_> {
    fn stream(self, index: Option<usize>, written: Option<Written>) -> Stream {
        Stream {
            kind: self.kind,
            url: self.url.clone(),
            properties: self.properties,
            pathway: self.pathway.cloned(),
            index,
            written,
        }
    }
}
