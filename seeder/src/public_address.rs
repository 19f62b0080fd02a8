//! Under which address the internet sees this machine: asked of a STUN server, once, at the start.
//!
//! A machine in a cloud often has a private address that a translator maps one to one to a public
//! one, ports included. Viewers have to be told the public one. Where the translator changes ports,
//! `external_ips` and a forwarded port are the operator's to set; the address found here then leads
//! nowhere and does no harm, for the machine's own addresses are told as well.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::{UdpSocket, lookup_host};
use tokio::time::timeout;

use crate::seed::seed;

/// STUN's default port (RFC 8489, 18.6).
const PORT: u16 = 3478;
/// Waits for an answer, each after another request: RFC 8489's (6.2.1) first three.
const WAITS_MS: [u64; 3] = [500, 1000, 2000];
/// Binding answers are below 100 bytes; longer datagrams are cut and then make no sense.
const REPLY_BYTES_MAX: usize = 548;

const HEADER_BYTES: usize = 20;
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const BINDING_SUCCESS: [u8; 2] = [0x01, 0x01];
const XOR_MAPPED_ADDRESS: u16 = 0x0020;

/// Asks the servers in turn; `None` when none answers. `udp` decides the address family.
pub(crate) async fn discover(servers: &[String], udp: SocketAddr) -> Option<IpAddr> {
    for server in servers {
        match ask(server, udp).await {
            Ok(ip) => return Some(ip),
            Err(error) => tracing::warn!(
                server,
                "no public address from STUN server: {error}; check its address, or set \
                 seeder.external_ips"
            ),
        }
    }
    None
}

async fn ask(server: &str, udp: SocketAddr) -> io::Result<IpAddr> {
    let (host, port) = host_and_port(server);
    let found = lookup_host((host, port)).await?;
    let same_family = |address: &SocketAddr| address.is_ipv4() == udp.is_ipv4();
    let server = found
        .into_iter()
        .find(same_family)
        .ok_or(io::ErrorKind::AddrNotAvailable)?;
    let socket = UdpSocket::bind(SocketAddr::new(udp.ip(), 0)).await?;
    socket.connect(server).await?;
    let request = request();
    for wait_ms in WAITS_MS {
        socket.send(&request).await?;
        let answer = receive(&socket, &request);
        if let Ok(answer) = timeout(Duration::from_millis(wait_ms), answer).await {
            return answer;
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}

/// The first datagram that answers the request.
async fn receive(socket: &UdpSocket, request: &[u8; HEADER_BYTES]) -> io::Result<IpAddr> {
    let mut reply = [0; REPLY_BYTES_MAX];
    loop {
        let length = socket.recv(&mut reply).await?;
        if let Some(ip) = mapped_address(&reply[..length], request) {
            return Ok(ip);
        }
    }
}

/// `stun:HOST:PORT` (RFC 7064), with or without the scheme and the port.
fn host_and_port(server: &str) -> (&str, u16) {
    let server = server.strip_prefix("stun:").unwrap_or(server);
    let server = server.split('?').next().unwrap_or_default();
    let split = server
        .rsplit_once(':')
        .and_then(|(host, port)| Some((host, port.parse().ok()?)));
    let (host, port) = match split {
        // The last group of a bare IPv6 address is no port.
        Some((host, _)) if host.contains(':') && !host.ends_with(']') => (server, PORT),
        Some(split) => split,
        None => (server, PORT),
    };
    (host.trim_start_matches('[').trim_end_matches(']'), port)
}

fn request() -> [u8; HEADER_BYTES] {
    let mut request = [0; HEADER_BYTES];
    request[..2].copy_from_slice(&BINDING_REQUEST);
    request[4..8].copy_from_slice(&COOKIE);
    request[8..16].copy_from_slice(&seed().to_be_bytes());
    request[16..].copy_from_slice(&seed().to_be_bytes()[..4]);
    request
}

/// XOR-MAPPED-ADDRESS of the success response to a request (RFC 8489, 14.2).
fn mapped_address(reply: &[u8], request: &[u8; HEADER_BYTES]) -> Option<IpAddr> {
    let (header, mut attributes) = reply.split_at_checked(HEADER_BYTES)?;
    if header[..2] != BINDING_SUCCESS || header[4..] != request[4..] {
        return None;
    }
    while let Some((head, rest)) = attributes.split_first_chunk::<4>() {
        let kind = u16::from_be_bytes([head[0], head[1]]);
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let value = rest.get(..length)?;
        if kind == XOR_MAPPED_ADDRESS {
            return unmask(value, &request[4..]);
        }
        attributes = rest.get(length.next_multiple_of(4)..)?;
    }
    None
}

/// Family, port and address; the address is masked with the cookie and the transaction's id.
fn unmask(value: &[u8], mask: &[u8]) -> Option<IpAddr> {
    let (head, address) = value.split_at_checked(4)?;
    let clear: Vec<u8> = address
        .iter()
        .zip(mask)
        .map(|(byte, mask)| byte ^ mask)
        .collect();
    match head[1] {
        1 => Some(Ipv4Addr::from(<[u8; 4]>::try_from(clear).ok()?).into()),
        2 => Some(Ipv6Addr::from(<[u8; 16]>::try_from(clear).ok()?).into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: &str = "127.0.0.1:0";

    /// A server that answers every request with what `answer` makes of it.
    async fn server(answer: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) -> String {
        let socket = UdpSocket::bind(LOOPBACK).await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut request = [0; REPLY_BYTES_MAX];
            while let Ok((length, source)) = socket.recv_from(&mut request).await {
                socket
                    .send_to(&answer(&request[..length]), source)
                    .await
                    .unwrap();
            }
        });
        format!("stun:{address}")
    }

    /// A success response with an unknown attribute of three bytes, then the masked 203.0.113.9:5000.
    fn success(request: &[u8]) -> Vec<u8> {
        let masked = [203 ^ 0x21, 0x12, 113 ^ 0xa4, 9 ^ 0x42];
        let mut reply = vec![1, 1, 0, 20];
        reply.extend_from_slice(&request[4..20]);
        reply.extend_from_slice(&[0x80, 0x22, 0, 3, b'a', b'b', b'c', 0]);
        reply.extend_from_slice(&[0, 0x20, 0, 8, 0, 1, 0x32, 0x9a]);
        reply.extend_from_slice(&masked);
        reply
    }

    #[tokio::test]
    async fn the_address_that_a_server_sees_is_found() {
        let servers = [server(success).await];
        let found = discover(&servers, LOOPBACK.parse().unwrap()).await;
        assert_eq!(found, Some("203.0.113.9".parse().unwrap()));
    }

    #[tokio::test]
    async fn the_next_server_is_asked_when_a_name_cannot_be_resolved() {
        let servers = ["stun:".to_owned(), server(success).await];
        assert!(
            discover(&servers, LOOPBACK.parse().unwrap())
                .await
                .is_some()
        );
    }

    #[test]
    fn answers_to_others_and_broken_ones_are_passed_over() {
        let request = request();
        let good = success(&request);
        assert!(mapped_address(&good, &request).is_some());
        for length in 0..good.len() {
            assert_eq!(
                mapped_address(&good[..length], &request),
                None,
                "{length} bytes"
            );
        }
        let mut foreign = good;
        foreign[19] ^= 1;
        assert_eq!(mapped_address(&foreign, &request), None);
    }

    #[test]
    fn servers_are_written_in_many_ways() {
        assert_eq!(host_and_port("stun:a.example:19302"), ("a.example", 19302));
        assert_eq!(host_and_port("stun:a.example"), ("a.example", PORT));
        assert_eq!(host_and_port("a.example:1?transport=udp"), ("a.example", 1));
        assert_eq!(host_and_port("stun:[2001:db8::1]:7"), ("2001:db8::1", 7));
        assert_eq!(host_and_port("stun:2001:db8::1"), ("2001:db8::1", PORT));
    }
}
