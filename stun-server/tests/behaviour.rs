//! RFC 5780 on two addresses of the loopback interface.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers as well"
)]

mod common;

use std::net::SocketAddr;

use beekeepr_service::Shutdown;
use beekeepr_stun_server::{Config, StartError, start};
use common::{REQUEST, Server, addresses, ask, client, config, receive, request};
use prometheus::Registry;
use tokio::net::UdpSocket;

const CHANGE_REQUEST: u16 = 0x0003;
const CHANGE_PORT: [u8; 4] = [0, 0, 0, 2];
const CHANGE_ADDRESS: [u8; 4] = [0, 0, 0, 4];
const CHANGE_BOTH: [u8; 4] = [0, 0, 0, 6];
const PADDING: u16 = 0x0026;
const RESPONSE_PORT: u16 = 0x0027;
const RESPONSE_ORIGIN: u16 = 0x802b;
const OTHER_ADDRESS: u16 = 0x802c;

fn with_alternate() -> Config {
    Config {
        alternate: addresses(&["127.0.0.2:0"]),
        ..config(&["127.0.0.1:0"])
    }
}

/// The value of a reply's attribute.
fn value(reply: &[u8], kind: u16) -> Option<&[u8]> {
    let mut rest = &reply[20..];
    while let Some((header, after)) = rest.split_first_chunk::<4>() {
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if header[..2] == kind.to_be_bytes() {
            return Some(&after[..length]);
        }
        rest = &after[length.next_multiple_of(4)..];
    }
    None
}

/// An IPv4 address in the clear.
fn address(reply: &[u8], kind: u16) -> SocketAddr {
    let value = value(reply, kind).unwrap();
    let ip: [u8; 4] = value[4..8].try_into().unwrap();
    (ip, u16::from_be_bytes([value[2], value[3]])).into()
}

/// The four addresses: A1:P1, A1:P2, A2:P1, A2:P2.
fn places(server: &Server) -> [SocketAddr; 4] {
    let alternates = &server.running.alternates;
    [
        server.address(),
        alternates[0],
        alternates[1],
        alternates[2],
    ]
}

async fn answer_from(client: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut reply = [0; 2048];
    let (length, from) = client.recv_from(&mut reply).await.unwrap();
    (reply[..length].to_vec(), from)
}

#[tokio::test]
async fn both_ports_are_open_on_both_addresses() {
    let server = Server::with(with_alternate()).await;
    let [a, b, c, d] = places(&server);
    assert_eq!((a.ip(), c.ip()), (b.ip(), d.ip()));
    assert_eq!((a.port(), b.port()), (c.port(), d.port()));
    assert!(a.ip() != c.ip() && a.port() != b.port());
    for place in [a, b, c, d] {
        assert_eq!(ask(&client(place).await, &REQUEST).await.len(), 68);
    }
}

#[tokio::test]
async fn the_answer_comes_from_where_the_client_wants_it() {
    let server = Server::with(with_alternate()).await;
    let places = places(&server);
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for (here, asked) in places.into_iter().enumerate() {
        for (flags, change) in [
            ([0; 4], 0),
            (CHANGE_PORT, 1),
            (CHANGE_ADDRESS, 2),
            (CHANGE_BOTH, 3),
        ] {
            let request = request(&[(CHANGE_REQUEST, &flags)]);
            client.send_to(&request, asked).await.unwrap();
            let (reply, from) = answer_from(&client).await;
            assert_eq!(from, places[here ^ change]);
            assert_eq!(address(&reply, RESPONSE_ORIGIN), from);
            assert_eq!(address(&reply, OTHER_ADDRESS), places[here ^ 3]);
        }
    }
}

#[tokio::test]
async fn an_rfc_3489_client_is_told_by_the_old_names() {
    let server = Server::with(with_alternate()).await;
    let places = places(&server);
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut old = request(&[(CHANGE_REQUEST, &CHANGE_BOTH)]);
    old[4..8].copy_from_slice(b"old!");
    client.send_to(&old, places[0]).await.unwrap();
    let (reply, from) = answer_from(&client).await;
    assert_eq!(from, places[3]);
    assert_eq!(address(&reply, 0x0001), client.local_addr().unwrap());
    assert_eq!(address(&reply, 0x0004), places[3]);
    assert_eq!(address(&reply, 0x0005), places[3]);
}

#[tokio::test]
async fn the_answer_goes_to_another_port_of_the_same_host() {
    let server = Server::with(with_alternate()).await;
    let asking = client(server.address()).await;
    let hearing = client(server.address()).await;
    let port = hearing.local_addr().unwrap().port().to_be_bytes();
    let value = [port[0], port[1], 0, 0];
    asking
        .send(&request(&[(RESPONSE_PORT, &value)]))
        .await
        .unwrap();
    assert_eq!(
        address(&receive(&hearing).await, 0x0001),
        asking.local_addr().unwrap()
    );
}

#[tokio::test]
async fn no_answer_goes_to_the_ports_of_services() {
    let server = Server::with(with_alternate()).await;
    let client = client(server.address()).await;
    for port in [0, 53, 1023_u16] {
        let [high, low] = port.to_be_bytes();
        let reply = ask(&client, &request(&[(RESPONSE_PORT, &[high, low, 0, 0])])).await;
        // Error 400, to the port that asked.
        assert_eq!(reply[..2], [1, 0x11]);
        assert_eq!(value(&reply, 0x0009), Some(&[0, 0, 4, 0][..]));
    }
    server.assert_metrics(&["replies_total{kind=\"bad_request\",transport=\"udp\"} 3"]);
}

#[tokio::test]
async fn padding_is_answered_with_no_more_than_came() {
    let server = Server::with(with_alternate()).await;
    let client = client(server.address()).await;
    for length in [0, 4, 40, 100, 1500, 2024] {
        let request = request(&[(PADDING, &vec![b'p'; length])]);
        let reply = ask(&client, &request).await;
        assert!(value(&reply, PADDING).is_some());
        assert!(reply.len() <= request.len().max(72), "{length}");
    }
    // Longer than anything is read.
    client
        .send(&request(&[(PADDING, &[0; 2048])]))
        .await
        .unwrap();
    assert_eq!(ask(&client, &REQUEST).await.len(), 68);
    server.assert_metrics(&["drops_total{reason=\"length\",transport=\"udp\"} 1"]);
}

#[tokio::test]
async fn what_only_tests_ask_for_is_given_sparingly() {
    let mut config = with_alternate();
    config.limits.source_rate_per_s = 1;
    config.limits.source_burst = 100;
    let server = Server::with(config).await;
    let client = client(server.address()).await;
    // Each counts as fifty.
    for _ in 0..3 {
        client.send(&request(&[(PADDING, &[0; 4])])).await.unwrap();
    }
    for _ in 0..2 {
        assert_eq!(receive(&client).await.len(), 72);
    }
    server.assert_metrics(&["replies_total{kind=\"behaviour\",transport=\"udp\"} 2"]);
}

#[tokio::test]
async fn a_cloud_server_tells_its_public_addresses() {
    let config = Config {
        advertised: vec![
            "127.0.0.1=203.0.113.1".to_owned().try_into().unwrap(),
            "127.0.0.2=203.0.113.2".to_owned().try_into().unwrap(),
        ],
        ..with_alternate()
    };
    let server = Server::with(config).await;
    let [asked, .., other] = places(&server);
    let reply = ask(&client(asked).await, &REQUEST).await;
    let told = |ip: [u8; 4], port| SocketAddr::from((ip, port));
    assert_eq!(
        address(&reply, RESPONSE_ORIGIN),
        told([203, 0, 113, 1], asked.port())
    );
    assert_eq!(
        address(&reply, OTHER_ADDRESS),
        told([203, 0, 113, 2], other.port())
    );
}

#[tokio::test]
async fn mappings_are_counted_by_who_asks_both_addresses() {
    let server = Server::with(with_alternate()).await;
    let [first, _, second, _] = places(&server);
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for asked in [first, second, first] {
        client.send_to(&REQUEST, asked).await.unwrap();
        answer_from(&client).await;
    }
    server.assert_metrics(&[
        "nat_mappings_total{mapping=\"endpoint_independent\"} 1",
        "nat_mappings_total{mapping=\"endpoint_dependent\"} 0",
    ]);
}

#[tokio::test]
async fn a_source_that_is_an_address_of_ours_is_forged() {
    let server = Server::with(with_alternate()).await;
    let [first, second, ..] = places(&server);
    // Only a raw socket can forge; so one of ours asks itself by RESPONSE-PORT.
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let [high, low] = second.port().to_be_bytes();
    let request = request(&[(RESPONSE_PORT, &[high, low, 0, 0])]);
    client.send_to(&request, first).await.unwrap();
    client.send_to(&REQUEST, first).await.unwrap();
    assert_eq!(answer_from(&client).await.0.len(), 68);
    server.assert_metrics(&["drops_total{reason=\"own_address\",transport=\"udp\"} 1"]);
}

#[tokio::test]
async fn without_a_second_address_a_change_is_an_unknown_attribute() {
    let server = Server::start(&["127.0.0.1:0"]).await;
    let client = client(server.address()).await;
    for (kind, bytes) in [
        (CHANGE_REQUEST, CHANGE_PORT),
        (RESPONSE_PORT, [4, 0, 0, 0]),
        (PADDING, [0; 4]),
    ] {
        let reply = ask(&client, &request(&[(kind, &bytes)])).await;
        assert_eq!(value(&reply, 0x0009), Some(&[0, 0, 4, 20][..]));
        assert_eq!(value(&reply, 0x000a), Some(&kind.to_be_bytes()[..]));
    }
}

#[tokio::test]
async fn one_port_is_extended_by_the_next() {
    // A port that was free a moment ago, and the one after it; others may take them meanwhile.
    for _ in 0..8 {
        let probe = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = probe.local_addr().unwrap().port();
        drop(probe);
        let config = Config {
            alternate: addresses(&[&format!("127.0.0.2:{port}")]),
            ..config(&[&format!("127.0.0.1:{port}")])
        };
        let (_trigger, shutdown) = Shutdown::new();
        match start(config, &Registry::new(), shutdown).await {
            Ok(running) => return assert_eq!(running.alternates[0].port(), port + 1),
            Err(StartError::Bind(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}
