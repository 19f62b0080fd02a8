//! Who comes in, and for how long.

use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::util::{Client, Tracker};

fn failure(reply: &serde_json::Value) -> &str {
    reply["failure reason"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_token_opens_the_tracker_by_url_and_by_subprotocol() {
    let tracker = Tracker::start().await;
    let token = tracker.token("viewer", 60);
    let mut a = tracker.client(&token).await;
    let mut b = tracker.client_by_subprotocol(&token).await;
    assert_eq!(
        (a.protocol.as_deref(), b.protocol.as_deref()),
        (None, Some("jwt"))
    );
    assert_eq!(a.announce('a').await["incomplete"], 1);
    assert_eq!(b.announce('b').await["incomplete"], 2);
    assert_eq!(a.receive().await["peer_id"], "b".repeat(20));
}

#[tokio::test]
async fn who_has_no_good_token_is_told_why_before_the_socket_closes() {
    let tracker = Tracker::start().await;
    let mut none = Client {
        socket: connect_async(tracker.url("")).await.unwrap().0,
        protocol: None,
    };
    let reply = none.announce('a').await;
    assert!(failure(&reply).contains("needs a token"), "{reply}");
    assert_eq!(reply["info_hash"], crate::util::HASH);
    assert_eq!(none.closed().await, Some(CloseCode::Policy));
    let mut expired = tracker.client(&tracker.token("viewer", 0)).await;
    let reply = expired.announce('a').await;
    assert!(failure(&reply).contains("expired"), "{reply}");
}

#[tokio::test]
async fn a_connection_ends_with_its_token() {
    let tracker = Tracker::start().await;
    let mut lasting = tracker.client(&tracker.token("one", 60)).await;
    let mut short = tracker.client(&tracker.token("two", 2)).await;
    short.announce('s').await;
    assert_eq!(lasting.announce('l').await["incomplete"], 2);
    assert_eq!(short.closed().await, Some(CloseCode::Policy));
    assert_eq!(
        lasting.announce('l').await["incomplete"],
        1,
        "its peers are gone"
    );
}
