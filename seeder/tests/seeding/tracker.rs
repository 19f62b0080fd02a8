//! A tracker that does only what a test tells it.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

/// A message that came, and the way back.
pub(crate) struct Received {
    pub(crate) message: Value,
    pub(crate) reply: UnboundedSender<String>,
}

pub(crate) struct Tracker {
    pub(crate) address: SocketAddr,
    received: UnboundedReceiver<Received>,
    /// What came while a test waited for something else.
    kept: Vec<Received>,
}

impl Tracker {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let (inbox, received) = unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, inbox.clone()));
            }
        });
        Self {
            address,
            received,
            kept: Vec::new(),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// The first message that fits, of those no test has taken.
    pub(crate) async fn next(&mut self, fits: impl Fn(&Value) -> bool) -> Received {
        if let Some(at) = self.kept.iter().position(|kept| fits(&kept.message)) {
            return self.kept.remove(at);
        }
        loop {
            let received = self
                .received
                .recv()
                .await
                .expect("the tracker outlives the test");
            if fits(&received.message) {
                return received;
            }
            self.kept.push(received);
        }
    }

    /// The next announce in a swarm, answered with a peer that is there.
    pub(crate) async fn announce(&mut self, info_hash: &str) -> Received {
        // A socket that is closed by now was another seeder's.
        self.kept.retain(|kept| !kept.reply.is_closed());
        let received = self
            .next(|message| message["info_hash"] == info_hash && message["answer"].is_null())
            .await;
        let reply = json!({
            "action": "announce", "interval": 120, "info_hash": info_hash,
            "complete": 0, "incomplete": 2,
        });
        received
            .reply
            .send(reply.to_string())
            .expect("the socket is open");
        received
    }
}

async fn serve(stream: TcpStream, inbox: UnboundedSender<Received>) {
    let Ok(mut socket) = accept_async(stream).await else {
        return;
    };
    let (reply, mut replies) = unbounded_channel::<String>();
    loop {
        tokio::select! {
            Some(text) = replies.recv() => {
                if socket.send(Message::text(text)).await.is_err() {
                    return;
                }
            }
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    let message = serde_json::from_str(&text).expect("the seeder writes JSON");
                    let _ = inbox.send(Received { message, reply: reply.clone() });
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
        }
    }
}
