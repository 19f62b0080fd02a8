//! Fetching manifests and segments from the origin.

mod access;
mod clients;
mod error;
mod failover;
mod flight;
mod guard;
mod jar;
mod known;
mod pace;
mod request;
mod retry;
mod source;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use beekeepr_model::{ByteRange, limits};
use beekeepr_playlist::MANIFEST_BYTES_MAX;
use bytes::Bytes;
use futures_util::FutureExt;
use reqwest::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, DATE, HeaderMap, HeaderName, HeaderValue, LAST_MODIFIED, ORIGIN,
    RANGE,
};
use reqwest::{Client, Method, Response, StatusCode};
use url::Url;

use self::clients::{Clients, Ways};
use self::failover::Failover;
use self::flight::Flights;
use self::jar::Jar;
use self::known::Known;
use self::pace::Pace;
use self::request::{Call, within};
use crate::config::{Channel, Proxy};

pub(crate) use access::Access;
pub(crate) use error::OriginError;
pub(crate) use flight::Flight;
pub(crate) use guard::Guard;
pub(crate) use request::{Deadlines, collect};
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
    /// Whether it was fetched for this request, rather than for another one or in an earlier life of the process.
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
    ways: Ways,
    flights: Flights,
}

/// The way to one channel's origins.
#[derive(Clone)]
pub(crate) struct Origin {
    shared: Arc<Shared>,
    /// The way that channels go which do not name another.
    proxy: Proxy,
    /// Those of the channel's way; why there are none.
    clients: Result<Arc<Clients>, OriginError>,
    access: Arc<Access>,
    jar: Arc<Jar>,
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
        let ways = Ways::new(tls.clone());
        let clients = ways.clients(&Proxy::None, &guard, deadlines)?;
        Ok(Self {
            shared: Arc::new(Shared {
                guard,
                deadlines,
                ways,
                flights: Flights::default(),
            }),
            proxy: Proxy::None,
            clients: Ok(clients),
            access: Arc::default(),
            jar: Arc::default(),
            failover: Arc::default(),
            pace: Arc::new(Pace::new(0)),
            known: Arc::default(),
        })
    }

    /// The same over a proxy.
    pub(crate) fn over(self, proxy: &Proxy) -> Result<Self, OriginError> {
        let (guard, deadlines) = (&self.shared.guard, self.shared.deadlines);
        let clients = self.shared.ways.clients(proxy, guard, deadlines)?;
        Ok(Self {
            proxy: proxy.clone(),
            clients: Ok(clients),
            ..self
        })
    }

    /// The same with a channel's rules.
    pub(crate) fn of_channel(&self, channel: &Channel) -> Self {
        let stand_ins = channel.failover.iter().map(|origin| origin.url().clone());
        // The configuration was checked when it was read.
        let access = Access::new(channel).unwrap_or_default();
        let access = access.over(channel, &self.proxy);
        let (guard, deadlines) = (&self.shared.guard, self.shared.deadlines);
        Self {
            shared: Arc::clone(&self.shared),
            proxy: self.proxy.clone(),
            clients: self.shared.ways.clients(access.proxy(), guard, deadlines),
            access: Arc::new(access),
            jar: Arc::default(),
            failover: Arc::new(Failover::new(channel.manifest.url(), stand_ins)),
            pace: Arc::new(Pace::new(channel.fetch_bps_max)),
            known: Arc::default(),
        }
    }

    /// With which credentials, and from where.
    pub(crate) fn access(&self) -> &Arc<Access> {
        &self.access
    }

    /// Whether the channel may fetch from there, as far as the address alone tells.
    pub(crate) fn permits(&self, url: &Url) -> bool {
        self.access.permits(url) && self.shared.guard.check(url).is_ok()
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
        let client = &self.clients()?.manifests;
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

    /// A whole segment, from where it is `stored` or after several tries if need be, and its fetch, which others join
    /// while it is kept.
    pub(crate) async fn segment(
        &self,
        source: &Arc<Source>,
        backoff: Backoff,
        stored: impl Future<Output = Option<Bytes>> + Send + 'static,
    ) -> (Flight, Result<Fetched, OriginError>) {
        let key = (Arc::clone(source), Arc::clone(&self.access));
        let was_stored = Arc::new(AtomicBool::new(false));
        let begin = || {
            let (origin, source) = (self.clone(), Arc::clone(source));
            let was_stored = Arc::clone(&was_stored);
            let fetch = async move {
                match stored.await {
                    Some(bytes) => {
                        was_stored.store(true, Ordering::Relaxed);
                        Ok(bytes)
                    }
                    None => origin.segment_with_tries(&source, backoff).await,
                }
            };
            fetch.boxed()
        };
        let (flight, began) = self.shared.flights.join(key, begin);
        let outcome = flight.clone().await;
        let is_first = began && !was_stored.load(Ordering::Relaxed);
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
            let error = match self.segment_once(url, source).await {
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

    async fn segment_once(&self, url: &Url, source: &Source) -> Result<Bytes, OriginError> {
        let time = self.shared.deadlines.segment;
        let bytes_max = limits::SEGMENT_BYTES_MAX;
        within(time, async {
            match source.range {
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
                    if let Some(at_ms) = date_ms(&response, LAST_MODIFIED) {
                        source.was_published(at_ms);
                    }
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
        let client = &self.clients()?.manifests;
        let call = self.call(client, Method::GET, HeaderMap::new(), Duration::ZERO);
        let response = call.send(url).await?;
        match response.status() {
            StatusCode::OK => collect(response, bytes_max, self.shared.deadlines.silence).await,
            status => Err(OriginError::Status(status.as_u16())),
        }
    }

    /// What a server's clock says, in milliseconds since 1970 UTC: to a second, which is all that the header has.
    pub(crate) async fn date_ms(&self, url: &Url) -> Result<i64, OriginError> {
        let client = &self.clients()?.manifests;
        let call = self.call(client, Method::HEAD, HeaderMap::new(), Duration::ZERO);
        let response = call.send(url).await?;
        date_ms(&response, DATE).ok_or(OriginError::NoDate)
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
        let client = &self.clients()?.segments;
        let call = self.call(client, Method::GET, headers, Duration::ZERO);
        call.send(url).await
    }

    fn clients(&self) -> Result<&Clients, OriginError> {
        match &self.clients {
            Ok(clients) => Ok(clients),
            Err(error) => Err(error.clone()),
        }
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
            jar: &self.jar,
            method,
            headers,
            patience: self.shared.deadlines.silence + held,
        }
    }
}

/// The time in a header, in milliseconds since 1970 UTC.
fn date_ms(response: &Response, name: HeaderName) -> Option<i64> {
    let text = response.headers().get(name)?.to_str().ok()?;
    let date = httpdate::parse_http_date(text).ok()?;
    let since = date.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
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
