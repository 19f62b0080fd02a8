//! Connections to peers: offers, answers, duplicates, time-outs.

use beekeepr_model::{InfoHash, OfferId, PeerId, Time, limits as shared};
use beekeepr_tracker_proto::{Answer, write_answer};

use crate::Engine;
use crate::api::{ConnKey, Event, Output, StreamKey, TrackerKey};
use crate::limits;
use crate::peer::Peer;

/// A peer connection, from the wish for an offer to the open channel.
#[derive(Debug)]
pub(crate) struct Conn {
    pub(crate) stream: StreamKey,
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
    },
    /// The channel is open.
    Open(Box<Peer>),
}

impl Conn {
    pub(crate) fn peer(&self) -> Option<(StreamKey, &Peer)> {
        match &self.phase {
            Phase::Open(peer) => Some((self.stream, peer)),
            _ => None,
        }
    }

    pub(crate) fn peer_mut(&mut self) -> Option<(StreamKey, &mut Peer)> {
        match &mut self.phase {
            Phase::Open(peer) => Some((self.stream, peer)),
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
    pub(crate) fn stream_of(&self, info_hash: InfoHash) -> Option<StreamKey> {
        let joined =
            |stream: &crate::stream::Stream| stream.joined && stream.info_hash == info_hash;
        self.streams
            .iter()
            .find(|(_, stream)| joined(stream))
            .map(|(&key, _)| key)
    }

    fn insert_conn(&mut self, stream: StreamKey, phase: Phase) -> ConnKey {
        let key = ConnKey(self.next_conn);
        self.next_conn += 1;
        self.conns.insert(key, Conn { stream, phase });
        key
    }

    /// Has the shell make an offer.
    pub(crate) fn begin_offer(&mut self, stream: StreamKey) -> ConnKey {
        let until = self.now + limits::CONNECT_MS_MAX;
        let key = self.insert_conn(stream, Phase::MakingOffer { until });
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
        stream: StreamKey,
        tracker: TrackerKey,
        peer: PeerId,
        offer_id: OfferId,
        sdp: String,
    ) {
        let ours = self.streams[&stream].peer_id;
        let banned = self.bans.holds(peer, self.now);
        if peer == ours || banned || self.config.p2p_disabled || sdp.len() > shared::SDP_BYTES_MAX {
            return;
        }
        // Super-peers have nothing to give each other.
        if self.is_super_peer() && peer.is_seeder() {
            return;
        }
        if !self.resolve_duplicates(stream, peer, false) || self.swarm_is_full(stream) {
            return;
        }
        let until = self.now + limits::CONNECT_MS_MAX;
        let phase = Phase::MakingAnswer {
            peer,
            offer_id,
            tracker,
            until,
        };
        let conn = self.insert_conn(stream, phase);
        self.outputs.push_back(Output::OfferAccept { conn, sdp });
    }

    fn swarm_is_full(&self, stream: StreamKey) -> bool {
        let in_swarm = |conn: &&Conn| conn.stream == stream && !conn.phase.is_offer();
        self.conns.values().filter(in_swarm).count() >= self.config.peers_max as usize
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
        };
        let state = &self.streams[&conn.stream];
        let text = write_answer(&Answer {
            info_hash: state.info_hash,
            peer_id: state.peer_id,
            to_peer_id: peer,
            offer_id,
            sdp,
        });
        self.outputs
            .push_back(Output::TrackerSend { tracker, text });
    }

    /// A peer answers an offer of ours.
    pub(crate) fn on_answer(
        &mut self,
        stream: StreamKey,
        peer: PeerId,
        offer_id: OfferId,
        sdp: String,
    ) {
        let is_it = |conn: &Conn| {
            conn.stream == stream
                && matches!(conn.phase, Phase::Offered { offer_id: ours, .. } if ours == offer_id)
        };
        let Some(key) = self
            .conns
            .iter()
            .find(|(_, conn)| is_it(conn))
            .map(|(&key, _)| key)
        else {
            return;
        };
        let refused = self.swarm_is_full(stream) || self.bans.holds(peer, self.now);
        if refused
            || sdp.len() > shared::SDP_BYTES_MAX
            || !self.resolve_duplicates(stream, peer, true)
        {
            return self.close_conn(key);
        }
        let until = self.now + limits::CONNECT_MS_MAX;
        if let Some(conn) = self.conns.get_mut(&key) {
            conn.phase = Phase::Connecting {
                peer,
                offered_by_us: true,
                until,
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
    /// destroys the other: with it we keep both and let it choose, or both ends might be closed.
    fn resolve_duplicates(&mut self, stream: StreamKey, peer: PeerId, offered_by_us: bool) -> bool {
        let ours = self.streams[&stream].peer_id;
        let keeps_ours = ours < peer;
        let twins: Vec<(ConnKey, bool)> = self
            .conns
            .iter()
            .filter(|(_, conn)| conn.stream == stream)
            .filter_map(|(&key, conn)| Some((key, conn.phase.peer()?)))
            .filter_map(|(key, (known, by_us))| (known == peer).then_some((key, by_us)))
            .collect();
        if twins.iter().any(|&(twin, _)| self.is_settled(twin)) {
            return false;
        }
        if !peer.is_beekeepr() {
            // Its own offers of one announce can reach us once each; more is not worth having.
            return !twins.iter().any(|&(_, by_us)| by_us == offered_by_us);
        }
        if twins
            .iter()
            .any(|&(_, by_us)| by_us == offered_by_us || by_us == keeps_ours)
        {
            return false;
        }
        for (twin, _) in twins {
            self.close_conn(twin);
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
            ..
        } = conn.phase
        else {
            return;
        };
        conn.phase = Phase::Open(Box::new(Peer::new(peer, offered_by_us, self.now)));
        let stream = conn.stream;
        self.event(Event::PeerConnected {
            conn: key,
            stream,
            peer,
        });
        self.send_announcement(stream, key);
    }

    pub(crate) fn on_channel_closed(&mut self, key: ConnKey) {
        self.forget_conn(key);
    }

    /// Closes a connection and frees what waited for it.
    pub(crate) fn close_conn(&mut self, key: ConnKey) {
        if self.conns.contains_key(&key) {
            self.forget_conn(key);
            self.outputs.push_back(Output::ConnClose(key));
        }
    }

    fn forget_conn(&mut self, key: ConnKey) {
        self.abandon_download(key);
        let Some(conn) = self.conns.remove(&key) else {
            return;
        };
        if let Phase::Open(peer) = conn.phase {
            self.event(Event::PeerClosed {
                conn: key,
                stream: conn.stream,
                peer: peer.id,
            });
        }
    }

    /// Closes what took too long.
    pub(crate) fn expire_conns(&mut self) {
        let late = |conn: &Conn| conn.phase.until().is_some_and(|until| self.now >= until);
        let late: Vec<ConnKey> = self
            .conns
            .iter()
            .filter(|(_, conn)| late(conn))
            .map(|(&key, _)| key)
            .collect();
        for key in late {
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
