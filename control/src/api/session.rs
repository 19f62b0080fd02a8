//! Sessions of the dashboard: a cookie that scripts cannot read, and a token against requests that other pages forge.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use super::caller::{Caller, address, by_key, refused};
use super::extract::Body;
use super::problem::{Answer, Problem};
use crate::clock::now_ms;
use crate::documents::{ApiKey, Change, Role, Session};
use crate::store::{Expected, Kind};
use crate::vault::random_secret;

/// `__Host-` makes browsers insist on HTTPS (or localhost), this very host and the path `/`.
const COOKIE: &str = "__Host-beekeepr";

/// Where pages bring what [`Opened::csrf`] says.
const CSRF_HEADER: &str = "x-csrf-token";

/// A working day; then the dashboard asks for the key again.
const LIFETIME_S: i64 = 12 * 3_600;

/// What digests are for.
const SESSION: &str = "session";
const CSRF: &str = "csrf";

/// To open a session.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Open {
    /// An API key.
    key: String,
}

/// A session.
#[derive(Serialize, ToSchema)]
pub(crate) struct Opened {
    /// What requests that change something must bring as `X-CSRF-Token`.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf: Option<String>,
    /// What the API key is called.
    title: String,
    /// What its holder may do.
    role: Role,
    /// Whose things it sees; absent for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
}

impl Opened {
    fn new(caller: Caller, csrf: Option<String>) -> Self {
        Self {
            csrf,
            title: caller.title,
            role: caller.role,
            tenant: caller.tenant,
        }
    }
}

/// Opens a session with an API key: sets a cookie, and gives the token that changing requests must bring.
#[utoipa::path(post, path = "/v1/session", tag = "session", request_body = Open, security(()),
    responses((status = 201, body = Opened), (status = "4XX", body = Problem)))]
pub(crate) async fn open(
    State(app): State<Arc<App>>,
    parts: axum::http::request::Parts,
    Body(asked): Body<Open>,
) -> Answer<Response> {
    let Some(caller) = by_key(&app, &asked.key).await? else {
        return Err(refused(&app, address(&parts)));
    };
    // A machine's key has no business at the dashboard.
    if caller.role == Role::Seeder {
        return Err(Problem::forbidden("a seeder's key opens no session"));
    }
    let cookie = random_secret()?;
    let change = Change {
        expected: Expected::Absent,
        tenant: String::new(),
        expires_ms: now_ms() + LIFETIME_S * 1000,
        note: None,
    };
    let session = Session {
        key: caller.key.clone(),
    };
    let name = app.registry.vault.digest(SESSION, &cookie);
    app.registry.put(&name, &session, change).await?;
    let tenant = caller.tenant.clone().unwrap_or_default();
    let note = caller.note("open", &tenant, "");
    app.registry
        .store
        .note(now_ms(), Kind::Session, "", note)
        .await?;
    let csrf = app.registry.vault.digest(CSRF, &cookie);
    let cookie = set_cookie(&cookie, LIFETIME_S);
    let opened = Json(Opened::new(caller, Some(csrf)));
    Ok((
        StatusCode::CREATED,
        AppendHeaders([(header::SET_COOKIE, cookie)]),
        opened,
    )
        .into_response())
}

/// Who is asking; for a session also its token.
#[utoipa::path(get, path = "/v1/session", tag = "session",
    responses((status = 200, body = Opened), (status = "4XX", body = Problem)))]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    caller: Caller,
) -> Json<Opened> {
    let csrf = cookie(&headers).map(|cookie| app.registry.vault.digest(CSRF, cookie));
    Json(Opened::new(caller, csrf))
}

/// Ends the session.
#[utoipa::path(delete, path = "/v1/session", tag = "session",
    responses((status = 204), (status = "4XX", body = Problem)))]
pub(crate) async fn close(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    _caller: Caller,
) -> Answer<Response> {
    if let Some(cookie) = cookie(&headers) {
        let name = app.registry.vault.digest(SESSION, cookie);
        let change = Change {
            expected: Expected::Any,
            tenant: String::new(),
            expires_ms: 0,
            note: None,
        };
        app.registry.delete::<Session>(&name, change).await?;
    }
    let cookie = AppendHeaders([(header::SET_COOKIE, set_cookie("", 0))]);
    Ok((StatusCode::NO_CONTENT, cookie).into_response())
}

fn set_cookie(value: &str, age_s: i64) -> String {
    format!("{COOKIE}={value}; Path=/; Max-Age={age_s}; Secure; HttpOnly; SameSite=Strict")
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).into_iter();
    let mut pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'));
    pairs.find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// The caller of a session, if there is a good one. A request that changes something must come from our own page.
pub(crate) async fn caller(
    app: &App,
    method: &Method,
    headers: &HeaderMap,
) -> Answer<Option<Caller>> {
    let Some(cookie) = cookie(headers).filter(|it| !it.is_empty()) else {
        return Ok(None);
    };
    let vault = &app.registry.vault;
    let name = vault.digest(SESSION, cookie);
    let Some(session) = app.registry.get::<Session>(&name).await? else {
        return Ok(None);
    };
    let site = headers
        .get("sec-fetch-site")
        .and_then(|it| it.to_str().ok());
    if site.is_some_and(|site| site != "same-origin" && site != "none") {
        return Err(Problem::forbidden(
            "the request comes from another page than the dashboard",
        ));
    }
    if !matches!(*method, Method::GET | Method::HEAD) {
        let token = headers.get(CSRF_HEADER).and_then(|it| it.to_str().ok());
        if !token.is_some_and(|token| vault.fits(CSRF, cookie, token)) {
            return Err(Problem::forbidden(
                "expected X-CSRF-Token with the token of GET /v1/session",
            ));
        }
    }
    let key = app.registry.get::<ApiKey>(&session.document.key).await?;
    Ok(key.map(Caller::of))
}
