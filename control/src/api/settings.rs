//! Settings, and the audit log.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::caller::{Caller, Permission};
use super::extract::{Body, Listing, Params, etag, expected, limit};
use super::problem::{Answer, Problem};
use crate::documents::{Change, Settings};
use crate::store::{Audit, Expected};

/// The only record of its kind.
const NAME: &str = "settings";

/// The settings as they are now.
pub(crate) async fn current(app: &App) -> Answer<(Settings, i64)> {
    let found = app.registry.get::<Settings>(NAME).await?;
    Ok(found.map_or_else(Default::default, |it| (it.document, it.revision)))
}

/// The settings.
#[utoipa::path(get, path = "/v1/settings", tag = "settings",
    responses((status = 200, body = Settings), (status = "4XX", body = Problem)))]
pub(crate) async fn get(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    caller.needs(Permission::SeeStatistics)?;
    let (settings, revision) = current(&app).await?;
    Ok((
        AppendHeaders([(header::ETAG, etag(revision))]),
        Json(settings),
    )
        .into_response())
}

/// Changes the settings.
#[utoipa::path(put, path = "/v1/settings", tag = "settings", request_body = Settings,
    responses((status = 200, body = Settings), (status = "4XX", body = Problem)))]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Body(settings): Body<Settings>,
) -> Answer<Response> {
    caller.needs_whole(Permission::Own)?;
    settings.check().map_err(Problem::unprocessable)?;
    let wanted = match expected(&headers)? {
        // The state of settings that nobody has set.
        Expected::Revision(0) => Expected::Absent,
        // They are always there.
        Expected::Present => Expected::Any,
        other => other,
    };
    let change = Change {
        expected: wanted,
        tenant: String::new(),
        expires_ms: 0,
        note: Some(caller.note("update", "", "")),
    };
    let revision = app.registry.put(NAME, &settings, change).await?;
    Ok((
        AppendHeaders([(header::ETAG, etag(revision))]),
        Json(settings),
    )
        .into_response())
}

/// A line of the audit log.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Line {
    /// Its place.
    id: i64,
    /// When, in ms since 1970.
    at_ms: i64,
    /// Who.
    actor: String,
    /// Did what.
    action: String,
    /// To what kind of thing.
    kind: String,
    /// To which.
    name: String,
    /// Whose it was; absent for the operator's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
    /// What else there is to say.
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
}

impl From<Audit> for Line {
    fn from(line: Audit) -> Self {
        Self {
            id: line.id,
            at_ms: line.at_ms,
            actor: line.note.actor,
            action: line.note.action,
            kind: line.kind,
            name: line.object,
            tenant: Some(line.note.tenant).filter(|it| !it.is_empty()),
            detail: line.note.detail,
        }
    }
}

/// Which part of the log.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Before {
    /// Lines before this one: `next` of the answer before.
    before: Option<i64>,
    /// At most so many, 1 to 500; 100 without it.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
}

/// The audit log, the newest line first.
#[utoipa::path(get, path = "/v1/audit", tag = "audit log", params(Before),
    responses((status = 200, body = Listing<Line>), (status = "4XX", body = Problem)))]
pub(crate) async fn audit(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(part): Params<Before>,
) -> Answer<Json<Listing<Line>>> {
    caller.needs(Permission::See)?;
    let limit = limit(part.limit)? + 1;
    let before = part.before.unwrap_or_default();
    let lines = app
        .registry
        .store
        .audit(caller.tenant, before, limit)
        .await?;
    let lines = lines.into_iter().map(Line::from).collect();
    Ok(Json(Listing::new(lines, limit, |it: &Line| {
        it.id.to_string()
    })))
}
