//! Who gets in, and who a client is taken for.

use beekeepr_tracker::{Config, Limits};
use futures_util::SinkExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::util::Tracker;

/// A handshake with more headers.
fn handshake(headers: &str) -> String {
    format!(
        "GET / HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{headers}\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

/// The connection and the status of its response.
async fn status(tracker: &Tracker, bytes: &[u8]) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(tracker.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut status = [0; 12];
    let status = match stream.read_exact(&mut status).await {
        Ok(_) => String::from_utf8_lossy(&status[9..]).into_owned(),
        Err(_) => "closed".to_owned(),
    };
    (stream, status)
}

/// Everybody on this machine counts, and is a proxy too.
fn one_for_each_address(proxies: &[&str]) -> Config {
    Config {
        trusted_proxies: proxies.iter().map(|it| it.parse().unwrap()).collect(),
        limits: Limits {
            connections_per_ip_max: 1,
            exempt: Vec::new(),
            ..Limits::default()
        },
        ..Config::default()
    }
}

#[tokio::test]
async fn one_address_gets_so_many_connections() {
    let tracker = Tracker::with(one_for_each_address(&[])).await.unwrap();
    let (first, ok) = status(&tracker, handshake("").as_bytes()).await;
    assert_eq!(ok, "101");
    // It is sent away before it says anything.
    let mut second = TcpStream::connect(tracker.address).await.unwrap();
    let mut response = String::new();
    second.read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 503 "), "{response}");
    assert!(response.contains("\r\nRetry-After: 30\r\n"), "{response}");
    assert!(
        response.contains("too many connections from this address"),
        "{response}"
    );
    drop(first);
    while status(&tracker, handshake("").as_bytes()).await.1 != "101" {}
}

#[tokio::test]
async fn behind_a_proxy_the_forwarded_address_counts() {
    let tracker = Tracker::with(one_for_each_address(&["127.0.0.0/8"]))
        .await
        .unwrap();
    let from = |address: &str| handshake(&format!("X-Forwarded-For: 6.6.6.6, {address}\r\n"));
    let (_first, ok) = status(&tracker, from("192.0.2.1").as_bytes()).await;
    assert_eq!(ok, "101");
    let (_second, refused) = status(&tracker, from("192.0.2.1").as_bytes()).await;
    assert_eq!(refused, "503");
    let (_third, ok) = status(&tracker, from("192.0.2.2").as_bytes()).await;
    assert_eq!(ok, "101");
}

#[tokio::test]
async fn a_forwarded_address_from_a_stranger_does_not_count() {
    let tracker = Tracker::with(one_for_each_address(&["10.0.0.0/8"]))
        .await
        .unwrap();
    let (_first, ok) = status(
        &tracker,
        handshake("X-Forwarded-For: 192.0.2.1\r\n").as_bytes(),
    )
    .await;
    assert_eq!(ok, "101");
    let (_second, refused) = status(
        &tracker,
        handshake("X-Forwarded-For: 192.0.2.2\r\n").as_bytes(),
    )
    .await;
    assert_eq!(refused, "503");
}

#[tokio::test]
async fn the_proxy_protocol_says_who_the_client_is() {
    let config = Config {
        proxy_protocol: true,
        ..one_for_each_address(&["127.0.0.0/8"])
    };
    let tracker = Tracker::with(config).await.unwrap();
    let line = |address: &str| {
        format!(
            "PROXY TCP4 {address} 192.0.2.9 4711 443\r\n{}",
            handshake("")
        )
    };
    let (_first, ok) = status(&tracker, line("192.0.2.1").as_bytes()).await;
    assert_eq!(ok, "101");
    let (_second, refused) = status(&tracker, line("192.0.2.1").as_bytes()).await;
    assert_eq!(refused, "503");
    let mut binary =
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x02\xc0\0\x02\x09\x12\x67\x01\xbb".to_vec();
    binary.extend(handshake("").as_bytes());
    let (_third, ok) = status(&tracker, &binary).await;
    assert_eq!(ok, "101");
    let (_fourth, refused) = status(&tracker, &binary).await;
    assert_eq!(refused, "503");
    let (_plain, closed) = status(&tracker, handshake("").as_bytes()).await;
    assert_eq!(closed, "closed", "a trusted proxy always says it");
}

#[tokio::test]
async fn the_proxy_protocol_is_for_trusted_proxies_only() {
    let config = Config {
        proxy_protocol: true,
        ..one_for_each_address(&["10.0.0.0/8"])
    };
    let tracker = Tracker::with(config).await.unwrap();
    let (_first, ok) = status(&tracker, handshake("").as_bytes()).await;
    assert_eq!(ok, "101");
}

#[tokio::test]
async fn pages_of_other_origins_are_refused_and_told_why() {
    let config = Config {
        origins_allowed: vec!["https://*.a.example".to_owned()],
        ..Config::default()
    };
    let tracker = Tracker::with(config).await.unwrap();
    let (_good, ok) = status(
        &tracker,
        handshake("Origin: https://www.a.example\r\n").as_bytes(),
    )
    .await;
    assert_eq!(ok, "101");
    let (mut bad, refused) = status(
        &tracker,
        handshake("Origin: https://b.example\r\n").as_bytes(),
    )
    .await;
    assert_eq!(refused, "403");
    let mut rest = String::new();
    bad.read_to_string(&mut rest).await.unwrap();
    assert!(rest.contains("tracker.origins_allowed"), "{rest}");
}

#[tokio::test]
async fn a_client_that_asks_too_much_is_told_so() {
    let config = Config {
        limits: Limits {
            requests_per_connection_per_s: 1,
            ..Limits::default()
        },
        ..Config::default()
    };
    let tracker = Tracker::with(config).await.unwrap();
    let (mut hasty, mut other) = (tracker.client('a').await, tracker.client('b').await);
    let mut announces = 0;
    let failure = loop {
        let reply = hasty.ask(hasty.announce(&[])).await;
        if let Some(failure) = reply.get("failure reason") {
            break failure.as_str().unwrap().to_owned();
        }
        announces += 1;
    };
    assert!(announces >= 10, "a burst is allowed");
    assert!(failure.contains("announce less often"), "{failure}");
    other.join().await;
}

#[tokio::test]
async fn a_client_that_goes_on_asking_too_much_has_to_go() {
    let config = Config {
        limits: Limits {
            requests_per_connection_per_s: 1,
            refusals_per_connection_max: 5,
            ..Limits::default()
        },
        ..Config::default()
    };
    let tracker = Tracker::with(config).await.unwrap();
    let mut hasty = tracker.client('a').await;
    let mut failures = 0;
    let close = loop {
        hasty.send_json(hasty.announce(&[])).await;
        match hasty.receive().await {
            Message::Close(frame) => break frame.unwrap(),
            text => failures += u32::from(text.to_text().unwrap().contains("failure reason")),
        }
    };
    assert_eq!((failures, u16::from(close.code)), (5, 1008));
    let closed = r#"connections_closed_total{reason="too_fast"}"#;
    drop(hasty);
    let mut other = tracker.client('b').await;
    while tracker.metric(closed) < 1.0 {
        other.socket.send(Message::Ping("".into())).await.unwrap();
        assert!(other.receive().await.is_pong());
    }
}

#[tokio::test]
async fn it_listens_on_several_addresses() {
    let config = Config {
        listen_more: vec!["[::1]:0".parse().unwrap()],
        ..Config::default()
    };
    // There are machines without IPv6.
    let Ok(tracker) = Tracker::with(config).await else {
        return;
    };
    assert_eq!(tracker.running.addresses.len(), 2);
    for address in &tracker.running.addresses {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(handshake("").as_bytes()).await.unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).await.unwrap();
        assert_eq!(&status, b"HTTP/1.1 101");
    }
}
