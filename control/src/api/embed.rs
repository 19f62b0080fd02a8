//! What an operator puts on their own page.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::App;
use super::caller::{Caller, Permission};
use super::extract::Name;
use super::problem::{Answer, Problem};
use crate::documents::Channel;

/// HTML that plays a channel with hls.js and the client of this process's page.
#[utoipa::path(get, path = "/v1/channels/{name}/embed", tag = "channels", params(("name" = String, Path)),
    responses((status = 200, body = String, content_type = "text/plain"), (status = "4XX", body = Problem)))]
pub(crate) async fn embed(
    State(app): State<Arc<App>>,
    caller: Caller,
    Name(name): Name,
) -> Answer<Response> {
    caller.needs(Permission::See)?;
    let kept = app.registry.get::<Channel>(&name).await?;
    let is_visible = match &kept {
        Some(kept) => caller.sees(&kept.tenant),
        // Those of the configuration are the operator's.
        None => caller.tenant.is_none(),
    };
    let snippet = app.sources.embed.as_ref().filter(|_| is_visible);
    let Some(text) = snippet.and_then(|it| it.of(&name)) else {
        let detail = format!("no page of this process plays {name:?}; see docs/embedding.md");
        return Err(Problem::new(StatusCode::NOT_FOUND, detail));
    };
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}
