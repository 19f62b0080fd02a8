//! TCP and TLS.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers as well"
)]

mod common;

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;

use beekeepr_service::{Shutdown, tls};
use beekeepr_stun_server::{Config, Limits, start};
use common::{REQUEST, Server, addresses, config, has_ipv6, mapped_port, request};
use prometheus::Registry;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

const NAME: &str = "stun.example";

fn tcp(limits: Limits) -> Config {
    Config {
        tcp_listen: addresses(&["127.0.0.1:0"]),
        limits,
        ..config(&[])
    }
}

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.running.tcp[0]).await.unwrap()
}

async fn reply(stream: &mut (impl AsyncRead + Unpin)) -> [u8; 32] {
    let mut reply = [0; 32];
    stream.read_exact(&mut reply).await.unwrap();
    reply
}

/// Whether the other side has closed the connection and sent nothing before.
async fn is_closed(stream: &mut TcpStream) -> bool {
    matches!(stream.read(&mut [0; 64]).await, Ok(0) | Err(_))
}

#[tokio::test]
async fn a_client_learns_its_address_over_tcp() {
    let server = Server::with(tcp(Limits::default())).await;
    let mut client = connect(&server).await;
    for _ in 0..3 {
        client.write_all(&REQUEST).await.unwrap();
        let port = client.local_addr().unwrap().port();
        assert_eq!(mapped_port(&reply(&mut client).await), port);
    }
    server.assert_metrics(&[
        "replies_total{kind=\"mapped\",transport=\"tcp\"} 3",
        "accepts_total{transport=\"tcp\"} 1",
        "connections 1",
    ]);
}

#[tokio::test]
async fn tcp_works_over_ipv6() {
    if !has_ipv6() {
        return;
    }
    let config = Config {
        tcp_listen: addresses(&["[::1]:0"]),
        ..tcp(Limits::default())
    };
    let server = Server::with(config).await;
    let mut client = connect(&server).await;
    client.write_all(&REQUEST).await.unwrap();
    let mut reply = [0; 44];
    client.read_exact(&mut reply).await.unwrap();
    assert_eq!(mapped_port(&reply), client.local_addr().unwrap().port());
}

#[tokio::test]
async fn requests_may_come_in_pieces_and_several_at_once() {
    let server = Server::with(tcp(Limits::default())).await;
    let mut client = connect(&server).await;
    client.set_nodelay(true).unwrap();
    for byte in REQUEST {
        client.write_all(&[byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    reply(&mut client).await;
    client.write_all(&[REQUEST; 5].concat()).await.unwrap();
    for _ in 0..5 {
        reply(&mut client).await;
    }
}

#[tokio::test]
async fn what_is_no_stun_ends_the_connection() {
    let server = Server::with(tcp(Limits::default())).await;
    for garbage in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0, 1, 0xff, 0xfc],
        &[0xff; 64],
    ] {
        let mut client = connect(&server).await;
        client.write_all(garbage).await.unwrap();
        assert!(is_closed(&mut client).await);
    }
    server.assert_metrics(&["drops_total{reason=\"not_stun\",transport=\"tcp\"} 3"]);
}

#[tokio::test]
async fn messages_that_want_no_answer_do_no_harm() {
    let server = Server::with(tcp(Limits::default())).await;
    let mut client = connect(&server).await;
    let mut indication = REQUEST;
    indication[1] = 0x11;
    client.write_all(&indication).await.unwrap();
    client.write_all(&REQUEST).await.unwrap();
    reply(&mut client).await;
    server.assert_metrics(&["drops_total{reason=\"indication\",transport=\"tcp\"} 1"]);
}

#[tokio::test]
async fn an_answer_cannot_come_from_elsewhere_over_tcp() {
    let config = Config {
        tcp_listen: addresses(&["127.0.0.1:0"]),
        alternate: addresses(&["127.0.0.2:0"]),
        ..config(&["127.0.0.1:0"])
    };
    let server = Server::with(config).await;
    let mut client = connect(&server).await;
    client
        .write_all(&request(&[(3, &[0, 0, 0, 6])]))
        .await
        .unwrap();
    let mut reply = [0; 36];
    client.read_exact(&mut reply).await.unwrap();
    assert_eq!(reply[20..28], [0, 9, 0, 4, 0, 0, 4, 20]);
    assert_eq!(reply[28..34], [0, 0x0a, 0, 2, 0, 3]);
}

#[tokio::test]
async fn who_is_silent_or_slow_is_dropped() {
    let limits = Limits {
        idle_timeout_s: 1,
        message_timeout_s: 1,
        ..Limits::default()
    };
    let server = Server::with(tcp(limits)).await;
    let mut silent = connect(&server).await;
    let mut slow = connect(&server).await;
    slow.write_all(&REQUEST[..19]).await.unwrap();
    assert!(is_closed(&mut silent).await);
    assert!(is_closed(&mut slow).await);
}

#[tokio::test]
async fn one_source_has_so_many_connections_and_others_have_theirs() {
    let limits = Limits {
        connections_max: 3,
        connections_per_source_max: 2,
        ..Limits::default()
    };
    let server = Server::with(tcp(limits)).await;
    let mut seated = [connect(&server).await, connect(&server).await];
    assert!(is_closed(&mut connect(&server).await).await);
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut other = socket.connect(server.running.tcp[0]).await.unwrap();
    other.write_all(&REQUEST).await.unwrap();
    reply(&mut other).await;
    for client in &mut seated {
        client.write_all(&REQUEST).await.unwrap();
        reply(client).await;
    }
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.3:0".parse().unwrap()).unwrap();
    assert!(is_closed(&mut socket.connect(server.running.tcp[0]).await.unwrap()).await);
    server.assert_metrics(&[
        "refusals_total{limit=\"source\"} 1",
        "refusals_total{limit=\"total\"} 1",
        "connections 3",
    ]);
}

#[tokio::test]
async fn the_shutdown_ends_connections() {
    let server = Server::with(tcp(Limits::default())).await;
    let mut client = connect(&server).await;
    client.write_all(&REQUEST).await.unwrap();
    reply(&mut client).await;
    server.trigger.request();
    server.running.wait().await;
    assert!(is_closed(&mut client).await);
}

/// A certificate with its key in files.
fn certificate() -> (TempDir, tls::Config, CertificateDer<'static>) {
    let folder = tempfile::tempdir().unwrap();
    let config = tls::Config {
        certificate: folder.path().join("fullchain.pem"),
        key: folder.path().join("privkey.pem"),
    };
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed([NAME.to_owned()]).unwrap();
    fs::write(&config.certificate, cert.pem()).unwrap();
    fs::write(&config.key, signing_key.serialize_pem()).unwrap();
    (folder, config, cert.der().clone())
}

async fn connect_tls(
    server: SocketAddr,
    certificate: CertificateDer<'static>,
) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"stun.turn".to_vec()];
    let stream = TcpStream::connect(server).await.unwrap();
    let name = ServerName::try_from(NAME).unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_client_learns_its_address_over_tls() {
    let (_folder, tls, certificate) = certificate();
    let config = Config {
        tls_listen: addresses(&["127.0.0.1:0"]),
        tls: Some(tls),
        ..config(&[])
    };
    let server = Server::with(config).await;
    let address = server.running.tls[0];
    assert_eq!(server.running.urls(), [format!("stuns:{address}")]);
    let mut client = connect_tls(address, certificate).await;
    client.write_all(&REQUEST).await.unwrap();
    let port = client.get_ref().0.local_addr().unwrap().port();
    assert_eq!(mapped_port(&reply(&mut client).await), port);
    // What is no TLS ends its own connection and nothing else.
    let mut plain = TcpStream::connect(address).await.unwrap();
    plain.write_all(&REQUEST).await.unwrap();
    let mut alert = Vec::new();
    let _ = plain.read_to_end(&mut alert).await;
    client.write_all(&REQUEST).await.unwrap();
    reply(&mut client).await;
    server.assert_metrics(&["replies_total{kind=\"mapped\",transport=\"tls\"} 2"]);
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_named() {
    let (folder, tls, _) = certificate();
    fs::write(&tls.key, "").unwrap();
    let config = Config {
        tls_listen: addresses(&["127.0.0.1:0"]),
        tls: Some(tls),
        ..config(&[])
    };
    let (_trigger, shutdown) = Shutdown::new();
    let error = start(config, &Registry::new(), shutdown)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("stun.tls: ") && error.contains("privkey.pem"),
        "{error}"
    );
    drop(folder);
}
