//! The operator's listener over a real socket.

use prometheus::IntCounter;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

/// Status and whole response text of one GET.
async fn get(admin: &Admin, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(admin.address()).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    (
        response.split(' ').nth(1).unwrap().parse().unwrap(),
        response,
    )
}

async fn start() -> (crate::Trigger, Admin) {
    let (trigger, shutdown) = Shutdown::new();
    let admin = Admin::start("127.0.0.1:0".parse().unwrap(), shutdown)
        .await
        .unwrap();
    (trigger, admin)
}

#[tokio::test]
async fn the_process_is_alive_before_any_role_is_ready() {
    let (_trigger, admin) = start().await;
    assert_eq!(get(&admin, "/livez").await.0, 200);
    assert_eq!(get(&admin, "/readyz").await.0, 503);
}

#[tokio::test]
async fn readiness_takes_every_role() {
    let (_trigger, admin) = start().await;
    let (tracker, stun) = (admin.readiness("tracker"), admin.readiness("stun"));
    tracker.ready();
    let (status, text) = get(&admin, "/readyz").await;
    assert_eq!(status, 503);
    assert!(text.contains("stun: not ready\ntracker: ready\n"), "{text}");
    stun.ready();
    assert_eq!(get(&admin, "/readyz").await.0, 200);
    tracker.not_ready();
    assert_eq!(get(&admin, "/readyz").await.0, 503);
}

#[tokio::test]
async fn readiness_ends_with_the_shutdown_while_metrics_stay() {
    let (trigger, admin) = start().await;
    admin.readiness("tracker").ready();
    trigger.request();
    let (status, text) = get(&admin, "/readyz").await;
    assert_eq!(status, 503);
    assert!(text.contains("tracker: draining\n"), "{text}");
    assert_eq!(get(&admin, "/metrics").await.0, 200);
}

#[tokio::test]
async fn registered_metrics_are_shown_as_prometheus_text() {
    let (_trigger, admin) = start().await;
    let counter = IntCounter::new("beekeepr_test_things_total", "things").unwrap();
    admin
        .registry()
        .register(Box::new(counter.clone()))
        .unwrap();
    counter.inc_by(7);
    let (status, text) = get(&admin, "/metrics").await;
    assert_eq!(status, 200);
    assert!(
        text.contains("content-type: text/plain; version=0.0.4"),
        "{text}"
    );
    assert!(text.contains("\nbeekeepr_test_things_total 7\n"), "{text}");
}

#[tokio::test]
async fn roles_show_pages() {
    let (_trigger, admin) = start().await;
    admin.page("/v1/things", |query| {
        let json = format!("{query:?}");
        async { json }
    });
    let (status, text) = get(&admin, "/v1/things?top=3").await;
    assert_eq!(status, 200);
    assert!(text.contains("content-type: application/json"), "{text}");
    assert!(text.ends_with("\r\n\r\n\"top=3\""), "{text}");
    assert_eq!(get(&admin, "/v1/others").await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_is_sent_away() {
    let (_trigger, admin) = start().await;
    let mut stream = TcpStream::connect(admin.address()).await.unwrap();
    stream.write_all(b"GET /livez HTTP/1.1\r\n").await.unwrap();
    let mut response = String::new();
    // The clock of the test jumps to the timeout, as nothing else is to be done.
    stream.read_to_string(&mut response).await.unwrap();
    assert_eq!(get(&admin, "/livez").await.0, 200);
}

#[tokio::test]
async fn a_taken_port_is_an_error_that_names_it() {
    let (_trigger, admin) = start().await;
    let (_other, shutdown) = Shutdown::new();
    let error = Admin::start(admin.address(), shutdown).await.unwrap_err();
    assert!(
        error.to_string().contains(&admin.address().to_string()),
        "{error}"
    );
}
