//! How the tracker treats connections: good ones, bad ones, slow ones, too many of them.

use beekeepr_tracker::{Config, Limits, StartError, start};
use futures_util::{SinkExt, StreamExt};
use prometheus::TextEncoder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::util::{Tracker, peer_id};

/// What comes back for some bytes, up to the end of the connection.
async fn response(tracker: &Tracker, request: &str) -> String {
    let mut stream = TcpStream::connect(tracker.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response
}

/// For tests that ask until something happens.
pub(crate) fn unhurried() -> Limits {
    Limits {
        requests_per_connection_per_s: 0,
        ..Limits::default()
    }
}

fn close_code(message: &Message) -> u16 {
    match message {
        Message::Close(Some(frame)) => frame.code.into(),
        other => panic!("expected a close with a code, got {other:?}"),
    }
}

#[tokio::test]
async fn a_browser_that_visits_the_address_is_told_what_it_is() {
    let tracker = Tracker::start().await;
    let response = response(&tracker, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(
        response.starts_with("HTTP/1.1 426 Upgrade Required\r\n"),
        "{response}"
    );
    assert!(response.contains("WebSocket"), "{response}");
    let hello = self::response(&tracker, "\u{16}\u{3}\u{1}").await;
    assert!(hello.starts_with("HTTP/1.1 400 "), "{hello}");
}

#[tokio::test]
async fn a_client_that_does_not_finish_its_handshake_is_dropped() {
    let config = Config {
        handshake_timeout_s: 1,
        ..Config::default()
    };
    let tracker = Tracker::with(config).await.unwrap();
    assert_eq!(response(&tracker, "GET / HTTP/1.1\r\n").await, "");
}

#[tokio::test]
async fn one_connection_too_many_is_refused_until_another_ends() {
    let limits = Limits {
        connections_max: 1,
        ..Limits::default()
    };
    let tracker = Tracker::with(Config {
        limits,
        ..Config::default()
    })
    .await
    .unwrap();
    let mut a = tracker.client('a').await;
    let refused = response(&tracker, "").await;
    let (head, text) = refused.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    assert!(
        head.ends_with(&format!("Content-Length: {}", text.len())),
        "{head}"
    );
    a.join().await;
    drop(a);
    let address = format!("ws://{}", tracker.address);
    while tokio_tungstenite::connect_async(&address).await.is_err() {}
}

#[tokio::test]
async fn a_frame_against_the_protocol_ends_its_connection_only() {
    let tracker = Tracker::start().await;
    let (mut a, mut b) = (tracker.client('a').await, tracker.client('b').await);
    b.join().await;
    a.send(Message::text("x".repeat(65_537))).await;
    assert_eq!(close_code(&a.receive().await), 1009);
    b.join().await;
}

#[tokio::test]
async fn pings_are_answered_with_their_payload() {
    let tracker = Tracker::start().await;
    let mut a = tracker.client('a').await;
    a.send(Message::Ping("hello".into())).await;
    assert_eq!(a.receive().await, Message::Pong("hello".into()));
}

#[tokio::test]
async fn a_close_is_answered_with_its_code() {
    let tracker = Tracker::start().await;
    let mut a = tracker.client('a').await;
    let frame = tokio_tungstenite::tungstenite::protocol::CloseFrame {
        code: 1000.into(),
        reason: "bye".into(),
    };
    a.socket.close(Some(frame)).await.unwrap();
    assert_eq!(close_code(&a.receive().await), 1000);
}

#[tokio::test]
async fn a_silent_client_is_pinged() {
    let config = Config {
        ping_interval_s: 1,
        ..Config::default()
    };
    let tracker = Tracker::with(config).await.unwrap();
    let mut a = tracker.client('a').await;
    assert!(a.socket.next().await.unwrap().unwrap().is_ping());
}

/// The client changed its network: its old connection is open for the tracker, but nobody is there.
#[tokio::test]
async fn a_client_that_comes_back_gets_its_peer_id_from_its_dead_connection() {
    let config = Config {
        pong_timeout_s: 1,
        limits: unhurried(),
        ..Config::default()
    };
    let tracker = Tracker::with(config).await.unwrap();
    // Nothing is read from it any more, so its pings stay unanswered.
    let mut dead = tracker.client('a').await;
    dead.join().await;
    let mut back = tracker.client('a').await;
    while back
        .ask(back.announce(&[]))
        .await
        .get("failure reason")
        .is_some()
    {
        tokio::task::yield_now().await;
    }
    assert_eq!(back.count().await, 1);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_dropped_and_holds_nobody_up() {
    let tracker = Tracker::start().await;
    let (mut a, mut b) = (tracker.client('a').await, tracker.client('b').await);
    b.join().await;
    let mut announce = a.announce(&["offer-id-of-20-bytes"]);
    announce["offers"][0]["offer"]["sdp"] = "x".repeat(16_000).into();
    // Fills the system's buffers (about 10 MB at most) and then the tracker's.
    while a.ask(announce.clone()).await["incomplete"] == 2 {}
    assert_eq!(a.count().await, 1);
}

#[tokio::test]
async fn a_shutdown_says_goodbye_to_everybody_and_ends() {
    let tracker = Tracker::start().await;
    let (mut a, mut b) = (tracker.client('a').await, tracker.client('b').await);
    a.join().await;
    tracker.trigger.request();
    for client in [&mut a, &mut b] {
        assert_eq!(close_code(&client.receive().await), 1001);
        assert!(
            client.socket.next().await.is_none(),
            "the connection is closed"
        );
    }
    drop((a, b));
    tracker.running.wait().await;
    assert!(
        TcpStream::connect(tracker.address).await.is_err(),
        "nobody listens any more"
    );
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_ever() {
    let tracker = Tracker::start().await;
    let dead = tracker.client('a').await;
    tracker.trigger.request();
    tracker.running.wait().await;
    drop(dead);
}

#[tokio::test]
async fn a_taken_port_and_bad_settings_are_named() {
    let tracker = Tracker::start().await;
    let config = Config {
        listen: tracker.address,
        ..Config::default()
    };
    let (_trigger, shutdown) = beekeepr_service::Shutdown::new();
    let taken = start(config, &prometheus::Registry::new(), shutdown)
        .await
        .unwrap_err();
    assert!(
        taken.to_string().contains("address already in use"),
        "{taken}"
    );
    let workers = Tracker::with(Config {
        workers: Some(0),
        ..Config::default()
    })
    .await
    .err()
    .unwrap();
    assert!(matches!(workers, StartError::Config(_)));
    assert!(
        workers.to_string().starts_with("tracker.workers is 0: "),
        "{workers}"
    );
}

#[tokio::test]
async fn what_happens_is_counted() {
    let tracker = Tracker::start().await;
    let (mut a, mut b) = (tracker.client('a').await, tracker.client('b').await);
    b.join().await;
    a.ask(a.announce(&["offer-id-of-20-bytes"])).await;
    b.receive_json().await;
    b.send_json(b.answer(&peer_id('a'), "offer-id-of-20-bytes"))
        .await;
    a.receive_json().await;
    a.send(Message::text("null")).await;
    a.receive_json().await;
    a.socket.flush().await.unwrap();
    let text = TextEncoder::new()
        .encode_to_string(&tracker.registry.gather())
        .unwrap();
    for line in [
        "beekeepr_tracker_connections 2",
        "beekeepr_tracker_connections_accepted_total 2",
        "beekeepr_tracker_announces_total 2",
        "beekeepr_tracker_offers_relayed_total 1",
        "beekeepr_tracker_answers_relayed_total 1",
        "beekeepr_tracker_failures_total 1",
    ] {
        assert!(
            text.contains(&format!("\n{line}\n")),
            "{line} is missing in:\n{text}"
        );
    }
}
