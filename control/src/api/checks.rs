//! Looking at a channel before viewers do.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::App;
use super::caller::{Caller, Permission};
use super::extract::{Body, Name};
use super::problem::{Answer, Problem};
use crate::documents::{Channel, check_name};
use crate::sources::CheckReport;

/// Channels that are looked at together: each takes some requests to its origin.
pub(super) const CHECKS_MAX: usize = 4;

/// A channel to look at.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// How it shall be; as it is without it. Of a channel that there is, what is sent as `(hidden)` stands for what it has.
    #[serde(default)]
    config: Option<Channel>,
}

/// Looks at a channel as its seeder would, and changes nothing: whether it can be read, and what does not suit.
#[utoipa::path(post, path = "/v1/channels/{name}/check", tag = "channels", params(("name" = String, Path)),
    request_body = Asked,
    responses((status = 200, body = CheckReport), (status = "4XX", body = Problem)))]
pub(crate) async fn check(
    State(app): State<Arc<App>>,
    caller: Caller,
    Name(name): Name,
    Body(asked): Body<Asked>,
) -> Answer<Json<CheckReport>> {
    caller.needs(Permission::Operate)?;
    check_name(&name).map_err(Problem::unprocessable)?;
    let known = app.registry.get::<Channel>(&name).await?;
    let known = known.filter(|it| caller.sees(&it.tenant));
    let known = known.map(|it| it.document);
    let channel = match (asked.config, known) {
        (Some(mut wanted), known) => {
            wanted
                .reveal(known.as_ref())
                .map_err(Problem::unprocessable)?;
            wanted
        }
        (None, Some(known)) => known,
        (None, None) => return Err(Problem::absent("channel", &name)),
    };
    channel.check().map_err(Problem::unprocessable)?;
    let Some(checker) = &app.sources.checker else {
        let detail = "there is no seeder in this process that could look; run `beekeepr check`";
        return Err(Problem::new(StatusCode::NOT_FOUND, detail));
    };
    let seat = app.limits.checks.try_acquire();
    let Ok(_seat) = seat else {
        let detail = "as many channels are looked at as may be; try again in a minute";
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, detail));
    };
    let report = checker.check(name, channel).await;
    report.map(Json).map_err(Problem::unprocessable)
}
