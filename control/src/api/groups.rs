//! Groups of viewers, one by one and as a file of networks.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::App;
use super::caller::{Caller, Permission};
use super::extract::{Body, Listing, Name, Paging, Params, Text};
use super::problem::{Answer, Problem};
use super::things::{self, Shown};
use crate::documents::{Change, Group, read_file, write_file};
use crate::store::Expected;

const WHAT: &str = "group";

/// Groups in the order of their names.
#[utoipa::path(get, path = "/v1/groups", tag = "groups", params(Paging),
    responses((status = 200, body = Listing<Shown<Group>>), (status = "4XX", body = Problem)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(paging): Params<Paging>,
) -> Answer<Json<Listing<Shown<Group>>>> {
    caller.needs_whole(Permission::See)?;
    things::list(&app, &caller, &paging, |it: Group| it).await
}

/// A group.
#[utoipa::path(get, path = "/v1/groups/{name}", tag = "groups", params(("name" = String, Path)),
    responses((status = 200, body = Shown<Group>), (status = "4XX", body = Problem)))]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Name(name): Name,
) -> Answer<Response> {
    caller.needs_whole(Permission::See)?;
    let found = things::find::<Group>(&app, &caller, WHAT, &name).await?;
    Ok(things::answer(StatusCode::OK, found, |it| it))
}

/// Makes or changes a group.
#[utoipa::path(put, path = "/v1/groups/{name}", tag = "groups", params(("name" = String, Path)), request_body = Group,
    responses((status = 200, body = Shown<Group>), (status = 201, body = Shown<Group>), (status = "4XX", body = Problem)))]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    Name(name): Name,
    headers: HeaderMap,
    Body(group): Body<Group>,
) -> Answer<Response> {
    caller.needs_whole(Permission::Operate)?;
    let prepare = |_: Option<&Group>| group.check().map(|()| group);
    let (status, found) = things::put(&app, &caller, &name, &headers, None, prepare).await?;
    Ok(things::answer(status, found, |it| it))
}

/// Removes a group.
#[utoipa::path(delete, path = "/v1/groups/{name}", tag = "groups", params(("name" = String, Path)),
    responses((status = 204), (status = "4XX", body = Problem)))]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Name(name): Name,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    caller.needs_whole(Permission::Operate)?;
    things::delete::<Group>(&app, &caller, WHAT, &name, &headers).await
}

/// All groups as a text: a network and the name of its group in each line.
#[utoipa::path(get, path = "/v1/groups-file", tag = "groups",
    responses((status = 200, body = String, content_type = "text/plain"), (status = "4XX", body = Problem)))]
pub(crate) async fn file(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    caller.needs_whole(Permission::See)?;
    let groups = app.registry.all::<Group>().await?;
    let groups: Vec<_> = groups.into_iter().map(|it| (it.id, it.document)).collect();
    let media_type = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    Ok((media_type, write_file(&groups)).into_response())
}

/// Makes the groups as such a text has them; those that it does not name are removed.
#[utoipa::path(put, path = "/v1/groups-file", tag = "groups", request_body(content = String, content_type = "text/plain"),
    responses((status = 204), (status = "4XX", body = Problem)))]
pub(crate) async fn put_file(
    State(app): State<Arc<App>>,
    caller: Caller,
    Text(text): Text,
) -> Answer<StatusCode> {
    caller.needs_whole(Permission::Operate)?;
    let groups = read_file(&text).map_err(Problem::unprocessable)?;
    let known = app.registry.all::<Group>().await?;
    let change = |action: &str| Change {
        expected: Expected::Any,
        tenant: String::new(),
        expires_ms: 0,
        note: Some(caller.note(action, "", "by file")),
    };
    for (name, mut group) in groups.iter().cloned() {
        let before = known.iter().find(|it| it.id == name);
        // The file has no titles.
        group.title = before
            .map(|it| it.document.title.clone())
            .unwrap_or_default();
        if before.is_none_or(|it| it.document != group) {
            app.registry.put(&name, &group, change("update")).await?;
        }
    }
    for gone in known
        .iter()
        .filter(|it| groups.iter().all(|(name, _)| *name != it.id))
    {
        app.registry
            .delete::<Group>(&gone.id, change("delete"))
            .await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
