//! One request: its redirects, its credentials, its deadlines.

use std::future::Future;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{COOKIE, HeaderMap, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response};
use tokio::time::timeout;
use url::Url;

use super::guard::Refusal;
use super::jar::Jar;
use super::{Access, Guard, OriginError};

/// Redirects in a row; browsers stop at 20, real ones at 2 or 3.
const REDIRECTS_MAX: usize = 5;
/// Room reserved on a server's word alone.
const RESERVED_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// How long to wait for what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadlines {
    /// Until the connection stands: a SYN lost twice (1 s, 3 s) and the TLS handshake.
    pub(crate) connect: Duration,
    /// Without a byte. A live segment that stalls so long is too late anyway.
    pub(crate) silence: Duration,
    /// For a whole manifest, redirects included.
    pub(crate) manifest: Duration,
    /// For a whole segment: three times the longest usual one.
    pub(crate) segment: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            silence: Duration::from_secs(5),
            manifest: Duration::from_secs(10),
            segment: Duration::from_secs(30),
        }
    }
}

/// What a request is made with.
pub(super) struct Call<'a> {
    pub(super) client: &'a Client,
    pub(super) guard: &'a Guard,
    pub(super) access: &'a Access,
    pub(super) jar: &'a Jar,
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    /// For the head of the response.
    pub(super) patience: Duration,
}

impl Call<'_> {
    /// The answer after redirects. Every hop is checked before it is asked, and gets credentials only if they are meant
    /// for it; names are checked once more when they are resolved for the connection.
    pub(super) async fn send(&self, url: &Url) -> Result<Response, OriginError> {
        let mut url = url.clone();
        let mut redirects = 0;
        loop {
            self.guard.check(&url)?;
            if self.access.is_resolved_elsewhere() {
                self.guard.check_unresolved(&url)?;
            }
            if !self.access.permits(&url) {
                let host = url.host_str().unwrap_or_default().to_owned();
                return Err(Refusal::NotAllowed(host).into());
            }
            let mut request = self.client.request(self.method.clone(), url.clone());
            request = request.headers(self.headers.clone());
            let own = self.access.headers_for(&url);
            let (cookies, others): (Vec<_>, Vec<_>) = own.iter().partition(|it| it.0 == COOKIE);
            for (name, value) in others {
                request = request.header(name.clone(), value.clone());
            }
            let cookies = cookies.first().map(|(_, value)| value);
            if let Some(cookies) = self.jar.header(&url, cookies) {
                request = request.header(COOKIE, cookies);
            }
            let response = within(self.patience, async { Ok(request.send().await?) }).await?;
            self.jar.learn(&url, response.headers());
            match next_hop(&response) {
                Some(next) if redirects < REDIRECTS_MAX => url = next,
                Some(_) | None => return Ok(response),
            }
            redirects += 1;
        }
    }
}

fn next_hop(response: &Response) -> Option<Url> {
    let is_elsewhere = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = response.headers().get(LOCATION).filter(|_| is_elsewhere)?;
    response.url().join(location.to_str().ok()?).ok()
}

/// A client that follows no redirects by itself.
pub(super) fn client(
    guard: &Guard,
    tls: &rustls::ClientConfig,
    deadlines: Deadlines,
) -> reqwest::ClientBuilder {
    let mut tls = tls.clone();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Client::builder()
        .user_agent(concat!("beekeepr-seeder/", env!("CARGO_PKG_VERSION")))
        .tls_backend_preconfigured(tls)
        .dns_resolver(guard.clone())
        // Only a proxy that the configuration names: the environment's are for people's programs.
        .no_proxy()
        .redirect(Policy::none())
        .connect_timeout(deadlines.connect)
}

/// The whole body, given up when it is too long or stalls.
pub(crate) async fn collect(
    mut response: Response,
    bytes_max: u64,
    silence: Duration,
) -> Result<Bytes, OriginError> {
    let announced = response.content_length().unwrap_or(0);
    if announced > bytes_max {
        return Err(OriginError::TooLong(bytes_max));
    }
    let mut bytes = BytesMut::with_capacity(announced.min(RESERVED_BYTES_MAX) as usize);
    while let Some(chunk) = within(silence, async { Ok(response.chunk().await?) }).await? {
        if bytes.len() as u64 + chunk.len() as u64 > bytes_max {
            return Err(OriginError::TooLong(bytes_max));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

/// An answer in time, or none.
pub(super) async fn within<T>(
    time: Duration,
    answer: impl Future<Output = Result<T, OriginError>>,
) -> Result<T, OriginError> {
    timeout(time, answer)
        .await
        .unwrap_or(Err(OriginError::Timeout))
}
