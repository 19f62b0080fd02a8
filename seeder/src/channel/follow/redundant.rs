//! HLS variants that stand in for each other (RFC 8216, 6.2.4): the manifest says the same of them, so viewers share their
//! segments anyway. One of their playlists is read at a time, and each segment is looked for beside all of them.

use std::collections::HashMap;

use beekeepr_model::Generation;
use beekeepr_playlist::Media;
use url::Url;

use super::{Track, url_of};

/// Addresses of one stream that are used; real manifests have two.
const PLACES_MAX: usize = 4;

/// Streams that are one, by their places, and where their playlists are, best first.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) streams: Vec<usize>,
    pub(super) urls: Vec<Url>,
}

/// Puts together what is interchangeable. The first generation's clients number variants, so for them it is not; they get
/// the same segments under either number.
pub(super) fn groups(tracks: &[Track], urls: &[Url]) -> Vec<Group> {
    let name = |track: &Track| [Generation::V2, Generation::V3].map(|it| track.info_hash(it, ""));
    let mut known: Vec<([Option<_>; 2], Group)> = Vec::new();
    for (place, (track, url)) in tracks.iter().zip(urls).enumerate() {
        let name = name(track);
        let like = known
            .iter_mut()
            .find(|(other, _)| *other == name && name[0].is_some());
        let group = match like {
            Some((_, group)) => group,
            None => {
                known.push((name, Group::default()));
                match known.last_mut() {
                    Some((_, group)) => group,
                    None => continue,
                }
            }
        };
        group.streams.push(place);
        if group.urls.len() < PLACES_MAX && !group.urls.contains(url) {
            group.urls.push(url.clone());
        }
    }
    known.into_iter().map(|(_, group)| group).collect()
}

/// The same segments beside the other playlists, where they have the same names. A guess costs a request when it is needed
/// and wrong, and nothing otherwise.
pub(super) fn mirrors(media: &Media, from: &Url, others: &[Url]) -> HashMap<u64, Vec<Url>> {
    let (Some(folder), false) = (folder(from), others.is_empty()) else {
        return HashMap::new();
    };
    let beside = |url: &Url| -> Vec<Url> {
        let Some(name) = url.as_str().strip_prefix(folder) else {
            return Vec::new();
        };
        others
            .iter()
            .filter_map(|other| other.join(name).ok())
            .collect()
    };
    let segments = media
        .segments
        .iter()
        .filter_map(|it| Some((it.number, url_of(&it.url)?)));
    let found = segments.map(|(number, url)| (number, beside(&url)));
    found.filter(|(_, places)| !places.is_empty()).collect()
}

/// An address up to its last slash.
fn folder(url: &Url) -> Option<&str> {
    let text = url.as_str();
    let path = &text[..text.find(['?', '#']).unwrap_or(text.len())];
    path.rfind('/').map(|at| &path[..=at])
}

#[cfg(test)]
mod tests {
    use beekeepr_playlist::{Manifest, read};

    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn variants_of_which_the_same_is_said_are_one() {
        let text = "#EXTM3U\n\
            #EXT-X-STREAM-INF:BANDWIDTH=800000,RESOLUTION=640x360\nhttp://a.example/low.m3u8\n\
            #EXT-X-STREAM-INF:BANDWIDTH=1700000,RESOLUTION=1280x720\nhttp://a.example/high.m3u8\n\
            #EXT-X-STREAM-INF:BANDWIDTH=800000,RESOLUTION=640x360\nhttp://b.example/low.m3u8\n";
        let Ok(Manifest::Multivariant(listed)) = read(text.as_bytes(), "http://o.example/m.m3u8")
        else {
            panic!("expected a multivariant playlist");
        };
        let urls: Vec<Url> = listed
            .streams
            .iter()
            .filter_map(|it| url_of(&it.url))
            .collect();
        let tracks: Vec<Track> = listed.streams.into_iter().map(Track::of_hls).collect();
        let seen = groups(&tracks, &urls);
        let streams: Vec<&[usize]> = seen.iter().map(|it| &it.streams[..]).collect();
        assert_eq!(streams, [&[0, 2][..], &[1]]);
        assert_eq!(
            seen[0].urls,
            [
                url("http://a.example/low.m3u8"),
                url("http://b.example/low.m3u8")
            ]
        );
    }

    #[test]
    fn a_segment_is_looked_for_beside_each_playlist() {
        let text = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nseg/1.ts?t=1\n#EXTINF:2,\nhttp://c.example/2.ts\n";
        let from = url("http://a.example/x/low.m3u8?t=/1");
        let Ok(Manifest::Media(media)) = read(text.as_bytes(), from.as_str()) else {
            panic!("expected a media playlist");
        };
        let seen = mirrors(&media, &from, &[url("https://b.example/y/low.m3u8")]);
        assert_eq!(seen[&0], [url("https://b.example/y/seg/1.ts?t=1")]);
        assert_eq!(seen.len(), 1, "what lies elsewhere does so for all");
    }
}
