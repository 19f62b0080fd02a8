//! Pairs of clients of a foreign make that introduce themselves to each other over and over.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// One swarm for each pair.
pub(crate) const HASHES: [&str; 2] = ["hpw5DN1BrHoy/nDyIVbD", "dWzShRMpT2iw023W5NAw"];

/// The two of each pair.
pub(crate) const PEERS: [&str; 2] = ["-PM0203-aaaaaaaaaaaa", "-PM0203-bbbbbbbbbbbb"];

/// Two clients in one swarm.
pub(crate) struct Pair {
    hash: &'static str,
    sockets: [WebSocketStream<MaybeTlsStream<TcpStream>>; 2],
    rounds: u64,
}

impl Pair {
    pub(crate) async fn connect(address: SocketAddr, hash: &'static str) -> Self {
        let url = format!("ws://{address}/");
        let (one, _) = connect_async(&url).await.unwrap();
        let (two, _) = connect_async(&url).await.unwrap();
        let mut pair = Self {
            hash,
            sockets: [one, two],
            rounds: 0,
        };
        for member in 0..2 {
            pair.announce(member, &[]).await;
            assert_eq!(pair.receive(member).await["incomplete"], member + 1);
        }
        pair
    }

    /// Meets until told to stop; gives how often.
    pub(crate) async fn meet_until(mut self, stop: Arc<AtomicBool>) -> (Self, u64) {
        while !stop.load(Ordering::Relaxed) {
            self.meet().await;
        }
        let rounds = self.rounds;
        (self, rounds)
    }

    /// One offers, the other answers: each is told that, and nothing else.
    pub(crate) async fn meet(&mut self) {
        self.rounds += 1;
        let offer_id = format!("{:020}", self.rounds);
        self.announce(0, &[&offer_id]).await;
        let reply = self.receive(0).await;
        assert_eq!(
            reply["incomplete"], 2,
            "nobody else came, nobody was evicted: {reply}"
        );
        let offer = self.receive(1).await;
        assert_eq!(offer["offer_id"], offer_id, "{offer}");
        assert_eq!(offer["peer_id"], PEERS[0], "{offer}");
        let answer = json!({
            "action": "announce", "info_hash": self.hash, "peer_id": PEERS[1], "to_peer_id": PEERS[0],
            "offer_id": offer_id, "answer": {"type": "answer", "sdp": format!("v=0\r\ns={offer_id}\r\n")},
        });
        self.send(1, &answer).await;
        let relayed = self.receive(0).await;
        assert_eq!(relayed["answer"], answer["answer"], "{relayed}");
        assert_eq!(relayed["peer_id"], PEERS[1], "{relayed}");
    }

    async fn announce(&mut self, member: usize, offer_ids: &[&str]) {
        let offer = |id| json!({"offer": {"type": "offer", "sdp": "v=0\r\n"}, "offer_id": id});
        let offers: Vec<Value> = offer_ids.iter().map(offer).collect();
        let message = json!({
            "action": "announce", "info_hash": self.hash, "peer_id": PEERS[member], "offers": offers,
        });
        self.send(member, &message).await;
    }

    async fn send(&mut self, member: usize, message: &Value) {
        let text = Message::text(message.to_string());
        self.sockets[member].send(text).await.unwrap();
    }

    async fn receive(&mut self, member: usize) -> Value {
        loop {
            let message = self.sockets[member].next().await.unwrap().unwrap();
            if message.is_text() {
                return serde_json::from_str(message.to_text().unwrap()).unwrap();
            }
        }
    }
}
