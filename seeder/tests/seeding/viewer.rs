//! A viewer that speaks the peer protocol by hand.

use std::collections::VecDeque;

use beekeepr_model::{SegmentId, limits};
use beekeepr_peer_proto::{Command, Joiner, encode, is_command_chunk};
use beekeepr_seeder::rtc::{Client, HubConfig, HubEvent, start};
use beekeepr_service::{Shutdown, Trigger};
use serde_json::json;

use crate::tracker::Tracker;

/// Our one connection.
const CONN: u32 = 1;

pub(crate) struct Viewer {
    client: Client,
    joiner: Joiner,
    /// Commands that came while we waited for something else.
    commands: VecDeque<Command>,
    _running: Trigger,
}

impl Viewer {
    /// Connects to the seeder in a swarm, with an offer over the tracker.
    pub(crate) async fn connect(tracker: &mut Tracker, info_hash: &str) -> Self {
        let (trigger, shutdown) = Shutdown::new();
        let udp = "127.0.0.1:0".parse().expect("an address");
        let hub = start(
            HubConfig {
                udp,
                ..HubConfig::default()
            },
            shutdown,
        )
        .expect("a hub");
        let mut client = hub.register();
        client.offer_create(CONN);
        let Some(HubEvent::OfferReady { sdp, .. }) = client.event().await else {
            panic!("expected an offer");
        };
        let seeder = tracker.announce(info_hash).await;
        let offer = json!({
            "action": "announce", "info_hash": info_hash, "peer_id": "-PM0203-viewer123456",
            "offer_id": "offer-of-20-chars...", "offer": { "type": "offer", "sdp": sdp },
        });
        seeder
            .reply
            .send(offer.to_string())
            .expect("the socket is open");
        let answer = tracker
            .next(|message| !message["answer"].is_null())
            .await
            .message;
        assert_eq!(answer["offer_id"], "offer-of-20-chars...");
        assert_eq!(answer["to_peer_id"], "-PM0203-viewer123456");
        let sdp = answer["answer"]["sdp"]
            .as_str()
            .expect("the answer has a description");
        client.answer_accept(CONN, sdp.to_owned());
        assert_eq!(client.event().await, Some(HubEvent::Opened { conn: CONN }));
        Self {
            client,
            joiner: Joiner::new(),
            commands: VecDeque::new(),
            _running: trigger,
        }
    }

    pub(crate) fn say(&self, command: &Command) {
        let messages = encode(command, limits::CHANNEL_MESSAGE_BYTES_MAX);
        for message in messages.expect("the numbers are small") {
            self.client.send(CONN, message.into());
        }
    }

    /// Reads on until the seeder says something that fits.
    pub(crate) async fn hear(&mut self, fits: impl Fn(&Command) -> bool) -> Command {
        loop {
            let command = match self.commands.pop_front() {
                Some(command) => command,
                None => self.next_command(&mut Vec::new()).await,
            };
            if fits(&command) {
                return command;
            }
        }
    }

    /// Waits until the seeder has all these segments.
    pub(crate) async fn hear_of(&mut self, wanted: &[i64]) {
        self.hear(|command| match command {
            Command::SegmentsAnnouncement { loaded, .. } => {
                wanted.iter().all(|id| loaded.contains(&SegmentId(*id)))
            }
            _ => false,
        })
        .await;
    }

    /// Downloads a segment from `offset` on; `None` when the seeder has it not.
    pub(crate) async fn download(&mut self, id: i64, offset: u64) -> Option<Vec<u8>> {
        let (segment, request) = (SegmentId(id), 7);
        self.say(&Command::SegmentRequest {
            segment,
            request,
            offset,
        });
        self.receive(segment, request).await
    }

    /// The rest of a segment that was asked for.
    pub(crate) async fn receive(&mut self, segment: SegmentId, request: i64) -> Option<Vec<u8>> {
        let begin = self
            .hear(|command| {
                matches!(
                    command,
                    Command::SegmentData { .. } | Command::SegmentAbsent { .. }
                )
            })
            .await;
        let Command::SegmentData { size, .. } = begin else {
            return None;
        };
        let mut bytes = Vec::new();
        loop {
            let command = self.next_command(&mut bytes).await;
            if command == (Command::SegmentDataSendingCompleted { segment, request }) {
                assert_eq!(bytes.len() as u64, size, "as many bytes as announced");
                return Some(bytes);
            }
            self.commands.push_back(command);
        }
    }

    /// The next command; segment bytes before it are appended.
    async fn next_command(&mut self, bytes: &mut Vec<u8>) -> Command {
        loop {
            let data = match self.client.event().await.expect("the hub runs") {
                HubEvent::Message { data, .. } => data,
                HubEvent::Closed { .. } => panic!("the seeder closed the connection"),
                _ => continue,
            };
            if !is_command_chunk(&data) {
                bytes.extend_from_slice(&data);
            } else if let Some(command) = self.joiner.push(&data).expect("a readable command") {
                return command;
            }
        }
    }
}
