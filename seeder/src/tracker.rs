//! Sockets to trackers.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
};
use tracing::debug;
use url::Url;

use beekeepr_model::limits;

/// TCP, TLS and the upgrade.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A ping is sent after so long without a word from the tracker; after as long again it is gone.
/// Below the 60 s at which reverse proxies such as nginx give a silent socket up.
const SILENCE: Duration = Duration::from_secs(25);
/// For the last messages and the closing handshake.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// Messages that wait for a slow tracker. One announce and its answers are about ten for each
/// swarm, and a channel with 30 renditions has 90 swarms.
const OUTBOX_MESSAGES_MAX: usize = 1024;

/// What comes of a socket. The last one is [`Event::Closed`].
#[derive(Debug)]
pub(crate) enum Event {
    /// It is open.
    Opened,
    /// A message came.
    Text(String),
    /// It is closed, or could not be opened.
    Closed,
}

/// A socket, or the attempt to have one. Dropped, it is closed after its last message.
#[derive(Debug)]
pub(crate) struct Socket<K> {
    key: K,
    outbox: Sender<String>,
}

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

impl<K: Copy + Eq + Send + 'static> Socket<K> {
    /// Opens a socket, whose events come to `inbox` marked with `key`.
    pub(crate) fn open(
        url: Url,
        tls: Arc<ClientConfig>,
        key: K,
        inbox: Sender<(K, Event)>,
    ) -> Self {
        let (outbox, messages) = channel(OUTBOX_MESSAGES_MAX);
        tokio::spawn(async move {
            if let Err(error) = run(&url, tls, messages, key, &inbox).await {
                debug!(host = url.host_str(), "tracker socket: {error}");
            }
            // Nobody there to hear it means that nobody cares.
            let _ = inbox.send((key, Event::Closed)).await;
        });
        Self { key, outbox }
    }

    /// Whether an event is of this socket.
    pub(crate) fn is(&self, key: K) -> bool {
        self.key == key
    }

    /// Sends a message; `false` when the tracker does not take them fast enough.
    pub(crate) fn send(&self, text: String) -> bool {
        self.outbox.try_send(text).is_ok()
    }
}

async fn run<K: Copy>(
    url: &Url,
    tls: Arc<ClientConfig>,
    mut messages: Receiver<String>,
    key: K,
    inbox: &Sender<(K, Event)>,
) -> Result<(), Error> {
    let config = WebSocketConfig::default()
        .read_buffer_size(4 * 1024)
        .max_message_size(Some(limits::TRACKER_MESSAGE_BYTES_MAX))
        .max_frame_size(Some(limits::TRACKER_MESSAGE_BYTES_MAX));
    let connector = Some(Connector::Rustls(tls));
    let connect = connect_async_tls_with_config(url.as_str(), Some(config), true, connector);
    let late = |_| Error::Io(std::io::ErrorKind::TimedOut.into());
    let (mut stream, _) = timeout(CONNECT_TIMEOUT, connect).await.map_err(late)??;
    if inbox.send((key, Event::Opened)).await.is_err() {
        return Ok(());
    }
    exchange(&mut stream, &mut messages, key, inbox).await?;
    timeout(CLOSE_TIMEOUT, stream.close(None))
        .await
        .map_err(late)?
}

/// Passes messages both ways until either side ends.
async fn exchange<K: Copy>(
    stream: &mut Stream,
    messages: &mut Receiver<String>,
    key: K,
    inbox: &Sender<(K, Event)>,
) -> Result<(), Error> {
    let mut heard = Instant::now();
    let mut pinged = false;
    loop {
        let silent_at = heard + if pinged { SILENCE * 2 } else { SILENCE };
        tokio::select! {
            message = messages.recv() => match message {
                Some(text) => stream.send(Message::text(text)).await?,
                None => return Ok(()),
            },
            message = stream.next() => {
                (heard, pinged) = (Instant::now(), false);
                match message {
                    Some(Ok(Message::Text(text))) => {
                        let event = Event::Text(text.as_str().to_owned());
                        if inbox.send((key, event)).await.is_err() {
                            return Ok(());
                        }
                    }
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(error),
                    None => return Ok(()),
                }
            },
            () = sleep_until(silent_at) => {
                if pinged {
                    return Err(Error::Io(std::io::ErrorKind::TimedOut.into()));
                }
                pinged = true;
                stream.send(Message::Ping(Default::default())).await?;
            }
        }
    }
}
