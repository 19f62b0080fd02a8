//! The tracker: its mind is `core/swarm`, here is what carries messages to it and from it.

use beekeepr_engine::{AnnounceEvent, ServerMessage, TrackerMessage};
use beekeepr_model::{OfferId, Time};
use beekeepr_swarm::{Announce, Answer, ConnKey, Counts, Place, Refusal, Role, Standing, Swarms};

use crate::chance::{Purpose, stream};
use crate::config::Config;
use crate::profile::{self, Profile};

/// A tracker and what it needs beside its mind.
#[derive(Debug)]
pub(crate) struct Tracker {
    swarms: Swarms,
    pub(crate) is_up: bool,
    interval_s: u32,
    knows_regions: bool,
    targets: Vec<ConnKey>,
    pub(crate) announces: u64,
}

/// A message and the socket that it is for.
pub(crate) type Reply = (Socket, ServerMessage);

/// A node's socket, by the number of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Socket {
    pub(crate) node: u32,
    pub(crate) session: u32,
}

impl Socket {
    fn key(self) -> ConnKey {
        ConnKey(u64::from(self.session) << 32 | u64::from(self.node))
    }

    fn of(key: ConnKey) -> Self {
        Self {
            node: key.0 as u32,
            session: (key.0 >> 32) as u32,
        }
    }
}

impl Tracker {
    pub(crate) fn new(config: &Config, now: Time) -> Self {
        Self {
            swarms: swarms(config, now),
            is_up: true,
            interval_s: config.tracker.interval_s,
            knows_regions: config.tracker.knows_regions,
            targets: Vec::new(),
            announces: 0,
        }
    }

    /// It forgets everybody and hears nobody.
    pub(crate) fn die(&mut self, config: &Config, now: Time) {
        self.is_up = false;
        self.swarms = swarms(config, now);
    }

    pub(crate) fn close(&mut self, socket: Socket) {
        self.swarms.close(socket.key());
    }

    pub(crate) fn deadline(&self) -> Time {
        self.swarms.deadline()
    }

    pub(crate) fn sweep(&mut self, now: Time) {
        self.swarms.expire(now);
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        self.swarms.check()
    }

    /// What to send to whom after a message.
    pub(crate) fn handle(
        &mut self,
        now: Time,
        socket: Socket,
        profile: &Profile,
        message: TrackerMessage,
        replies: &mut Vec<Reply>,
    ) {
        match message {
            TrackerMessage::Announce {
                info_hash,
                peer_id,
                event: Some(AnnounceEvent::Stopped),
                ..
            } => {
                // There is nothing to be said to somebody who leaves.
                let _ = self.swarms.leave(now, socket.key(), info_hash, peer_id);
            }
            TrackerMessage::Announce {
                info_hash,
                peer_id,
                offers,
                ..
            } => {
                self.announces += 1;
                let ids: Vec<OfferId> = offers.iter().map(|(id, _)| *id).collect();
                let announce = Announce {
                    info_hash,
                    peer_id,
                    has_all: false,
                    standing: self.standing(profile),
                    offers: &ids,
                };
                let taken = self
                    .swarms
                    .announce(now, socket.key(), &announce, &mut self.targets);
                let reply = match taken {
                    Ok(counts) => self.announced(info_hash, counts),
                    Err(refusal) => failure(info_hash, refusal),
                };
                replies.push((socket, reply));
                for (&target, (offer_id, sdp)) in self.targets.iter().zip(offers) {
                    let offer = ServerMessage::Offer {
                        info_hash,
                        peer_id,
                        offer_id,
                        sdp,
                    };
                    replies.push((Socket::of(target), offer));
                }
            }
            TrackerMessage::Answer {
                info_hash,
                peer_id,
                to_peer_id,
                offer_id,
                sdp,
            } => {
                let answer = Answer {
                    info_hash,
                    peer_id,
                    to_peer_id,
                    offer_id,
                };
                match self.swarms.answer(now, socket.key(), &answer) {
                    Ok(target) => {
                        let answer = ServerMessage::Answer {
                            info_hash,
                            peer_id,
                            offer_id,
                            sdp,
                        };
                        replies.push((Socket::of(target), answer));
                    }
                    Err(refusal) => replies.push((socket, failure(info_hash, refusal))),
                }
            }
        }
    }

    fn announced(&self, info_hash: beekeepr_model::InfoHash, counts: Counts) -> ServerMessage {
        ServerMessage::Announced {
            info_hash,
            interval_s: self.interval_s,
            complete: counts.complete,
            incomplete: counts.incomplete,
            warning: None,
        }
    }

    fn standing(&self, profile: &Profile) -> Standing {
        let country = [b'A' + profile.region / 26, b'A' + profile.region % 26];
        Standing {
            role: match profile.role {
                profile::Role::Viewer => Role::Viewer,
                profile::Role::SuperPeer => Role::SuperPeer,
            },
            place: Place {
                country: self.knows_regions.then_some(country),
                ..Place::default()
            },
            ..Standing::default()
        }
    }
}

fn swarms(config: &Config, now: Time) -> Swarms {
    let settings = beekeepr_swarm::Config {
        announce_interval_s: config.tracker.interval_s,
        ..beekeepr_swarm::Config::default()
    };
    let seed = stream(config.seed, Purpose::Tracker, now.as_ms()).next_u64();
    Swarms::new(settings, seed, now)
}

fn failure(info_hash: beekeepr_model::InfoHash, refusal: Refusal) -> ServerMessage {
    ServerMessage::Failure {
        info_hash: Some(info_hash),
        reason: refusal.to_string(),
    }
}
