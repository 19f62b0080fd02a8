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

/// Status and whole response text of one request with a body.
async fn send(admin: &Admin, head: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(admin.address()).await.unwrap();
    let length = body.len();
    let request = format!(
        "{head} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    let status = response.split(' ').nth(1).unwrap().parse().unwrap();
    (status, response)
}

#[tokio::test]
async fn roles_let_things_be_changed_by_name() {
    let (_trigger, admin) = start().await;
    admin.resource("/v1/things", |request| async move {
        let body = String::from_utf8(request.body).unwrap();
        let said = format!("{:?} {:?} {body}", request.verb, request.name);
        Reply::json(200, said).with_etag("\"1\"".to_owned())
    });
    let (status, text) = send(&admin, "PUT /v1/things/a%20b", "{}").await;
    assert_eq!(status, 200);
    assert!(text.contains("Put Some(\"a b\") {}"), "{text}");
    assert!(text.contains("etag: \"1\""), "{text}");
    let (_, text) = get(&admin, "/v1/things").await;
    assert!(text.contains("Get None"), "{text}");
    let (_, text) = send(&admin, "DELETE /v1/things/x", "").await;
    assert!(text.contains("Delete Some(\"x\")"), "{text}");
    let (status, text) = send(&admin, "POST /v1/things/x", "{}").await;
    assert_eq!(status, 405);
    assert!(text.contains("application/problem+json"), "{text}");
    let long = "x".repeat(70_000);
    assert_eq!(send(&admin, "PUT /v1/things/x", &long).await.0, 413);
}

#[tokio::test]
async fn a_token_protects_what_is_below_v1_and_nothing_else() {
    let (_trigger, admin) = start().await;
    admin.page("/v1/things", |_| async { "{}".to_owned() });
    admin.protect("0123456789abcdef".to_owned());
    assert_eq!(get(&admin, "/v1/things").await.0, 401);
    assert_eq!(get(&admin, "/livez").await.0, 200);
    let mut stream = TcpStream::connect(admin.address()).await.unwrap();
    let request = "GET /v1/things HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\
                   authorization: Bearer 0123456789abcdef\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
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
