//! A server on free ports, and clients for it.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers as well"
)]
#![expect(
    dead_code,
    unreachable_pub,
    reason = "each file of tests is a crate of its own and uses some of it"
)]

use std::net::SocketAddr;

use beekeepr_service::{Shutdown, Trigger};
use beekeepr_stun_server::{Config, Running, start};
use prometheus::{Registry, TextEncoder};
use tokio::net::UdpSocket;

/// A browser's request.
pub const REQUEST: [u8; 20] = *b"\x00\x01\x00\x00\x21\x12\xa4\x42transactions";

/// A server with the means to stop it and to read its metrics.
pub struct Server {
    pub running: Running,
    pub trigger: Trigger,
    pub registry: Registry,
}

impl Server {
    /// On these UDP addresses, with one worker.
    pub async fn start(listen: &[&str]) -> Self {
        Self::with(config(listen)).await
    }

    pub async fn with(config: Config) -> Self {
        let (trigger, shutdown) = Shutdown::new();
        let registry = Registry::new();
        let running = start(config, &registry, shutdown).await.unwrap();
        Self {
            running,
            trigger,
            registry,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.running.addresses[0]
    }

    pub fn metrics(&self) -> String {
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .unwrap()
    }

    /// Fails unless the metrics have every one of these lines.
    pub fn assert_metrics(&self, lines: &[&str]) {
        let metrics = self.metrics();
        for line in lines {
            let line = format!("\nbeekeepr_stun_{line}\n");
            assert!(metrics.contains(&line), "{line}{metrics}");
        }
    }
}

pub fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

pub fn config(listen: &[&str]) -> Config {
    Config {
        listen: addresses(listen),
        workers: 1,
        ..Config::default()
    }
}

/// A client that hears only what comes from the address it asks.
pub async fn client(server: SocketAddr) -> UdpSocket {
    let any = if server.is_ipv4() {
        "127.0.0.1:0"
    } else {
        "[::1]:0"
    };
    let client = UdpSocket::bind(any).await.unwrap();
    client.connect(server).await.unwrap();
    client
}

pub async fn ask(client: &UdpSocket, request: &[u8]) -> Vec<u8> {
    client.send(request).await.unwrap();
    receive(client).await
}

pub async fn receive(client: &UdpSocket) -> Vec<u8> {
    let mut reply = [0; 2048];
    let length = client.recv(&mut reply).await.unwrap();
    reply[..length].to_vec()
}

/// The port that a reply to [`REQUEST`] tells.
pub fn mapped_port(reply: &[u8]) -> u16 {
    u16::from_be_bytes([reply[26], reply[27]]) ^ 0x2112
}

/// The request with attributes, whose lengths are multiples of four.
pub fn request(attributes: &[(u16, &[u8])]) -> Vec<u8> {
    let mut bytes = REQUEST.to_vec();
    for (kind, value) in attributes {
        bytes.extend(kind.to_be_bytes());
        bytes.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        bytes.extend(*value);
    }
    let length = u16::try_from(bytes.len() - 20).unwrap();
    bytes[2..4].copy_from_slice(&length.to_be_bytes());
    bytes
}

pub fn has_ipv6() -> bool {
    std::net::UdpSocket::bind("[::1]:0").is_ok()
}
