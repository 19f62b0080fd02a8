//! The far end of a WebRTC connection: the seeder's own stack, used as a client.
//!
//! Each peer has a hub, thus a port, of its own, as a browser has for each of its connections: two
//! hubs know each other's connections apart by address alone.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Context, Result, bail};
use beekeepr_seeder::rtc::{self, Client, HubConfig, HubEvent};
use beekeepr_service::{Shutdown, Trigger};
use bytes::Bytes;

/// The hub's one connection.
const CONN: u32 = 1;

/// A connection, or the attempt to have one.
#[derive(Debug)]
pub(crate) struct Peer {
    client: Client,
    _running: Trigger,
}

impl Peer {
    /// A peer at this address of ours.
    pub(crate) fn start(ip: IpAddr) -> Result<Self> {
        let config = HubConfig {
            udp: SocketAddr::new(ip, 0),
            ..HubConfig::default()
        };
        let (trigger, shutdown) = Shutdown::new();
        let hub = rtc::start(config, shutdown)?;
        Ok(Self {
            client: hub.register(),
            _running: trigger,
        })
    }

    /// Makes an offer.
    pub(crate) async fn offer(&mut self) -> Result<String> {
        self.client.offer_create(CONN);
        match self.client.event().await {
            Some(HubEvent::OfferReady { sdp, .. }) => Ok(sdp),
            other => bail!("expected an offer, got {other:?}"),
        }
    }

    /// Takes the answer; returns when the channel is open.
    pub(crate) async fn connect(&mut self, answer: String) -> Result<()> {
        self.client.answer_accept(CONN, answer);
        match self.client.event().await {
            Some(HubEvent::Opened { .. }) => Ok(()),
            other => bail!("expected an open channel, got {other:?}"),
        }
    }

    pub(crate) fn send(&self, message: Bytes) {
        self.client.send(CONN, message);
    }

    /// The next message. Safe to cancel.
    pub(crate) async fn message(&mut self) -> Result<Bytes> {
        loop {
            match self.client.event().await.context("the hub has ended")? {
                HubEvent::Message { data, .. } => return Ok(data),
                HubEvent::Closed { .. } => bail!("the connection is closed"),
                HubEvent::OfferReady { .. }
                | HubEvent::AnswerReady { .. }
                | HubEvent::Opened { .. }
                | HubEvent::Drained { .. } => {}
            }
        }
    }
}
