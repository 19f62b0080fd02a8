//! What the listener shows.

use std::fmt::Write;
use std::sync::{Arc, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus::TextEncoder;

use super::Shared;

/// Everything there is, by path.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/livez", get(async || "alive\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .fallback(get(page))
        .with_state(shared)
}

/// A page of a role, if there is one.
async fn page(State(shared): State<Arc<Shared>>, uri: Uri) -> Response {
    let page = {
        let pages = shared.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.get(uri.path()).map(Arc::clone)
    };
    match page {
        Some(page) => {
            let json = page(uri.query().unwrap_or_default()).await;
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
