//! Fetching manifests and segments from the origin.

mod error;
mod guard;
mod retry;

use std::time::Duration;

use beekeepr_model::{ByteRange, limits};
use beekeepr_playlist::MANIFEST_BYTES_MAX;
use bytes::{Bytes, BytesMut};
use reqwest::header::RANGE;
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response, StatusCode};
use url::Url;

pub(crate) use error::OriginError;
pub(crate) use guard::Guard;
pub(crate) use retry::Backoff;

/// Until the connection stands: a SYN lost twice (1 s, 3 s) and the TLS handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Without a byte. A live segment that stalls so long is too late anyway.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(5);
/// For a whole manifest, redirects included.
const MANIFEST_TIMEOUT: Duration = Duration::from_secs(10);
/// For a whole segment: three times the longest usual one.
const SEGMENT_TIMEOUT: Duration = Duration::from_secs(30);
/// Redirects in a row; browsers stop at 20, real ones at 2 or 3.
const REDIRECTS_MAX: usize = 5;
/// Tries for one segment. Those who wait for it ask again later if need be.
const SEGMENT_TRIES_MAX: u32 = 3;
/// Between tries for a segment.
const SEGMENT_RETRY: Duration = Duration::from_millis(250);
/// Room reserved on a server's word alone.
const RESERVED_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The engine gives a fetch up after this, which must never come before our own limits:
/// all tries of a segment and the time between them.
pub(crate) const FETCH_MS_MAX: u64 = 120_000;

/// Where a segment is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Source {
    pub(crate) url: Url,
    pub(crate) range: Option<ByteRange>,
}

/// A manifest as it came.
pub(crate) struct Text {
    pub(crate) bytes: Bytes,
    /// Where it came from in the end, against which its own addresses count.
    pub(crate) url: Url,
}

/// The way to all origins.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    guard: Guard,
    manifests: Client,
    segments: Client,
}

impl Origin {
    pub(crate) fn new(guard: Guard, tls: &rustls::ClientConfig) -> Result<Self, OriginError> {
        let manifests = client(&guard, tls).timeout(MANIFEST_TIMEOUT).build()?;
        // Segments are passed on byte for byte, so they must not be unpacked on the way.
        let segments = client(&guard, tls)
            .timeout(SEGMENT_TIMEOUT)
            .no_gzip()
            .no_brotli()
            .build()?;
        Ok(Self {
            guard,
            manifests,
            segments,
        })
    }

    pub(crate) async fn manifest(&self, url: &Url) -> Result<Text, OriginError> {
        self.guard.check(url)?;
        let response = self.manifests.get(url.clone()).send().await?;
        if response.status() != StatusCode::OK {
            return Err(OriginError::Status(response.status().as_u16()));
        }
        let url = response.url().clone();
        let bytes = collect(response, MANIFEST_BYTES_MAX as u64).await?;
        Ok(Text { bytes, url })
    }

    /// A whole segment, after several tries if need be.
    pub(crate) async fn segment(
        &self,
        source: &Source,
        mut backoff: Backoff,
    ) -> Result<Bytes, OriginError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.segment_once(source).await {
                Err(error) if error.may_pass() && tries < SEGMENT_TRIES_MAX => {
                    tokio::time::sleep(backoff.wait(SEGMENT_RETRY, SILENCE_TIMEOUT)).await;
                }
                outcome => return outcome,
            }
        }
    }

    async fn segment_once(&self, source: &Source) -> Result<Bytes, OriginError> {
        self.guard.check(&source.url)?;
        let mut request = self.segments.get(source.url.clone());
        if let Some(range) = source.range {
            if range.start >= range.end {
                return Err(OriginError::Empty);
            }
            request = request.header(RANGE, format!("bytes={}-{}", range.start, range.end - 1));
        }
        let response = request.send().await?;
        match (source.range, response.status()) {
            (None, StatusCode::OK) => {
                non_empty(collect(response, limits::SEGMENT_BYTES_MAX).await?)
            }
            (Some(range), StatusCode::PARTIAL_CONTENT) => part(response, range).await,
            (Some(_), status) if status.is_success() => Err(OriginError::Range(status.as_u16())),
            (_, status) => Err(OriginError::Status(status.as_u16())),
        }
    }
}

fn client(guard: &Guard, tls: &rustls::ClientConfig) -> ClientBuilder {
    let redirects = guard.clone();
    let policy = Policy::custom(move |attempt| {
        if attempt.previous().len() > REDIRECTS_MAX {
            return attempt.stop();
        }
        match redirects.check(attempt.url()) {
            Ok(()) => attempt.follow(),
            Err(refusal) => attempt.error(refusal),
        }
    });
    let mut tls = tls.clone();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Client::builder()
        .user_agent(concat!("beekeepr-seeder/", env!("CARGO_PKG_VERSION")))
        .tls_backend_preconfigured(tls)
        .dns_resolver(guard.clone())
        // A proxy would resolve names behind the guard's back.
        .no_proxy()
        .redirect(policy)
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(SILENCE_TIMEOUT)
}

async fn collect(mut response: Response, bytes_max: u64) -> Result<Bytes, OriginError> {
    let announced = response.content_length().unwrap_or(0);
    if announced > bytes_max {
        return Err(OriginError::TooLong(bytes_max));
    }
    let mut bytes = BytesMut::with_capacity(announced.min(RESERVED_BYTES_MAX) as usize);
    while let Some(chunk) = response.chunk().await? {
        if bytes.len() as u64 + chunk.len() as u64 > bytes_max {
            return Err(OriginError::TooLong(bytes_max));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

async fn part(response: Response, range: ByteRange) -> Result<Bytes, OriginError> {
    let status = response.status().as_u16();
    let wanted = range.end - range.start;
    if wanted > limits::SEGMENT_BYTES_MAX {
        return Err(OriginError::TooLong(limits::SEGMENT_BYTES_MAX));
    }
    let bytes = collect(response, wanted).await?;
    if bytes.len() as u64 == wanted {
        non_empty(bytes)
    } else {
        Err(OriginError::Range(status))
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
