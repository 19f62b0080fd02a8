//! Reading a channel's manifests again and again.

use std::sync::Arc;
use std::time::Duration;

use beekeepr_playlist::{
    Address, Context, Manifest, Media, Multivariant, Stream, Variables, read_with,
};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc::Sender;
use tokio::time::sleep;
use url::Url;

use super::health::Health;
use crate::metrics::ChannelMetrics;
use crate::origin::{Backoff, Origin, OriginError};

/// Between two looks at a playlist, whatever target duration it names.
const POLL_MIN: Duration = Duration::from_millis(500);
const POLL_MAX: Duration = Duration::from_secs(5);
/// After a failure, doubling up to the longest.
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(30);
/// Failures in a row of one playlist after which the manifest is read again, for its address may
/// have carried a token that has run out.
const FAILURES_MAX: u32 = 3;

/// What a channel's manifests say.
#[derive(Debug)]
pub(crate) enum News {
    /// These are its streams, now and until the next such news, and where the manifest came from.
    Streams(Vec<Stream>, Url),
    /// A stream's playlist, the stream given by its place in [`News::Streams`].
    Playlist(usize, Box<Media>),
}

/// Follows one channel.
pub(crate) struct Follower {
    pub(crate) origin: Origin,
    pub(crate) manifest: Url,
    pub(crate) health: Arc<Health>,
    pub(crate) metrics: ChannelMetrics,
    pub(crate) news: Sender<News>,
    pub(crate) backoff: Backoff,
}

/// Nobody wants the news any more.
#[derive(Debug)]
struct Unwanted;

/// The manifests that are followed.
enum Hls {
    Multivariant(Multivariant),
    Media(Media),
}

/// How following a playlist came to its end.
enum End {
    /// The playlist says that nothing more will come.
    Complete,
    /// It failed too often.
    Lost,
}

impl Follower {
    /// Runs until nobody wants the news any more.
    pub(crate) async fn run(mut self) {
        while self.follow_streams().await.is_ok() {}
    }

    /// Reads the manifest and follows its streams until one of them is lost.
    async fn follow_streams(&mut self) -> Result<(), Unwanted> {
        let (manifest, url) = self.manifest().await;
        let mut variables = Variables::default();
        let playlists: Vec<(Url, Option<Media>)> = match manifest {
            Hls::Multivariant(listed) => {
                variables = listed.variables;
                let with_url = |stream: Stream| Some(((url_of(&stream.url)?, None), stream));
                let (playlists, streams) = listed.streams.into_iter().filter_map(with_url).unzip();
                self.tell(News::Streams(streams, url)).await?;
                playlists
            }
            Hls::Media(media) => {
                let stream = Stream::lone(media.url.clone());
                self.tell(News::Streams(vec![stream], url.clone())).await?;
                vec![(url, Some(media))]
            }
        };
        let urls: Vec<Url> = playlists.iter().map(|(url, _)| url.clone()).collect();
        self.health.keep(&urls);
        let mut running: FuturesUnordered<_> = playlists
            .into_iter()
            .enumerate()
            .map(|(stream, (url, known))| self.follow_playlist(stream, url, known, &variables))
            .collect();
        while let Some(end) = running.next().await {
            match end? {
                End::Complete => {}
                End::Lost => return Ok(()),
            }
        }
        // All is there and stays as it is.
        self.news.closed().await;
        Err(Unwanted)
    }

    /// The manifest, however long it takes.
    async fn manifest(&mut self) -> (Hls, Url) {
        loop {
            let manifest = self.manifest.clone();
            match self.load(&manifest, None).await {
                Ok(loaded) => {
                    self.backoff.reset();
                    return loaded;
                }
                Err(_) => sleep(self.backoff.wait(RETRY_FIRST, RETRY_MAX)).await,
            }
        }
    }

    /// `known` is the playlist when it was read just now.
    async fn follow_playlist(
        &self,
        stream: usize,
        url: Url,
        mut known: Option<Media>,
        variables: &Variables,
    ) -> Result<End, Unwanted> {
        let mut backoff = self.backoff.clone();
        let mut failures = 0;
        loop {
            let outcome = match known.take() {
                Some(media) => Ok(media),
                None => self.playlist(&url, variables).await,
            };
            let wait = match outcome {
                Ok(media) => {
                    failures = 0;
                    backoff.reset();
                    let (live, wait) = (media.live, poll_interval(&media));
                    self.tell(News::Playlist(stream, Box::new(media))).await?;
                    if !live {
                        return Ok(End::Complete);
                    }
                    wait
                }
                Err(_) => {
                    failures += 1;
                    if failures == FAILURES_MAX {
                        // Also the wait before the manifest is read again.
                        sleep(backoff.wait(RETRY_FIRST, RETRY_MAX)).await;
                        return Ok(End::Lost);
                    }
                    backoff.wait(RETRY_FIRST, RETRY_MAX)
                }
            };
            sleep(wait).await;
        }
    }

    async fn playlist(&self, url: &Url, variables: &Variables) -> Result<Media, OriginError> {
        match self.load(url, Some(variables)).await? {
            (Hls::Media(media), _) => Ok(media),
            (Hls::Multivariant(_), url) => {
                let error = OriginError::NotMedia;
                self.health.failed(&url, &error);
                Err(error)
            }
        }
    }

    async fn load(
        &self,
        url: &Url,
        variables: Option<&Variables>,
    ) -> Result<(Hls, Url), OriginError> {
        let outcome = self.load_quietly(url, variables).await;
        match &outcome {
            Ok(_) => self.health.works(url),
            Err(error) => {
                self.metrics.manifest_failures.inc();
                self.health.failed(url, error);
            }
        }
        outcome
    }

    async fn load_quietly(
        &self,
        url: &Url,
        variables: Option<&Variables>,
    ) -> Result<(Hls, Url), OriginError> {
        let text = self.origin.manifest(url).await?;
        let context = Context {
            variables,
            previous: None,
        };
        let manifest = match read_with(&text.bytes, text.url.as_str(), context)? {
            Manifest::Multivariant(multivariant) => Hls::Multivariant(multivariant),
            Manifest::Media(media) => Hls::Media(media),
            Manifest::Dash(_) => return Err(OriginError::Dash),
        };
        Ok((manifest, text.url))
    }

    async fn tell(&self, news: News) -> Result<(), Unwanted> {
        self.news.send(news).await.map_err(|_| Unwanted)
    }
}

/// Half the target duration: a new segment is then known before a viewer that polls as RFC 8216
/// asks (6.3.4) can have read of it and waited for a peer to have it.
fn poll_interval(media: &Media) -> Duration {
    Duration::from_millis(media.target_duration_ms / 2).clamp(POLL_MIN, POLL_MAX)
}

/// A manifest's address in the form that the HTTP client takes. What the manifest's reader takes for an address the
/// other one takes too (`core/playlist/tests/address.rs`); should they ever differ, viewers take it over HTTP.
pub(super) fn url_of(address: &Address) -> Option<Url> {
    Url::parse(address.as_str()).ok()
}
