//! Two hubs in one process, over loopback sockets.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy takes the helpers of an integration test for production code"
)]

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use beekeepr_seeder::rtc::{
    Client, Hub, HubConfig, HubEvent, MESSAGE_BYTES_MAX, SEND_QUEUE_BYTES_MAX, start,
};
use beekeepr_service::{Shutdown, Trigger};
use bytes::Bytes;
use tokio::time::timeout;

/// Longer than any time-out inside the hub: reached only when the test has failed.
const PATIENCE: Duration = Duration::from_secs(40);

const MESSAGE_BYTES: usize = 16 * 1024;

fn loopback() -> HubConfig {
    HubConfig {
        udp: SocketAddr::from(([127, 0, 0, 1], 0)),
        ..HubConfig::default()
    }
}

/// A hub, a client of it, and what keeps it running.
struct End {
    _hub: Hub,
    client: Client,
    trigger: Trigger,
}

impl End {
    fn start(config: HubConfig) -> Self {
        let (trigger, shutdown) = Shutdown::new();
        let hub = start(config, shutdown).unwrap();
        let client = hub.register();
        Self {
            _hub: hub,
            client,
            trigger,
        }
    }

    async fn event(&mut self) -> Option<HubEvent> {
        timeout(PATIENCE, self.client.event())
            .await
            .expect("the hub went silent")
    }

    async fn expect(&mut self, expected: HubEvent) {
        assert_eq!(self.event().await, Some(expected));
    }

    async fn expect_after_drains(&mut self, expected: HubEvent) {
        loop {
            match self.event().await {
                Some(HubEvent::Drained { .. }) => {}
                other => break assert_eq!(other, Some(expected)),
            }
        }
    }

    async fn offer(&mut self, conn: u32) -> String {
        self.client.offer_create(conn);
        match self.event().await {
            Some(HubEvent::OfferReady { conn: number, sdp }) if number == conn => sdp,
            other => panic!("expected an offer of {conn}, got {other:?}"),
        }
    }

    async fn answer(&mut self, conn: u32, offer: String) -> String {
        self.client.offer_accept(conn, offer);
        match self.event().await {
            Some(HubEvent::AnswerReady { conn: number, sdp }) if number == conn => sdp,
            other => panic!("expected an answer of {conn}, got {other:?}"),
        }
    }
}

/// Connects `offerer`'s connection `a` with `answerer`'s connection `b`.
async fn connect(offerer: &mut End, a: u32, answerer: &mut End, b: u32) {
    let offer = offerer.offer(a).await;
    let answer = answerer.answer(b, offer).await;
    offerer.client.answer_accept(a, answer);
    offerer.expect(HubEvent::Opened { conn: a }).await;
    answerer.expect(HubEvent::Opened { conn: b }).await;
}

async fn connected() -> (End, End) {
    let (mut offerer, mut answerer) = (End::start(loopback()), End::start(loopback()));
    connect(&mut offerer, 1, &mut answerer, 2).await;
    (offerer, answerer)
}

fn message(index: usize) -> Bytes {
    let pattern = u32::try_from(index).unwrap().to_be_bytes();
    Bytes::from(pattern.repeat(MESSAGE_BYTES / pattern.len()))
}

/// Sends `count` messages within a 64 KiB window, as the host does.
async fn send_all(from: &mut End, conn: u32, count: usize) {
    let window_bytes = 64 * 1024;
    let mut buffered = 0;
    for index in 0..count {
        while buffered + MESSAGE_BYTES > window_bytes {
            match from.event().await {
                Some(HubEvent::Drained {
                    conn: number,
                    buffered: bytes,
                }) if number == conn => buffered = usize::try_from(bytes).unwrap(),
                other => panic!("expected room to send, got {other:?}"),
            }
        }
        from.client.send(conn, message(index));
        buffered += MESSAGE_BYTES;
    }
}

async fn receive_all(to: &mut End, conn: u32, count: usize) {
    for index in 0..count {
        let data = message(index);
        to.expect(HubEvent::Message { conn, data }).await;
    }
}

#[tokio::test]
async fn messages_arrive_whole_and_in_order_in_both_directions() {
    let (mut offerer, mut answerer) = connected().await;
    tokio::join!(
        send_all(&mut offerer, 1, 200),
        receive_all(&mut answerer, 2, 200)
    );
    // What is left of the first round's drains would mix with the second's messages.
    let (mut offerer, mut answerer) = connected().await;
    tokio::join!(
        send_all(&mut answerer, 2, 200),
        receive_all(&mut offerer, 1, 200)
    );
}

#[tokio::test]
async fn a_close_is_seen_on_both_sides() {
    let (mut offerer, mut answerer) = connected().await;
    offerer.client.close(1);
    offerer.expect(HubEvent::Closed { conn: 1 }).await;
    answerer.expect(HubEvent::Closed { conn: 2 }).await;
}

#[tokio::test]
async fn a_dropped_client_closes_its_connections() {
    let (offerer, mut answerer) = connected().await;
    let End {
        _hub,
        client,
        trigger: _trigger,
    } = offerer;
    drop(client);
    answerer.expect(HubEvent::Closed { conn: 2 }).await;
}

#[tokio::test]
async fn a_shutdown_closes_everything_and_ends_the_events() {
    let (mut offerer, mut answerer) = connected().await;
    offerer.trigger.request();
    offerer.expect(HubEvent::Closed { conn: 1 }).await;
    assert_eq!(offerer.event().await, None);
    answerer.expect(HubEvent::Closed { conn: 2 }).await;
}

#[tokio::test]
async fn one_port_carries_many_peers() {
    let mut answerer = End::start(loopback());
    let mut offerers: Vec<End> = (0..20).map(|_| End::start(loopback())).collect();
    for (conn, offerer) in (0..).zip(&mut offerers) {
        connect(offerer, 1, &mut answerer, conn).await;
    }
    for (conn, offerer) in (0..).zip(&offerers) {
        offerer.client.send(1, message(7));
        let data = message(7);
        answerer.expect(HubEvent::Message { conn, data }).await;
    }
}

#[tokio::test]
async fn clients_are_dealt_out_among_shards_with_a_port_each() {
    let (_trigger, shutdown) = Shutdown::new();
    let hub = start(
        HubConfig {
            shards: 2,
            ..loopback()
        },
        shutdown,
    )
    .unwrap();
    let ports: Vec<u16> = hub.addresses().map(|address| address.port()).collect();
    assert_eq!(ports.len(), 2);
    assert_eq!(hub.address().port(), ports[0]);
    for round in 0..4 {
        let mut client = hub.register();
        client.offer_create(1);
        let Some(HubEvent::OfferReady { sdp, .. }) = client.event().await else {
            panic!("expected an offer");
        };
        let said = format!(" 127.0.0.1 {} typ host", ports[round % 2]);
        assert!(sdp.contains(&said), "{sdp}");
    }
}

#[test]
fn shards_take_consecutive_ports_and_say_when_there_are_none() {
    let config = HubConfig {
        udp: SocketAddr::from(([127, 0, 0, 1], 65_535)),
        shards: 2,
        ..HubConfig::default()
    };
    let (_trigger, shutdown) = Shutdown::new();
    let refusal = start(config, shutdown).unwrap_err().to_string();
    assert!(
        refusal.contains("65535") || refusal.contains("consecutive"),
        "{refusal}"
    );
}

#[tokio::test]
async fn ipv6_carries_messages() {
    // A machine without IPv6 has nothing to show here.
    if UdpSocket::bind("[::1]:0").is_err() {
        return;
    }
    let config = HubConfig {
        udp: "[::1]:0".parse().unwrap(),
        ..HubConfig::default()
    };
    let (mut offerer, mut answerer) = (End::start(config.clone()), End::start(config));
    connect(&mut offerer, 1, &mut answerer, 2).await;
    offerer.client.send(1, message(3));
    let data = message(3);
    answerer.expect(HubEvent::Message { conn: 2, data }).await;
}

#[tokio::test]
async fn an_empty_message_arrives_as_one() {
    let (offerer, mut answerer) = connected().await;
    offerer.client.send(1, Bytes::new());
    let data = Bytes::new();
    answerer.expect(HubEvent::Message { conn: 2, data }).await;
}

#[tokio::test]
async fn a_message_longer_than_the_peer_takes_ends_the_connection() {
    let (mut offerer, mut answerer) = connected().await;
    let limit = usize::try_from(MESSAGE_BYTES_MAX).unwrap();
    offerer.client.send(1, Bytes::from(vec![7; limit]));
    let data = Bytes::from(vec![7; limit]);
    answerer.expect(HubEvent::Message { conn: 2, data }).await;
    offerer.client.send(1, Bytes::from(vec![7; limit + 1]));
    loop {
        match offerer.event().await {
            Some(HubEvent::Drained { .. }) => {}
            other => break assert_eq!(other, Some(HubEvent::Closed { conn: 1 })),
        }
    }
    answerer.expect(HubEvent::Closed { conn: 2 }).await;
}

/// Whoever reads the signalling can answer in the peer's place, but not with the peer's key.
#[tokio::test]
async fn a_peer_with_another_certificate_is_refused() {
    let short = HubConfig {
        connect_timeout: Duration::from_millis(500),
        ..loopback()
    };
    let (mut offerer, mut answerer) = (End::start(short.clone()), End::start(short));
    let offer = offerer.offer(1).await;
    let answer = answerer.answer(2, offer).await;
    let (before, after) = answer.split_once("a=fingerprint:sha-256 ").unwrap();
    let forged = format!("{before}a=fingerprint:sha-256 00{}", &after[2..]);
    offerer.client.answer_accept(1, forged);
    offerer.expect(HubEvent::Closed { conn: 1 }).await;
}

/// A proxy in the middle that passes the datagrams of both sides on, except those that `is_lost`
/// names by their number.
fn lossy(
    mut is_lost: impl FnMut(usize) -> bool + Send + 'static,
    offer: &str,
    to: SocketAddr,
) -> String {
    let proxy = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = proxy.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut buffer = [0; 2_048];
        let mut other = None;
        for number in 0.. {
            let Ok((length, from)) = proxy.recv_from(&mut buffer) else {
                return;
            };
            let target = if from == to { other } else { Some(to) };
            if from != to {
                other = Some(from);
            }
            if let Some(target) = target
                && !is_lost(number)
            {
                let _ = proxy.send_to(&buffer[..length], target);
            }
        }
    });
    offer.replace(
        &format!(" {} typ host", to.port()),
        &format!(" {port} typ host"),
    )
}

/// Connects through a network that loses one datagram, and sends a message each way.
async fn connect_without(lost: usize) {
    let (mut offerer, mut answerer) = (End::start(loopback()), End::start(loopback()));
    let offer = offerer.offer(1).await;
    let answer = answerer.answer(2, offer).await;
    let answer = lossy(
        move |number| number == lost,
        &answer,
        answerer._hub.address(),
    );
    offerer.client.answer_accept(1, answer);
    offerer.expect(HubEvent::Opened { conn: 1 }).await;
    answerer.expect(HubEvent::Opened { conn: 2 }).await;
    offerer.client.send(1, message(1));
    answerer.client.send(2, message(2));
    let data = message(1);
    answerer
        .expect_after_drains(HubEvent::Message { conn: 2, data })
        .await;
    let data = message(2);
    offerer
        .expect_after_drains(HubEvent::Message { conn: 1, data })
        .await;
}

/// The set-up takes about thirty datagrams, the two messages as many.
#[tokio::test]
async fn any_datagram_may_be_lost() {
    let mut attempts = tokio::task::JoinSet::new();
    for lost in 0..60 {
        attempts.spawn(connect_without(lost));
    }
    attempts.join_all().await;
}

/// Two hubs know each other's connections apart by address alone, and have one each.
#[tokio::test]
async fn a_second_connection_of_two_hubs_leaves_the_first_alone() {
    let short = HubConfig {
        connect_timeout: Duration::from_millis(300),
        ..loopback()
    };
    let (mut offerer, mut answerer) = (End::start(short.clone()), End::start(short));
    connect(&mut offerer, 1, &mut answerer, 2).await;
    let offer = offerer.offer(3).await;
    let answer = answerer.answer(4, offer).await;
    offerer.client.answer_accept(3, answer);
    offerer.expect(HubEvent::Closed { conn: 3 }).await;
    answerer.expect(HubEvent::Closed { conn: 4 }).await;
    offerer.client.send(1, message(7));
    let data = message(7);
    answerer.expect(HubEvent::Message { conn: 2, data }).await;
}

#[tokio::test]
async fn descriptions_of_no_use_close_the_connection() {
    let mut end = End::start(loopback());
    let offer = end.offer(1).await;
    for (conn, sdp) in [
        (2, String::new()),
        (3, "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n".to_owned()),
        (4, "\0".repeat(20_000)),
        (5, offer.replace("a=fingerprint", "a=nothing")),
    ] {
        end.client.offer_accept(conn, sdp);
        end.expect(HubEvent::Closed { conn }).await;
    }
    end.client.answer_accept(1, "nonsense".to_owned());
    end.expect(HubEvent::Closed { conn: 1 }).await;
}

#[tokio::test]
async fn strange_datagrams_harm_nobody() {
    let (offerer, mut answerer) = connected().await;
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = answerer._hub.address();
    for length in [0, 1, 19, 20, 21, 100, 1_400, 9_000] {
        for first in [0_u8, 1, 20, 22, 63, 128, 255] {
            let mut datagram = vec![first; length];
            stranger.send_to(&datagram, to).unwrap();
            if length >= 20 {
                datagram[4..8].copy_from_slice(&0x2112_A442_u32.to_be_bytes());
                stranger.send_to(&datagram, to).unwrap();
            }
        }
    }
    offerer.client.send(1, message(1));
    answerer
        .expect(HubEvent::Message {
            conn: 2,
            data: message(1),
        })
        .await;
}

#[tokio::test]
async fn an_offer_that_nobody_answers_is_given_up() {
    let mut end = End::start(HubConfig {
        offer_timeout: Duration::from_millis(20),
        ..loopback()
    });
    end.offer(1).await;
    end.expect(HubEvent::Closed { conn: 1 }).await;
}

#[tokio::test]
async fn a_peer_that_never_comes_is_given_up() {
    let mut offerer = End::start(loopback());
    let mut answerer = End::start(HubConfig {
        connect_timeout: Duration::from_millis(20),
        ..loopback()
    });
    let offer = offerer.offer(1).await;
    answerer.answer(2, offer).await;
    answerer.expect(HubEvent::Closed { conn: 2 }).await;
}

#[tokio::test]
async fn limits_refuse_what_goes_beyond() {
    let mut end = End::start(HubConfig {
        offers_max: 1,
        peers_max: 0,
        ..loopback()
    });
    let offer = end.offer(1).await;
    end.client.offer_create(2);
    end.expect(HubEvent::Closed { conn: 2 }).await;
    end.client.offer_accept(3, offer);
    end.expect(HubEvent::Closed { conn: 3 }).await;
}

#[tokio::test]
async fn a_caller_that_ignores_the_window_loses_the_connection() {
    let (mut offerer, answerer) = connected().await;
    let far_too_many = 2 * SEND_QUEUE_BYTES_MAX / MESSAGE_BYTES;
    for index in 0..far_too_many {
        offerer.client.send(1, message(index));
    }
    loop {
        match offerer.event().await {
            Some(HubEvent::Drained { .. }) => {}
            other => break assert_eq!(other, Some(HubEvent::Closed { conn: 1 })),
        }
    }
    drop(answerer);
}

#[tokio::test]
async fn a_client_that_does_not_read_makes_its_peer_wait() {
    let (mut offerer, mut answerer) = connected().await;
    let count = 600; // 9.8 MB, beyond what the hub and its stack keep for a client that lags
    let unread = async {
        send_all(&mut offerer, 1, count).await;
        unreachable!("the peer took everything though nobody read it");
    };
    let _stalled = timeout(Duration::from_secs(1), unread).await;
    receive_all(&mut answerer, 2, 10).await;
}
