//! The server on real sockets.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers as well"
)]

use std::io::ErrorKind;
use std::net::SocketAddr;

use beekeepr_service::net::BindError;
use beekeepr_service::{Shutdown, Trigger};
use beekeepr_stun_server::{Config, Running, StartError, Workers, start};
use prometheus::{Registry, TextEncoder};
use quinn_udp::{Transmit, UdpSockRef, UdpSocketState};
use tokio::net::UdpSocket;

/// A browser's request.
const REQUEST: [u8; 20] = *b"\x00\x01\x00\x00\x21\x12\xa4\x42transactions";

/// A server with the means to stop it and to read its metrics.
struct Server {
    running: Running,
    trigger: Trigger,
    registry: Registry,
}

impl Server {
    async fn start(listen: &[&str], workers: u16) -> Self {
        let (trigger, shutdown) = Shutdown::new();
        let registry = Registry::new();
        let running = start(config(listen, workers), &registry, shutdown)
            .await
            .unwrap();
        Self {
            running,
            trigger,
            registry,
        }
    }

    fn address(&self) -> SocketAddr {
        self.running.addresses[0]
    }

    fn metrics(&self) -> String {
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .unwrap()
    }
}

fn config(listen: &[&str], workers: u16) -> Config {
    let listen = listen
        .iter()
        .map(|address| address.parse().unwrap())
        .collect();
    Config {
        listen,
        workers: Workers::try_from(workers).unwrap(),
        ..Config::default()
    }
}

/// A client that hears only what comes from the address it asks.
async fn client(server: SocketAddr) -> UdpSocket {
    let any = if server.is_ipv4() {
        "127.0.0.1:0"
    } else {
        "[::1]:0"
    };
    let client = UdpSocket::bind(any).await.unwrap();
    client.connect(server).await.unwrap();
    client
}

async fn ask(client: &UdpSocket, request: &[u8]) -> Vec<u8> {
    client.send(request).await.unwrap();
    receive(client).await
}

async fn receive(client: &UdpSocket) -> Vec<u8> {
    let mut reply = [0; 1500];
    let length = client.recv(&mut reply).await.unwrap();
    reply[..length].to_vec()
}

/// The port that a reply to [`REQUEST`] tells.
fn mapped_port(reply: &[u8]) -> u16 {
    u16::from_be_bytes([reply[26], reply[27]]) ^ 0x2112
}

fn has_ipv6() -> bool {
    std::net::UdpSocket::bind("[::1]:0").is_ok()
}

#[tokio::test]
async fn a_client_learns_its_address_over_ipv4() {
    let server = Server::start(&["127.0.0.1:0"], 1).await;
    let client = client(server.address()).await;
    let reply = ask(&client, &REQUEST).await;
    assert_eq!(reply.len(), 32);
    assert_eq!(mapped_port(&reply), client.local_addr().unwrap().port());
    assert_eq!(reply[4..20], REQUEST[4..]);
}

#[tokio::test]
async fn a_client_learns_its_address_over_ipv6() {
    if !has_ipv6() {
        return;
    }
    let server = Server::start(&["[::1]:0"], 1).await;
    let client = client(server.address()).await;
    let reply = ask(&client, &REQUEST).await;
    assert_eq!(reply.len(), 44);
    assert_eq!(mapped_port(&reply), client.local_addr().unwrap().port());
}

#[tokio::test]
async fn every_address_answers_and_they_are_told_in_order() {
    let server = Server::start(&["127.0.0.1:0", "127.0.0.2:0", "127.0.0.3:0"], 1).await;
    for (index, address) in server.running.addresses.iter().enumerate() {
        assert_eq!(address.ip().to_string(), format!("127.0.0.{}", index + 1));
        assert_eq!(ask(&client(*address).await, &REQUEST).await.len(), 32);
    }
}

#[tokio::test]
async fn both_families_share_a_port() {
    if !has_ipv6() {
        return;
    }
    let six = Server::start(&["[::]:0"], 1).await;
    let four = format!("0.0.0.0:{}", six.address().port());
    // Some other program may have the port in the other family; then there is nothing to see.
    let (_trigger, shutdown) = Shutdown::new();
    let Ok(_running) = start(config(&[&four], 1), &Registry::new(), shutdown).await else {
        return;
    };
    for address in [
        format!("[::1]:{}", six.address().port()),
        four.replace("0.0.0.0", "127.0.0.1"),
    ] {
        let client = client(address.parse().unwrap()).await;
        let reply = ask(&client, &REQUEST).await;
        assert_eq!(mapped_port(&reply), client.local_addr().unwrap().port());
    }
}

#[tokio::test]
async fn the_answer_comes_from_the_address_that_was_asked() {
    let server = Server::start(&["0.0.0.0:0"], 1).await;
    for ip in ["127.0.0.1", "127.0.0.2", "127.9.9.9"] {
        let asked = format!("{ip}:{}", server.address().port()).parse().unwrap();
        assert_eq!(ask(&client(asked).await, &REQUEST).await.len(), 32);
    }
}

#[tokio::test]
async fn every_worker_answers() {
    let server = Server::start(&["127.0.0.1:0"], 4).await;
    // 64 ports reach all of four sockets, but for a chance of 4 * 0.75^64 = 4 in 10^8.
    for _ in 0..64 {
        assert_eq!(
            ask(&client(server.address()).await, &REQUEST).await.len(),
            32
        );
    }
    assert!(
        server
            .metrics()
            .contains("beekeepr_stun_replies_total{kind=\"mapped\"} 64\n")
    );
}

#[tokio::test]
async fn datagrams_that_the_kernel_joined_are_answered_one_by_one() {
    const COUNT: usize = 40;
    let server = Server::start(&["127.0.0.1:0"], 1).await;
    let client = client(server.address()).await;
    let state = UdpSocketState::new(UdpSockRef::from(&client)).unwrap();
    // Over loopback what was sent in one call (GSO) stays joined until the receiver takes it (GRO).
    let transmit = Transmit {
        destination: server.address(),
        ecn: None,
        contents: &REQUEST.repeat(COUNT),
        segment_size: Some(REQUEST.len()),
        src_ip: None,
    };
    state
        .try_send(UdpSockRef::from(&client), &transmit)
        .unwrap();
    for _ in 0..COUNT {
        let mut reply = [0; 64];
        assert_eq!(client.recv(&mut reply).await.unwrap(), 32);
    }
}

#[tokio::test]
async fn bad_input_is_counted_and_harms_nobody() {
    let server = Server::start(&["127.0.0.1:0"], 1).await;
    let client = client(server.address()).await;
    client.send(b"GET / HTTP/1.1\r\n\r\n....").await.unwrap();
    client.send(&[0; 20]).await.unwrap();
    client.send(&[0xff; 1400]).await.unwrap();
    client
        .send(&[&REQUEST[..], &[0; 9000]].concat())
        .await
        .unwrap();
    client.send(&[]).await.unwrap();
    let mut response = REQUEST;
    response[0] = 1;
    client.send(&response).await.unwrap();
    // One sender's datagrams are handled in order, so had one of them an answer, it would come first.
    assert_eq!(ask(&client, &REQUEST).await[..2], [1, 1]);
    let metrics = server.metrics();
    for line in [
        "beekeepr_stun_drops_total{reason=\"not_stun\"} 2\n",
        "beekeepr_stun_drops_total{reason=\"method\"} 1\n",
        "beekeepr_stun_drops_total{reason=\"length\"} 1\n",
        "beekeepr_stun_drops_total{reason=\"response\"} 1\n",
        "beekeepr_stun_replies_total{kind=\"mapped\"} 1\n",
    ] {
        assert!(metrics.contains(line), "{line}{metrics}");
    }
}

#[tokio::test]
async fn addresses_that_cannot_be_bound_are_all_named() {
    let other = Server::start(&["127.0.0.1:0", "127.0.0.2:0"], 2).await;
    let taken: Vec<String> = other
        .running
        .addresses
        .iter()
        .map(ToString::to_string)
        .collect();
    let (_trigger, shutdown) = Shutdown::new();
    let config = config(&[&taken[0], "127.0.0.3:0", &taken[1], "240.0.0.1:0"], 2);
    let error = start(config, &Registry::new(), shutdown).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains(&format!("{}: address already in use", taken[0]))
    );
    let StartError::Bind(errors) = error else {
        panic!("expected bind errors, got {error}")
    };
    let failed: Vec<_> = errors
        .iter()
        .map(|error| error.address.to_string())
        .collect();
    assert_eq!(failed, [&taken[0], &taken[1], "240.0.0.1:0"]);
    let absent: Vec<_> = errors.iter().map(BindError::is_absent).collect();
    assert_eq!(absent, [false, false, true]);
    assert_eq!(errors[0].source.kind(), ErrorKind::AddrInUse);
}

#[tokio::test]
async fn no_address_at_all_is_an_error() {
    let (_trigger, shutdown) = Shutdown::new();
    let error = start(config(&[], 1), &Registry::new(), shutdown)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("expected at least one address"),
        "{error}"
    );
}

#[tokio::test]
async fn the_shutdown_ends_it_and_frees_the_address() {
    let server = Server::start(&["127.0.0.1:0"], 2).await;
    let address = server.address();
    server.trigger.request();
    server.running.wait().await;
    std::net::UdpSocket::bind(address).unwrap();
}

#[tokio::test]
async fn the_alternate_address_answers_too() {
    let config = Config {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        alternate: Some("127.0.0.1:0".parse().unwrap()),
        ..Config::default()
    };
    let (_trigger, shutdown) = beekeepr_service::Shutdown::new();
    let running = start(config, &prometheus::Registry::new(), shutdown)
        .await
        .unwrap();
    assert_eq!(running.addresses.len(), 2);
    for server in &running.addresses {
        let client = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let mut request = [0; 20];
        request[1] = 1;
        request[4..8].copy_from_slice(&[0x21, 0x12, 0xa4, 0x42]);
        client.send_to(&request, server).await.unwrap();
        let mut reply = [0; 64];
        let (length, from) = client.recv_from(&mut reply).await.unwrap();
        assert_eq!((length, from), (32, *server));
    }
}
