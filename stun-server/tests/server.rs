//! The server's life, and UDP.

mod common;

use std::io::ErrorKind;

use beekeepr_service::Shutdown;
use beekeepr_service::net::BindError;
use beekeepr_stun_server::{Config, Limits, StartError, start};
use common::{REQUEST, Server, ask, client, config, has_ipv6, mapped_port, receive};
use prometheus::Registry;

#[tokio::test]
async fn a_client_learns_its_address_over_ipv4() {
    let server = Server::start(&["127.0.0.1:0"]).await;
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
    let server = Server::start(&["[::1]:0"]).await;
    let client = client(server.address()).await;
    let reply = ask(&client, &REQUEST).await;
    assert_eq!(reply.len(), 44);
    assert_eq!(mapped_port(&reply), client.local_addr().unwrap().port());
}

#[tokio::test]
async fn every_address_answers_and_they_are_told_in_order() {
    let server = Server::start(&["127.0.0.1:0", "127.0.0.2:0", "127.0.0.3:0"]).await;
    for (index, address) in server.running.addresses.iter().enumerate() {
        assert_eq!(address.ip().to_string(), format!("127.0.0.{}", index + 1));
        assert_eq!(ask(&client(*address).await, &REQUEST).await.len(), 32);
    }
    assert!(server.running.urls()[0].starts_with("stun:127.0.0.1:"));
}

#[tokio::test]
async fn both_families_share_a_port() {
    if !has_ipv6() {
        return;
    }
    let six = Server::start(&["[::]:0"]).await;
    let four = format!("0.0.0.0:{}", six.address().port());
    // Some other program may have the port in the other family; then there is nothing to see.
    let (_trigger, shutdown) = Shutdown::new();
    let Ok(_running) = start(config(&[&four]), &Registry::new(), shutdown).await else {
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
    let server = Server::start(&["0.0.0.0:0"]).await;
    for ip in ["127.0.0.1", "127.0.0.2", "127.9.9.9"] {
        let asked = format!("{ip}:{}", server.address().port()).parse().unwrap();
        assert_eq!(ask(&client(asked).await, &REQUEST).await.len(), 32);
    }
}

#[tokio::test]
async fn every_worker_answers() {
    let config = Config {
        workers: 4,
        ..config(&["127.0.0.1:0"])
    };
    let server = Server::with(config).await;
    // 64 ports reach all of four sockets, but for a chance of 4 * 0.75^64 = 4 in 10^8.
    for _ in 0..64 {
        let reply = ask(&client(server.address()).await, &REQUEST).await;
        assert_eq!(reply.len(), 32);
    }
    server.assert_metrics(&[
        "replies_total{kind=\"mapped\",transport=\"udp\"} 64",
        "bytes_total{direction=\"received\",transport=\"udp\"} 1280",
        "bytes_total{direction=\"sent\",transport=\"udp\"} 2048",
    ]);
}

#[tokio::test]
async fn a_flood_of_datagrams_is_answered_one_by_one() {
    const COUNT: usize = 150;
    let server = Server::start(&["127.0.0.1:0"]).await;
    let client = client(server.address()).await;
    // More than a batch, from one source without waiting.
    for _ in 0..COUNT {
        client.send(&REQUEST).await.unwrap();
    }
    for _ in 0..COUNT {
        assert_eq!(receive(&client).await.len(), 32);
    }
}

#[tokio::test]
async fn bad_input_is_counted_and_harms_nobody() {
    let server = Server::start(&["127.0.0.1:0"]).await;
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
    server.assert_metrics(&[
        "drops_total{reason=\"not_stun\",transport=\"udp\"} 3",
        "drops_total{reason=\"method\",transport=\"udp\"} 1",
        "drops_total{reason=\"length\",transport=\"udp\"} 1",
        "drops_total{reason=\"response\",transport=\"udp\"} 1",
        "replies_total{kind=\"mapped\",transport=\"udp\"} 1",
    ]);
}

#[tokio::test]
async fn a_datagram_to_everybody_is_not_answered() {
    let server = Server::start(&["0.0.0.0:0"]).await;
    let port = server.address().port();
    let client = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    client.set_broadcast(true).unwrap();
    // A machine whose loopback interface has no broadcast address has nothing to show.
    if client
        .send_to(&REQUEST, ("127.255.255.255", port))
        .await
        .is_err()
    {
        return;
    }
    client.send_to(&REQUEST, ("127.0.0.1", port)).await.unwrap();
    let (_, from) = client.recv_from(&mut [0; 64]).await.unwrap();
    assert_eq!(from.ip().to_string(), "127.0.0.1");
    server.assert_metrics(&[
        "drops_total{reason=\"broadcast\",transport=\"udp\"} 1",
        "replies_total{kind=\"mapped\",transport=\"udp\"} 1",
    ]);
}

#[tokio::test]
async fn a_source_gets_no_more_than_its_share_and_others_get_theirs() {
    let config = Config {
        limits: Limits {
            source_rate_per_s: 1,
            source_burst: 50,
            ..Limits::default()
        },
        ..config(&["127.0.0.1:0"])
    };
    let server = Server::with(config).await;
    let heavy = client(server.address()).await;
    for _ in 0..100 {
        heavy.send(&REQUEST).await.unwrap();
    }
    let other = tokio::net::UdpSocket::bind("127.0.0.2:0").await.unwrap();
    other.connect(server.address()).await.unwrap();
    assert_eq!(ask(&other, &REQUEST).await.len(), 32);
    let metrics = server.metrics();
    let limited = "beekeepr_stun_limited_total{limit=\"source\",transport=\"udp\"} ";
    let limited = metrics.split(limited).nth(1).unwrap();
    let limited: u64 = limited.lines().next().unwrap().parse().unwrap();
    // A slow machine may give one or another more.
    assert!((40..=50).contains(&limited), "{limited}");
}

#[tokio::test]
async fn addresses_that_cannot_be_bound_are_all_named() {
    let other = Server::start(&["127.0.0.1:0", "127.0.0.2:0"]).await;
    let taken = other.running.addresses.iter().map(ToString::to_string);
    let taken: Vec<String> = taken.collect();
    let (_trigger, shutdown) = Shutdown::new();
    let config = config(&[&taken[0], "127.0.0.3:0", &taken[1], "240.0.0.1:0"]);
    let error = start(config, &Registry::new(), shutdown).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains(&format!("{}: address already in use", taken[0])),
        "{text}"
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
async fn a_configuration_that_cannot_work_is_refused_with_its_keys() {
    let config = Config {
        workers: 1000,
        ..config(&[])
    };
    let (_trigger, shutdown) = Shutdown::new();
    let error = start(config, &Registry::new(), shutdown).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("stun.listen is []") && text.contains("stun.workers is 1000"),
        "{text}"
    );
}

#[tokio::test]
async fn the_shutdown_ends_it_and_frees_the_address() {
    let server = Server::start(&["127.0.0.1:0"]).await;
    let address = server.address();
    server.trigger.request();
    server.running.wait().await;
    std::net::UdpSocket::bind(address).unwrap();
}

#[tokio::test]
async fn while_it_drains_it_goes_on_answering() {
    let config = Config {
        drain_s: 300,
        ..config(&["127.0.0.1:0"])
    };
    let server = Server::with(config).await;
    server.trigger.request();
    let client = client(server.address()).await;
    for _ in 0..3 {
        assert_eq!(ask(&client, &REQUEST).await.len(), 32);
    }
}
