//! Several threads, one tracker.

use beekeepr_tracker::Config;
use serde_json::{Value, json};

use crate::util::{Client, HASH, Tracker, peer_id};

const OTHER: &str = "dWzShRMpT2iw023W5NAw";
const OFFER_ID: &str = "offer-id-of-20-bytes";

async fn two_workers() -> Tracker {
    let config = Config {
        workers: Some(2),
        ..Config::default()
    };
    Tracker::with(config).await.unwrap()
}

fn about(info_hash: &str, mut message: Value) -> Value {
    message["info_hash"] = json!(info_hash);
    message
}

/// Two clients with content of their own, so each lives on another worker.
async fn neighbours(tracker: &Tracker) -> (Client, Client) {
    let (mut a, mut b) = (tracker.client('a').await, tracker.client('b').await);
    a.join().await;
    let reply = b.ask(about(OTHER, b.announce(&[]))).await;
    assert_eq!(reply["incomplete"], 1, "{reply}");
    (a, b)
}

#[tokio::test]
async fn peers_of_a_swarm_meet_wherever_they_arrive() {
    let tracker = two_workers().await;
    // The chance that the system gives all of them to one worker is 2^-15.
    let mut clients = Vec::new();
    for letter in 'a'..='p' {
        let mut client = tracker.client(letter).await;
        let offers = vec![OFFER_ID; clients.len().min(1)];
        let reply = client.ask(client.announce(&offers)).await;
        assert_eq!(reply["incomplete"], clients.len() + 1);
        clients.push(client);
    }
    assert!(tracker.metric("connections_moved_total") > 0.0);
    assert_eq!(
        tracker.metric("messages_forwarded_total"),
        0.0,
        "all are at home"
    );
    assert_eq!(tracker.metric("connections"), 16.0);
}

#[tokio::test]
async fn a_client_is_in_a_swarm_of_another_worker_too() {
    let tracker = two_workers().await;
    let (mut a, mut b) = neighbours(&tracker).await;
    let reply = b.ask(b.announce(&[OFFER_ID])).await;
    assert_eq!(reply["incomplete"], 2);
    assert_eq!(a.receive_json().await["peer_id"], peer_id('b'));
    a.send_json(a.answer(&peer_id('b'), OFFER_ID)).await;
    assert_eq!(b.receive_json().await["answer"]["type"], "answer");
    a.ask(a.announce(&[OFFER_ID])).await;
    assert_eq!(b.receive_json().await["offer_id"], OFFER_ID);
    b.send_json(b.answer(&peer_id('a'), OFFER_ID)).await;
    assert_eq!(a.receive_json().await["peer_id"], peer_id('b'));
    assert_eq!(b.count().await, 2, "a scrape finds its way too");
    assert!(tracker.metric("messages_forwarded_total") >= 3.0);
    drop(b);
    a.count_becomes(1).await;
}

#[tokio::test]
async fn a_scrape_is_told_of_the_swarms_of_all_workers_in_one_reply() {
    let tracker = two_workers().await;
    let (mut a, mut b) = neighbours(&tracker).await;
    let mut stranger = tracker.client('s').await;
    let nobody = "no-such-swarm-at-all";
    for client in [&mut a, &mut b, &mut stranger] {
        let hashes = [OTHER, nobody, HASH];
        let reply = client
            .ask(json!({"action": "scrape", "info_hash": hashes}))
            .await;
        let files = &reply["files"];
        let counts = hashes.map(|it| files[it]["incomplete"].as_u64());
        assert_eq!(counts, [Some(1), Some(0), Some(1)], "{reply}");
        assert_eq!(client.count().await, 1, "nothing else was said");
    }
}

#[tokio::test]
async fn a_scrape_without_info_hash_is_told_of_all_swarms_that_the_client_is_in() {
    let tracker = two_workers().await;
    let (mut a, mut b) = neighbours(&tracker).await;
    b.join().await;
    let scrape = json!({"action": "scrape"});
    let reply = b.ask(scrape.clone()).await;
    let counts = [HASH, OTHER].map(|it| reply["files"][it]["incomplete"].as_u64());
    assert_eq!(counts, [Some(2), Some(1)], "{reply}");
    let reply = a.ask(scrape).await;
    assert_eq!(reply["files"].as_object().unwrap().len(), 1, "{reply}");
}

#[tokio::test]
async fn a_scrape_of_all_lists_the_swarms_of_all_workers() {
    let tracker = Tracker::with(Config {
        workers: Some(3),
        scrape_all: true,
        ..Config::default()
    });
    let tracker = tracker.await.unwrap();
    let (_a, _b) = neighbours(&tracker).await;
    let mut stranger = tracker.client('s').await;
    let reply = stranger.ask(json!({"action": "scrape"})).await;
    let counts = [HASH, OTHER].map(|it| reply["files"][it]["incomplete"].as_u64());
    assert_eq!(counts, [Some(1), Some(1)], "{reply}");
}

/// The reply must find the client, so its first announce does not move it away.
#[tokio::test]
async fn a_client_that_scrapes_and_announces_in_one_breath_gets_both_replies() {
    let tracker = two_workers().await;
    let (_a, _b) = neighbours(&tracker).await;
    for letter in 'c'..='j' {
        let mut client = tracker.client(letter).await;
        client
            .send_json(json!({"action": "scrape", "info_hash": [HASH, OTHER]}))
            .await;
        client.send_json(client.announce(&[])).await;
        let replies = [client.receive_json().await, client.receive_json().await];
        let has = |action: &str| replies.iter().any(|it| it["action"] == action);
        assert!(has("scrape") && has("announce"), "{replies:?}");
    }
}

#[tokio::test]
async fn a_client_of_another_worker_is_probed_when_its_id_is_asked_for() {
    let config = Config {
        workers: Some(2),
        pong_timeout_s: 1,
        limits: crate::connections::unhurried(),
        ..Config::default()
    };
    let tracker = Tracker::with(config).await.unwrap();
    let (_a, mut dead) = neighbours(&tracker).await;
    dead.join().await;
    // Nothing is read from it any more, so its pings stay unanswered.
    let mut back = tracker.client('b').await;
    while back
        .ask(back.announce(&[]))
        .await
        .get("failure reason")
        .is_some()
    {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_swarm_that_everybody_left_can_come_back_anywhere() {
    let tracker = two_workers().await;
    for _ in 0..3 {
        let (a, b) = neighbours(&tracker).await;
        drop((a, b));
        let mut watcher = tracker.client('w').await;
        watcher.count_becomes(0).await;
    }
}

#[tokio::test]
async fn the_largest_swarms_are_listed_without_who_is_in_them() {
    let tracker = two_workers().await;
    let (_a, mut b) = neighbours(&tracker).await;
    b.join().await;
    let json: Value =
        serde_json::from_str(&tracker.running.statistics.largest_swarms(10).await).unwrap();
    let hex = |text: &str| {
        text.bytes()
            .map(|it| format!("{it:02x}"))
            .collect::<String>()
    };
    let expected = json!({"swarms": [
        {"info_hash": hex(HASH), "complete": 0, "incomplete": 2},
        {"info_hash": hex(OTHER), "complete": 0, "incomplete": 1},
    ]});
    assert_eq!(json, expected);
    let one: Value =
        serde_json::from_str(&tracker.running.statistics.largest_swarms(1).await).unwrap();
    assert_eq!(one["swarms"].as_array().unwrap().len(), 1);
}
