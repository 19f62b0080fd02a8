//! How the tracker comes to an end while clients are there.

use std::time::Duration;

use beekeepr_tracker::Config;
use futures_util::StreamExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::util::Tracker;

#[tokio::test]
async fn clients_are_served_while_it_drains_and_asked_to_go_one_by_one() {
    let config = Config {
        drain_s: Some(2),
        ..Config::default()
    };
    let tracker = Tracker::with(config).await.unwrap();
    let mut clients = Vec::new();
    for letter in 'a'..='h' {
        let mut client = tracker.client(letter).await;
        client.join().await;
        clients.push(client);
    }
    let began = tokio::time::Instant::now();
    tracker.trigger.request();
    let (mut ends, mut served) = (Vec::new(), 0);
    while !clients.is_empty() {
        let mut left = Vec::new();
        for mut client in clients {
            client.send_json(client.announce(&[])).await;
            match client.socket.next().await {
                Some(Ok(Message::Close(Some(frame)))) => {
                    assert_eq!(u16::from(frame.code), 1001);
                    ends.push(began.elapsed());
                }
                Some(Ok(Message::Text(_))) => {
                    served += 1;
                    left.push(client);
                }
                other => panic!("expected a reply or a close, got {other:?}"),
            }
        }
        clients = left;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(served > 0);
    let (first, last) = (ends[0], ends[ends.len() - 1]);
    assert!(last - first > Duration::from_millis(500), "{ends:?}");
    tracker.running.wait().await;
}

#[tokio::test]
async fn nobody_new_is_taken_while_it_drains() {
    let config = Config {
        drain_s: Some(60),
        ..Config::default()
    };
    let tracker = Tracker::with(config).await.unwrap();
    let mut client = tracker.client('a').await;
    client.join().await;
    tracker.trigger.request();
    // The listener is closed by another thread.
    while TcpStream::connect(tracker.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    client.join().await;
}
