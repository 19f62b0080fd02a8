//! A tracker on a free port, and clients of a foreign make (tokio-tungstenite).

use std::net::SocketAddr;

use beekeepr_service::{Shutdown, Trigger};
use beekeepr_tracker::{Config, Running, StartError, start};
use futures_util::{SinkExt, StreamExt};
use prometheus::Registry;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// The swarm that tests use.
pub(crate) const HASH: &str = "hpw5DN1BrHoy/nDyIVbD";

/// A running tracker.
pub(crate) struct Tracker {
    pub(crate) address: SocketAddr,
    pub(crate) registry: Registry,
    pub(crate) trigger: Trigger,
    pub(crate) running: Running,
}

impl Tracker {
    pub(crate) async fn start() -> Self {
        Self::with(Config::default()).await.unwrap()
    }

    /// On a free port, whatever the configuration says.
    pub(crate) async fn with(config: Config) -> Result<Self, StartError> {
        let (trigger, shutdown) = Shutdown::new();
        let registry = Registry::new();
        let config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            ..config
        };
        let running = start(config, &registry, shutdown).await?;
        Ok(Self {
            address: running.addresses[0],
            registry,
            trigger,
            running,
        })
    }

    /// A client that is peer "-PM0203-" and twelve times this letter.
    pub(crate) async fn client(&self, letter: char) -> Client {
        let (socket, _) = connect_async(format!("ws://{}/any/path", self.address))
            .await
            .unwrap();
        Client {
            socket,
            peer_id: peer_id(letter),
        }
    }
}

impl Tracker {
    /// What one of its counters or gauges says; 0 when nothing was counted under a label yet.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let text = prometheus::TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .unwrap();
        let name = format!("beekeepr_tracker_{name} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&name));
        line.map_or(0.0, |value| value.parse().unwrap())
    }
}

pub(crate) fn peer_id(letter: char) -> String {
    format!("-PM0203-{}", letter.to_string().repeat(12))
}

/// A client's connection.
pub(crate) struct Client<S = MaybeTlsStream<TcpStream>> {
    pub(crate) socket: WebSocketStream<S>,
    pub(crate) peer_id: String,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub(crate) async fn send(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    pub(crate) async fn send_json(&mut self, value: Value) {
        self.send(Message::text(value.to_string())).await;
    }

    /// The next message that is no ping.
    pub(crate) async fn receive(&mut self) -> Message {
        loop {
            let message = self.socket.next().await.unwrap().unwrap();
            if !message.is_ping() {
                return message;
            }
        }
    }

    pub(crate) async fn receive_json(&mut self) -> Value {
        let message = self.receive().await;
        serde_json::from_str(message.to_text().unwrap()).unwrap()
    }

    /// The tracker's reply to a message.
    pub(crate) async fn ask(&mut self, value: Value) -> Value {
        self.send_json(value).await;
        self.receive_json().await
    }

    /// An announce with an offer for each of these ids.
    pub(crate) fn announce(&self, offer_ids: &[&str]) -> Value {
        let offer = |id| json!({"offer": {"type": "offer", "sdp": "v=0\r\no\r\n"}, "offer_id": id});
        json!({
            "numwant": offer_ids.len(), "uploaded": 0, "downloaded": 0, "action": "announce",
            "info_hash": HASH, "peer_id": self.peer_id,
            "offers": offer_ids.iter().map(offer).collect::<Vec<_>>(),
        })
    }

    pub(crate) fn answer(&self, to: &str, offer_id: &str) -> Value {
        json!({
            "action": "announce", "info_hash": HASH, "peer_id": self.peer_id, "to_peer_id": to,
            "answer": {"type": "answer", "sdp": "v=0\r\na\r\n"}, "offer_id": offer_id,
        })
    }

    pub(crate) async fn join(&mut self) {
        let reply = self.ask(self.announce(&[])).await;
        assert!(reply.get("failure reason").is_none(), "{reply}");
    }

    /// How many peers the swarm has.
    pub(crate) async fn count(&mut self) -> u64 {
        let reply = self
            .ask(json!({"action": "scrape", "info_hash": HASH}))
            .await;
        reply["files"][HASH]["incomplete"].as_u64().unwrap()
    }

    /// Asks until the swarm has so many peers. Each question is a round trip through the tracker.
    pub(crate) async fn count_becomes(&mut self, peers: u64) {
        while self.count().await != peers {
            tokio::task::yield_now().await;
        }
    }
}
