//! The demo channel's live origin. On demand it is plain embedded files.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;

use super::reply::{self, Caching};
use crate::demo::Clip;

/// The routes below `/demo/live`; none when the clip is broken.
pub(super) fn router() -> Router {
    let Some(clip) = Clip::embedded() else {
        tracing::error!("the embedded demo clip is broken; make it anew with `cargo xtask media`");
        return Router::new();
    };
    Router::new()
        .route("/demo/live/master.m3u8", get(master))
        .route("/demo/live/{rendition}/{file}", get(live))
        .with_state(Arc::new(clip))
}

async fn master(State(clip): State<Arc<Clip>>, request: HeaderMap) -> Response {
    reply::file("master.m3u8", clip.master, Caching::Check, &request)
}

async fn live(
    State(clip): State<Arc<Clip>>,
    Path((rendition, file)): Path<(String, String)>,
    request: HeaderMap,
) -> Response {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let now_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    let Some(rendition) = clip.rendition(&rendition) else {
        return reply::not_found(&rendition);
    };
    if file == "index.m3u8" {
        return reply::playlist(rendition.ring.playlist(now_ms));
    }
    let sequence = file
        .strip_suffix(".ts")
        .and_then(|number| number.parse().ok());
    match sequence.and_then(|sequence| rendition.segment(sequence, now_ms)) {
        Some(bytes) => reply::file(&file, bytes, Caching::Forever, &request),
        None => reply::not_found(&file),
    }
}
