//! Trackers: sockets, announces, and what comes back.

use beekeepr_model::{OfferId, Time};
use beekeepr_tracker_proto::{AnnounceEvent, ServerMessage};

use crate::Engine;
use crate::api::{ConnKey, Event, Output, StreamKey, TrackerKey};
use crate::conn::{Conn, Phase};
use crate::limits;
use crate::signal::TrackerMessage;
use crate::swarm::SwarmKey;
use crate::token::Token;

/// A tracker's socket.
#[derive(Debug, Default)]
pub(crate) struct Tracker {
    pub(crate) link: Link,
    /// Since it last answered.
    failures: u32,
    pub(crate) token: Token,
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
    /// When the last one went out.
    announced_at: Time,
    /// How many others the tracker says there are; unknown before its first reply.
    pub(crate) others: Option<u32>,
    batch: Option<Batch>,
    /// The last announce carried offers, and nobody has answered one since.
    unanswered: bool,
}

/// Offers being made for the next announce.
#[derive(Debug)]
struct Batch {
    conns: Vec<ConnKey>,
    send_at: Time,
}

impl Membership {
    /// Announces by then, but not at once after the last time.
    pub(crate) fn announce_by(&mut self, then: Time) {
        let rested = self.announced_at + limits::ANNOUNCE_INTERVAL_MS_MIN;
        self.next_announce = self.next_announce.min(then.max(rested));
    }
}

impl Engine {
    /// Opens and closes sockets, and announces what is due.
    pub(crate) fn run_trackers(&mut self) {
        let needed = !self.draining && self.streams.values().any(|stream| stream.joined);
        for index in 0..self.trackers.len() {
            let key = TrackerKey(index as u32);
            if needed {
                self.run_token(key);
            }
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
    pub(crate) fn forget_memberships(&mut self, key: TrackerKey) {
        self.trackers[key.0 as usize].token.forget();
        let streams = self.streams.values_mut();
        for swarm in streams.flat_map(|stream| &mut stream.swarms) {
            let membership = &mut swarm.memberships[key.0 as usize];
            membership.started = false;
            membership.next_announce = Time::ZERO;
            // Its offers live on as connections and run out by themselves.
            membership.batch = None;
        }
    }

    fn run_announces(&mut self, tracker: TrackerKey) {
        for swarm in self.joined_swarms() {
            let membership = self.membership(swarm, tracker);
            match &membership.batch {
                Some(batch) if self.batch_is_ready(batch) => self.send_batch(swarm, tracker),
                Some(_) => {}
                None if self.now >= membership.next_announce => {
                    self.begin_announce(swarm, tracker);
                }
                None => {}
            }
        }
    }

    fn joined_swarms(&self) -> Vec<SwarmKey> {
        let mut joined = Vec::new();
        for (&stream, state) in self.streams.iter() {
            let swarms = if state.joined { state.swarms.len() } else { 0 };
            for place in 0..swarms {
                joined.push(SwarmKey { stream, place });
            }
        }
        joined
    }

    fn membership(&self, swarm: SwarmKey, tracker: TrackerKey) -> &Membership {
        &self.streams[&swarm.stream].swarms[swarm.place].memberships[tracker.0 as usize]
    }

    fn membership_mut(&mut self, swarm: SwarmKey, tracker: TrackerKey) -> Option<&mut Membership> {
        let stream = self.streams.get_mut(&swarm.stream)?;
        let memberships = &mut stream.swarms.get_mut(swarm.place)?.memberships;
        memberships.get_mut(tracker.0 as usize)
    }

    fn batch_is_ready(&self, batch: &Batch) -> bool {
        let making = |conn: &ConnKey| {
            self.conns
                .get(conn)
                .is_some_and(|conn| matches!(conn.phase, Phase::MakingOffer { .. }))
        };
        self.now >= batch.send_at || !batch.conns.iter().any(making)
    }

    fn begin_announce(&mut self, swarm: SwarmKey, tracker: TrackerKey) {
        let wanted = match self.refuses_viewers() {
            true => 0,
            false => self.offers_wanted(swarm, tracker),
        };
        let conns: Vec<ConnKey> = (0..wanted).map(|_| self.begin_offer(swarm)).collect();
        let empty = conns.is_empty();
        let send_at = self.now + limits::OFFERS_WAIT_MS;
        if let Some(membership) = self.membership_mut(swarm, tracker) {
            membership.batch = Some(Batch { conns, send_at });
            membership.unanswered = !empty;
        }
        if empty {
            self.send_batch(swarm, tracker);
        }
    }

    /// How many offers the next announce should carry: none when there is nobody left to meet.
    fn offers_wanted(&self, swarm: SwarmKey, tracker: TrackerKey) -> usize {
        if !self.may_meet_viewers(swarm, tracker) {
            return 0;
        }
        let (mut offered, mut meeting, mut known) = (0, 0, 0);
        let stream = swarm.stream;
        for conn in self.conns.values().filter(|it| it.swarm.stream == stream) {
            let offer = conn.phase.is_offer();
            offered += usize::from(offer);
            meeting += usize::from(!offer);
            known += usize::from(!offer && conn.is_known_in(swarm));
        }
        let others = match self.membership(swarm, tracker).others {
            // The tracker hands an offer to anybody: who misses one of many finds it with several at once.
            Some(others) if others as usize > known => others as usize,
            Some(_) => 0,
            // A super-peer sits in many empty swarms, a viewer in those of other generations: it asks
            // first, and offers when there is somebody.
            None if self.asks_first(swarm) => 0,
            None => usize::MAX,
        };
        // Who does not answer is most often another super-peer: one offer finds out when that changes.
        let most = match self.is_super_peer() && self.membership(swarm, tracker).unanswered {
            true => 1,
            false => self.config.offers_per_announce as usize,
        };
        most.min(others)
            .min((self.config.peers_max as usize).saturating_sub(meeting))
            .min(limits::OFFERS_PENDING_MAX.saturating_sub(offered))
    }

    /// Whether a swarm's first announce carries no offers.
    fn asks_first(&self, swarm: SwarmKey) -> bool {
        self.is_super_peer() || swarm.place > 0 || self.config.viewers_min > 0
    }

    /// Whether the page lets others than super-peers know of us: an offer may reach anybody.
    pub(crate) fn may_meet_viewers(&self, swarm: SwarmKey, tracker: TrackerKey) -> bool {
        let least = self.config.viewers_min;
        let others = self.membership(swarm, tracker).others;
        let enough = others.is_some_and(|others| others.saturating_add(1) >= least);
        !self.config.super_peers_only && (least == 0 || enough)
    }

    fn send_batch(&mut self, swarm: SwarmKey, tracker: TrackerKey) {
        let now = self.now;
        let Some(membership) = self.membership_mut(swarm, tracker) else {
            return;
        };
        let Some(batch) = membership.batch.take() else {
            return;
        };
        membership.announced_at = now;
        membership.next_announce = now + limits::ANNOUNCE_INTERVAL_MS;
        let event = (!membership.started).then_some(AnnounceEvent::Started);
        membership.started = true;
        self.unannounced_ms = 0;
        let offers = self.take_offers(&batch.conns);
        self.send_announce(swarm, tracker, event, offers);
    }

    fn send_announce(
        &mut self,
        swarm: SwarmKey,
        tracker: TrackerKey,
        event: Option<AnnounceEvent>,
        offers: Vec<(OfferId, String)>,
    ) {
        let Some(state) = self.streams.get(&swarm.stream) else {
            return;
        };
        let with_token = self.trackers[tracker.0 as usize].token.tell();
        let message = TrackerMessage::Announce {
            info_hash: state.swarms[swarm.place].info_hash,
            peer_id: state.peer_id,
            uploaded: self.uploaded,
            downloaded: self.downloaded,
            event,
            with_token,
            offers,
        };
        self.outputs
            .push_back(Output::TrackerSend { tracker, message });
    }

    /// Announces in one swarm that the tracker knows us in, for what has to be told to it.
    pub(crate) fn announce_again(&mut self, tracker: TrackerKey) {
        let mut swarms = self.joined_swarms().into_iter();
        if let Some(swarm) = swarms.find(|&swarm| self.membership(swarm, tracker).started) {
            self.send_announce(swarm, tracker, None, Vec::new());
        }
    }

    /// Somebody in a swarm answers offers.
    pub(crate) fn note_answer(&mut self, swarm: SwarmKey) {
        for index in 0..self.trackers.len() {
            if let Some(membership) = self.membership_mut(swarm, TrackerKey(index as u32)) {
                membership.unanswered = false;
            }
        }
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

    /// Tells the trackers that we leave a stream's swarms.
    pub(crate) fn send_stopped(&mut self, stream: StreamKey) {
        let swarms = self.streams.get(&stream).map_or(0, |it| it.swarms.len());
        for place in 0..swarms {
            let swarm = SwarmKey { stream, place };
            for index in 0..self.trackers.len() {
                let tracker = TrackerKey(index as u32);
                let left = self.membership_mut(swarm, tracker).map(std::mem::take);
                let started = left.is_some_and(|membership| membership.started);
                if started && self.trackers[index].link == Link::Open {
                    self.send_announce(swarm, tracker, Some(AnnounceEvent::Stopped), Vec::new());
                }
            }
        }
    }

    pub(crate) fn on_tracker_message(&mut self, tracker: TrackerKey, message: &ServerMessage) {
        if tracker.0 as usize >= self.trackers.len() {
            return;
        }
        match message.clone() {
            ServerMessage::Announced {
                info_hash,
                interval_s,
                complete,
                incomplete,
                warning,
            } => {
                if let Some(swarm) = self.swarm_of(info_hash) {
                    let others = complete.saturating_add(incomplete).saturating_sub(1);
                    self.on_announced(swarm, tracker, interval_s, others);
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
                if let Some(swarm) = self.swarm_of(info_hash) {
                    self.on_offer(swarm, tracker, peer_id, offer_id, sdp);
                }
            }
            ServerMessage::Answer {
                info_hash,
                peer_id,
                offer_id,
                sdp,
            } => {
                if let Some(swarm) = self.swarm_of(info_hash) {
                    self.on_answer(swarm, peer_id, offer_id, sdp);
                }
            }
            ServerMessage::Failure { reason, .. } => {
                self.on_refusal(tracker, &reason);
                self.event(Event::TrackerWarning {
                    tracker,
                    message: reason,
                });
            }
            ServerMessage::Other => {}
        }
    }

    fn on_announced(&mut self, swarm: SwarmKey, tracker: TrackerKey, interval_s: u32, others: u32) {
        let interval = (u64::from(interval_s) * 1000).clamp(
            limits::ANNOUNCE_INTERVAL_MS_MIN,
            limits::ANNOUNCE_INTERVAL_MS_MAX,
        );
        let now = self.now;
        let jitter = self
            .random
            .below((interval / limits::ANNOUNCE_JITTER_PART) as usize) as u64;
        let interval = interval - jitter;
        self.trackers[tracker.0 as usize].failures = 0;
        let asked_first = self.asks_first(swarm);
        let meeting = |conn: &Conn| conn.swarm.stream == swarm.stream && conn.peer().is_none();
        let patience = match self.conns.values().any(meeting) {
            true => limits::GENERATION_WAIT_MS,
            false => 0,
        };
        let Some(membership) = self.membership_mut(swarm, tracker) else {
            return;
        };
        let first = membership.others.replace(others).is_none();
        // The first announce only asked who is there; now offers can be made to them.
        let soon = first && asked_first && others > 0;
        // Where nobody else is of a generation one announce in three is saved; after two intervals of
        // silence trackers would forget us.
        let rarely = swarm.place > 0 && others == 0;
        let wait = interval + if rarely { interval / 2 } else { 0 };
        membership.next_announce = now + if soon { patience } else { wait };
    }
}
