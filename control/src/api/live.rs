//! What is going on now: once, and as it changes.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::{self, error::RecvError};
use utoipa::ToSchema;

use super::App;
use super::caller::{Caller, Permission};
use super::problem::{Answer, Problem};
use super::statistics::Point;
use crate::beacons::Tick;
use crate::documents::News;
use crate::store::Kind;

/// Below the 60 s after which common proxies drop silent connections.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What is going on in the channels now.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Live {
    /// When the last figures were taken, in seconds since 1970; 0 before the first.
    at_s: i64,
    /// For how many seconds they stand.
    step_s: i64,
    /// Those of each channel in which something happened.
    channels: Vec<Point>,
}

fn live(tick: &Tick, caller: &Caller) -> Live {
    let own = tick.samples.iter().filter(|it| caller.sees(&it.tenant));
    Live {
        at_s: tick.at_s,
        step_s: 10,
        channels: own.cloned().map(Point::from).collect(),
    }
}

/// The figures of the last ten seconds, by channel.
#[utoipa::path(get, path = "/v1/live", tag = "statistics",
    responses((status = 200, body = Live), (status = "4XX", body = Problem)))]
pub(crate) async fn now(State(app): State<Arc<App>>, caller: Caller) -> Answer<Json<Live>> {
    caller.needs(Permission::SeeStatistics)?;
    Ok(Json(live(&app.beacons.last(), &caller)))
}

/// The largest swarms and their peers, as the tracker of this process tells them.
#[utoipa::path(get, path = "/v1/swarms", tag = "live",
    responses((status = 200, body = serde_json::Value), (status = "4XX", body = Problem)))]
pub(crate) async fn swarms(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    caller.needs_whole(Permission::See)?;
    from(app.sources.swarms.as_ref(), "tracker").await
}

/// The channels as the seeder of this process seeds them.
#[utoipa::path(get, path = "/v1/super-peers", tag = "live",
    responses((status = 200, body = serde_json::Value), (status = "4XX", body = Problem)))]
pub(crate) async fn super_peers(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    caller.needs_whole(Permission::See)?;
    from(app.sources.super_peers.as_ref(), "seeder").await
}

async fn from(source: Option<&crate::Source>, what: &str) -> Answer<Response> {
    let Some(source) = source else {
        let detail = format!("there is no {what} in this process; ask its own admin listener");
        return Err(Problem::new(StatusCode::NOT_FOUND, detail));
    };
    let json = source.get().await;
    Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response())
}

/// Somebody who listens.
struct Listener {
    caller: Caller,
    ticks: broadcast::Receiver<Arc<Tick>>,
    news: broadcast::Receiver<News>,
    app: Arc<App>,
    /// The place among those who may listen at a time.
    _seat: OwnedSemaphorePermit,
}

/// Server-sent events: `statistics` every ten seconds as of `/v1/live`, `change` when something was changed, `lagged` when
/// events were lost and everything is to be read again.
#[utoipa::path(get, path = "/v1/events", tag = "live",
    responses((status = 200, body = String, content_type = "text/event-stream"), (status = "4XX", body = Problem)))]
pub(crate) async fn events(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    caller.needs(Permission::SeeStatistics)?;
    let seat = Arc::clone(&app.limits.listeners).try_acquire_owned();
    let seat = seat.map_err(|_| {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Problem::new(status, "as many listen to events as may; try again later")
    })?;
    let listener = Listener {
        caller,
        ticks: app.beacons.ticks(),
        news: app.registry.news(),
        app,
        _seat: seat,
    };
    let events = stream::unfold(listener, |mut listener| async {
        let event = listener.next().await?;
        Some((Ok::<_, Infallible>(event), listener))
    });
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    Ok(Sse::new(events).keep_alive(keep_alive).into_response())
}

impl Listener {
    /// The next event that is for the caller; `None` at the end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            tokio::select! {
                tick = self.ticks.recv() => match tick {
                    Ok(tick) => return event("statistics", &live(&tick, &self.caller)),
                    Err(RecvError::Lagged(_)) => return event("lagged", &()),
                    Err(RecvError::Closed) => return None,
                },
                news = self.news.recv() => match news {
                    // The key that it was opened with is no more.
                    Ok(news) if news.kind == Kind::ApiKey && news.id == self.caller.key => return None,
                    Ok(news) if self.may_hear(&news) => return event("change", &news),
                    Ok(_) => (),
                    Err(RecvError::Lagged(_)) => return event("lagged", &()),
                    Err(RecvError::Closed) => return None,
                },
                () = self.app.shutdown.requested() => return None,
            }
        }
    }

    fn may_hear(&self, news: &News) -> bool {
        self.caller.role.may(Permission::See) && self.caller.sees(&news.tenant)
    }
}

fn event<T: Serialize>(name: &str, data: &T) -> Option<Event> {
    Event::default().event(name).json_data(data).ok()
}
