//! What all things with a name have in common: whose they are, how they are shown and changed.

use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::caller::Caller;
use super::extract::{Listing, Paging, etag, expected};
use super::problem::{Answer, Problem};
use crate::documents::{Change, Document, Found, check_name};
use crate::store::{Expected, StoreError};

/// A thing as it is shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Shown<T: ToSchema> {
    /// Its name.
    pub(crate) name: String,
    /// Whose it is; absent for the operator's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tenant: Option<String>,
    /// When it came, in ms since 1970.
    pub(crate) created_ms: i64,
    /// When it last changed, in ms since 1970.
    pub(crate) changed_ms: i64,
    /// When it is forgotten, in ms since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires_ms: Option<i64>,
    /// Its state: what `ETag` says.
    pub(crate) etag: String,
    /// What it is.
    pub(crate) config: T,
}

impl<T: ToSchema> Shown<T> {
    /// Something found, with what may be seen of it.
    pub(crate) fn new<D>(found: Found<D>, show: impl Fn(D) -> T) -> Self {
        Self {
            name: found.id,
            tenant: Some(found.tenant).filter(|it| !it.is_empty()),
            created_ms: found.created_ms,
            changed_ms: found.changed_ms,
            expires_ms: Some(found.expires_ms).filter(|it| *it != 0),
            etag: etag(found.revision),
            config: show(found.document),
        }
    }
}

/// Whose a new thing shall be.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Owner {
    /// The tenant that a new one belongs to; without it the key's own.
    pub(crate) tenant: Option<String>,
}

/// Things of one kind, those that the caller sees.
pub(crate) async fn list<D: Document, T: ToSchema>(
    app: &App,
    caller: &Caller,
    paging: &Paging,
    show: impl Fn(D) -> T + Copy,
) -> Answer<Json<Listing<Shown<T>>>> {
    let page = paging.page(caller.tenant.clone())?;
    let limit = page.limit;
    let found = app.registry.list::<D>(page).await?;
    let shown = found.into_iter().map(|it| Shown::new(it, show)).collect();
    Ok(Json(Listing::new(shown, limit, |it| it.name.clone())))
}

/// One thing, if the caller sees it.
pub(crate) async fn find<D: Document>(
    app: &App,
    caller: &Caller,
    what: &str,
    name: &str,
) -> Answer<Found<D>> {
    let found = app.registry.get::<D>(name).await?;
    let own = found.filter(|it| caller.sees(&it.tenant));
    own.ok_or_else(|| Problem::absent(what, name))
}

/// One thing with its state.
pub(crate) fn answer<D, T: ToSchema + Serialize>(
    status: StatusCode,
    found: Found<D>,
    show: impl Fn(D) -> T,
) -> Response {
    let tag = AppendHeaders([(header::ETAG, etag(found.revision))]);
    (status, tag, Json(Shown::new(found, show))).into_response()
}

/// Makes or changes a thing. `prepare` has the last word on it, knowing what was there.
pub(crate) async fn put<D: Document + Clone>(
    app: &Arc<App>,
    caller: &Caller,
    name: &str,
    headers: &HeaderMap,
    owner: Option<&str>,
    prepare: impl FnOnce(Option<&D>) -> Result<D, String>,
) -> Answer<(StatusCode, Found<D>)> {
    check_name(name).map_err(Problem::unprocessable)?;
    let wanted = expected(headers)?;
    let known = app.registry.get::<D>(name).await?;
    if known.as_ref().is_some_and(|it| !caller.sees(&it.tenant)) {
        // Names are one space, as seeders know channels by them.
        let detail = format!("the name {name:?} is taken; choose another");
        return Err(Problem::new(StatusCode::CONFLICT, detail));
    }
    let tenant = match (&known, owner) {
        (Some(known), Some(asked)) if known.tenant != asked => {
            return Err(Problem::unprocessable(
                "a thing cannot change its tenant; make a new one",
            ));
        }
        (Some(known), _) => known.tenant.clone(),
        (None, asked) => caller.owner(asked)?,
    };
    let document =
        prepare(known.as_ref().map(|it| &it.document)).map_err(Problem::unprocessable)?;
    let action = if known.is_some() { "update" } else { "create" };
    let change = Change {
        expected: sharpened(wanted, known.as_ref()),
        note: Some(caller.note(action, &tenant, "")),
        expires_ms: 0,
        tenant,
    };
    app.registry.put(name, &document, change).await?;
    let status = if known.is_some() {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    Ok((status, find(app, caller, D::KIND.as_str(), name).await?))
}

/// Removes a thing.
pub(crate) async fn delete<D: Document>(
    app: &App,
    caller: &Caller,
    what: &str,
    name: &str,
    headers: &HeaderMap,
) -> Answer<StatusCode> {
    let wanted = expected(headers)?;
    let known = find::<D>(app, caller, what, name).await?;
    let change = Change {
        expected: sharpened(wanted, Some(&known)),
        note: Some(caller.note("delete", &known.tenant, "")),
        expires_ms: 0,
        tenant: known.tenant,
    };
    app.registry.delete::<D>(name, change).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whose a thing is was looked at in this very state, so it is changed in no other.
fn sharpened<D>(wanted: Expected, known: Option<&Found<D>>) -> Expected {
    match (wanted, known) {
        (Expected::Any | Expected::Present, Some(known)) => Expected::Revision(known.revision),
        (Expected::Any, None) => Expected::Absent,
        (wanted, _) => wanted,
    }
}

/// A tenant that a thing shall belong to must be there.
pub(crate) async fn check_tenant(app: &App, tenant: Option<&str>) -> Answer<()> {
    let Some(tenant) = tenant.filter(|it| !it.is_empty()) else {
        return Ok(());
    };
    let found = app.registry.get::<crate::documents::Tenant>(tenant).await?;
    match found {
        Some(_) => Ok(()),
        None => Err(Problem::unprocessable(format!(
            "there is no tenant {tenant:?}; make it first"
        ))),
    }
}

/// A change of a document that must not be there yet.
pub(crate) fn creation(
    caller: &Caller,
    tenant: String,
    expires_ms: i64,
    action: &str,
    detail: &str,
) -> Change {
    Change {
        expected: Expected::Absent,
        note: Some(caller.note(action, &tenant, detail)),
        expires_ms,
        tenant,
    }
}

impl Problem {
    /// A name that was drawn by chance and taken, which never happens twice.
    pub(crate) fn or_conflict(error: crate::documents::RegistryError) -> Self {
        match error {
            crate::documents::RegistryError::Store(StoreError::Conflict) => {
                Self::new(StatusCode::CONFLICT, "the name is taken; try again")
            }
            other => other.into(),
        }
    }
}
