//! Whether channels suit: what an operator can be told before viewers find out.

use std::collections::HashMap;
use std::time::Duration;

use beekeepr_playlist::{Context, Manifest, Multivariant, Segment, Variables, dash, read_with};
use futures_util::stream::{self, StreamExt};
use tokio::time::timeout;
use url::Url;

use crate::StartError;
use crate::channel::follow::clock::Wall;
use crate::channel::follow::index::read_index;
use crate::channel::follow::track::{Track, chosen};
use crate::channel::follow::url_of;
use crate::config::{Channel, Config, without_query};
use crate::origin::{Deadlines, Guard, Origin, OriginError};
use crate::tls;

/// Channels looked at together.
const CHANNELS_AT_ONCE: usize = 8;
/// For one channel: a manifest, a playlist and a segment, each of which may take its time.
const CHANNEL_TIMEOUT: Duration = Duration::from_secs(60);
/// Longer segments are all urgent when a viewer asks for them: p2p-media-loader takes what plays within 15 s over HTTP.
const SEGMENT_MS_MAX: u64 = 10_000;
/// Shorter ones cost more in announcements and requests than they bring. DASH clients up to p2p-media-loader 4.x cannot
/// tell segments apart that begin within the same half second.
const SEGMENT_MS_MIN: u64 = 1_000;
/// A live window that holds those 15 s and a segment that viewers can give each other.
const WINDOW_MS_MIN: u64 = 20_000;

/// What was found of one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its name.
    pub channel: String,
    /// Whether it can be seeded at all.
    pub is_readable: bool,
    /// What there is, in one line; the reason if it cannot be read.
    pub summary: String,
    /// What is unsuitable: what was seen, what was expected, what to try.
    pub problems: Vec<String>,
}

/// A stream's segments.
struct Listed {
    is_live: bool,
    segments: Vec<Segment>,
}

/// Looks at every channel, with its own credentials and under the same rules as when it is seeded.
///
/// # Errors
/// The configuration contradicts itself, or HTTPS cannot be set up. Channels that cannot be read are none.
pub async fn channels(config: &Config) -> Result<Vec<Report>, StartError> {
    config.check_channels()?;
    let failed = |error: String| StartError::Client(error);
    let tls = tls::client_config().map_err(|error| failed(error.to_string()))?;
    let guard = Guard::new(config.any_origin(), &config.private_origins);
    let origin = Origin::new(guard, &tls, Deadlines::default());
    let origin = origin.map_err(|error| failed(error.to_string()))?;
    let reports = stream::iter(&config.channels).map(|it| report(it, origin.of_channel(it)));
    Ok(reports.buffered(CHANNELS_AT_ONCE).collect().await)
}

async fn report(channel: &Channel, origin: Origin) -> Report {
    let looked = timeout(CHANNEL_TIMEOUT, look(channel, &origin)).await;
    let (is_readable, summary, problems) = match looked.unwrap_or(Err(OriginError::Timeout)) {
        Ok((summary, problems)) => (true, summary, problems),
        Err(error) => (false, error.to_string(), Vec::new()),
    };
    Report {
        channel: channel.name.clone(),
        is_readable,
        summary,
        problems,
    }
}

async fn look(channel: &Channel, origin: &Origin) -> Result<(String, Vec<String>), OriginError> {
    let mut problems = Vec::new();
    let url = channel.manifest.url();
    let text = origin.manifest(url, Duration::ZERO).await?;
    let manifest = read_with(&text.bytes, text.url.as_str(), Context::default())?;
    problems.extend(redirected(channel, &origin.canonical(&text.url)));
    let (kind, streams, listed) = match &manifest {
        Manifest::Multivariant(listed) => {
            let (streams, url) = first_playlist(channel, listed)?;
            let media = media(origin, &url, &listed.variables).await?;
            let again = self::media(origin, &url, &listed.variables).await?;
            problems.extend(unstable(&media.segments, &again.segments));
            ("HLS", streams, media)
        }
        Manifest::Media(_) => {
            let none = Variables::default();
            let media = media(origin, url, &none).await?;
            let again = self::media(origin, url, &none).await?;
            problems.extend(unstable(&media.segments, &again.segments));
            ("HLS", 1, media)
        }
        Manifest::Dash(presentation) => {
            let tracks: Vec<Track> = presentation.streams.iter().map(Track::of_dash).collect();
            let is_chosen = chosen(&channel.renditions, &tracks)?;
            let streams = is_chosen.iter().filter(|it| **it).count();
            let first = is_chosen.iter().position(|it| *it).unwrap_or(0);
            (
                "DASH",
                streams,
                dash_segments(origin, presentation, first).await?,
            )
        }
    };
    problems.extend(lengths(&listed));
    problems.extend(manners(origin, &text.url, &listed).await);
    let age = if listed.is_live { "live" } else { "on demand" };
    let count = listed.segments.len();
    let summary =
        format!("{kind}, {age}, streams to seed: {streams}, segments in the first: {count}");
    Ok((summary, problems))
}

/// How many streams are to be seeded, and the first one's playlist.
fn first_playlist(channel: &Channel, listed: &Multivariant) -> Result<(usize, Url), OriginError> {
    let tracks = listed.streams.iter().cloned().map(Track::of_hls);
    let is_chosen = chosen(&channel.renditions, &tracks.collect::<Vec<_>>())?;
    let pairs = listed.streams.iter().zip(is_chosen);
    let seeded = pairs.filter(|(_, is_chosen)| *is_chosen);
    let urls: Vec<Url> = seeded
        .filter_map(|(stream, _)| url_of(&stream.url))
        .collect();
    let first = urls.first().cloned().ok_or(OriginError::Empty)?;
    Ok((urls.len(), first))
}

async fn media(origin: &Origin, url: &Url, variables: &Variables) -> Result<Listed, OriginError> {
    let text = origin.manifest(url, Duration::ZERO).await?;
    let context = Context {
        variables: Some(variables),
        previous: None,
    };
    match read_with(&text.bytes, text.url.as_str(), context)? {
        Manifest::Media(media) => Ok(Listed {
            is_live: media.live,
            segments: media.segments,
        }),
        Manifest::Multivariant(_) | Manifest::Dash(_) => Err(OriginError::NotMedia),
    }
}

async fn dash_segments(
    origin: &Origin,
    presentation: &dash::Presentation,
    stream: usize,
) -> Result<Listed, OriginError> {
    let mut wall = Wall::default();
    wall.learn(origin, &presentation.clocks).await;
    let mut segments = Vec::new();
    if let Some(stream) = presentation.streams.get(stream) {
        segments = presentation.segments(stream, wall.now_ms(), 0);
        for index in stream.indexes().iter().take(1) {
            if let Some(url) = url_of(&index.url) {
                segments.extend(read_index(origin, &url, index).await?);
            }
        }
    }
    Ok(Listed {
        is_live: presentation.live,
        segments,
    })
}

fn redirected(channel: &Channel, answered: &Url) -> Option<String> {
    let asked = channel.manifest.without_query();
    let is_elsewhere = without_query(answered) != asked;
    (is_elsewhere && channel.swarm_id.is_none()).then(|| {
        format!(
            "the manifest is redirected to {}, and some viewers name their swarm by that; set \
             swarm_id here and in the pages",
            without_query(answered)
        )
    })
}

/// The same segment under another file name at each reading looks like an origin that starts over all the time.
fn unstable(first: &[Segment], again: &[Segment]) -> Option<String> {
    let name = |segment: &Segment| {
        let url = url_of(&segment.url).map(|url| without_query(&url));
        url.and_then(|url| url.rsplit('/').next().map(str::to_owned))
    };
    let known: HashMap<u64, _> = first.iter().map(|it| (it.number, name(it))).collect();
    let mut others = again.iter().filter(|segment| {
        let before = known.get(&segment.number);
        before.is_some_and(|before| *before != name(segment))
    });
    others.next().map(|segment| {
        format!(
            "segment {} has another file name at each reading, expected one that stays; have the \
             packager or the CDN keep names, tokens belong in the query",
            segment.number
        )
    })
}

fn lengths(listed: &Listed) -> Vec<String> {
    let mut problems = Vec::new();
    let lengths = || listed.segments.iter().map(|segment| segment.duration_ms);
    let Some(longest) = lengths().max() else {
        return vec!["there are no segments yet; check that the packager runs".to_owned()];
    };
    if longest > SEGMENT_MS_MAX {
        problems.push(format!(
            "a segment lasts {}, expected at most {}, best 2 to 6 s: viewers take what plays soon \
             over HTTP; shorten the packager's segments",
            seconds(longest),
            seconds(SEGMENT_MS_MAX)
        ));
    }
    // The last one of a stream on demand is what is left.
    let shortest = if listed.is_live {
        lengths().min()
    } else {
        lengths().rev().skip(1).min()
    };
    if let Some(shortest) = shortest.filter(|it| *it < SEGMENT_MS_MIN) {
        problems.push(format!(
            "a segment lasts {}, expected {} or more; lengthen the packager's segments",
            seconds(shortest),
            seconds(SEGMENT_MS_MIN)
        ));
    }
    let window: u64 = lengths().sum();
    if listed.is_live && window < WINDOW_MS_MIN {
        problems.push(format!(
            "the live window has {}, expected {} or more: nearer to the edge viewers have no time \
             for peers; lengthen the packager's window",
            seconds(window),
            seconds(WINDOW_MS_MIN)
        ));
    }
    problems
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03} s", ms / 1_000, ms % 1_000)
}

/// What viewers' browsers need of the servers, on a manifest and its newest segment.
async fn manners(origin: &Origin, manifest: &Url, listed: &Listed) -> Vec<String> {
    let mut problems = Vec::new();
    let is_closed = "has no Access-Control-Allow-Origin; pages of other sites cannot play it, have the server send it";
    match origin.manners(manifest).await {
        Ok(manners) if !manners.is_for_pages => {
            problems.push(format!("the manifest {is_closed}"));
        }
        Ok(_) | Err(_) => {}
    }
    let loadable = listed.segments.iter().rev().find(|segment| !segment.gap);
    let Some(url) = loadable.and_then(|segment| url_of(&segment.url)) else {
        return problems;
    };
    match origin.manners(&url).await {
        Err(error) => problems.push(format!("the newest segment: {error}")),
        Ok(manners) if !matches!(manners.status, 200 | 206) => {
            let error = OriginError::Status(manners.status);
            problems.push(format!("the newest segment: {error}"));
        }
        Ok(manners) => {
            if manners.status == 200 {
                problems.push(
                    "segments cannot be had in parts (Range), expected 206: viewers cannot \
                     complete over HTTP what a peer began; have the server serve ranges"
                        .to_owned(),
                );
            }
            if !manners.is_for_pages {
                problems.push(format!("a segment {is_closed}"));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests;
