//! The list of channels that seeders follow (docs/protocol/channels.md).

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde::Serialize;
use tokio::time::{Instant, sleep_until, timeout};
use utoipa::ToSchema;

use super::App;
use super::caller::{Caller, Permission};
use super::extract::etag;
use super::problem::{Answer, Problem};
use crate::documents::Channel;
use crate::store::{Kind, Page};

/// The longest that an answer is held: what seeders ask for.
const WAIT_S_MAX: u64 = 30;

/// Between two looks at the database while an answer is held: another process may have changed something.
const LOOK: Duration = Duration::from_millis(500);

/// The version of the list.
const VERSION: u32 = 1;

/// The list.
#[derive(Serialize, ToSchema)]
pub(crate) struct Channels {
    version: u32,
    channels: Vec<Named>,
}

/// A channel with its name and its secrets.
#[derive(Serialize, ToSchema)]
struct Named {
    name: String,
    #[serde(flatten)]
    channel: Channel,
}

/// What a seeder shall seed, with credentials. With `If-None-Match` and `Prefer: wait=N` the answer is held until there is
/// another list.
#[utoipa::path(get, path = "/v1/seeder/channels", tag = "seeders",
    responses((status = 200, body = Channels), (status = 304), (status = "4XX", body = Problem)))]
pub(crate) async fn channels(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
) -> Answer<Response> {
    caller.needs(Permission::Seed)?;
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|it| it.to_str().ok());
    let revision = match known {
        Some(known) => changed(&app, known, wait(&headers)).await?,
        None => Some(app.registry.store.latest(Kind::Channel).await?),
    };
    let Some(revision) = revision else {
        let tag = AppendHeaders([(header::ETAG, known.unwrap_or_default().to_owned())]);
        return Ok((StatusCode::NOT_MODIFIED, tag).into_response());
    };
    // Read after its revision: a change in between comes as a newer list later, never as none.
    let limit = Kind::Channel.records_max();
    let page = Page {
        tenant: caller.tenant,
        after: String::new(),
        limit,
    };
    let found = app.registry.list::<Channel>(page).await?;
    let channels = found.into_iter().map(|it| Named {
        name: it.id,
        channel: it.document,
    });
    let list = Channels {
        version: VERSION,
        channels: channels.collect(),
    };
    Ok((
        AppendHeaders([(header::ETAG, etag(revision))]),
        axum::Json(list),
    )
        .into_response())
}

/// How long the answer may be held (RFC 7240, 4.3).
fn wait(headers: &HeaderMap) -> Duration {
    let lines = headers
        .get_all("prefer")
        .into_iter()
        .filter_map(|it| it.to_str().ok());
    let mut preferences = lines.flat_map(|it| it.split(','));
    let seconds = preferences.find_map(|it| it.trim().strip_prefix("wait=")?.parse::<u64>().ok());
    Duration::from_secs(seconds.unwrap_or_default().min(WAIT_S_MAX))
}

/// The revision of another list than the known one, as soon as there is one.
async fn changed(app: &App, known: &str, wait: Duration) -> Answer<Option<i64>> {
    let end = Instant::now() + wait;
    let mut changes = app.registry.channels_changed();
    loop {
        changes.mark_unchanged();
        let revision = app.registry.store.latest(Kind::Channel).await?;
        if etag(revision) != known {
            return Ok(Some(revision));
        }
        let is_over = tokio::select! {
            () = sleep_until(end) => true,
            () = app.shutdown.requested() => true,
            _ = timeout(LOOK, changes.changed()) => false,
        };
        if is_over {
            return Ok(None);
        }
    }
}
