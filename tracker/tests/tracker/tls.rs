//! The tracker behind TLS of its own.

use std::fs;
use std::sync::Arc;

use beekeepr_service::tls;
use beekeepr_tracker::Config;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, HandshakeKind, RootCertStore, SupportedProtocolVersion};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::client_async;

use crate::util::{Client, Tracker, peer_id};

const NAME: &str = "tracker.example";

/// A tracker with a certificate of its own.
struct Secure {
    tracker: Tracker,
    folder: TempDir,
    certificate: CertificateDer<'static>,
}

impl Secure {
    async fn start(workers: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificate = write_certificate(&folder);
        let config = Config {
            workers: Some(workers),
            tls: Some(tls::Config {
                certificate: folder.path().join("cert.pem"),
                key: folder.path().join("key.pem"),
            }),
            handshake_timeout_s: 2,
            ..Config::default()
        };
        Self {
            tracker: Tracker::with(config).await.unwrap(),
            folder,
            certificate,
        }
    }

    fn config(&self, version: &'static SupportedProtocolVersion) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Arc::new(config)
    }

    async fn connect(&self, config: &Arc<ClientConfig>) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(self.tracker.address).await?;
        let name = ServerName::try_from(NAME).unwrap();
        TlsConnector::from(Arc::clone(config))
            .connect(name, stream)
            .await
    }

    async fn client(
        &self,
        config: &Arc<ClientConfig>,
        letter: char,
    ) -> Client<TlsStream<TcpStream>> {
        let stream = self.connect(config).await.unwrap();
        let url = format!("wss://{NAME}/");
        let (socket, _) = client_async(url, stream).await.unwrap();
        Client {
            socket,
            peer_id: peer_id(letter),
        }
    }
}

fn write_certificate(folder: &TempDir) -> CertificateDer<'static> {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed([NAME.to_owned()]).unwrap();
    fs::write(folder.path().join("cert.pem"), cert.pem()).unwrap();
    fs::write(folder.path().join("key.pem"), signing_key.serialize_pem()).unwrap();
    cert.der().clone()
}

async fn two_peers_meet(version: &'static SupportedProtocolVersion, workers: usize) {
    let secure = Secure::start(workers).await;
    let config = secure.config(version);
    let (mut a, mut b) = (
        secure.client(&config, 'a').await,
        secure.client(&config, 'b').await,
    );
    b.join().await;
    let mut announce = a.announce(&["offer-id-of-20-bytes"]);
    // More than one record.
    announce["offers"][0]["offer"]["sdp"] = format!("v=0\r\n{}", "a=x\r\n".repeat(1_000)).into();
    announce["padding"] = "x".repeat(40_000).into();
    a.ask(announce).await;
    assert_eq!(b.receive_json().await["peer_id"], peer_id('a'));
    b.send_json(b.answer(&peer_id('a'), "offer-id-of-20-bytes"))
        .await;
    assert_eq!(a.receive_json().await["peer_id"], peer_id('b'));
    drop(a);
    b.count_becomes(1).await;
}

#[tokio::test]
async fn peers_meet_over_tls_1_3() {
    two_peers_meet(&TLS13, 1).await;
}

#[tokio::test]
async fn peers_meet_over_tls_1_2() {
    two_peers_meet(&TLS12, 1).await;
}

#[tokio::test]
async fn a_session_moves_from_worker_to_worker() {
    for _ in 0..4 {
        two_peers_meet(&TLS13, 2).await;
    }
}

#[tokio::test]
async fn a_client_that_comes_back_resumes_its_session() {
    let secure = Secure::start(1).await;
    let config = secure.config(&TLS13);
    let mut first = secure.client(&config, 'a').await;
    first.join().await;
    assert_eq!(
        first.socket.get_ref().get_ref().1.handshake_kind(),
        Some(HandshakeKind::Full)
    );
    let mut second = secure.client(&config, 'b').await;
    second.join().await;
    assert_eq!(
        second.socket.get_ref().get_ref().1.handshake_kind(),
        Some(HandshakeKind::Resumed)
    );
    assert_eq!(secure.tracker.metric("tls_handshakes_total"), 2.0);
    assert_eq!(secure.tracker.metric("tls_handshakes_resumed_total"), 1.0);
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_on_sighup_and_keeps_connections() {
    let mut secure = Secure::start(1).await;
    let old = secure.config(&TLS13);
    let mut client = secure.client(&old, 'a').await;
    secure.certificate = write_certificate(&secure.folder);
    let myself = rustix::process::getpid();
    rustix::process::kill_process(myself, rustix::process::Signal::HUP).unwrap();
    let new = secure.config(&TLS13);
    while secure.connect(&new).await.is_err() {
        tokio::task::yield_now().await;
    }
    client.join().await;
}

#[tokio::test]
async fn what_is_no_tls_is_told_so_and_dropped() {
    let secure = Secure::start(1).await;
    let mut stream = TcpStream::connect(secure.tracker.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut alert = Vec::new();
    stream.read_to_end(&mut alert).await.unwrap();
    assert_eq!(alert.first(), Some(&21), "an alert: {alert:?}");
    let mut silent = TcpStream::connect(secure.tracker.address).await.unwrap();
    let mut rest = Vec::new();
    silent.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty(), "dropped after the handshake's time");
}

#[tokio::test]
async fn a_shutdown_closes_the_session_too() {
    let secure = Secure::start(1).await;
    let mut stream = secure.connect(&secure.config(&TLS13)).await.unwrap();
    stream
        .write_all(
            b"GET / HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        )
        .await
        .unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.unwrap();
    secure.tracker.trigger.request();
    let mut rest = Vec::new();
    // Without the session's goodbye this would be an error.
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(rest.ends_with(b"\x88\x02\x03\xe9"), "a close with 1001");
}

#[tokio::test]
async fn a_certificate_that_is_not_there_is_named() {
    let missing = tls::Config {
        certificate: "/nowhere/cert.pem".into(),
        key: "/nowhere/key.pem".into(),
    };
    let config = Config {
        tls: Some(missing),
        ..Config::default()
    };
    let error = Tracker::with(config).await.err().unwrap().to_string();
    assert!(
        error.starts_with("tracker.tls: cannot read /nowhere/cert.pem"),
        "{error}"
    );
}
