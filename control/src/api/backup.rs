//! A backup by way of the API.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::mpsc;

use super::App;
use super::caller::{Caller, Permission};
use super::problem::{Answer, Problem};
use crate::clock::now_ms;
use crate::store::Kind;

/// Lines on their way: a slow reader holds no more in memory.
const LINES_MAX: usize = 256;

/// Everything that is kept, as lines of JSON, for `beekeepr restore`. Secrets stay sealed by the secret file, which is not in
/// it. A backup without its last line, `{"rows":N}`, is not whole.
#[utoipa::path(get, path = "/v1/backup", tag = "settings",
    responses((status = 200, body = String, content_type = "application/x-ndjson"), (status = "4XX", body = Problem)))]
pub(crate) async fn backup(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    caller.needs_whole(Permission::Own)?;
    let note = caller.note("backup", "", "");
    app.registry
        .store
        .note(now_ms(), Kind::Installation, "", note)
        .await?;
    let (sender, receiver) = mpsc::channel(LINES_MAX);
    let store = Arc::clone(&app.registry.store);
    tokio::spawn(async move {
        if let Err(error) = store.export(sender).await {
            tracing::warn!(%error, "a backup broke off");
        }
    });
    let lines = stream::unfold(receiver, |mut receiver| async {
        let line = receiver.recv().await?;
        Some((Ok::<_, Infallible>(Bytes::from(line + "\n")), receiver))
    });
    let head = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"beekeepr-backup.jsonl\"",
        ),
    ];
    Ok((head, Body::from_stream(lines)).into_response())
}
