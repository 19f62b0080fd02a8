//! A stream and the swarms it belongs to.

use std::collections::{HashMap, HashSet};

use beekeepr_model::{
    Generation, InfoHash, StreamKind, StreamProperties, identity, info_hash, swarm_string,
};

use crate::Address;

/// A stream that a manifest lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Its role.
    pub kind: StreamKind,
    /// Its media playlist.
    pub url: Address,
    /// What the manifest says of it, as our own client reads it.
    pub properties: StreamProperties,
    /// PATHWAY-ID: on which of several origins it is (EXT-X-CONTENT-STEERING). Swarms do not depend on it.
    pub pathway: Option<String>,
    /// Its names for each of [`Generation::ALL`]; none for a generation that does not know it for a stream.
    names: [Option<Name>; Generation::ALL.len()],
}

/// A stream's part of its swarms' names, among clients of one generation.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Name {
    kind: StreamKind,
    identity: String,
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
            names: Generation::ALL.map(|generation| {
                let identity = identity(generation, 0, &properties);
                Some(Name { kind, identity })
            }),
            kind,
            url,
            properties,
            pathway: None,
        }
    }

    /// The stream's swarm among clients of one generation; none when they do not know it for a stream. `swarm_id` is
    /// the configured one, or that of the manifest's address ([`beekeepr_model::swarm_id`]).
    #[must_use]
    pub fn info_hash(&self, generation: Generation, swarm_id: &str) -> Option<InfoHash> {
        let Name { kind, identity } = self.names[generation as usize].as_ref()?;
        let text = swarm_string(generation, swarm_id, *kind, identity);
        Some(info_hash(generation, &text))
    }

    /// Whether another has the same name in the swarms of every generation.
    #[must_use]
    pub fn is_named_like(&self, other: &Self) -> bool {
        self.names == other.names
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
    let mut v3 = first_of_each(name_v3(v3), |(described, _)| described.url);
    let mut by_address: HashMap<_, _> = v3
        .iter()
        .map(|(described, name)| (described.url, name.clone()))
        .collect();
    let v2 = first_of_each(v2, |(_, described)| described.url);
    let mut streams: Vec<_> = v2
        .into_iter()
        .map(|(index, described)| {
            let name = |generation| Name {
                kind: described.kind,
                identity: identity(generation, index, &described.properties),
            };
            let names = [
                Some(name(Generation::V2Index)),
                Some(name(Generation::V2)),
                by_address.remove(described.url),
            ];
            described.stream(names)
        })
        .collect();
    v3.retain(|(described, _)| by_address.contains_key(described.url));
    let only_v3 = v3.into_iter();
    streams.extend(only_v3.map(|(described, name)| described.stream([None, None, Some(name)])));
    streams.sort_by_key(|stream| stream.kind == StreamKind::Secondary);
    streams.truncate(streams_max);
    streams
}

/// 5.x leaves out the bitrate, which some packagers change all the time, unless nothing else tells two streams apart.
fn name_v3<'a>(described: Vec<Described<'a>>) -> Vec<(Described<'a>, Name)> {
    let without_bitrate = |it: &Described<'_>| {
        let properties = StreamProperties {
            bitrate: 0,
            ..it.properties.clone()
        };
        (it.kind, identity(Generation::V3, 0, &properties))
    };
    let short: Vec<_> = described.iter().map(without_bitrate).collect();
    let mut count: HashMap<_, usize> = HashMap::new();
    for key in &short {
        *count.entry(key.clone()).or_default() += 1;
    }
    let name = |(it, key): (Described<'a>, (StreamKind, String))| {
        let identity = match count.get(&key) {
            Some(2..) => identity(Generation::V3, 0, &it.properties),
            _ => key.1,
        };
        let kind = it.kind;
        (it, Name { kind, identity })
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
    fn stream(self, names: [Option<Name>; Generation::ALL.len()]) -> Stream {
        Stream {
            kind: self.kind,
            url: self.url.clone(),
            properties: self.properties,
            pathway: self.pathway.cloned(),
            names,
        }
    }
}
