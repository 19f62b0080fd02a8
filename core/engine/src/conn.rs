//! Connections to peers: offers, answers, duplicates, time-outs.

use beekeepr_model::{InfoHash, OfferId, PeerId, Time, limits as shared};

use crate::Engine;
use crate::api::{ConnKey, Event, Output, StreamKey, TrackerKey};
use crate::limits;
use crate::peer::Peer;
use crate::signal::TrackerMessage;
use crate::swarm::SwarmKey;

/// A peer connection, from the wish for an offer to the open channel.
#[derive(Debug)]
pub(crate) struct Conn {
    pub(crate) swarm: SwarmKey,
    pub(crate) phase: Phase,
}

#[derive(Debug)]
pub(crate) enum Phase {
    /// The shell is making our offer.
    MakingOffer { until: Time },
    /// Our offer is made and waits for the announce, in vain when the tracker is lost before.
    OfferMade {
        offer_id: OfferId,
        sdp: String,
        until: Time,
    },
    /// Our offer is with the tracker.
    Offered { offer_id: OfferId, until: Time },
    /// The shell is making our answer.
    MakingAnswer {
        peer: PeerId,
        offer_id: OfferId,
        tracker: TrackerKey,
        until: Time,
    },
    /// Both descriptions are exchanged.
    Connecting {
        peer: PeerId,
        offered_by_us: bool,
        until: Time,
        /// What the peer has said over a channel that is open there, but not here yet.
        early: Vec<Vec<u8>>,
    },
    /// The channel is open.
    Open(Box<Peer>),
}

impl Conn {
    pub(crate) fn peer(&self) -> Option<(StreamKey, &Peer)> {
        match &self.phase {
            Phase::Open(peer) => Some((self.swarm.stream, peer)),
            _ => None,
        }
    }

    /// Whether its peer, when it has one, is in this swarm, as far as we can tell: other clients of ours
    /// are in all swarms of the stream.
    pub(crate) fn is_known_in(&self, swarm: SwarmKey) -> bool {
        let peer = self.phase.peer();
        self.swarm == swarm || peer.is_some_and(|(id, _)| id.is_beekeepr())
    }

    pub(crate) fn peer_mut(&mut self) -> Option<(StreamKey, &mut Peer)> {
        match &mut self.phase {
            Phase::Open(peer) => Some((self.swarm.stream, peer)),
            _ => None,
        }
    }
}

impl Phase {
    /// An offer of ours that nobody has answered.
    pub(crate) fn is_offer(&self) -> bool {
        matches!(
            self,
            Self::MakingOffer { .. } | Self::OfferMade { .. } | Self::Offered { .. }
        )
    }

    /// The peer at the other end and whether the offer was ours, once known.
    fn peer(&self) -> Option<(PeerId, bool)> {
        match self {
            Self::MakingAnswer { peer, .. } => Some((*peer, false)),
            Self::Connecting {
                peer,
                offered_by_us,
                ..
            } => Some((*peer, *offered_by_us)),
            Self::Open(peer) => Some((peer.id, peer.offered_by_us)),
            Self::MakingOffer { .. } | Self::OfferMade { .. } | Self::Offered { .. } => None,
        }
    }

    fn until(&self) -> Option<Time> {
        match self {
            Self::MakingOffer { until }
            | Self::OfferMade { until, .. }
            | Self::Offered { until, .. }
            | Self::MakingAnswer { until, .. }
            | Self::Connecting { until, .. } => Some(*until),
            Self::Open(_) => None,
        }
    }
}

impl Engine {
    /// The swarm of this name, if we are in it.
    pub(crate) fn swarm_of(&self, info_hash: InfoHash) -> Option<SwarmKey> {
        let mut joined = self.streams.iter().filter(|(_, stream)| stream.joined);
        joined.find_map(|(&stream, state)| {
            let mut swarms = state.swarms.iter();
            let place = swarms.position(|swarm| swarm.info_hash == info_hash)?;
            Some(SwarmKey { stream, place })
        })
    }

    fn insert_conn(&mut self, swarm: SwarmKey, phase: Phase) -> ConnKey {
        let key = ConnKey(self.next_conn);
        self.next_conn += 1;
        self.conns.insert(key, Conn { swarm, phase });
        key
    }

    /// Has the shell make an offer.
    pub(crate) fn begin_offer(&mut self, swarm: SwarmKey) -> ConnKey {
        let until = self.now + limits::CONNECT_MS_MAX;
        let key = self.insert_conn(swarm, Phase::MakingOffer { until });
        self.outputs.push_back(Output::OfferCreate(key));
        key
    }

    pub(crate) fn on_offer_ready(&mut self, key: ConnKey, sdp: &str) {
        let offer_id = OfferId::generate(&mut self.random);
        if let Some(conn) = self.conns.get_mut(&key)
            && let Phase::MakingOffer { until } = conn.phase
        {
            conn.phase = Phase::OfferMade {
                offer_id,
                sdp: sdp.to_owned(),
                until,
            };
        }
    }

    /// A peer offers a connection.
    pub(crate) fn on_offer(
        &mut self,
        swarm: SwarmKey,
        tracker: TrackerKey,
        peer: PeerId,
        offer_id: OfferId,
        sdp: String,
    ) {
        let stream = swarm.stream;
        let ours = self.streams[&stream].peer_id;
        let banned = self.bans.holds(peer, self.now);
        if peer == ours || banned || self.config.p2p_disabled || sdp.len() > shared::SDP_BYTES_MAX {
            return;
        }
        if !peer.is_seeder() && !self.may_meet_viewers(swarm, tracker) {
            return;
        }
        // Super-peers have nothing to give each other.
        if self.is_super_peer() && peer.is_seeder() || self.refuses_viewers() {
            return;
        }
        if !self.resolve_duplicates(stream, peer, false) || !self.has_room(stream) {
            return;
        }
        let until = self.now + limits::CONNECT_MS_MAX;
        let phase = Phase::MakingAnswer {
            peer,
            offer_id,
            tracker,
            until,
        };
        let conn = self.insert_conn(swarm, phase);
        self.outputs.push_back(Output::OfferAccept { conn, sdp });
    }

    pub(crate) fn on_answer_ready(&mut self, key: ConnKey, sdp: &str) {
        let until = self.now + limits::CONNECT_MS_MAX;
        let Some(conn) = self.conns.get_mut(&key) else {
            return;
        };
        let Phase::MakingAnswer {
            peer,
            offer_id,
            tracker,
            ..
        } = conn.phase
        else {
            return;
        };
        conn.phase = Phase::Connecting {
            peer,
            offered_by_us: false,
            until,
            early: Vec::new(),
        };
        let state = &self.streams[&conn.swarm.stream];
        let message = TrackerMessage::Answer {
            info_hash: state.swarms[conn.swarm.place].info_hash,
            peer_id: state.peer_id,
            to_peer_id: peer,
            offer_id,
            sdp: sdp.to_owned(),
        };
        self.outputs
            .push_back(Output::TrackerSend { tracker, message });
    }

    /// A peer answers an offer of ours.
    pub(crate) fn on_answer(
        &mut self,
        swarm: SwarmKey,
        peer: PeerId,
        offer_id: OfferId,
        sdp: String,
    ) {
        let stream = swarm.stream;
        let is_it = |conn: &Conn| {
            conn.swarm == swarm
                && matches!(conn.phase, Phase::Offered { offer_id: ours, .. } if ours == offer_id)
        };
        let Some(&key) = self.conns.keys_where(&|_, conn| is_it(conn)).first() else {
            return;
        };
        self.note_answer(swarm);
        if self.bans.holds(peer, self.now)
            || sdp.len() > shared::SDP_BYTES_MAX
            || !self.resolve_duplicates(stream, peer, true)
            || !self.has_room(stream)
        {
            return self.close_conn(key);
        }
        let until = self.now + limits::CONNECT_MS_MAX;
        if let Some(conn) = self.conns.get_mut(&key) {
            conn.phase = Phase::Connecting {
                peer,
                offered_by_us: true,
                until,
                early: Vec::new(),
            };
            self.outputs
                .push_back(Output::AnswerAccept { conn: key, sdp });
        }
    }

    /// Decides between a new connection with a peer and those that there already are; false when the
    /// new one has to go.
    ///
    /// Two peers that announce at the same moment offer to each other. Both keep the connection that
    /// the lower peer id offered. p2p-media-loader 2.x keeps the one that connects first and
    /// destroys the other: with it we keep both and let it choose, or both ends might be closed. A silent
    /// connection does not count (`replace`).
    fn resolve_duplicates(&mut self, stream: StreamKey, peer: PeerId, offered_by_us: bool) -> bool {
        let ours = self.streams[&stream].peer_id;
        let keeps_ours = ours < peer;
        let is_twin = |key: &ConnKey, conn: &Conn| {
            let known = conn.phase.peer().filter(|(known, _)| *known == peer);
            conn.swarm.stream == stream && known.is_some() && !self.is_silent(*key)
        };
        let twins = self.conns.keys_where(&is_twin);
        for twin in &twins {
            let by_us = self.conns[twin].phase.peer().is_some_and(|it| it.1);
            // Of a foreign client, its own offers of one announce can reach us once each; more is not worth having.
            let stays = by_us == offered_by_us || peer.is_beekeepr() && by_us == keeps_ours;
            if stays || self.is_settled(*twin) {
                return false;
            }
        }
        if peer.is_beekeepr() {
            for twin in twins {
                self.close_conn(twin);
            }
        }
        true
    }

    /// Whether a connection has been open for so long that no crossing offer can be meant for it.
    fn is_settled(&self, key: ConnKey) -> bool {
        self.open_peer(key)
            .is_some_and(|(_, peer)| self.now.since_ms(peer.opened_at) > limits::CROSSING_MS_MAX)
    }

    pub(crate) fn on_channel_opened(&mut self, key: ConnKey) {
        let Some(conn) = self.conns.get_mut(&key) else {
            return;
        };
        let Phase::Connecting {
            peer,
            offered_by_us,
            early,
            ..
        } = &mut conn.phase
        else {
            return;
        };
        let (peer, offered_by_us, early) = (*peer, *offered_by_us, std::mem::take(early));
        let stream = conn.swarm.stream;
        let mut newcomer = Peer::new(peer, offered_by_us, self.now);
        let state = self.streams.get(&stream);
        if state.is_some_and(|state| self.now < state.doubtful_until) {
            newcomer.doubt();
        }
        conn.phase = Phase::Open(Box::new(newcomer));
        self.close_replaced(stream, peer);
        self.event(Event::PeerConnected {
            conn: key,
            stream,
            peer,
        });
        self.announce_to_newcomer(key);
        for message in early {
            self.on_command(key, &message);
        }
    }

    /// Keeps a message that has overtaken the news that its channel is open.
    pub(crate) fn keep_early(&mut self, key: ConnKey, message: &[u8]) {
        let phase = self.conns.get_mut(&key).map(|conn| &mut conn.phase);
        if let Some(Phase::Connecting { early, .. }) = phase {
            let bytes: usize = early.iter().map(Vec::len).sum();
            let fits = bytes.saturating_add(message.len()) <= limits::EARLY_BYTES_MAX;
            if fits && early.len() < limits::EARLY_MESSAGES_MAX {
                early.push(message.to_vec());
            }
        }
    }

    /// Closes a connection and frees what waited for it.
    pub(crate) fn close_conn(&mut self, key: ConnKey) {
        if self.conns.contains_key(&key) {
            self.forget_conn(key);
            self.outputs.push_back(Output::ConnClose(key));
        }
    }

    pub(crate) fn forget_conn(&mut self, key: ConnKey) {
        self.abandon_download(key);
        let Some(conn) = self.conns.remove(&key) else {
            return;
        };
        if let Phase::Open(peer) = conn.phase {
            self.event(Event::PeerClosed {
                conn: key,
                stream: conn.swarm.stream,
                peer: peer.id,
            });
        }
    }

    /// Closes what took too long.
    pub(crate) fn expire_conns(&mut self) {
        let late = |conn: &Conn| conn.phase.until().is_some_and(|until| self.now >= until);
        for key in self.conns.keys_where(&|_, conn| late(conn)) {
            self.close_conn(key);
        }
    }

    pub(crate) fn open_peer(&self, key: ConnKey) -> Option<(StreamKey, &Peer)> {
        self.conns.get(&key)?.peer()
    }

    pub(crate) fn open_peer_mut(&mut self, key: ConnKey) -> Option<(StreamKey, &mut Peer)> {
        self.conns.get_mut(&key)?.peer_mut()
    }

    /// The open connections in a stream's swarm.
    pub(crate) fn peers_of(&self, stream: StreamKey) -> impl Iterator<Item = (ConnKey, &Peer)> {
        self.conns.iter().filter_map(move |(&key, conn)| {
            let (swarm, peer) = conn.peer()?;
            (swarm == stream).then_some((key, peer))
        })
    }
}
