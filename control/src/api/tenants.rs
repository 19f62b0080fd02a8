//! Tenants.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::App;
use super::caller::{Caller, Permission};
use super::extract::{Body, Listing, Name, Paging, Params};
use super::problem::{Answer, Problem};
use super::things::{self, Shown};
use crate::documents::{ApiKey, Channel, Tenant};
use crate::store::{Kind, Page};

const WHAT: &str = "tenant";

/// Letters of a title at most.
const TITLE_CHARS_MAX: usize = 200;

/// A title that fits into a table.
pub(crate) fn check_title(title: &str) -> Result<(), String> {
    let letters = title.chars().count();
    if letters > TITLE_CHARS_MAX || title.contains('\0') {
        return Err(format!(
            "the title has {letters} letters, expected at most {TITLE_CHARS_MAX}"
        ));
    }
    Ok(())
}

/// Tenants in the order of their names.
#[utoipa::path(get, path = "/v1/tenants", tag = "tenants", params(Paging),
    responses((status = 200, body = Listing<Shown<Tenant>>), (status = "4XX", body = Problem)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(paging): Params<Paging>,
) -> Answer<Json<Listing<Shown<Tenant>>>> {
    caller.needs_whole(Permission::Own)?;
    things::list(&app, &caller, &paging, |it: Tenant| it).await
}

/// A tenant.
#[utoipa::path(get, path = "/v1/tenants/{name}", tag = "tenants", params(("name" = String, Path)),
    responses((status = 200, body = Shown<Tenant>), (status = "4XX", body = Problem)))]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Name(name): Name,
) -> Answer<Response> {
    caller.needs_whole(Permission::Own)?;
    let found = things::find::<Tenant>(&app, &caller, WHAT, &name).await?;
    Ok(things::answer(StatusCode::OK, found, |it| it))
}

/// Makes or changes a tenant.
#[utoipa::path(put, path = "/v1/tenants/{name}", tag = "tenants", params(("name" = String, Path)), request_body = Tenant,
    responses((status = 200, body = Shown<Tenant>), (status = 201, body = Shown<Tenant>), (status = "4XX", body = Problem)))]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    Name(name): Name,
    headers: HeaderMap,
    Body(tenant): Body<Tenant>,
) -> Answer<Response> {
    caller.needs_whole(Permission::Own)?;
    let prepare = |_: Option<&Tenant>| check_title(&tenant.title).map(|()| tenant);
    let (status, found) = things::put(&app, &caller, &name, &headers, None, prepare).await?;
    Ok(things::answer(status, found, |it| it))
}

/// Removes a tenant that has no channels and keys any more.
#[utoipa::path(delete, path = "/v1/tenants/{name}", tag = "tenants", params(("name" = String, Path)),
    responses((status = 204), (status = "4XX", body = Problem)))]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Name(name): Name,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    caller.needs_whole(Permission::Own)?;
    for kind in [Kind::Channel, Kind::ApiKey] {
        let page = Page {
            tenant: Some(name.clone()),
            after: String::new(),
            limit: 1,
        };
        let has_some = match kind {
            Kind::Channel => !app.registry.list::<Channel>(page).await?.is_empty(),
            _ => !app.registry.list::<ApiKey>(page).await?.is_empty(),
        };
        if has_some {
            let detail = format!(
                "the tenant {name:?} still has something of kind {}; delete that first",
                kind.as_str()
            );
            return Err(Problem::new(StatusCode::CONFLICT, detail));
        }
    }
    things::delete::<Tenant>(&app, &caller, WHAT, &name, &headers).await
}
