//! Channels.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::App;
use super::caller::{Caller, Permission};
use super::extract::{Body, Listing, Name, Paging, Params};
use super::problem::{Answer, Problem};
use super::things::{self, Owner, Shown};
use crate::documents::Channel;

const WHAT: &str = "channel";

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is a function for what is shown of any document"
)]
fn hidden(channel: Channel) -> Channel {
    channel.hidden()
}

/// Channels in the order of their names, without their secrets.
#[utoipa::path(get, path = "/v1/channels", tag = "channels", params(Paging),
    responses((status = 200, body = Listing<Shown<Channel>>), (status = "4XX", body = Problem)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(paging): Params<Paging>,
) -> Answer<Json<Listing<Shown<Channel>>>> {
    caller.needs(Permission::See)?;
    things::list(&app, &caller, &paging, hidden).await
}

/// A channel, without its secrets.
#[utoipa::path(get, path = "/v1/channels/{name}", tag = "channels", params(("name" = String, Path)),
    responses((status = 200, body = Shown<Channel>), (status = "4XX", body = Problem)))]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Name(name): Name,
) -> Answer<Response> {
    caller.needs(Permission::See)?;
    let found = things::find(&app, &caller, WHAT, &name).await?;
    Ok(things::answer(StatusCode::OK, found, hidden))
}

/// Makes or changes a channel. What is sent as `(hidden)` stays as it was.
#[utoipa::path(put, path = "/v1/channels/{name}", tag = "channels", params(("name" = String, Path), Owner),
    request_body = Channel,
    responses((status = 200, body = Shown<Channel>), (status = 201, body = Shown<Channel>), (status = "4XX", body = Problem)))]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    Name(name): Name,
    Params(owner): Params<Owner>,
    headers: HeaderMap,
    Body(mut channel): Body<Channel>,
) -> Answer<Response> {
    caller.needs(Permission::Operate)?;
    let owner = owner.tenant.as_deref();
    things::check_tenant(&app, owner).await?;
    let prepare = |known: Option<&Channel>| {
        channel.reveal(known)?;
        channel.check()?;
        Ok(channel)
    };
    let (status, found) = things::put(&app, &caller, &name, &headers, owner, prepare).await?;
    Ok(things::answer(status, found, hidden))
}

/// Removes a channel; seeders leave its swarms at once.
#[utoipa::path(delete, path = "/v1/channels/{name}", tag = "channels", params(("name" = String, Path)),
    responses((status = 204), (status = "4XX", body = Problem)))]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Name(name): Name,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    caller.needs(Permission::Operate)?;
    things::delete::<Channel>(&app, &caller, WHAT, &name, &headers).await
}
