//! A tracker that needs tokens, those tokens, and clients.

use std::fs;
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use beekeepr_service::{Shutdown, Trigger};
use beekeepr_tracker::{Config, Limits, Running, Tokens, start};
use beekeepr_trust::{Algorithm, Claims, signing_input, with_signature};
use data_encoding::BASE64URL_NOPAD;
use futures_util::{SinkExt, StreamExt};
use prometheus::Registry;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::{ClientRequestBuilder, IntoClientRequest};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

pub(crate) const HASH: &str = "hpw5DN1BrHoy/nDyIVbD";

/// A running tracker and the key that it trusts.
pub(crate) struct Tracker {
    pub(crate) address: SocketAddr,
    pair: Ed25519KeyPair,
    pub(crate) registry: Registry,
    _folder: TempDir,
    _trigger: Trigger,
    _running: Running,
}

impl Tracker {
    pub(crate) async fn start() -> Self {
        Self::with(Limits::default()).await
    }

    pub(crate) async fn with(limits: Limits) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[3; 32]).unwrap();
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("keys.json");
        let x = BASE64URL_NOPAD.encode(pair.public_key().as_ref());
        let keys = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": x}]});
        fs::write(&file, keys.to_string()).unwrap();
        let config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            tokens: Tokens {
                keys: Some(file),
                ..Tokens::default()
            },
            limits,
            ..Config::default()
        };
        let (trigger, shutdown) = Shutdown::new();
        let registry = Registry::new();
        let running = start(config, &registry, shutdown).await.unwrap();
        Self {
            address: running.addresses[0],
            pair,
            registry,
            _folder: folder,
            _trigger: trigger,
            _running: running,
        }
    }

    /// A token of this subject that counts for so many seconds.
    pub(crate) fn token(&self, subject: &str, lives_s: u64) -> String {
        let now_s = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let claims = Claims {
            exp: Some(now_s + lives_s),
            sub: Some(subject.to_owned()),
            ..Claims::default()
        };
        let input = signing_input(Algorithm::EdDsa, Some("a"), &claims);
        with_signature(&input, self.pair.sign(input.as_bytes()).as_ref())
    }

    /// How many tokens were refused for this reason.
    pub(crate) fn tokens_refused(&self, reason: &str) -> u64 {
        let families = self.registry.gather();
        let text = prometheus::TextEncoder::new().encode_to_string(&families);
        let name = format!("beekeepr_tracker_tokens_refused_total{{reason=\"{reason}\"}} ");
        let text = text.unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(&name));
        line.map_or(0, |value| value.parse().unwrap())
    }

    pub(crate) fn url(&self, query: &str) -> String {
        format!("ws://{}/announce{query}", self.address)
    }

    pub(crate) async fn client(&self, token: &str) -> Client {
        Client::connect(
            self.url(&format!("?jwt={token}"))
                .into_client_request()
                .unwrap(),
        )
        .await
    }

    pub(crate) async fn client_by_subprotocol(&self, token: &str) -> Client {
        let uri = self.url("").parse().unwrap();
        let request = ClientRequestBuilder::new(uri)
            .with_sub_protocol("jwt")
            .with_sub_protocol(token);
        Client::connect(request.into_client_request().unwrap()).await
    }
}

/// A client's connection, and the subprotocol that the tracker chose.
pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(crate) protocol: Option<String>,
}

impl Client {
    async fn connect(request: tokio_tungstenite::tungstenite::handshake::client::Request) -> Self {
        let (socket, response) = connect_async(request).await.unwrap();
        let protocol = response.headers().get("sec-websocket-protocol");
        let protocol = protocol.map(|it| it.to_str().unwrap().to_owned());
        Self { socket, protocol }
    }

    /// Announces as the peer of twenty times this letter, with an offer, and gives the reply.
    pub(crate) async fn announce(&mut self, letter: char) -> Value {
        self.announce_with(letter, None).await
    }

    /// The same, with a new token.
    pub(crate) async fn announce_with(&mut self, letter: char, token: Option<&str>) -> Value {
        let sdp = "v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n";
        let message = json!({
            "action": "announce", "info_hash": HASH, "peer_id": letter.to_string().repeat(20), "jwt": token,
            "offers": [{"offer": {"type": "offer", "sdp": sdp}, "offer_id": "o".repeat(20)}],
        });
        self.socket
            .send(Message::text(message.to_string()))
            .await
            .unwrap();
        self.receive().await
    }

    /// The next text.
    pub(crate) async fn receive(&mut self) -> Value {
        loop {
            let message = self.socket.next().await.unwrap().unwrap();
            if let Ok(text) = message.to_text()
                && message.is_text()
            {
                return serde_json::from_str(text).unwrap();
            }
        }
    }

    /// Waits until the tracker closes the connection, and gives its reason.
    pub(crate) async fn closed(&mut self) -> Option<CloseCode> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Close(frame))) => return frame.map(|it| it.code),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }
}
