//! Trackers: sockets, announces, and what comes back.

use beekeepr_model::{OfferId, Time};
use beekeepr_tracker_proto::{
    Announce, AnnounceEvent, Offer, ServerMessage, read_server_message, write_announce,
};

use crate::Engine;
use crate::api::{ConnKey, Event, Output, StreamKey, TrackerKey};
use crate::conn::Phase;
use crate::limits;

/// A tracker's socket.
#[derive(Debug, Default)]
pub(crate) struct Tracker {
    pub(crate) link: Link,
    /// Since it was last open.
    failures: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Link {
    /// Nobody needs it.
    #[default]
    Idle,
    Connecting,
    Open,
    /// To be tried again then.
    Lost(Time),
}

/// Our place in one swarm on one tracker.
#[derive(Debug, Default)]
pub(crate) struct Membership {
    /// The tracker of this socket was told that we are there.
    started: bool,
    next_announce: Time,
    /// How many others the tracker says there are; unknown before its first reply.
    others: Option<u32>,
    batch: Option<Batch>,
}

/// Offers being made for the next announce.
#[derive(Debug)]
struct Batch {
    conns: Vec<ConnKey>,
    send_at: Time,
}

impl Engine {
    /// Opens and closes sockets, and announces what is due.
    pub(crate) fn run_trackers(&mut self) {
        let needed = self.streams.values().any(|stream| stream.joined);
        for index in 0..self.trackers.len() {
            let key = TrackerKey(index as u32);
            match self.trackers[index].link {
                Link::Idle if needed => self.connect_tracker(key),
                Link::Lost(retry_at) if needed && self.now >= retry_at => self.connect_tracker(key),
                Link::Open if needed => self.run_announces(key),
                Link::Open | Link::Connecting if !needed => {
                    self.trackers[index].link = Link::Idle;
                    self.outputs.push_back(Output::TrackerDisconnect(key));
                }
                Link::Idle | Link::Connecting | Link::Open | Link::Lost(_) => {}
            }
        }
    }

    fn connect_tracker(&mut self, key: TrackerKey) {
        self.trackers[key.0 as usize].link = Link::Connecting;
        self.outputs.push_back(Output::TrackerConnect(key));
    }

    pub(crate) fn on_tracker_opened(&mut self, key: TrackerKey) {
        let Some(tracker) = self.trackers.get_mut(key.0 as usize) else {
            return;
        };
        tracker.link = Link::Open;
        tracker.failures = 0;
        self.forget_memberships(key);
    }

    pub(crate) fn on_tracker_closed(&mut self, key: TrackerKey) {
        let Some(tracker) = self.trackers.get_mut(key.0 as usize) else {
            return;
        };
        if tracker.link == Link::Idle {
            return;
        }
        let wait = (limits::TRACKER_RETRY_MS << tracker.failures.min(16))
            .min(limits::TRACKER_RETRY_MS_MAX);
        tracker.failures += 1;
        // Half of the wait is random, so that the viewers of a fallen tracker do not return as one.
        let jitter = self.random.below(wait as usize / 2 + 1) as u64;
        tracker.link = Link::Lost(self.now + (wait / 2 + jitter));
        self.forget_memberships(key);
        self.event(Event::TrackerLost { tracker: key });
    }

    /// A new socket knows nothing of us: announce on it at once, with new offers.
    fn forget_memberships(&mut self, key: TrackerKey) {
        for stream in self.streams.values_mut() {
            let membership = &mut stream.memberships[key.0 as usize];
            membership.started = false;
            membership.next_announce = Time::ZERO;
            // Its offers live on as connections and run out by themselves.
            membership.batch = None;
        }
    }

    fn run_announces(&mut self, tracker: TrackerKey) {
        let joined = self.streams.iter().filter(|(_, stream)| stream.joined);
        let keys: Vec<StreamKey> = joined.map(|(&key, _)| key).collect();
        for stream in keys {
            let membership = self.membership(stream, tracker);
            match &membership.batch {
                Some(batch) if self.batch_is_ready(batch) => self.send_batch(stream, tracker),
                Some(_) => {}
                None if self.now >= membership.next_announce => {
                    self.begin_announce(stream, tracker);
                }
                None => {}
            }
        }
    }

    fn membership(&self, stream: StreamKey, tracker: TrackerKey) -> &Membership {
        &self.streams[&stream].memberships[tracker.0 as usize]
    }

    fn membership_mut(
        &mut self,
        stream: StreamKey,
        tracker: TrackerKey,
    ) -> Option<&mut Membership> {
        self.streams
            .get_mut(&stream)?
            .memberships
            .get_mut(tracker.0 as usize)
    }

    fn batch_is_ready(&self, batch: &Batch) -> bool {
        let making = |conn: &ConnKey| {
            self.conns
                .get(conn)
                .is_some_and(|conn| matches!(conn.phase, Phase::MakingOffer { .. }))
        };
        self.now >= batch.send_at || !batch.conns.iter().any(making)
    }

    fn begin_announce(&mut self, stream: StreamKey, tracker: TrackerKey) {
        let conns: Vec<ConnKey> = (0..self.offers_wanted(stream, tracker))
            .map(|_| self.begin_offer(stream))
            .collect();
        let empty = conns.is_empty();
        let send_at = self.now + limits::OFFERS_WAIT_MS;
        if let Some(state) = self.streams.get_mut(&stream) {
            state.memberships[tracker.0 as usize].batch = Some(Batch { conns, send_at });
        }
        if empty {
            self.send_batch(stream, tracker);
        }
    }

    /// How many offers the next announce should carry: none when there is nobody left to meet.
    fn offers_wanted(&self, stream: StreamKey, tracker: TrackerKey) -> usize {
        let conns = self.conns.values().filter(|conn| conn.stream == stream);
        let (offered, meeting): (Vec<_>, Vec<_>) = conns.partition(|conn| conn.phase.is_offer());
        let others = match self.membership(stream, tracker).others {
            Some(others) => (others as usize).saturating_sub(meeting.len()),
            // A super-peer sits in many empty swarms: it asks first, and offers when there is somebody.
            None if self.is_super_peer() => 0,
            None => usize::MAX,
        };
        (self.config.offers_per_announce as usize)
            .min(others)
            .min((self.config.peers_max as usize).saturating_sub(meeting.len()))
            .min(limits::OFFERS_PENDING_MAX.saturating_sub(offered.len()))
    }

    fn send_batch(&mut self, stream: StreamKey, tracker: TrackerKey) {
        let next_announce = self.now + limits::ANNOUNCE_INTERVAL_MS;
        let Some(membership) = self.membership_mut(stream, tracker) else {
            return;
        };
        let Some(batch) = membership.batch.take() else {
            return;
        };
        membership.next_announce = next_announce;
        let event = (!membership.started).then_some(AnnounceEvent::Started);
        membership.started = true;
        let offers = self.take_offers(&batch.conns);
        self.send_announce(stream, tracker, event, &offers);
    }

    fn send_announce(
        &mut self,
        stream: StreamKey,
        tracker: TrackerKey,
        event: Option<AnnounceEvent>,
        offers: &[(OfferId, String)],
    ) {
        let Some(state) = self.streams.get(&stream) else {
            return;
        };
        let offers: Vec<Offer<'_>> = offers
            .iter()
            .map(|(offer_id, sdp)| Offer {
                offer_id: *offer_id,
                sdp,
            })
            .collect();
        let text = write_announce(&Announce {
            info_hash: state.info_hash,
            peer_id: state.peer_id,
            numwant: offers.len() as u32,
            uploaded: self.uploaded,
            downloaded: self.downloaded,
            event,
            offers: &offers,
        });
        self.outputs
            .push_back(Output::TrackerSend { tracker, text });
    }

    /// The offers that are ready; those that are not are closed.
    fn take_offers(&mut self, conns: &[ConnKey]) -> Vec<(OfferId, String)> {
        let mut offers = Vec::new();
        for &key in conns {
            let Some(conn) = self.conns.get_mut(&key) else {
                continue;
            };
            let until = self.now + limits::OFFER_AGE_MS_MAX;
            match &mut conn.phase {
                Phase::OfferMade { offer_id, sdp, .. } => {
                    offers.push((*offer_id, std::mem::take(sdp)));
                    conn.phase = Phase::Offered {
                        offer_id: *offer_id,
                        until,
                    };
                }
                _ => self.close_conn(key),
            }
        }
        offers
    }

    /// Tells the trackers that we leave a swarm.
    pub(crate) fn send_stopped(&mut self, stream: StreamKey) {
        for index in 0..self.trackers.len() {
            let tracker = TrackerKey(index as u32);
            let left = self.membership_mut(stream, tracker).map(std::mem::take);
            let started = left.is_some_and(|membership| membership.started);
            if started && self.trackers[index].link == Link::Open {
                self.send_announce(stream, tracker, Some(AnnounceEvent::Stopped), &[]);
            }
        }
    }

    pub(crate) fn on_tracker_message(&mut self, tracker: TrackerKey, text: &[u8]) {
        if tracker.0 as usize >= self.trackers.len() {
            return;
        }
        match read_server_message(text) {
            Ok(message) => self.on_server_message(tracker, message),
            // What exactly is wrong with it would weigh 2 KB in the browser's module.
            Err(_) => self.event(Event::TrackerWarning {
                tracker,
                message: "message cannot be read".to_owned(),
            }),
        }
    }

    fn on_server_message(&mut self, tracker: TrackerKey, message: ServerMessage) {
        match message {
            ServerMessage::Announced {
                info_hash,
                interval_s,
                complete,
                incomplete,
                warning,
            } => {
                if let Some(stream) = self.stream_of(info_hash) {
                    let others = complete.saturating_add(incomplete).saturating_sub(1);
                    self.on_announced(stream, tracker, interval_s, others);
                }
                if let Some(message) = warning {
                    self.event(Event::TrackerWarning { tracker, message });
                }
            }
            ServerMessage::Offer {
                info_hash,
                peer_id,
                offer_id,
                sdp,
            } => {
                if let Some(stream) = self.stream_of(info_hash) {
                    self.on_offer(stream, tracker, peer_id, offer_id, sdp);
                }
            }
            ServerMessage::Answer {
                info_hash,
                peer_id,
                offer_id,
                sdp,
            } => {
                if let Some(stream) = self.stream_of(info_hash) {
                    self.on_answer(stream, peer_id, offer_id, sdp);
                }
            }
            ServerMessage::Failure { reason, .. } => {
                self.event(Event::TrackerWarning {
                    tracker,
                    message: reason,
                });
            }
            ServerMessage::Other => {}
        }
    }

    fn on_announced(
        &mut self,
        stream: StreamKey,
        tracker: TrackerKey,
        interval_s: u32,
        others: u32,
    ) {
        let interval = (u64::from(interval_s) * 1000).clamp(
            limits::ANNOUNCE_INTERVAL_MS_MIN,
            limits::ANNOUNCE_INTERVAL_MS_MAX,
        );
        let now = self.now;
        let super_peer = self.is_super_peer();
        let Some(state) = self.streams.get_mut(&stream) else {
            return;
        };
        let membership = &mut state.memberships[tracker.0 as usize];
        let first = membership.others.replace(others).is_none();
        // A super-peer's first announce only asked who is there; now it can make offers to them.
        let at_once = first && super_peer && others > 0;
        membership.next_announce = if at_once { now } else { now + interval };
    }
}
