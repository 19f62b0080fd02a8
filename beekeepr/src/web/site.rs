//! What of the page changes while it is open: the channels, and its viewers' tokens.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::page::{Channel, Page};

/// Letters and digits of a viewer's name: a UUID without its hyphens has 32.
const VIEWER_CHARS: std::ops::RangeInclusive<usize> = 8..=64;

/// Makes a viewer's token.
pub(crate) type MakeToken = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// How viewers on the page are let in by the tracker.
#[derive(Clone, Default)]
pub(crate) enum PageTokens {
    /// It wants none.
    #[default]
    NotNeeded,
    /// The page asks `/token?viewer=NAME`.
    Given(MakeToken),
    /// Others could open the page and have one.
    Withheld,
}

/// The page, and whom to ask for what changes.
pub(crate) struct Site {
    pub(crate) page: Page,
    pub(crate) tokens: PageTokens,
    /// The channels that are seeded at the moment; those of `page` where there is no seeder.
    pub(crate) channels: Option<Box<dyn Fn() -> Vec<Channel> + Send + Sync>>,
}

/// `/config.json`
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    #[serde(flatten)]
    page: Page,
    tokens: &'static str,
}

pub(super) async fn config(State(site): State<Arc<Site>>) -> Response {
    let mut page = site.page.clone();
    if let Some(channels) = &site.channels {
        page.channels = channels();
    }
    let tokens = site.tokens.name();
    Json(Shown { page, tokens }).into_response()
}

/// Who asks for a token.
#[derive(Deserialize)]
pub(super) struct Viewer {
    viewer: String,
}

/// `/token`, for the page itself: no other page may have one, whatever name it gives this machine.
pub(super) async fn token(
    State(site): State<Arc<Site>>,
    Query(Viewer { viewer }): Query<Viewer>,
    request: HeaderMap,
) -> Response {
    let PageTokens::Given(make) = &site.tokens else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let is_name =
        VIEWER_CHARS.contains(&viewer.len()) && viewer.bytes().all(|it| it.is_ascii_alphanumeric());
    if request.contains_key(header::ORIGIN) || !is_local(&request) {
        return (StatusCode::FORBIDDEN, "tokens are for this server's page\n").into_response();
    }
    if !is_name {
        return (
            StatusCode::BAD_REQUEST,
            "expected 8 to 64 letters and digits\n",
        )
            .into_response();
    }
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
    ];
    (headers, make(&viewer)).into_response()
}

/// Whether the browser came by a loopback address, and through no proxy that says so.
fn is_local(request: &HeaderMap) -> bool {
    let host = request
        .get(header::HOST)
        .and_then(|it| it.to_str().ok())
        .unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|it| it.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    let address: Option<IpAddr> = name.trim_matches(['[', ']']).parse().ok();
    let is_forwarded = ["forwarded", "x-forwarded-for", "via"]
        .into_iter()
        .any(|it| request.contains_key(it));
    let is_loopback = name == "localhost" || address.is_some_and(|it| it.is_loopback());
    is_loopback && !is_forwarded
}

impl PageTokens {
    fn name(&self) -> &'static str {
        match self {
            Self::NotNeeded => "not-needed",
            Self::Given(_) => "given",
            Self::Withheld => "withheld",
        }
    }
}

impl fmt::Debug for PageTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<Page> for Site {
    fn from(page: Page) -> Self {
        Self {
            page,
            tokens: PageTokens::NotNeeded,
            channels: None,
        }
    }
}
