//! As how many peers a channel appears, and what it tells of its viewers.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Mutex;
use std::time::Duration;

use beekeepr_model::Generation;
use beekeepr_seeder::{Channel, Config};
use tokio::time::timeout;

use crate::viewer::Viewer;
use crate::{World, channel, content, origin, swarm, within_patience};

#[tokio::test]
async fn one_peer_waits_for_the_first_viewer_and_the_others_follow() {
    within_patience(async {
        let mut world = World::start(origin(1, 3, "").await, &["/tv.m3u8"], 3).await;
        let hash = swarm(Generation::V2);
        let first = world.tracker.announce(&hash).await.message;
        // A second logical peer would have announced with the first.
        let others = |message: &serde_json::Value| {
            message["info_hash"] == *hash && message["peer_id"] != first["peer_id"]
        };
        let early = timeout(Duration::from_millis(300), world.tracker.next(&others)).await;
        assert!(early.is_err(), "somebody announces for nobody");
        let mut viewer = Viewer::connect(&mut world.tracker, &hash).await;
        viewer.hear_of(&[1, 2, 3]).await;
        let mut ids = BTreeSet::new();
        while ids.len() < 2 {
            let message = world.tracker.next(&others).await.message;
            ids.insert(message["peer_id"].as_str().map(ToOwned::to_owned));
        }
    })
    .await;
}

/// 150 KB at 100 kbit/s would take 12 s, of a segment that lasts 2 s.
#[tokio::test]
async fn what_the_limit_of_the_process_cannot_bring_in_time_is_absent() {
    within_patience(async {
        let origin = origin(1, 3, "").await;
        let channels = vec![channel(&origin, "/tv.m3u8")];
        let limit = |config: &mut Config| config.upload_bps_max = 100_000;
        let mut world = World::start_configured(origin, channels, 1, limit).await;
        let mut viewer = Viewer::connect(&mut world.tracker, &swarm(Generation::V2)).await;
        viewer.hear_of(&[1, 2, 3]).await;
        assert_eq!(viewer.download(3, 0).await, None);
        // Its last kilobyte can be sent at once.
        let rest = content(3).split_off(150_000 - 1_000);
        let offset = 150_000 - 1_000;
        assert_eq!(viewer.download(3, offset).await, Some(rest));
    })
    .await;
}

thread_local! {
    /// What this thread logs.
    static LOGGED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// What the threads of all hubs log; they have no part in the tests beside them that could be told.
static HUBS: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Keeps what threads log apart: a test and what it spawns is one thread. One for the process, as with a subscriber for
/// a thread alone a line that another thread comes by first may be held for one that nobody wants.
#[derive(Clone, Copy, Debug)]
struct Log;

impl Log {
    fn keep() {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::INFO)
            .with_ansi(false)
            .with_writer(|| Self)
            .finish();
        let is_set = tracing::subscriber::set_global_default(subscriber).is_ok();
        assert!(is_set, "no other test sets a subscriber");
    }

    /// Of this test and of the hubs.
    fn text() -> String {
        let mut all = LOGGED.with_borrow(Vec::clone);
        all.extend_from_slice(&HUBS.lock().expect("no writer panics"));
        String::from_utf8_lossy(&all).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let thread = std::thread::current();
        match thread.name().is_some_and(|it| it.starts_with("webrtc")) {
            true => HUBS.lock().expect("no writer panics").write(bytes),
            false => LOGGED.with_borrow_mut(|log| log.write(bytes)),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn who_watches_is_not_logged_for_operators() {
    within_patience(async {
        Log::keep();
        let origin = origin(1, 2, "").await;
        let own = Channel {
            name: "secret viewers".to_owned(),
            ..channel(&origin, "/tv.m3u8")
        };
        let mut world = World::start_with(origin, vec![own], 1).await;
        let mut viewer = Viewer::connect(&mut world.tracker, &swarm(Generation::V2)).await;
        viewer.hear_of(&[1, 2]).await;
        assert!(viewer.download(2, 0).await.is_some());
        drop(viewer);
        world.trigger.request();
        world.seeder.wait().await;
        let text = Log::text();
        let has_been_seen = |line: &str| {
            line.contains("channel is being seeded") && line.contains("secret viewers")
        };
        assert!(text.lines().any(has_been_seen), "{text}");
        for secret in ["127.0.0.1", "-PM0203-", "viewer123456"] {
            assert!(!text.contains(secret), "{secret} in: {text}");
        }
    })
    .await;
}
