//! `webrtc`, flooding as its documentation says: a limit on the send buffer, and sends that wait.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use bytes::BytesMut;
use tokio::sync::Notify;
use webrtc::data_channel::{DataChannel, DataChannelEvent};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceGatheringState,
    RTCPeerConnectionState, RTCSessionDescription,
};

use super::server::asked_for;

type Connections = Arc<Mutex<Vec<Option<Arc<dyn PeerConnection>>>>>;

/// Connections with a socket each.
pub(super) struct Server {
    ip: IpAddr,
    window: usize,
    connections: Connections,
}

impl Server {
    pub(super) fn new(ip: IpAddr, window: usize) -> Self {
        Self {
            ip,
            window,
            connections: Connections::default(),
        }
    }

    pub(super) async fn connect(&self, offer: String) -> Result<String> {
        let place = {
            let mut connections = locked(&self.connections);
            connections.push(None);
            connections.len() - 1
        };
        let gathered = Arc::new(Notify::new());
        let handler = Handler {
            gathered: Arc::clone(&gathered),
            connections: Arc::clone(&self.connections),
            place,
        };
        let connection = PeerConnectionBuilder::new()
            .with_handler(Arc::new(handler))
            .with_udp_addrs(vec![SocketAddr::new(self.ip, 0).to_string()])
            .with_data_channel_send_buffer_limit(self.window)
            .build()
            .await?;
        connection
            .set_remote_description(RTCSessionDescription::offer(offer)?)
            .await?;
        let answer = connection.create_answer(None).await?;
        connection.set_local_description(answer).await?;
        gathered.notified().await;
        let answer = connection
            .local_description()
            .await
            .context("no local description")?;
        locked(&self.connections)[place] = Some(Arc::new(connection));
        Ok(answer.sdp)
    }
}

fn locked(
    connections: &Connections,
) -> std::sync::MutexGuard<'_, Vec<Option<Arc<dyn PeerConnection>>>> {
    connections.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Handler {
    gathered: Arc<Notify>,
    connections: Connections,
    place: usize,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.gathered.notify_one();
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        if matches!(
            state,
            RTCPeerConnectionState::Failed | RTCPeerConnectionState::Closed
        ) {
            locked(&self.connections)[self.place] = None;
        }
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        tokio::spawn(async move {
            while let Some(event) = channel.poll().await {
                if let DataChannelEvent::OnMessage(message) = event
                    && let Some(bytes) = asked_for(&message.data)
                {
                    tokio::spawn(flood(Arc::clone(&channel), bytes));
                }
            }
        });
    }
}

/// Ends when the channel is closed.
async fn flood(channel: Arc<dyn DataChannel>, bytes: usize) {
    let message = vec![7; bytes];
    while channel.send(BytesMut::from(&message[..])).await.is_ok() {}
}
