//! Fetching manifests and segments from the origin.

mod access;
mod error;
mod failover;
mod flight;
mod guard;
mod known;
mod pace;
mod request;
mod retry;
mod source;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use beekeepr_model::{ByteRange, limits};
use beekeepr_playlist::MANIFEST_BYTES_MAX;
use bytes::Bytes;
use futures_util::FutureExt;
use reqwest::header::{ACCESS_CONTROL_ALLOW_ORIGIN, DATE, HeaderMap, HeaderValue, ORIGIN, RANGE};
use reqwest::{Client, Method, Response, StatusCode};
use url::Url;

use self::failover::Failover;
use self::flight::Flights;
use self::known::Known;
use self::pace::Pace;
use self::request::{Call, client, collect, within};
use crate::config::Channel;

pub(crate) use access::Access;
pub(crate) use error::OriginError;
pub(crate) use flight::Flight;
pub(crate) use guard::Guard;
pub(crate) use request::Deadlines;
pub(crate) use retry::Backoff;
pub(crate) use source::Source;

/// Tries for one segment on one server. Those who wait for it ask again later if need be.
const SEGMENT_TRIES_MAX: usize = 3;
/// Tries for one segment in all.
const TRIES_MAX: usize = 8;
/// Between tries for a segment.
const SEGMENT_RETRY: Duration = Duration::from_millis(250);
const SEGMENT_RETRY_MAX: Duration = Duration::from_secs(5);

/// The engine gives a fetch up after this. It must not come before our own limits in the usual case: the tries of a
/// segment and the time between them. Of more servers than usual the last ones are then tried for later requests.
pub(crate) const FETCH_MS_MAX: u64 = 120_000;

/// A manifest as it came.
#[derive(Clone)]
pub(crate) struct Text {
    pub(crate) bytes: Bytes,
    /// Where it came from in the end, against which its own addresses count.
    pub(crate) url: Url,
}

/// A segment, and how it came.
pub(crate) struct Fetched {
    pub(crate) bytes: Bytes,
    /// Whether it was fetched for this request, rather than for another one.
    pub(crate) is_first: bool,
}

/// How a server answers a page that asks for the first byte of a file.
pub(crate) struct Manners {
    pub(crate) status: u16,
    /// Whether pages of other sites may read it (Access-Control-Allow-Origin).
    pub(crate) is_for_pages: bool,
}

/// What all channels share.
struct Shared {
    guard: Guard,
    deadlines: Deadlines,
    manifests: Client,
    segments: Client,
    flights: Flights,
}

/// The way to one channel's origins.
#[derive(Clone)]
pub(crate) struct Origin {
    shared: Arc<Shared>,
    access: Arc<Access>,
    failover: Arc<Failover>,
    pace: Arc<Pace>,
    known: Arc<Known>,
}

impl Origin {
    /// For a channel without rules of its own.
    pub(crate) fn new(
        guard: Guard,
        tls: &rustls::ClientConfig,
        deadlines: Deadlines,
    ) -> Result<Self, OriginError> {
        let manifests = client(&guard, tls, deadlines).build()?;
        // Segments are passed on byte for byte, so they must not be unpacked on the way.
        let segments = client(&guard, tls, deadlines).no_gzip().no_brotli();
        Ok(Self {
            shared: Arc::new(Shared {
                guard,
                deadlines,
                manifests,
                segments: segments.build()?,
                flights: Flights::default(),
            }),
            access: Arc::default(),
            failover: Arc::default(),
            pace: Arc::new(Pace::new(0)),
            known: Arc::default(),
        })
    }

    /// The same with a channel's rules.
    pub(crate) fn of_channel(&self, channel: &Channel) -> Self {
        let stand_ins = channel.failover.iter().map(|origin| origin.url().clone());
        Self {
            shared: Arc::clone(&self.shared),
            // The configuration was checked when it was read.
            access: Arc::new(Access::new(channel).unwrap_or_default()),
            failover: Arc::new(Failover::new(channel.manifest.url(), stand_ins)),
            pace: Arc::new(Pace::new(channel.fetch_bps_max)),
            known: Arc::default(),
        }
    }

    /// The address that it has on the channel's first server.
    pub(crate) fn canonical(&self, url: &Url) -> Url {
        self.failover.canonical(url)
    }

    /// A manifest. `held` is how long the server may put off its answer (`_HLS_msn`).
    pub(crate) async fn manifest(&self, url: &Url, held: Duration) -> Result<Text, OriginError> {
        let mut failure = OriginError::Timeout;
        for url in self.failover.candidates(url) {
            let time = self.shared.deadlines.manifest + held;
            match within(time, self.manifest_at(&url, held)).await {
                Ok(text) => {
                    self.failover.answered(&url);
                    return Ok(text);
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    async fn manifest_at(&self, url: &Url, held: Duration) -> Result<Text, OriginError> {
        let headers = self.known.conditions(url);
        let client = &self.shared.manifests;
        let call = self.call(client, Method::GET, headers, held);
        let response = call.send(url).await?;
        if response.status() == StatusCode::NOT_MODIFIED
            && let Some(text) = self.known.text(url)
        {
            return Ok(text);
        }
        if response.status() != StatusCode::OK {
            return Err(OriginError::Status(response.status().as_u16()));
        }
        let marks = known::marks(response.headers());
        let from = response.url().clone();
        let silence = self.shared.deadlines.silence;
        let bytes = collect(response, MANIFEST_BYTES_MAX as u64, silence).await?;
        let text = Text { bytes, url: from };
        self.known.remember(url, marks, &text);
        Ok(text)
    }

    /// A whole segment, after several tries if need be, and its fetch, which others join while it is kept.
    pub(crate) async fn segment(
        &self,
        source: &Arc<Source>,
        backoff: Backoff,
    ) -> (Flight, Result<Fetched, OriginError>) {
        let key = (Arc::clone(source), Arc::clone(&self.access));
        let begin = || {
            let (origin, source) = (self.clone(), Arc::clone(source));
            async move { origin.segment_with_tries(&source, backoff).await }.boxed()
        };
        let (flight, is_first) = self.shared.flights.join(key, begin);
        let outcome = flight.clone().await;
        (flight, outcome.map(|bytes| Fetched { bytes, is_first }))
    }

    async fn segment_with_tries(
        &self,
        source: &Source,
        mut backoff: Backoff,
    ) -> Result<Bytes, OriginError> {
        let mut tries = 0;
        loop {
            // Anew each time: the addresses may have been renewed, and the first server may have changed.
            let places = source.places();
            let places: Vec<Url> = places
                .iter()
                .flat_map(|url| self.failover.candidates(url))
                .collect();
            let tries_max = (places.len() * SEGMENT_TRIES_MAX).min(TRIES_MAX);
            let Some(url) = places.get(tries % places.len().max(1)) else {
                return Err(OriginError::Empty);
            };
            self.pace.turn().await;
            let error = match self.segment_once(url, source.range).await {
                Ok(bytes) => {
                    self.pace.took(bytes.len() as u64);
                    self.failover.answered(url);
                    return Ok(bytes);
                }
                Err(error) => error,
            };
            tries += 1;
            let is_other_place = tries < places.len();
            if is_other_place {
                continue;
            }
            if !error.may_pass() || tries >= tries_max {
                return Err(error);
            }
            tokio::time::sleep(backoff.wait(SEGMENT_RETRY, SEGMENT_RETRY_MAX)).await;
        }
    }

    async fn segment_once(
        &self,
        url: &Url,
        range: Option<ByteRange>,
    ) -> Result<Bytes, OriginError> {
        let time = self.shared.deadlines.segment;
        let bytes_max = limits::SEGMENT_BYTES_MAX;
        within(time, async {
            match range {
                Some(range) if range.start >= range.end => Err(OriginError::Empty),
                Some(range) if range.end - range.start > bytes_max => {
                    Err(OriginError::TooLong(bytes_max))
                }
                Some(range) => {
                    let bytes = self.part(url, range).await?;
                    if bytes.len() as u64 == range.end - range.start {
                        Ok(bytes)
                    } else {
                        Err(OriginError::Range(StatusCode::PARTIAL_CONTENT.as_u16()))
                    }
                }
                None => {
                    let response = self.segment_response(url, HeaderMap::new()).await?;
                    match response.status() {
                        StatusCode::OK => {
                            let silence = self.shared.deadlines.silence;
                            non_empty(collect(response, bytes_max, silence).await?)
                        }
                        status => Err(OriginError::Status(status.as_u16())),
                    }
                }
            }
        })
        .await
    }

    /// Some bytes of a file, or as many of them as it has.
    pub(crate) async fn part(&self, url: &Url, range: ByteRange) -> Result<Bytes, OriginError> {
        let mut headers = HeaderMap::new();
        let asked = format!("bytes={}-{}", range.start, range.end.saturating_sub(1));
        headers.extend(
            HeaderValue::try_from(asked)
                .ok()
                .map(|asked| (RANGE, asked)),
        );
        let response = self.segment_response(url, headers).await?;
        match response.status() {
            StatusCode::PARTIAL_CONTENT => {
                let wanted = range.end.saturating_sub(range.start);
                non_empty(collect(response, wanted, self.shared.deadlines.silence).await?)
            }
            status if status.is_success() => Err(OriginError::Range(status.as_u16())),
            status => Err(OriginError::Status(status.as_u16())),
        }
    }

    /// A short text.
    pub(crate) async fn text(&self, url: &Url, bytes_max: u64) -> Result<Bytes, OriginError> {
        let client = &self.shared.manifests;
        let call = self.call(client, Method::GET, HeaderMap::new(), Duration::ZERO);
        let response = call.send(url).await?;
        match response.status() {
            StatusCode::OK => collect(response, bytes_max, self.shared.deadlines.silence).await,
            status => Err(OriginError::Status(status.as_u16())),
        }
    }

    /// What a server's clock says, in milliseconds since 1970 UTC: to a second, which is all that the header has.
    pub(crate) async fn date_ms(&self, url: &Url) -> Result<i64, OriginError> {
        let client = &self.shared.manifests;
        let call = self.call(client, Method::HEAD, HeaderMap::new(), Duration::ZERO);
        let response = call.send(url).await?;
        let date = response.headers().get(DATE).and_then(|it| it.to_str().ok());
        let date = date.and_then(|text| httpdate::parse_http_date(text).ok());
        let since = date.and_then(|date| date.duration_since(SystemTime::UNIX_EPOCH).ok());
        since
            .and_then(|since| i64::try_from(since.as_millis()).ok())
            .ok_or(OriginError::NoDate)
    }

    /// Asks as a page would that takes up a segment in its middle.
    pub(crate) async fn manners(&self, url: &Url) -> Result<Manners, OriginError> {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, HeaderValue::from_static("bytes=0-0"));
        headers.insert(ORIGIN, HeaderValue::from_static("https://page.example"));
        let response = self.segment_response(url, headers).await?;
        let allowed = response.headers().get(ACCESS_CONTROL_ALLOW_ORIGIN);
        Ok(Manners {
            status: response.status().as_u16(),
            is_for_pages: allowed.is_some(),
        })
    }

    async fn segment_response(
        &self,
        url: &Url,
        headers: HeaderMap,
    ) -> Result<Response, OriginError> {
        let client = &self.shared.segments;
        let call = self.call(client, Method::GET, headers, Duration::ZERO);
        call.send(url).await
    }

    fn call<'a>(
        &'a self,
        client: &'a Client,
        method: Method,
        headers: HeaderMap,
        held: Duration,
    ) -> Call<'a> {
        Call {
            client,
            guard: &self.shared.guard,
            access: &self.access,
            method,
            headers,
            patience: self.shared.deadlines.silence + held,
        }
    }
}

/// An empty segment would end the playback of everybody who takes it.
fn non_empty(bytes: Bytes) -> Result<Bytes, OriginError> {
    if bytes.is_empty() {
        Err(OriginError::Empty)
    } else {
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests;
