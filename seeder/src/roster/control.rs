//! Following control's list of channels (docs/protocol/channels.md): asked with `If-None-Match` and `Prefer: wait`, so that
//! a change is here as soon as control knows of it; asked every half second where the server does not hold its answer.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use beekeepr_service::Shutdown;
use reqwest::header::{ACCEPT, AUTHORIZATION, ETAG, HeaderValue, IF_NONE_MATCH};
use reqwest::{Client, StatusCode, redirect};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::store::DOCUMENT_BYTES_MAX;
use super::{Roster, Source, document, store};
use crate::config::{Channel, ChannelsFrom, without_query};
use crate::origin::{Backoff, collect};
use crate::seed::seed;

/// How long control may put its answer off (RFC 7240, 4.3): below the 60 s after which proxies such as nginx give up.
const WAIT_S: u64 = 30;
/// For an answer beyond that.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two questions to a server that does not hold its answers: a change is followed within a second.
const POLL: Duration = Duration::from_millis(500);
/// After a failure, doubling up to the longest.
const RETRY_FIRST: Duration = Duration::from_millis(500);
const RETRY_MAX: Duration = Duration::from_secs(30);

/// How it stands with control.
#[derive(Debug)]
pub(super) struct State {
    url: String,
    is_followed: bool,
    reason: Option<String>,
}

impl State {
    pub(super) fn json(&self) -> Value {
        let state = match (self.is_followed, &self.reason) {
            (_, Some(_)) => "lost",
            (true, None) => "following",
            (false, None) => "starting",
        };
        json!({ "url": self.url, "state": state, "reason": self.reason })
    }
}

/// Follows control until the shutdown.
pub(crate) async fn follow(
    roster: Roster,
    from: ChannelsFrom,
    tls: Arc<rustls::ClientConfig>,
    shutdown: Shutdown,
) {
    let mut follower = match Follower::new(roster, from, &tls) {
        Ok(follower) => follower,
        Err(error) => return tracing::error!("cannot follow control's channels: {error}"),
    };
    follower.restore();
    tokio::select! {
        () = follower.run() => {}
        () = shutdown.requested() => {}
    }
}

struct Follower {
    roster: Roster,
    from: ChannelsFrom,
    client: Client,
    backoff: Backoff,
    etag: Option<HeaderValue>,
    /// The last list as it came.
    document: Vec<u8>,
    channels: Vec<Channel>,
    is_followed: bool,
    is_lost: bool,
}

impl Follower {
    fn new(roster: Roster, from: ChannelsFrom, tls: &rustls::ClientConfig) -> Result<Self, String> {
        let client = Client::builder()
            .user_agent(concat!("beekeepr-seeder/", env!("CARGO_PKG_VERSION")))
            .tls_backend_preconfigured(tls.clone())
            .no_proxy()
            // The key is for this server and for no other.
            .redirect(redirect::Policy::none())
            .connect_timeout(PATIENCE)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self {
            roster,
            from,
            client,
            backoff: Backoff::new(seed()),
            etag: None,
            document: Vec::new(),
            channels: Vec::new(),
            is_followed: false,
            is_lost: false,
        })
    }

    async fn run(&mut self) {
        self.note(None);
        loop {
            let asked = Instant::now();
            let limit = Duration::from_secs(WAIT_S) + PATIENCE;
            let answer = timeout(limit, self.ask()).await;
            match answer.unwrap_or_else(|_| Err("it did not answer in time".to_owned())) {
                Ok(is_new) => {
                    self.backoff.reset();
                    self.found();
                    if !is_new {
                        sleep_until(asked + POLL).await;
                    }
                }
                Err(error) => {
                    self.lost(&error);
                    sleep(self.backoff.wait(RETRY_FIRST, RETRY_MAX)).await;
                }
            }
        }
    }

    /// Whether there was something new.
    async fn ask(&mut self) -> Result<bool, String> {
        let mut request = self.client.get(self.from.url.url().clone());
        request = request.header(ACCEPT, "application/json");
        if let Some(file) = &self.from.key_file {
            request = request.header(AUTHORIZATION, key(file)?);
        } else if let Some(source) = &self.from.key_source {
            request = request.bearer_auth(source.token());
        }
        if let Some(etag) = &self.etag {
            request = request
                .header(IF_NONE_MATCH, etag.clone())
                .header("prefer", format!("wait={WAIT_S}"));
        }
        let response = request.send().await.map_err(|error| describe(&error))?;
        match response.status() {
            StatusCode::NOT_MODIFIED => return Ok(false),
            StatusCode::OK => {}
            status => {
                return Err(format!(
                    "it answered {}, expected 200; check url and key_file of seeder.channels_from",
                    status.as_u16()
                ));
            }
        }
        let etag = response.headers().get(ETAG).cloned();
        let document = collect(response, DOCUMENT_BYTES_MAX, PATIENCE).await;
        let document = document.map_err(|error| error.to_string())?;
        let is_new = self.document != document;
        if is_new {
            self.take(&document)?;
            self.keep(&document);
        }
        self.etag = etag;
        Ok(is_new)
    }

    fn take(&mut self, document: &[u8]) -> Result<(), String> {
        let config = &self.roster.0.common.config;
        let read = document::read(document, &self.channels, config)?;
        if !read.faults.is_empty() {
            let faults = read.faults.join("; ");
            tracing::warn!("control lists channels that cannot be followed: {faults}");
        }
        self.document = document.to_vec();
        self.channels.clone_from(&read.channels);
        self.roster.set(Source::Control, read.channels);
        Ok(())
    }

    fn keep(&self, document: &[u8]) {
        let Some(path) = &self.from.state_file else {
            return;
        };
        // A few KiB, now and then: no reason for a thread.
        if let Err(error) = store::save(path, document) {
            let path = path.display();
            tracing::warn!("cannot keep control's channels in {path}: {error}");
        }
    }

    /// What was kept counts until control answers.
    fn restore(&mut self) {
        let Some(path) = self.from.state_file.clone() else {
            return;
        };
        let kept = store::load(&path).map_err(|error| error.to_string());
        let taken = kept.and_then(|kept| kept.map_or(Ok(()), |kept| self.take(&kept)));
        if let Err(error) = taken {
            let path = path.display();
            tracing::warn!("cannot use what was kept of control's channels in {path}: {error}");
        }
    }

    fn found(&mut self) {
        if std::mem::take(&mut self.is_lost) {
            tracing::info!("control answers again");
        }
        self.is_followed = true;
        self.note(None);
    }

    /// One line for an outage.
    fn lost(&mut self, error: &str) {
        if !std::mem::replace(&mut self.is_lost, true) {
            let url = without_query(self.from.url.url());
            tracing::warn!(
                url,
                "control's channels cannot be had: {error}; trying again, the known channels stay"
            );
        }
        self.note(Some(error.to_owned()));
    }

    fn note(&self, reason: Option<String>) {
        self.roster.lock().control = Some(State {
            url: without_query(self.from.url.url()),
            is_followed: self.is_followed,
            reason,
        });
    }
}

/// Read each time, so that another key needs no restart.
fn key(file: &Path) -> Result<HeaderValue, String> {
    let shown = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("key_file {shown} cannot be read: {error}"))?;
    let mut value = HeaderValue::try_from(format!("Bearer {}", text.trim()))
        .map_err(|_| format!("key_file {shown} has more than one line, expected a key alone"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The innermost cause says most: "connection refused", "certificate expired".
fn describe(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    format!("it cannot be reached: {cause}")
}
