//! The admin API, `/v1/...`. Each handler says first what the caller needs ([`caller::Permission`]); everything else is in the
//! module of its resource. The OpenAPI document is made of the same handlers and served at `/v1/openapi.json`.

mod backup;
mod caller;
mod channels;
mod checks;
mod embed;
mod extract;
mod groups;
mod health;
mod keys;
mod live;
mod problem;
mod seeder;
mod session;
mod settings;
mod statistics;
mod summary;
mod tenants;
mod things;
mod tokens;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use beekeepr_service::Shutdown;
use beekeepr_service::http::Peer;
use tokio::sync::Semaphore;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Sources;
use crate::beacons::Beacons;
use crate::documents::{ApiKey as ApiKeyDocument, Registry};
use crate::metrics::Metrics;
use crate::rate::{Rates, asker};
use crate::signing::Tokens;

pub(crate) use problem::Problem;

/// The largest body that any handler reads.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Listeners to events at a time: dashboards that are open.
const LISTENERS_MAX: usize = 100;

/// What the handlers share.
pub(crate) struct App {
    /// A key that is in no store, with its name: that of this process's seeder.
    pub(crate) own_key: (String, ApiKeyDocument),
    pub(crate) registry: Registry,
    pub(crate) tokens: Tokens,
    pub(crate) beacons: Beacons,
    pub(crate) sources: Sources,
    pub(crate) limits: Limits,
    pub(crate) metrics: Metrics,
    /// All metrics of the process.
    pub(crate) prometheus: prometheus::Registry,
    pub(crate) shutdown: Shutdown,
}

/// How often one address may ask.
pub(crate) struct Limits {
    /// Anything: a dashboard asks for some figures each second, a script for all channels at once.
    requests: Rates<IpAddr>,
    /// With a bad key: enough for somebody who mistypes, nothing for somebody who tries.
    pub(crate) failures: Rates<IpAddr>,
    listeners: Arc<Semaphore>,
    checks: Semaphore,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests: Rates::new(50.0, 500.0),
            failures: Rates::new(0.2, 20.0),
            listeners: Arc::new(Semaphore::new(LISTENERS_MAX)),
            checks: Semaphore::new(checks::CHECKS_MAX),
        }
    }
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Beekeepr", description = "The admin API of a private P2P CDN."),
    modifiers(&Schemes),
    security(("key" = []), ("session" = []))
)]
struct Document;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("key", SecurityScheme::Http(bearer));
        let cookie = ApiKey::Cookie(ApiKeyValue::new("__Host-beekeepr"));
        components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    }
}

/// Every route, with its description.
fn described() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(session::show, session::open, session::close))
        .routes(routes!(tenants::list))
        .routes(routes!(tenants::get, tenants::put, tenants::delete))
        .routes(routes!(keys::list, keys::create))
        .routes(routes!(keys::get, keys::delete))
        .routes(routes!(channels::list))
        .routes(routes!(channels::get, channels::put, channels::delete))
        .routes(routes!(checks::check))
        .routes(routes!(embed::embed))
        .routes(routes!(seeder::channels))
        .routes(routes!(tokens::keys, tokens::rotate))
        .routes(routes!(tokens::remove))
        .routes(routes!(tokens::jwks))
        .routes(routes!(tokens::issue))
        .routes(routes!(tokens::revocations))
        .routes(routes!(tokens::revoke, tokens::unrevoke))
        .routes(routes!(groups::list))
        .routes(routes!(groups::get, groups::put, groups::delete))
        .routes(routes!(groups::file, groups::put_file))
        .routes(routes!(settings::get, settings::put))
        .routes(routes!(settings::audit))
        .routes(routes!(statistics::history))
        .routes(routes!(summary::summary))
        .routes(routes!(live::now))
        .routes(routes!(live::swarms))
        .routes(routes!(live::super_peers))
        .routes(routes!(live::events))
        .routes(routes!(health::health))
        .routes(routes!(backup::backup))
}

/// The OpenAPI document.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    described().into_openapi()
}

/// The whole API.
pub(crate) fn router(app: Arc<App>) -> Router {
    let (router, document) = described().split_for_parts();
    let show = move || std::future::ready(Json(document.clone()));
    router
        .route("/v1/openapi.json", axum::routing::get(show))
        .merge(crate::dashboard::router())
        .fallback(async || {
            Problem::new(StatusCode::NOT_FOUND, "no such path; see /v1/openapi.json")
        })
        .method_not_allowed_fallback(async || {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            Problem::new(status, "no such method here; see /v1/openapi.json")
        })
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), around))
        .with_state(app)
}

/// What happens before and after every request.
async fn around(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let peer = request
        .extensions()
        .get::<Peer>()
        .map(|peer| asker(peer.0.ip()));
    let is_allowed = peer.is_none_or(|peer| app.limits.requests.take(peer, Instant::now()));
    let mut response = if is_allowed {
        next.run(request).await
    } else {
        Problem::too_often().into_response()
    };
    app.metrics.request(response.status().as_u16());
    let headers = response.headers_mut();
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    let nosniff = HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    response
}
