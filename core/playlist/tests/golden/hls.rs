//! HLS as we read it.

use beekeepr_model::Generation;
use beekeepr_playlist::{Context, Manifest, Media, Segment, Stream, Variables, read, read_with};

use crate::Seen;
use crate::file::Case;

pub(crate) fn streams(case: &Case, generation: Generation, swarm_id: &str) -> Vec<Seen> {
    match read(&case.manifest(), &case.answered).unwrap() {
        Manifest::Multivariant(it) => {
            let seen = |stream| of_stream(case, stream, &it.variables, generation, swarm_id);
            it.streams.iter().filter_map(seen).collect()
        }
        Manifest::Media(media) => {
            let stream = Stream::lone(media.url.clone());
            let seen = seen(&stream, &media, generation, swarm_id);
            seen.into_iter().collect()
        }
        Manifest::Dash(_) => panic!("{} is no DASH", case.name),
    }
}

fn of_stream(
    case: &Case,
    stream: &Stream,
    variables: &Variables,
    generation: Generation,
    swarm_id: &str,
) -> Option<Seen> {
    stream.info_hash(generation, swarm_id)?;
    let (answered, text) = case.playlist(stream.url.as_str())?;
    let context = Context {
        variables: Some(variables),
        previous: None,
    };
    match read_with(&text, answered, context).unwrap() {
        Manifest::Media(media) => seen(stream, &media, generation, swarm_id),
        other => panic!("a playlist expected, got {other:?}"),
    }
}

fn seen(stream: &Stream, media: &Media, generation: Generation, swarm_id: &str) -> Option<Seen> {
    Some(Seen {
        key: without_fragment(stream.url.as_str()),
        info_hash: stream.info_hash(generation, swarm_id)?,
        segments: media
            .segments
            .iter()
            .map(|it| listed(it, generation))
            .collect(),
    })
}

/// A segment's number, address and bytes.
pub(crate) fn listed(segment: &Segment, generation: Generation) -> (i64, String) {
    let url = without_fragment(segment.url.as_str());
    let url = match segment.byte_range {
        Some(range) => format!("{url}|{}-{}", range.start, range.end - 1),
        None => url,
    };
    (segment.id(generation).0, url)
}

fn without_fragment(address: &str) -> String {
    address.split('#').next().unwrap_or_default().to_owned()
}
