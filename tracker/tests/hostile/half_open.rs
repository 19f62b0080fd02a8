//! Connections that never become any.

use std::net::SocketAddr;
use std::time::Duration;

use beekeepr_service::tls;
use beekeepr_service::{Shutdown, Trigger};
use beekeepr_tracker::{Config, Limits, Running, start};
use prometheus::{Registry, TextEncoder};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::interval;

use crate::witness::{HASHES, Pair};

/// Of each kind; with four kinds 1,000 in all.
const EACH: usize = 250;

/// How often the slow ones send a byte: often enough that each is heard of many times.
const BYTE_INTERVAL: Duration = Duration::from_millis(100);

const HALF_HANDSHAKE: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnec";

/// The head of a TLS record of 512 bytes, and of a ClientHello in it (RFC 8446 sections 5.1 and 4.1.2).
const HALF_HELLO: &[u8] = &[22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3];

struct Tracker {
    address: SocketAddr,
    registry: Registry,
    _trigger: Trigger,
    _running: Running,
}

impl Tracker {
    async fn start(tls: Option<tls::Config>) -> Self {
        let config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            handshake_timeout_s: 2,
            // The pair asks as fast as it can.
            limits: Limits {
                requests_per_connection_per_s: 0,
                ..Limits::default()
            },
            tls,
            ..Config::default()
        };
        let (trigger, shutdown) = Shutdown::new();
        let registry = Registry::new();
        let running = start(config, &registry, shutdown).await.unwrap();
        Self {
            address: running.addresses[0],
            registry,
            _trigger: trigger,
            _running: running,
        }
    }

    /// A counter that nothing was counted in yet is not there.
    fn metric(&self, name: &str) -> f64 {
        let text = TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .unwrap();
        let name = format!("beekeepr_tracker_{name} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&name));
        line.map_or(0.0, |value| value.parse().unwrap())
    }

    fn timed_out(&self) -> f64 {
        self.metric(r#"connections_closed_total{reason="handshake_timeout"}"#)
    }
}

#[tokio::test]
async fn a_thousand_half_open_sockets_harm_nobody() {
    let folder = TempDir::new().unwrap();
    let plain = Tracker::start(None).await;
    let secure = Tracker::start(Some(certificate(&folder))).await;
    let mut silent = JoinSet::new();
    for _ in 0..EACH {
        silent.spawn(say(plain.address, b""));
        silent.spawn(say(plain.address, HALF_HANDSHAKE));
        silent.spawn(dribble(plain.address));
        silent.spawn(say(secure.address, HALF_HELLO));
    }
    while plain.metric("connections") + secure.metric("connections") < 4.0 * EACH as f64 {
        tokio::task::yield_now().await;
    }
    // Others come in and meet while all of them are there.
    let mut pair = Pair::connect(plain.address, HASHES[0]).await;
    assert_eq!(
        plain.timed_out() + secure.timed_out(),
        0.0,
        "they are still there"
    );
    while plain.metric("connections") > 2.0 || secure.metric("connections") > 0.0 {
        pair.meet().await;
    }
    assert_eq!(plain.timed_out(), 3.0 * EACH as f64);
    assert_eq!(secure.timed_out(), EACH as f64);
    pair.meet().await;
    while silent.join_next().await.is_some() {}
}

/// Says so much and waits for the end.
async fn say(address: SocketAddr, bytes: &'static [u8]) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(rest.is_empty(), "{rest:?}");
}

/// Sends a good handshake, byte by byte, until the tracker has had enough.
async fn dribble(address: SocketAddr) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut pause = interval(BYTE_INTERVAL);
    for byte in HALF_HANDSHAKE.iter().cycle() {
        pause.tick().await;
        if stream.write_all(&[*byte]).await.is_err() {
            return;
        }
    }
}

fn certificate(folder: &TempDir) -> tls::Config {
    let issued = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (
        folder.path().join("chain.pem"),
        folder.path().join("key.pem"),
    );
    std::fs::write(&certificate, issued.cert.pem()).unwrap();
    std::fs::write(&key, issued.signing_key.serialize_pem()).unwrap();
    tls::Config { certificate, key }
}
