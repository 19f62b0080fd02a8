//! The seeder's hub, flooding.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use anyhow::{Context, Result};
use beekeepr_seeder::rtc::{self, Client, HubConfig, HubEvent};
use beekeepr_service::{Shutdown, Trigger};
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::server::{MESSAGE_BYTES_MAX, asked_for};

/// Peers at a time; more than any run has.
const PEERS_MAX: usize = 10_000;

type Connect = (String, oneshot::Sender<String>);

/// The way to the task that owns the connections.
#[derive(Clone)]
pub(super) struct Server(mpsc::UnboundedSender<Connect>);

impl Server {
    /// Keeps up to `window` bytes queued or unacknowledged on each connection.
    pub(super) fn start(ip: IpAddr, window: usize) -> Result<Self> {
        let (trigger, shutdown) = Shutdown::new();
        let config = HubConfig {
            udp: SocketAddr::new(ip, 0),
            peers_max: PEERS_MAX,
            // As the window empties, before it is empty.
            send_buffer_low: u32::try_from(window / 2)?,
            ..HubConfig::default()
        };
        let hub = rtc::start(config, shutdown)?;
        let pump = Pump {
            client: hub.register(),
            window,
            answers: HashMap::new(),
            floods: HashMap::new(),
            source: Bytes::from(vec![7; MESSAGE_BYTES_MAX]),
            _running: trigger,
        };
        let (requests, inbox) = mpsc::unbounded_channel();
        tokio::spawn(pump.run(inbox));
        Ok(Self(requests))
    }

    pub(super) async fn connect(&self, offer: String) -> Result<String> {
        let (reply, answer) = oneshot::channel();
        self.0.send((offer, reply)).ok().context("no hub")?;
        answer.await.context("the hub refused the offer")
    }
}

/// What one peer is being sent.
struct Flood {
    message: Bytes,
    buffered: usize,
}

struct Pump {
    client: Client,
    window: usize,
    answers: HashMap<u32, oneshot::Sender<String>>,
    floods: HashMap<u32, Flood>,
    source: Bytes,
    _running: Trigger,
}

impl Pump {
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Connect>) {
        let mut next = 0;
        loop {
            tokio::select! {
                Some((offer, reply)) = inbox.recv() => {
                    self.answers.insert(next, reply);
                    self.client.offer_accept(next, offer);
                    next += 1;
                }
                event = self.client.event() => match event {
                    Some(event) => self.react(event),
                    None => return,
                },
            }
        }
    }

    fn react(&mut self, event: HubEvent) {
        match event {
            HubEvent::AnswerReady { conn, sdp } => {
                // Nobody waits when the HTTP request was given up.
                let _ = self.answers.remove(&conn).map(|reply| reply.send(sdp));
            }
            HubEvent::Message { conn, data } => {
                if let Some(bytes) = asked_for(&data) {
                    let flood = Flood {
                        message: self.source.slice(..bytes),
                        buffered: 0,
                    };
                    self.floods.insert(conn, flood);
                    self.pour(conn);
                }
            }
            HubEvent::Drained { conn, buffered } => {
                if let Some(flood) = self.floods.get_mut(&conn) {
                    flood.buffered = buffered as usize;
                    self.pour(conn);
                }
            }
            HubEvent::Closed { conn } => {
                self.answers.remove(&conn);
                self.floods.remove(&conn);
            }
            HubEvent::OfferReady { .. } | HubEvent::Opened { .. } => {}
        }
    }

    fn pour(&mut self, conn: u32) {
        let Some(flood) = self.floods.get_mut(&conn) else {
            return;
        };
        while flood.buffered == 0 || flood.buffered + flood.message.len() <= self.window {
            flood.buffered += flood.message.len();
            self.client.send(conn, flood.message.clone());
        }
    }
}
