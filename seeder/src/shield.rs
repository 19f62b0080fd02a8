//! The cache over HTTP: players name it instead of the origin.
//!
//! `/CHANNEL/FILE` is a channel's manifest, FILE being the last part of its address. The manifest's addresses lead to
//! `/CHANNEL/SEALED/PATH`, where SEALED is a folder of the origin in a form that only the shield can make and read. So it
//! fetches nothing but what is below the folders that the channels' manifests name, and the rules of the channel (allowed
//! hosts, no private addresses) hold for that too. Addresses of keys and licences stay the origin's: whoever may watch asks
//! there.

mod address;
mod dash;
mod directory;
mod hls;
mod manifests;
#[cfg(test)]
mod players;
mod reply;
mod seal;
mod segments;
mod serve;

use std::cell::Cell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::HttpBody;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use beekeepr_service::Shutdown;
use beekeepr_service::net::{BindError, tcp_listener};
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use url::Url;

use self::address::{Rewriter, is_manifest};
use self::manifests::Manifests;
use self::seal::{Folder, Kind, Seal};
use self::segments::Segments;
use crate::config;
use crate::origin::OriginError;

pub(crate) use directory::{Directory, Entry, Served};

/// How long an origin may put off its answer to a blocking reload: three target durations of usual streams (RFC 8216bis,
/// 6.2.5.2).
const HELD: Duration = Duration::from_secs(20);
/// Blocking reloads at a time; more are answered at once, which servers may do. Each is a request that the origin holds.
const HELD_MAX: usize = 64;

struct Shield {
    directory: Directory,
    seal: Seal,
    manifests: Manifests,
    segments: Segments,
    held: Semaphore,
}

/// Starts serving. Gives the address really bound.
///
/// # Errors
/// The address cannot be had.
pub(crate) fn start(
    config: &config::Shield,
    directory: Directory,
    shutdown: Shutdown,
    tasks: &mut JoinSet<()>,
) -> Result<SocketAddr, BindError> {
    let fault = |source| BindError {
        address: config.listen,
        source,
    };
    let seal = Seal::new(config.key.as_ref());
    let seal = seal.map_err(|_| fault(std::io::Error::other("no random numbers to be had")))?;
    let listener = TcpListener::from_std(tcp_listener(config.listen, false)?).map_err(fault)?;
    let address = listener.local_addr().map_err(fault)?;
    let shield = Arc::new(Shield {
        directory,
        seal,
        manifests: Manifests::default(),
        segments: Segments::new(),
        held: Semaphore::new(HELD_MAX),
    });
    let router = Router::new().fallback(answer).with_state(shield);
    tasks.spawn(serve::always(
        listener,
        router,
        config.connections_max,
        shutdown,
    ));
    tracing::info!(%address, "channels are served over HTTP too");
    Ok(address)
}

async fn answer(State(shield): State<Arc<Shield>>, request: Request) -> Response {
    let response = match *request.method() {
        Method::GET | Method::HEAD => {
            let (uri, headers) = (request.uri(), request.headers());
            shield.get(uri.path(), uri.query(), headers).await
        }
        Method::OPTIONS => reply::preflight(),
        _ => reply::short(StatusCode::METHOD_NOT_ALLOWED, "expected GET or HEAD"),
    };
    reply::for_pages(response)
}

/// What is asked for.
struct Wish<'a> {
    served: &'a Arc<Served>,
    /// At the origin.
    url: Url,
    /// Below which relative addresses of it lead to us.
    folder: Option<&'a str>,
}

impl Shield {
    async fn get(&self, path: &str, query: Option<&str>, headers: &HeaderMap) -> Response {
        let path = path.strip_prefix('/').unwrap_or(path);
        let Some((channel, rest)) = path.split_once('/') else {
            return reply::not_found();
        };
        let Some(served) = self.directory.find(channel) else {
            return reply::not_found();
        };
        served.metrics.shield_requests.inc();
        let (response, is_hit) = self.find(&served, rest, query, headers).await;
        served.metrics.shield_hits.inc_by(u64::from(is_hit));
        let bytes = response.body().size_hint().exact().unwrap_or(0);
        served.metrics.shield_bytes.inc_by(bytes);
        response
    }

    /// An answer, and whether it took no request to the origin.
    async fn find(
        &self,
        served: &Arc<Served>,
        path: &str,
        query: Option<&str>,
        headers: &HeaderMap,
    ) -> (Response, bool) {
        let Some((sealed, file)) = path.split_once('/') else {
            if path != served.file() {
                return (reply::not_found(), false);
            }
            let wish = Wish {
                served,
                url: served.manifest.clone(),
                folder: None,
            };
            return self.manifest(wish, query).await;
        };
        let folder = self.seal.open(served.path(), sealed);
        let Some((folder, url)) = folder.and_then(|it| Some((it.clone(), it.file(file)?))) else {
            return (reply::not_found(), false);
        };
        if folder.kind == Kind::Manifests || is_manifest(url.path()) {
            let Folder {
                url: below,
                query: sealed_query,
                kind,
            } = &folder;
            // Else what is relative would get the manifest's query, or be taken for a manifest.
            let is_neutral = sealed_query.is_none() && *kind == Kind::Files;
            let wish = Wish {
                served,
                url,
                folder: is_neutral.then_some(below.as_str()),
            };
            return self.manifest(wish, query).await;
        }
        self.segment(served, &url, headers).await
    }

    async fn manifest(&self, wish: Wish<'_>, query: Option<&str>) -> (Response, bool) {
        let Wish {
            served,
            url,
            folder,
        } = wish;
        let asked = query.and_then(|it| with_directives(&url, it));
        let held = asked.and_then(|url| Some((url, self.held.try_acquire().ok()?)));
        let (url, time, _permit) = match held {
            Some((url, permit)) => (url, HELD, Some(permit)),
            None => (url, Duration::ZERO, None),
        };
        let loading = self
            .manifests
            .load(served.path(), &served.origin, &url, time);
        let (outcome, is_hit) = loading.await;
        let text = match outcome {
            Ok(text) => text,
            Err(error) => return (reply::failure(&error), is_hit),
        };
        let rewriter = Rewriter {
            seal: &self.seal,
            channel: served.path(),
            folder,
            last: Cell::default(),
        };
        let response = rewritten(&text.bytes, &text.url, &rewriter);
        (response, is_hit)
    }

    async fn segment(
        &self,
        served: &Arc<Served>,
        url: &Url,
        headers: &HeaderMap,
    ) -> (Response, bool) {
        let is_live = served.account.is_live();
        let whole = |bytes: &Bytes| reply::segment(url.path(), bytes, is_live, headers);
        let range =
            reply::closed_range(headers).filter(|_| !headers.contains_key(header::IF_RANGE));
        if let Some(range) = range {
            if let Some(bytes) = Segments::known(served, url) {
                return (whole(&bytes), true);
            }
            match self.segments.load(served, url, Some(range)).await {
                (Ok(bytes), is_hit) => {
                    return (reply::range(url.path(), range, bytes, is_live), is_hit);
                }
                // The file ends before the range does, or its server knows no ranges: the whole will tell.
                (Err(OriginError::Range(_) | OriginError::Status(416)), _) => {}
                (Err(error), _) => return (reply::failure(&error), false),
            }
        }
        match self.segments.load(served, url, None).await {
            (Ok(bytes), is_hit) => (whole(&bytes), is_hit),
            (Err(error), is_hit) => (reply::failure(&error), is_hit),
        }
    }
}

/// The manifest with our addresses, or the news that it is none.
fn rewritten(bytes: &[u8], from: &Url, rewriter: &Rewriter<'_>) -> Response {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return reply::short(StatusCode::BAD_GATEWAY, "what the origin sent is no text");
    };
    if text
        .trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with("#EXTM3U")
    {
        let is_live = text.contains("#EXTINF") && !text.contains("#EXT-X-ENDLIST");
        return reply::manifest(hls::rewritten(text, from, rewriter).into(), false, is_live);
    }
    if text.contains("<MPD") || text.contains(":MPD") {
        let is_live = text.contains("\"dynamic\"") || text.contains("'dynamic'");
        return reply::manifest(dash::rewritten(text, from, rewriter).into(), true, is_live);
    }
    reply::short(
        StatusCode::BAD_GATEWAY,
        "what the origin sent is no manifest",
    )
}

/// Delivery directives (RFC 8216bis, 6.2.5), which are all that players may add to an address.
fn with_directives(url: &Url, query: &str) -> Option<Url> {
    let is_directive = |pair: &&str| {
        pair.split_once('=').is_some_and(|(name, value)| {
            let is_number = value.len() <= 19 && value.bytes().all(|it| it.is_ascii_digit());
            match name {
                "_HLS_msn" | "_HLS_part" => is_number && !value.is_empty(),
                "_HLS_skip" => ["YES", "v2"].contains(&value),
                _ => false,
            }
        })
    };
    let mut directives: Vec<&str> = query.split('&').filter(is_directive).collect();
    directives.sort_unstable();
    directives.dedup();
    if directives.is_empty() {
        return None;
    }
    let mut url = url.clone();
    let known = url
        .query()
        .map(|query| format!("{query}&"))
        .unwrap_or_default();
    url.set_query(Some(&(known + &directives.join("&"))));
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn players_may_add_directives_and_nothing_else() {
        let asked = |query| {
            let url = Url::parse("http://o.example/a.m3u8?t=1").unwrap();
            with_directives(&url, query).map(String::from)
        };
        assert_eq!(
            asked("x=1&_HLS_part=2&_HLS_msn=7&_HLS_msn=7").as_deref(),
            Some("http://o.example/a.m3u8?t=1&_HLS_msn=7&_HLS_part=2")
        );
        for query in [
            "",
            "t=2",
            "_HLS_msn=a",
            "_HLS_msn=",
            "_HLS_msn",
            "_HLS_skip=NO",
        ] {
            assert_eq!(asked(query), None, "{query}");
        }
    }
}
