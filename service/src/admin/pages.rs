//! What the listener shows.

use std::fmt::Write;
use std::sync::{Arc, PoisonError};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus::TextEncoder;

use super::resource::{self, Handler, Reply};
use super::{Shared, guard};

/// Everything there is, by path.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/livez", get(async || "alive\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .fallback(other)
        .with_state(shared)
}

/// What a role shows or lets be changed, if it is that.
async fn other(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    if path.starts_with("/v1/") {
        let token = {
            let token = shared.token.lock().unwrap_or_else(PoisonError::into_inner);
            token.clone()
        };
        let refused = guard::refusal(request.method(), request.headers(), token.as_deref());
        if let Some(refused) = refused {
            return refused.into_response();
        }
    }
    match resource_at(&shared, &path) {
        Some(Ok((name, handler))) => {
            let (head, body) = request.into_parts();
            match resource::read(&head.method, name, &head.headers, body).await {
                Ok(request) => handler(request).await.into_response(),
                Err(reply) => reply.into_response(),
            }
        }
        Some(Err(reply)) => reply.into_response(),
        None if request.method() == Method::GET => {
            let query = request.uri().query().unwrap_or_default().to_owned();
            page(&shared, &path, &query).await
        }
        None => (StatusCode::NOT_FOUND, "no such page\n").into_response(),
    }
}

/// The resource that a path belongs to, and the name in it.
fn resource_at(shared: &Shared, path: &str) -> Option<Result<(Option<String>, Handler), Reply>> {
    let resources = shared
        .resources
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    resources.iter().find_map(|(known, handler)| {
        let name = resource::name_in(path, known)?;
        Some(name.map(|name| (name, Arc::clone(handler))))
    })
}

async fn page(shared: &Shared, path: &str, query: &str) -> Response {
    let page = {
        let pages = shared.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.get(path).map(Arc::clone)
    };
    match page {
        Some(page) => {
            let json = page(query).await;
            ([(header::CONTENT_TYPE, "application/json")], json).into_response()
        }
        None => (StatusCode::NOT_FOUND, "no such page\n").into_response(),
    }
}

/// 200 when every role is ready, else 503; the text names the roles either way.
async fn readyz(State(shared): State<Arc<Shared>>) -> (StatusCode, String) {
    let draining = shared.shutdown.is_requested();
    let roles = shared.roles.lock().unwrap_or_else(PoisonError::into_inner);
    let all_ready = !draining && !roles.is_empty() && roles.values().all(|ready| *ready);
    let mut text = String::new();
    for (role, ready) in roles.iter() {
        let state = match (draining, ready) {
            (true, _) => "draining",
            (false, true) => "ready",
            (false, false) => "not ready",
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{role}: {state}");
    }
    if roles.is_empty() {
        text.push_str("no role has started\n");
    }
    (
        if all_ready {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        },
        text,
    )
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let mut text = String::new();
    match TextEncoder::new().encode_utf8(&shared.registry.gather(), &mut text) {
        Ok(()) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response()
        }
    }
}
