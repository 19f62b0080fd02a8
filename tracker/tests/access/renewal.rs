//! Tokens that follow each other on one connection.

use beekeepr_tracker::Limits;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::util::Tracker;

fn failure(reply: &serde_json::Value) -> &str {
    reply["failure reason"].as_str().unwrap_or_default()
}

/// The first token ends after two seconds, and so would the connection.
#[tokio::test]
async fn a_connection_outlives_its_token_by_a_new_one() {
    let tracker = Tracker::start().await;
    let mut witness = tracker.client(&tracker.token("witness", 60)).await;
    witness.announce('w').await;
    let mut lasting = tracker.client(&tracker.token("one", 2)).await;
    let mut ending = tracker.client(&tracker.token("two", 2)).await;
    ending.announce('e').await;
    let new = tracker.token("one", 60);
    assert_eq!(
        lasting.announce_with('l', Some(&new)).await["incomplete"],
        3
    );
    assert_eq!(ending.closed().await, Some(CloseCode::Policy));
    assert_eq!(
        lasting.announce_with('l', Some(&new)).await["incomplete"],
        2
    );
}

#[tokio::test]
async fn a_bad_new_token_is_refused_and_the_old_one_counts() {
    let tracker = Tracker::start().await;
    let mut a = tracker.client(&tracker.token("viewer", 60)).await;
    let expired = tracker.token("viewer", 0);
    let reply = a.announce_with('a', Some(&expired)).await;
    assert!(failure(&reply).contains("the one before does"), "{reply}");
    assert_eq!(reply["info_hash"], crate::util::HASH);
    assert_eq!(a.announce('a').await["incomplete"], 1);
    assert_eq!(tracker.tokens_refused("expired"), 1);
}

#[tokio::test]
async fn a_connection_stays_with_one_subject() {
    let tracker = Tracker::start().await;
    let mut a = tracker.client(&tracker.token("viewer", 60)).await;
    let other = tracker.token("other", 60);
    let reply = a.announce_with('a', Some(&other)).await;
    assert!(failure(&reply).contains("another subject"), "{reply}");
    assert_eq!(tracker.tokens_refused("another_subject"), 1);
}

/// bittorrent-tracker's client comes back with the URL that it began with, whose token is old by then.
#[tokio::test]
async fn the_first_announce_may_bring_the_token_that_the_handshake_lacked() {
    let tracker = Tracker::start().await;
    let mut late = tracker.client(&tracker.token("viewer", 0)).await;
    let new = tracker.token("viewer", 60);
    assert_eq!(late.announce_with('a', Some(&new)).await["incomplete"], 1);
    let mut never = tracker.client("").await;
    let reply = never.announce_with('b', Some("nonsense")).await;
    assert!(failure(&reply).contains("malformed"), "{reply}");
    assert_eq!(never.closed().await, Some(CloseCode::Policy));
    assert_eq!(tracker.tokens_refused("malformed"), 2);
}

#[tokio::test]
async fn a_subject_may_announce_only_so_often_on_all_its_connections() {
    let tracker = Tracker::with(Limits {
        announces_per_token_per_s: 1,
        ..Limits::default()
    })
    .await;
    let mut one = tracker.client(&tracker.token("viewer", 60)).await;
    let mut two = tracker.client(&tracker.token("viewer", 60)).await;
    let mut other = tracker.client(&tracker.token("other", 60)).await;
    // Ten at once, and one for each second that the test takes.
    while failure(&one.announce('a').await).is_empty() {}
    let mut replies = Vec::new();
    for _ in 0..3 {
        replies.push(two.announce('b').await);
    }
    let is_refused = |it: &serde_json::Value| failure(it).contains("with this token");
    assert!(replies.iter().any(is_refused), "{replies:?}");
    let reply = other.announce('c').await;
    assert!(failure(&reply).is_empty(), "{reply}");
}
