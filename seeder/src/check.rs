//! Whether channels suit: what an operator can be told before viewers find out.

mod listed;
mod manners;

use std::time::Duration;

use beekeepr_playlist::{Context, Manifest, Multivariant, Variables, dash, read_with};
use futures_util::stream::{self, StreamExt};
use serde::Serialize;
use tokio::time::timeout;
use url::Url;

use self::listed::{Listed, unstable};
use self::manners::manners;
use crate::StartError;
use crate::channel::follow::clock::Wall;
use crate::channel::follow::index::read_index;
use crate::channel::follow::track::{Track, chosen};
use crate::channel::follow::url_of;
use crate::config::{Channel, Config, check_names, without_query};
use crate::origin::{Deadlines, Guard, Origin, OriginError};
use crate::tls;

/// Channels looked at together.
const CHANNELS_AT_ONCE: usize = 8;
/// For one channel: a manifest, playlists and a segment, each of which may take its time.
const CHANNEL_TIMEOUT: Duration = Duration::from_secs(60);
/// Playlists of one channel that are read together, beside those of other channels.
const PLAYLISTS_AT_ONCE: usize = 4;

/// What was found of one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Its name.
    pub channel: String,
    /// Whether it can be seeded at all.
    pub is_readable: bool,
    /// What there is, in one line; the reason if it cannot be read.
    pub summary: String,
    /// What is unsuitable: what was seen, what was expected, what to try.
    pub problems: Vec<String>,
    /// What is good to know and no fault.
    pub notes: Vec<String>,
}

/// Looks at every channel, with its own credentials and under the same rules as when it is seeded.
///
/// # Errors
/// The configuration contradicts itself, or HTTPS cannot be set up. Channels that cannot be read are none.
pub async fn channels(config: &Config) -> Result<Vec<Report>, StartError> {
    check_names(&config.channels)?;
    config.channels.iter().try_for_each(Channel::check)?;
    let failed = |error: String| StartError::Client(error);
    let tls = tls::client_config().map_err(|error| failed(error.to_string()))?;
    let guard = Guard::new(config.any_origin(), &config.private_origins);
    let origin = Origin::new(guard, &tls, Deadlines::default());
    let origin = origin.and_then(|origin| origin.over(&config.proxy));
    let origin = origin.map_err(|error| failed(error.to_string()))?;
    // As a list: a stream that makes them one by one could not be sent between threads (rust-lang/rust#102211).
    let reports = config.channels.iter();
    let reports: Vec<_> = reports
        .map(|it| report(it, origin.of_channel(it)))
        .collect();
    Ok(stream::iter(reports)
        .buffered(CHANNELS_AT_ONCE)
        .collect()
        .await)
}

async fn report(channel: &Channel, origin: Origin) -> Report {
    let looked = timeout(CHANNEL_TIMEOUT, look(channel, &origin)).await;
    looked
        .unwrap_or(Err(OriginError::Timeout))
        .unwrap_or_else(|error| Report {
            channel: channel.name.clone(),
            is_readable: false,
            summary: error.to_string(),
            problems: Vec::new(),
            notes: Vec::new(),
        })
}

async fn look(channel: &Channel, origin: &Origin) -> Result<Report, OriginError> {
    let url = channel.manifest.url();
    let text = origin.manifest(url, Duration::ZERO).await?;
    let manifest = read_with(&text.bytes, text.url.as_str(), Context::default())?;
    let mut problems = Vec::new();
    problems.extend(redirected(channel, &origin.canonical(&text.url)));
    let (kind, streams, listed) = match &manifest {
        Manifest::Multivariant(listed) => {
            let urls = playlists(channel, listed)?;
            let (first, others) = urls.split_first().ok_or(OriginError::Empty)?;
            let media = twice(origin, first, &listed.variables, &mut problems).await?;
            problems.extend(unread(origin, others, &listed.variables).await);
            ("HLS", urls.len(), media)
        }
        Manifest::Media(_) => {
            let none = Variables::default();
            let media = twice(origin, url, &none, &mut problems).await?;
            ("HLS", 1, media)
        }
        Manifest::Dash(presentation) => {
            let tracks: Vec<Track> = presentation.streams.iter().map(Track::of_dash).collect();
            let is_chosen = chosen(&channel.renditions, &tracks)?;
            let streams = is_chosen.iter().filter(|it| **it).count();
            let first = is_chosen.iter().position(|it| *it).unwrap_or(0);
            let listed = dash_segments(origin, presentation, first).await?;
            ("DASH", streams, listed)
        }
    };
    problems.extend(listed.problems(&text.url));
    problems.extend(manners(origin, &text.url, &listed).await);
    let age = if listed.is_live { "live" } else { "on demand" };
    let count = listed.segments.len();
    Ok(Report {
        channel: channel.name.clone(),
        is_readable: true,
        summary: format!(
            "{kind}, {age}, streams to seed: {streams}, segments in the first: {count}"
        ),
        problems,
        notes: listed.notes,
    })
}

/// A playlist, read again to see whether it names the same segments in the same way.
async fn twice(
    origin: &Origin,
    url: &Url,
    variables: &Variables,
    problems: &mut Vec<String>,
) -> Result<Listed, OriginError> {
    let first = media(origin, url, variables).await?;
    let again = media(origin, url, variables).await?;
    problems.extend(unstable(&first.segments, &again.segments));
    Ok(first)
}

/// The playlists of the streams to be seeded.
fn playlists(channel: &Channel, listed: &Multivariant) -> Result<Vec<Url>, OriginError> {
    let tracks = listed.streams.iter().cloned().map(Track::of_hls);
    let is_chosen = chosen(&channel.renditions, &tracks.collect::<Vec<_>>())?;
    let pairs = listed.streams.iter().zip(is_chosen);
    let seeded = pairs.filter(|(_, is_chosen)| *is_chosen);
    Ok(seeded
        .filter_map(|(stream, _)| url_of(&stream.url))
        .collect())
}

/// Playlists that cannot be read, or have no segments: viewers meet them when they change quality.
async fn unread(origin: &Origin, urls: &[Url], variables: &Variables) -> Vec<String> {
    let look = |url| async move {
        let reason = match media(origin, url, variables).await {
            Ok(listed) if listed.segments.is_empty() => OriginError::Empty.to_string(),
            Ok(_) => return None,
            Err(error) => error.to_string(),
        };
        Some(format!("the playlist {}: {reason}", without_query(url)))
    };
    let looks: Vec<_> = urls.iter().map(look).collect();
    let looked = stream::iter(looks).buffered(PLAYLISTS_AT_ONCE);
    looked.filter_map(|it| async { it }).collect().await
}

async fn media(origin: &Origin, url: &Url, variables: &Variables) -> Result<Listed, OriginError> {
    let text = origin.manifest(url, Duration::ZERO).await?;
    let context = Context {
        variables: Some(variables),
        previous: None,
    };
    match read_with(&text.bytes, text.url.as_str(), context)? {
        Manifest::Media(media) => Ok(Listed::of_hls(media)),
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
    let (mut segments, mut is_indexed) = (Vec::new(), false);
    if let Some(stream) = presentation.streams.get(stream) {
        is_indexed = !stream.indexes().is_empty();
        segments = presentation.segments(stream, wall.now_ms(), 0);
        for index in stream.indexes().iter().take(1) {
            if let Some(url) = url_of(&index.url) {
                segments.extend(read_index(origin, &url, index).await?);
            }
        }
    }
    Ok(Listed::of_dash(presentation, segments, is_indexed))
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

#[cfg(test)]
mod tests;
