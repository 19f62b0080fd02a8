//! Reading a channel's manifests again and again.

pub(crate) mod clock;
mod dash;
mod hls;
pub(crate) mod index;
mod redundant;
pub(crate) mod track;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use beekeepr_playlist::{Address, Context, Manifest, Segment, Variables, read_with};
use tokio::sync::Notify;
use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, sleep, sleep_until};
use url::Url;

use super::health::Health;
use crate::config::Renditions;
use crate::metrics::ChannelMetrics;
use crate::origin::{Backoff, Origin, OriginError};

pub(crate) use track::Track;

/// Between two looks at a DASH manifest, however often it asks for them.
const POLL_MIN: Duration = Duration::from_millis(500);
/// After a failure, doubling up to the longest.
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(30);
/// Failures in a row of one playlist after which the manifest is read again, for its address may
/// have carried a token that has run out.
const FAILURES_MAX: u32 = 3;
/// Between two looks at what need not change: whether a live channel has other renditions by now.
const REFRESH: Duration = Duration::from_secs(60);
/// Between two readings that segments asked for whose addresses have run out.
const REREAD_MIN: Duration = Duration::from_secs(5);

/// What a channel's manifests say.
#[derive(Debug)]
pub(crate) enum News {
    /// These are its streams, now and until the next such news, and where the manifest came from.
    Streams(Vec<Track>, Url),
    /// A stream's segments, the stream given by its place in [`News::Streams`].
    Listing(usize, Listing),
}

/// The segments that a manifest lists of one stream.
#[derive(Clone, Debug)]
pub(crate) struct Listing {
    /// Whether more will come.
    pub(crate) is_live: bool,
    /// Whether segments' numbers are their times in milliseconds (DASH).
    pub(crate) is_timed: bool,
    /// When their time 0 was, in milliseconds since 1970 UTC, if that is known.
    pub(crate) origin_ms: Option<i64>,
    pub(crate) segments: Vec<Segment>,
    /// Further addresses of segments, by their numbers.
    pub(crate) mirrors: HashMap<u64, Vec<Url>>,
}

impl Listing {
    /// When a segment was complete, in milliseconds since 1970 UTC, as far as the manifest says so.
    pub(crate) fn published_ms(&self, segment: &Segment) -> Option<i64> {
        let of_time = || {
            let start_ms = i64::try_from(segment.number).ok()?;
            Some(
                self.origin_ms
                    .filter(|_| self.is_timed)?
                    .saturating_add(start_ms),
            )
        };
        let start_ms = segment.hls.program_ms.or_else(of_time)?;
        Some(start_ms.saturating_add_unsigned(segment.duration_ms))
    }

    /// How many segments begin within so much time from the first.
    pub(crate) fn begun_within(&self, time_ms: u64) -> u32 {
        let mut elapsed_ms: u64 = 0;
        let begun = self.segments.iter().take_while(|segment| {
            let is_within = elapsed_ms < time_ms;
            elapsed_ms = elapsed_ms.saturating_add(segment.duration_ms);
            is_within
        });
        u32::try_from(begun.count()).unwrap_or(u32::MAX)
    }
}

/// Follows one channel.
pub(crate) struct Follower {
    pub(crate) origin: Origin,
    pub(crate) manifest: Url,
    pub(crate) renditions: Renditions,
    pub(crate) health: Arc<Health>,
    pub(crate) metrics: ChannelMetrics,
    pub(crate) news: Sender<News>,
    pub(crate) backoff: Backoff,
    /// Asks for the manifest to be read again, as addresses in it have run out.
    pub(crate) stale: Arc<Notify>,
    /// When that was done last.
    pub(crate) reread_at: Mutex<Option<Instant>>,
}

/// Nobody wants the news any more.
#[derive(Debug)]
struct Unwanted;

/// A manifest, and where it came from.
type Loaded = (Manifest, Url);

impl Follower {
    /// Runs until nobody wants the news any more.
    pub(crate) async fn run(mut self) {
        let mut next = None;
        loop {
            let (manifest, url) = match next.take() {
                Some(loaded) => loaded,
                None => self.manifest().await,
            };
            let end = match manifest {
                Manifest::Dash(presentation) => self.follow_dash(presentation, url).await,
                Manifest::Multivariant(listed) => self.follow_variants(listed, url).await,
                Manifest::Media(media) => self.follow_media(media, url).await,
            };
            match end {
                Ok(loaded) => next = loaded,
                Err(Unwanted) => return,
            }
        }
    }

    /// The manifest, however long it takes.
    async fn manifest(&mut self) -> Loaded {
        loop {
            let manifest = self.manifest.clone();
            match self.load(&manifest, None, Duration::ZERO).await {
                Ok(loaded) => {
                    self.backoff.reset();
                    return loaded;
                }
                Err(_) => sleep(self.backoff.wait(RETRY_FIRST, RETRY_MAX)).await,
            }
        }
    }

    /// Tells of failures and of their end.
    async fn load(
        &self,
        url: &Url,
        variables: Option<&Variables>,
        held: Duration,
    ) -> Result<Loaded, OriginError> {
        let outcome = self.load_quietly(url, variables, held).await;
        match &outcome {
            Ok(_) => self.health.works(url),
            Err(error) => self.failed(url, error),
        }
        outcome
    }

    fn failed(&self, url: &Url, error: &OriginError) {
        self.metrics.manifest_failures.inc();
        self.metrics.up.set(0);
        self.health.failed(url, error);
    }

    async fn load_quietly(
        &self,
        url: &Url,
        variables: Option<&Variables>,
        held: Duration,
    ) -> Result<Loaded, OriginError> {
        let text = self.origin.manifest(url, held).await?;
        let context = Context {
            variables,
            previous: None,
        };
        let manifest = read_with(&text.bytes, text.url.as_str(), context)?;
        Ok((manifest, text.url))
    }

    /// Tells of the streams that shall be seeded.
    async fn tell_streams(&self, tracks: Vec<Track>, from: &Url) -> Result<(), Unwanted> {
        let from = self.origin.canonical(from);
        self.tell(News::Streams(tracks, from)).await
    }

    async fn tell(&self, news: News) -> Result<(), Unwanted> {
        self.news.send(news).await.map_err(|_| Unwanted)
    }

    /// Returns when addresses have run out, though not soon after the last time.
    async fn is_stale(&self) {
        self.stale.notified().await;
        let last = self.reread_at.lock().ok().and_then(|at| *at);
        if let Some(last) = last {
            sleep_until(last + REREAD_MIN).await;
        }
        if let Ok(mut at) = self.reread_at.lock() {
            *at = Some(Instant::now());
        }
    }
}

/// A manifest's address in the form that the HTTP client takes. What the manifest's reader takes for an address the
/// other one takes too (`core/playlist/tests/address.rs`); should they ever differ, viewers take it over HTTP.
pub(crate) fn url_of(address: &Address) -> Option<Url> {
    Url::parse(address.as_str()).ok()
}
