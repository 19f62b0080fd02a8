//! A viewer's place in a swarm, over a socket to the tracker of its own.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use beekeepr_model::{InfoHash, OfferId, PeerId, Random};
use beekeepr_tracker_proto::{
    Announce, AnnounceEvent, Offer, ServerMessage, read_server_message, write_announce,
};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// What a page of p2p-media-loader 2.3 is called.
const PEER_ID_PREFIX: &[u8; 8] = b"-PM0203-";

/// Before the tracker has said how often to announce; what bittorrent-tracker does then.
const INTERVAL: Duration = Duration::from_secs(30);

/// A swarm that was joined. Dropped, it is left.
pub(crate) struct Swarm {
    info_hash: InfoHash,
    peer_id: PeerId,
    outbox: UnboundedSender<String>,
    answers: UnboundedReceiver<(OfferId, String)>,
    random: Random,
}

impl Swarm {
    /// Connects to the tracker.
    pub(crate) async fn join(tracker: &str, info_hash: InfoHash, seed: u64) -> Result<Self> {
        let (socket, _) = connect_async(tracker)
            .await
            .context("cannot connect to the tracker")?;
        let mut random = Random::new(seed);
        let peer_id = PeerId::generate(PEER_ID_PREFIX, &mut random);
        let (outbox, messages) = unbounded_channel();
        let (outlet, answers) = unbounded_channel();
        let member = Member {
            socket,
            silent: announce(info_hash, peer_id, None, &[]),
            farewell: announce(info_hash, peer_id, Some(AnnounceEvent::Stopped), &[]),
            outlet,
        };
        tokio::task::spawn_local(member.run(messages));
        Ok(Self {
            info_hash,
            peer_id,
            outbox,
            answers,
            random,
        })
    }

    /// Offers a connection; the answer, whoever gives it.
    pub(crate) async fn offer(&mut self, sdp: &str) -> Result<String> {
        let offer_id = OfferId::generate(&mut self.random);
        let offer = Offer { offer_id, sdp };
        let event = Some(AnnounceEvent::Started);
        let text = announce(self.info_hash, self.peer_id, event, &[offer]);
        self.outbox.send(text).ok().context("the tracker is gone")?;
        loop {
            match self.answers.recv().await {
                Some((id, sdp)) if id == offer_id => return Ok(sdp),
                Some(_) => {} // to an offer that was given up
                None => bail!("the tracker is gone"),
            }
        }
    }
}

fn announce(
    info_hash: InfoHash,
    peer_id: PeerId,
    event: Option<AnnounceEvent>,
    offers: &[Offer<'_>],
) -> String {
    write_announce(&Announce {
        info_hash,
        peer_id,
        numwant: offers.len() as u32,
        uploaded: 0,
        downloaded: 0,
        event,
        offers,
        token: None,
    })
}

/// The task that owns the socket.
struct Member {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    silent: String,
    farewell: String,
    outlet: UnboundedSender<(OfferId, String)>,
}

impl Member {
    async fn run(mut self, mut messages: UnboundedReceiver<String>) {
        let mut interval = INTERVAL;
        let mut next = Instant::now() + interval;
        loop {
            tokio::select! {
                message = messages.recv() => match message {
                    Some(text) => {
                        if self.socket.send(Message::text(text)).await.is_err() {
                            return;
                        }
                    }
                    None => {
                        // Left; a tracker that is gone does not mind.
                        let _ = self.socket.send(Message::text(self.farewell)).await;
                        let _ = self.socket.close(None).await;
                        return;
                    }
                },
                heard = self.socket.next() => match heard {
                    Some(Ok(Message::Text(text))) => {
                        if let Some(seconds) = self.hear(text.as_bytes()) {
                            interval = seconds;
                            next = next.min(Instant::now() + interval);
                        }
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return,
                },
                () = sleep_until(next) => {
                    next += interval;
                    if self.socket.send(Message::text(self.silent.clone())).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// Passes answers on. Offers are left alone: this viewer wants the seeder, and asks for it itself.
    fn hear(&self, text: &[u8]) -> Option<Duration> {
        match read_server_message(text) {
            Ok(ServerMessage::Announced { interval_s, .. }) => {
                Some(Duration::from_secs(u64::from(interval_s.max(1))))
            }
            Ok(ServerMessage::Answer { offer_id, sdp, .. }) => {
                // Nobody listens any more when the viewer is connected or gone.
                let _ = self.outlet.send((offer_id, sdp));
                None
            }
            Ok(ServerMessage::Failure { reason, .. }) => {
                eprintln!("the tracker refuses: {reason}");
                None
            }
            Ok(ServerMessage::Offer { .. } | ServerMessage::Other) | Err(_) => None,
        }
    }
}
