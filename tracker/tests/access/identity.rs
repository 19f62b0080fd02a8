//! Whose peer id it is, when a viewer comes back from another network.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::util::{Client, HASH, Tracker};

#[tokio::test]
async fn the_same_subject_takes_its_peer_id_along() {
    let tracker = Tracker::start().await;
    let mut old = tracker.client(&tracker.token("viewer", 60)).await;
    let mut other = tracker.client(&tracker.token("other", 60)).await;
    old.announce('v').await;
    let mut new = tracker.client(&tracker.token("viewer", 60)).await;
    assert_eq!(new.announce('v').await["incomplete"], 1);
    other.announce('o').await;
    assert_eq!(
        new.receive().await["peer_id"],
        "o".repeat(20),
        "offers go to the new socket"
    );
}

#[tokio::test]
async fn another_subject_does_not_get_it() {
    let tracker = Tracker::start().await;
    let mut owner = tracker.client(&tracker.token("viewer", 60)).await;
    owner.announce('v').await;
    let mut thief = tracker.client(&tracker.token("thief", 60)).await;
    let reply = thief.announce('v').await;
    assert!(
        reply["failure reason"]
            .as_str()
            .unwrap()
            .contains("peer_id is in use")
    );
    let mut other = tracker.client(&tracker.token("other", 60)).await;
    other.announce('o').await;
    assert_eq!(owner.receive().await["peer_id"], "o".repeat(20));
}

/// Takes five seconds, which is what it is about.
#[tokio::test]
async fn a_dead_socket_is_found_out_when_its_peer_comes_back() {
    let tracker = Tracker::start().await;
    let mut dead = silent(&tracker).await;
    let mut new = tracker.client(&tracker.token("another", 60)).await;
    let reply = new.announce('v').await;
    assert!(reply["failure reason"].is_string(), "{reply}");
    until_closed(&mut dead).await;
    assert_eq!(announced(&mut new).await, 1);
}

/// A peer that announced and answers nothing, as one does whose network is gone.
async fn silent(tracker: &Tracker) -> TcpStream {
    let mut stream = TcpStream::connect(tracker.address).await.unwrap();
    let token = tracker.token("viewer", 60);
    let request = format!(
        "GET /?jwt={token} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let peer_id = "v".repeat(20);
    let text = format!(r#"{{"action":"announce","info_hash":"{HASH}","peer_id":"{peer_id}"}}"#);
    // A text frame with a mask of zeros.
    let mut frame = vec![0x81, 0x80 | text.len() as u8, 0, 0, 0, 0];
    frame.extend_from_slice(text.as_bytes());
    stream.write_all(&frame).await.unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(b"}") {
        stream.read_buf(&mut seen).await.unwrap();
    }
    stream
}

async fn until_closed(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    // An error ends it just as well.
    let _ = stream.read_to_end(&mut rest).await;
}

async fn announced(client: &mut Client) -> u64 {
    client.announce('v').await["incomplete"].as_u64().unwrap()
}
