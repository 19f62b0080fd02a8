//! API keys.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use super::caller::{Caller, Permission};
use super::extract::{Body, Listing, Name, Paging, Params};
use super::problem::{Answer, Problem};
use super::tenants::check_title;
use super::things::{self, Owner, Shown};
use crate::clock::now_ms;
use crate::documents::{ApiKey, Role};

const WHAT: &str = "API key";

/// A key that lives longer is one without an end.
const LIFETIME_S_MAX: i64 = 10 * 365 * 86_400;

/// What is shown of a key.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct KeyShown {
    /// What it is called.
    title: String,
    /// What its holder may do.
    role: Role,
}

fn shown(key: ApiKey) -> KeyShown {
    KeyShown {
        title: key.title,
        role: key.role,
    }
}

/// A key that is wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKey {
    /// What to call it.
    #[serde(default)]
    title: String,
    /// What its holder may do.
    role: Role,
    /// When it ends, in seconds from now; never without it.
    #[serde(default)]
    lifetime_s: Option<i64>,
}

/// A new key: the only time that its text is shown.
#[derive(Serialize, ToSchema)]
pub(crate) struct KeyMade {
    /// Its name.
    name: String,
    /// What its holder sends as `Authorization: Bearer`.
    key: String,
}

/// API keys in the order of their names; their texts cannot be had again.
#[utoipa::path(get, path = "/v1/keys", tag = "API keys", params(Paging),
    responses((status = 200, body = Listing<Shown<KeyShown>>), (status = "4XX", body = Problem)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(paging): Params<Paging>,
) -> Answer<Json<Listing<Shown<KeyShown>>>> {
    caller.needs(Permission::Own)?;
    things::list(&app, &caller, &paging, shown).await
}

/// An API key.
#[utoipa::path(get, path = "/v1/keys/{name}", tag = "API keys", params(("name" = String, Path)),
    responses((status = 200, body = Shown<KeyShown>), (status = "4XX", body = Problem)))]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Name(name): Name,
) -> Answer<Response> {
    caller.needs(Permission::Own)?;
    let found = things::find(&app, &caller, WHAT, &name).await?;
    Ok(things::answer(StatusCode::OK, found, shown))
}

/// Makes an API key. Its text is in the answer and nowhere else.
#[utoipa::path(post, path = "/v1/keys", tag = "API keys", params(Owner), request_body = NewKey,
    responses((status = 201, body = KeyMade), (status = "4XX", body = Problem)))]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(owner): Params<Owner>,
    Body(wanted): Body<NewKey>,
) -> Answer<Response> {
    caller.needs(Permission::Own)?;
    check_title(&wanted.title).map_err(Problem::unprocessable)?;
    let tenant = caller.owner(owner.tenant.as_deref())?;
    things::check_tenant(&app, Some(&tenant)).await?;
    let expires_ms = match wanted.lifetime_s {
        None => 0,
        Some(seconds) if (1..=LIFETIME_S_MAX).contains(&seconds) => now_ms() + seconds * 1000,
        Some(seconds) => {
            let detail = format!("lifetime_s is {seconds}, expected 1 to {LIFETIME_S_MAX}");
            return Err(Problem::unprocessable(detail));
        }
    };
    let (text, key) = ApiKey::make(&app.registry.vault, wanted.title, wanted.role)?;
    let detail = format!("role {:?}", key.role).to_lowercase();
    let change = things::creation(&caller, tenant, expires_ms, "create", &detail);
    app.registry
        .put(&text.name, &key, change)
        .await
        .map_err(Problem::or_conflict)?;
    let made = KeyMade {
        key: text.reveal(),
        name: text.name,
    };
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

/// Ends an API key, and the sessions opened with it.
#[utoipa::path(delete, path = "/v1/keys/{name}", tag = "API keys", params(("name" = String, Path)),
    responses((status = 204), (status = "4XX", body = Problem)))]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Name(name): Name,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    caller.needs(Permission::Own)?;
    if caller.key == name {
        let detail =
            "it is the key that this request is made with, and could be the last; use another";
        return Err(Problem::new(StatusCode::CONFLICT, detail));
    }
    things::delete::<ApiKey>(&app, &caller, WHAT, &name, &headers).await
}
