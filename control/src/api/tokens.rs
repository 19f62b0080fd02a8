//! Viewers' tokens: the keys that sign them, issuing and revoking them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use beekeepr_trust::{Claims, Privacy, Role as TokenRole};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use super::caller::{Caller, Permission};
use super::extract::{Body, Listing, Name, Paging, Params};
use super::problem::{Answer, Problem};
use super::things::{self, Shown};
use crate::clock::now_ms;
use crate::documents::{Channel, Revocation};
use crate::signing;
use crate::store::Page;
use crate::vault::random_name;

/// What is shown of a signing key.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct KeyShown {
    /// Whether it signs; one that does not still counts for what it has signed.
    signs: bool,
    /// Its public half, as in a JWK set.
    jwk: serde_json::Value,
}

/// Keys that sign tokens, the newest first.
#[utoipa::path(get, path = "/v1/signing-keys", tag = "tokens",
    responses((status = 200, body = Listing<Shown<KeyShown>>), (status = "4XX", body = Problem)))]
pub(crate) async fn keys(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Answer<Json<Listing<Shown<KeyShown>>>> {
    caller.needs_whole(Permission::See)?;
    let keys = signing::keys(&app.registry).await?;
    let signer = signing::signer(&keys, now_ms(), app.tokens.overlap_ms()).map(|it| it.id.clone());
    let items = keys.into_iter().map(|key| {
        let id = key.id.clone();
        let signs = signer.as_ref() == Some(&id);
        Shown::new(key, |it| KeyShown {
            signs,
            jwk: it.jwk(&id),
        })
    });
    Ok(Json(Listing {
        items: items.collect(),
        next: None,
    }))
}

/// Makes a new signing key and lets those before it go: they sign on until trackers know the new one, and count until what they
/// have signed has expired.
#[utoipa::path(post, path = "/v1/signing-keys", tag = "tokens",
    responses((status = 201, body = Shown<KeyShown>), (status = "4XX", body = Problem)))]
pub(crate) async fn rotate(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    caller.needs_whole(Permission::Own)?;
    let note = |action: &str| caller.note(action, "", "");
    let key = signing::rotate(&app.registry, &app.tokens, &note).await?;
    let id = key.id.clone();
    let shown = Shown::new(key, |it| KeyShown {
        signs: false,
        jwk: it.jwk(&id),
    });
    Ok((StatusCode::CREATED, Json(shown)).into_response())
}

/// Removes a signing key at once: what it has signed counts no more.
#[utoipa::path(delete, path = "/v1/signing-keys/{name}", tag = "tokens", params(("name" = String, Path)),
    responses((status = 204), (status = "4XX", body = Problem)))]
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    caller: Caller,
    Name(name): Name,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    caller.needs_whole(Permission::Own)?;
    let done = things::delete::<crate::documents::SigningKey>(
        &app,
        &caller,
        "signing key",
        &name,
        &headers,
    )
    .await?;
    signing::publish(&app.registry, &app.tokens).await?;
    Ok(done)
}

/// The public halves of the signing keys, for trackers (RFC 7517).
#[utoipa::path(get, path = "/v1/jwks.json", tag = "tokens", security(()),
    responses((status = 200, body = serde_json::Value)))]
pub(crate) async fn jwks(State(app): State<Arc<App>>) -> Answer<Json<serde_json::Value>> {
    Ok(Json(signing::jwks(&signing::keys(&app.registry).await?)))
}

/// What the holder of a token is for others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HolderRole {
    /// Somebody who watches.
    #[default]
    Viewer,
    /// One of the operator's seeders.
    SuperPeer,
}

/// Whom a viewer may be introduced to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HolderPrivacy {
    /// To viewers and super-peers.
    Mesh,
    /// To super-peers only.
    #[serde(rename = "superpeer-only")]
    SuperPeerOnly,
}

/// A token that is wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    /// Who holds it: two connections with tokens of one subject are one viewer.
    #[serde(default)]
    subject: Option<String>,
    /// Which swarms it opens: swarm ids, with `*`, or info_hashes. All that the caller's key reaches without it.
    #[serde(default)]
    swarms: Option<Vec<String>>,
    /// What the holder is for others.
    #[serde(default)]
    role: HolderRole,
    /// Whether the holder takes only.
    #[serde(default)]
    leech: bool,
    /// How much the holder may give others, in kbit/s.
    #[serde(default)]
    max_up_kbps: Option<u32>,
    /// Whom the holder may be introduced to.
    #[serde(default)]
    privacy: Option<HolderPrivacy>,
    /// How long it counts, in seconds; 600 without it.
    #[serde(default)]
    lifetime_s: Option<u32>,
}

/// A new token. It is kept nowhere.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenMade {
    /// The token.
    token: String,
    /// Its name (`jti`), by which it can be revoked.
    id: String,
    /// The key that signed it.
    kid: String,
    /// When it ends, in seconds since 1970.
    expires_s: u64,
}

/// Bytes of a subject and entries of `swarms` at most, so that a token stays below what trackers read.
const SUBJECT_BYTES_MAX: usize = 256;
const SWARMS_MAX: usize = 64;

/// Issues a token.
#[utoipa::path(post, path = "/v1/tokens", tag = "tokens", request_body = NewToken,
    responses((status = 201, body = TokenMade), (status = "4XX", body = Problem)))]
pub(crate) async fn issue(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(wanted): Body<NewToken>,
) -> Answer<Response> {
    caller.needs(Permission::Operate)?;
    let lifetime_s = wanted
        .lifetime_s
        .unwrap_or(600.min(app.tokens.lifetime_s_max));
    if !(1..=app.tokens.lifetime_s_max).contains(&lifetime_s) {
        let most = app.tokens.lifetime_s_max;
        return Err(Problem::unprocessable(format!(
            "lifetime_s is {lifetime_s}, expected 1 to {most}"
        )));
    }
    if wanted
        .subject
        .as_ref()
        .is_some_and(|it| it.len() > SUBJECT_BYTES_MAX)
    {
        return Err(Problem::unprocessable(format!(
            "subject: expected at most {SUBJECT_BYTES_MAX} bytes"
        )));
    }
    let swarms = scope(&app, &caller, wanted.swarms).await?;
    if caller.tenant.is_some() && wanted.role == HolderRole::SuperPeer {
        return Err(Problem::forbidden(
            "a tenant's key makes no super-peers; they are the operator's",
        ));
    }
    let now_s = u64::try_from(now_ms() / 1000).unwrap_or_default();
    let id = random_name()?;
    let expires_s = now_s + u64::from(lifetime_s);
    let claims = Claims {
        exp: Some(expires_s),
        iat: Some(now_s),
        iss: app.tokens.issuer.clone(),
        aud: app.tokens.audience.clone().into_iter().collect(),
        jti: Some(id.clone()),
        sub: wanted.subject,
        swarms,
        role: match wanted.role {
            HolderRole::Viewer => TokenRole::Viewer,
            HolderRole::SuperPeer => TokenRole::SuperPeer,
        },
        is_leech: wanted.leech,
        max_up_kbps: wanted.max_up_kbps,
        privacy: wanted.privacy.map(|it| match it {
            HolderPrivacy::Mesh => Privacy::Mesh,
            HolderPrivacy::SuperPeerOnly => Privacy::SuperPeerOnly,
        }),
        ..Claims::default()
    };
    let (kid, token) = signing::sign(&app.registry, &app.tokens, &claims).await?;
    if token.len() > beekeepr_trust::TOKEN_BYTES_MAX {
        return Err(Problem::unprocessable(
            "the token is longer than trackers read; name fewer swarms",
        ));
    }
    Ok((
        StatusCode::CREATED,
        Json(TokenMade {
            token,
            id,
            kid,
            expires_s,
        }),
    )
        .into_response())
}

/// Which swarms the token opens. A tenant's key opens its own channels' swarms alone.
async fn scope(
    app: &App,
    caller: &Caller,
    wanted: Option<Vec<String>>,
) -> Answer<Option<Vec<String>>> {
    if wanted.as_ref().is_some_and(|it| it.len() > SWARMS_MAX) {
        return Err(Problem::unprocessable(format!(
            "swarms: expected at most {SWARMS_MAX}"
        )));
    }
    let Some(tenant) = &caller.tenant else {
        return Ok(wanted);
    };
    let page = Page {
        tenant: Some(tenant.clone()),
        after: String::new(),
        limit: 1_000,
    };
    let own = app.registry.list::<Channel>(page).await?;
    let own: Vec<String> = own.into_iter().map(|it| it.document.swarm_id()).collect();
    let Some(wanted) = wanted else {
        return Ok(Some(own));
    };
    match wanted.iter().find(|it| !own.contains(it)) {
        None => Ok(Some(wanted)),
        Some(other) => Err(Problem::forbidden(format!(
            "{other:?} is the swarm id of no channel of the tenant {tenant:?}"
        ))),
    }
}

/// Tokens that count no more, by their `jti`.
#[utoipa::path(get, path = "/v1/revocations", tag = "tokens", params(Paging),
    responses((status = 200, body = Listing<Shown<Revocation>>), (status = "4XX", body = Problem)))]
pub(crate) async fn revocations(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(paging): Params<Paging>,
) -> Answer<Json<Listing<Shown<Revocation>>>> {
    caller.needs(Permission::See)?;
    things::list(&app, &caller, &paging, |it: Revocation| it).await
}

/// Revokes a token until it would have expired; `expires_s` 0 stands for the longest that one can count.
#[utoipa::path(put, path = "/v1/revocations/{name}", tag = "tokens", params(("name" = String, Path)),
    request_body = Revocation,
    responses((status = 201, body = Shown<Revocation>), (status = "4XX", body = Problem)))]
pub(crate) async fn revoke(
    State(app): State<Arc<App>>,
    caller: Caller,
    Name(name): Name,
    headers: HeaderMap,
    Body(mut revocation): Body<Revocation>,
) -> Answer<Response> {
    caller.needs(Permission::Operate)?;
    crate::documents::check_name(&name).map_err(Problem::unprocessable)?;
    super::tenants::check_title(&revocation.reason).map_err(Problem::unprocessable)?;
    let last_s = now_ms() / 1000 + i64::from(app.tokens.lifetime_s_max);
    if revocation.expires_s <= 0 || revocation.expires_s > last_s {
        revocation.expires_s = last_s;
    }
    let tenant = caller.owner(None)?;
    if let Some(known) = app.registry.get::<Revocation>(&name).await?
        && !caller.sees(&known.tenant)
    {
        return Err(Problem::absent("revocation", &name));
    }
    let change = crate::documents::Change {
        expected: super::extract::expected(&headers)?,
        note: Some(caller.note("revoke", &tenant, revocation.reason.clone())),
        expires_ms: revocation.expires_s * 1000,
        tenant,
    };
    app.registry.put(&name, &revocation, change).await?;
    let found = things::find::<Revocation>(&app, &caller, "revocation", &name).await?;
    signing::publish(&app.registry, &app.tokens).await?;
    Ok(things::answer(StatusCode::CREATED, found, |it| it))
}

/// Lets a revoked token count again.
#[utoipa::path(delete, path = "/v1/revocations/{name}", tag = "tokens", params(("name" = String, Path)),
    responses((status = 204), (status = "4XX", body = Problem)))]
pub(crate) async fn unrevoke(
    State(app): State<Arc<App>>,
    caller: Caller,
    Name(name): Name,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    caller.needs(Permission::Operate)?;
    let done = things::delete::<Revocation>(&app, &caller, "revocation", &name, &headers).await?;
    signing::publish(&app.registry, &app.tokens).await?;
    Ok(done)
}
