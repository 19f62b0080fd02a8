//! Channels from a control server (docs/protocol/channels.md).

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::ETAG;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use beekeepr_model::Generation;
use beekeepr_seeder::ChannelsFrom;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::origin::Origin;
use crate::viewer::Viewer;
use crate::{World, origin, swarm_of, within_patience};

/// A control server with one list.
#[derive(Clone)]
struct Control {
    list: Arc<watch::Sender<(u64, String)>>,
    seen: Arc<Mutex<Vec<HeaderMap>>>,
    /// Whether it can hold its answers back.
    holds: bool,
}

impl Control {
    async fn start(holds: bool) -> (Self, SocketAddr) {
        let control = Self {
            list: Arc::new(watch::Sender::new((0, String::new()))),
            seen: Arc::default(),
            holds,
        };
        let address = control
            .listen("127.0.0.1:0".parse().expect("an address"))
            .await;
        (control, address)
    }

    async fn listen(&self, address: SocketAddr) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind(address)
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    fn list(&self, channels: &Value) {
        let text = json!({ "version": 1, "channels": channels }).to_string();
        self.list.send_modify(|(version, list)| {
            *version += 1;
            *list = text;
        });
    }

    fn header(&self, name: &str) -> Option<String> {
        let seen = self.seen.lock().expect("no test panics with it");
        let value = seen.last()?.get(name)?;
        Some(value.to_str().ok()?.to_owned())
    }

    fn requests(&self) -> usize {
        self.seen.lock().expect("no test panics with it").len()
    }
}

async fn answer(State(control): State<Control>, headers: HeaderMap) -> Response {
    let known = headers.get("if-none-match").cloned();
    control
        .seen
        .lock()
        .expect("no test panics with it")
        .push(headers);
    let mut list = control.list.subscribe();
    let etag = |version: u64| format!("\"{version}\"");
    let is_known = |version: u64| known.as_ref().is_some_and(|known| *known == etag(version));
    if control.holds {
        let changed = list.wait_for(|(version, _)| !is_known(*version)).await;
        drop(changed);
    }
    let (version, text) = list.borrow().clone();
    if version == 0 {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    if is_known(version) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    ([(ETAG, etag(version))], text).into_response()
}

async fn world(origin: Origin, control: SocketAddr, more: impl FnOnce(&mut ChannelsFrom)) -> World {
    let mut from = ChannelsFrom {
        url: format!("http://{control}/v1/seeder/channels")
            .parse()
            .expect("a URL"),
        key_file: None,
        key_source: None,
        state_file: None,
    };
    more(&mut from);
    World::start_configured(origin, Vec::new(), 1, |config| {
        config.channels_from = Some(from);
    })
    .await
}

fn tv(origin: &Origin) -> Value {
    json!({ "name": "tv", "manifest": origin.url("/tv.m3u8"), "swarm_id": "swarm" })
}

async fn until(fits: impl Fn() -> bool) {
    while !fits() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn control_adds_and_removes_channels() {
    within_patience(async {
        for holds in [true, false] {
            let folder = tempfile::tempdir().expect("a folder");
            let key_file = folder.path().join("key");
            std::fs::write(&key_file, "secret-key\n").expect("written");
            let (control, address) = Control::start(holds).await;
            let origin = origin(1, 2, "").await;
            control.list(&json!([tv(&origin)]));
            let mut world = world(origin, address, |from| from.key_file = Some(key_file)).await;
            let swarm = swarm_of(Generation::V2, "swarm");
            let mut viewer = Viewer::connect(&mut world.tracker, &swarm).await;
            viewer.hear_of(&[1, 2]).await;
            until(|| control.requests() > 1).await;
            assert_eq!(
                control.header("authorization").as_deref(),
                Some("Bearer secret-key")
            );
            assert_eq!(control.header("prefer").as_deref(), Some("wait=30"));
            control.list(&json!([]));
            world.tracker.next(|it| it["event"] == "stopped").await;
            let all: Value = serde_json::from_str(&world.seeder.channels.json()).expect("JSON");
            assert_eq!(all["channels"], json!([]));
            assert_eq!(all["channels_from"]["state"], "following");
        }
    })
    .await;
}

#[tokio::test]
async fn what_control_said_last_counts_while_it_is_away_and_after_a_restart() {
    within_patience(async {
        let folder = tempfile::tempdir().expect("a folder");
        let state_file = folder.path().join("channels.json");
        let (control, address) = Control::start(true).await;
        let origin = origin(1, 2, "").await;
        control.list(&json!([tv(&origin)]));
        let keep = |from: &mut ChannelsFrom| from.state_file = Some(state_file.clone());
        let first = world(origin, address, keep).await;
        until(|| first.metric("beekeepr_seeder_cached_segments") == 2.0 && state_file.exists())
            .await;
        first.trigger.request();
        first.seeder.wait().await;
        // Nobody listens there.
        let gone = "127.0.0.1:1".parse().expect("an address");
        let second = world(first.origin, gone, keep).await;
        until(|| second.metric("beekeepr_seeder_cached_segments") == 2.0).await;
        until(|| second.seeder.channels.json().contains("\"lost\"")).await;
    })
    .await;
}

#[tokio::test]
async fn a_list_that_makes_no_sense_changes_nothing() {
    within_patience(async {
        let (control, address) = Control::start(false).await;
        let origin = origin(1, 2, "").await;
        control.list(&json!([tv(&origin)]));
        let world = world(origin, address, |_| {}).await;
        until(|| world.metric("beekeepr_seeder_cached_segments") == 2.0).await;
        control.list(&json!("all of them"));
        until(|| world.seeder.channels.json().contains("\"lost\"")).await;
        assert_eq!(world.metric("beekeepr_seeder_cached_segments"), 2.0);
        // One that cannot be followed harms no other, and is as it was.
        let wrong = json!({ "name": "tv", "manifest": "nowhere" });
        let other = json!({ "name": "more", "manifest": world.origin.url("/tv.m3u8") });
        control.list(&json!([wrong, other]));
        until(|| world.metric("beekeepr_seeder_cached_segments") == 4.0).await;
    })
    .await;
}
