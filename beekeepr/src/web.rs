//! The web page: demo page, browser client, hls.js and the demo channel's origin, all embedded.

pub(crate) mod assets;
mod headers;
mod origin;
mod page;
mod reply;
mod site;
mod snippet;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, Uri};
use axum::middleware;
use axum::response::Response;
use axum::routing::get;
use beekeepr_service::Shutdown;
use beekeepr_service::net::{self, BindError};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(crate) use page::{Channel, Page};
use reply::Caching;
pub(crate) use site::{PageTokens, Site};
pub(crate) use snippet::embed;

/// Time for responses under way at the shutdown. Nothing here takes long: the largest file is
/// under 1 MB.
const DRAIN: Duration = Duration::from_secs(3);

/// The `[web]` section.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// Address of the page, the client's files and the demo channel. Port 0 takes a free one.
    pub(crate) listen: SocketAddr,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
        }
    }
}

/// The bound listener, before anything is served: what the page has to tell (the tracker's address)
/// is known only once the other parts are bound as well.
#[derive(Debug)]
pub(crate) struct Web {
    listener: TcpListener,
    /// The address really bound.
    pub(crate) address: SocketAddr,
}

impl Web {
    /// Binds the listener.
    pub(crate) fn bind(config: &Config) -> Result<Self, BindError> {
        let failed = |source| BindError {
            address: config.listen,
            source,
        };
        let listener = net::tcp_listener(config.listen, false)?;
        let listener = TcpListener::from_std(listener).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// Serves until the shutdown is asked for and the last response is out.
    pub(crate) fn serve(self, site: Site, shutdown: Shutdown) -> JoinHandle<()> {
        let router = router(site);
        tokio::spawn(async move {
            let requested = shutdown.clone();
            let server = axum::serve(self.listener, router)
                .with_graceful_shutdown(async move { requested.requested().await });
            let late = async {
                shutdown.requested().await;
                tokio::time::sleep(DRAIN).await;
            };
            tokio::select! {
                _ = server => (),
                () = late => (),
            }
        })
    }
}

fn router(site: Site) -> Router {
    Router::new()
        .route("/config.json", get(site::config))
        .route("/token", get(site::token))
        .with_state(Arc::new(site))
        .merge(origin::router())
        .fallback_service(get(asset).with_state(()))
        .layer(middleware::from_fn(headers::add))
}

/// Embedded files; `/` is the page itself.
async fn asset(uri: Uri, request: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    let path = if path.is_empty() { "index.html" } else { path };
    match assets::find(path) {
        Some(bytes) => reply::file(path, bytes, Caching::Check, &request),
        None => reply::not_found(path),
    }
}

#[cfg(test)]
mod tests;
