//! All swarms of a tracker.

use std::collections::HashMap;

use beekeepr_model::{InfoHash, PeerId, Random, Time};

use crate::choose::{Chooser, Question};
use crate::connections::Connections;
use crate::ledger::{Introduction, Ledger};
use crate::member::{Member, MemberKey};
use crate::swarm::Swarm;
use crate::{Announce, Answer, Config, ConnKey, Counts, Refusal, Summary};

/// How long a connection that was asked to show that it lives is not asked again, in milliseconds: the
/// time that it has to do so.
pub const PROBE_MS: u64 = 5_000;

/// All swarms of a tracker. See the crate's documentation for who calls what when.
#[derive(Debug)]
pub struct Swarms {
    config: Config,
    random: Random,
    swarms: HashMap<InfoHash, Swarm>,
    connections: Connections,
    ledger: Ledger,
    chooser: Chooser,
    members: u64,
    peers: usize,
    next_sweep: Time,
}

impl Swarms {
    /// No swarms yet. `seed` decides all choices of peers.
    #[must_use]
    pub fn new(config: Config, seed: u64, now: Time) -> Self {
        Self {
            random: Random::new(seed),
            swarms: HashMap::new(),
            connections: Connections::default(),
            ledger: Ledger::new(config.offers_pending_max),
            chooser: Chooser::default(),
            members: 0,
            peers: 0,
            next_sweep: now + config.sweep_interval_ms(),
            config,
        }
    }

    /// Takes an announce. `targets` is emptied and gets the connection for the first offer, for the
    /// second, and so on; it may be shorter than the list of offers, for nobody gets two.
    ///
    /// # Errors
    /// The peer is another connection's, or there is no room for it.
    pub fn announce(
        &mut self,
        now: Time,
        conn: ConnKey,
        announce: &Announce<'_>,
        targets: &mut Vec<ConnKey>,
    ) -> Result<Counts, Refusal> {
        targets.clear();
        let from = self.enter(now, conn, announce)?;
        let Some(swarm) = self.swarms.get(&announce.info_hash) else {
            return Ok(Counts::default());
        };
        if let Some(asker) = swarm.place(&announce.peer_id) {
            let question = Question {
                asker,
                wanted: announce.offers.len(),
                now,
            };
            let chosen = self
                .chooser
                .choose(swarm, &question, &self.config, &mut self.random);
            let members = chosen
                .iter()
                .filter_map(|&place| swarm.members().get(place));
            for (member, &offer_id) in members.zip(announce.offers) {
                let introduction = Introduction {
                    from,
                    to: member.key,
                    offer_id,
                };
                self.ledger.note(now, introduction);
                targets.push(member.conn);
            }
        }
        Ok(counts(swarm))
    }

    /// Takes an answer and gives the connection that it is for.
    ///
    /// # Errors
    /// The offer was not handed to this peer on this connection, is answered already, or is too old.
    pub fn answer(
        &mut self,
        now: Time,
        conn: ConnKey,
        answer: &Answer,
    ) -> Result<ConnKey, Refusal> {
        let answerer = self.holder(answer.info_hash, answer.peer_id);
        let offerer = self.holder(answer.info_hash, answer.to_peer_id);
        match (answerer, offerer) {
            (Some((to, holder)), Some((from, target))) if holder == conn => {
                let introduction = Introduction {
                    from,
                    to,
                    offer_id: answer.offer_id,
                };
                let is_open = self.ledger.settle(now, &introduction);
                if is_open {
                    Ok(target)
                } else {
                    Err(Refusal::OfferUnknown)
                }
            }
            _ => Err(Refusal::OfferUnknown),
        }
    }

    /// A peer leaves a swarm. Leaving one that it is not in changes nothing.
    ///
    /// # Errors
    /// The peer is another connection's.
    pub fn leave(
        &mut self,
        now: Time,
        conn: ConnKey,
        info_hash: InfoHash,
        peer_id: PeerId,
    ) -> Result<Counts, Refusal> {
        match self.holder(info_hash, peer_id) {
            Some((_, holder)) if holder != conn => {
                return Err(self.taken(now, info_hash, &peer_id));
            }
            Some(_) => {
                self.connections.remove(conn, info_hash, peer_id);
                self.remove(info_hash, peer_id);
            }
            None => {}
        }
        Ok(self.counts(info_hash))
    }

    /// A connection is gone, and all its peers with it.
    pub fn close(&mut self, conn: ConnKey) {
        for (info_hash, peer_id) in self.connections.take(conn) {
            self.remove(info_hash, peer_id);
        }
    }

    /// When [`Self::expire`] is due.
    #[must_use]
    pub fn deadline(&self) -> Time {
        self.next_sweep
    }

    /// Forgets peers that have missed two announces. Returns how many.
    pub fn expire(&mut self, now: Time) -> usize {
        if now < self.next_sweep {
            return 0;
        }
        self.next_sweep = now + self.config.sweep_interval_ms();
        self.ledger.forget(now);
        let age_ms_max = self.config.peer_age_ms_max();
        let mut expired = Vec::new();
        for (info_hash, swarm) in &self.swarms {
            let members = swarm.members().iter();
            let silent = members.filter(|member| member.is_overdue(now, age_ms_max));
            expired.extend(silent.map(|member| (member.conn, *info_hash, member.peer_id)));
        }
        for &(conn, info_hash, peer_id) in &expired {
            self.connections.remove(conn, info_hash, peer_id);
            self.remove(info_hash, peer_id);
        }
        expired.len()
    }

    /// The size of a swarm; zeros when there is none.
    #[must_use]
    pub fn counts(&self, info_hash: InfoHash) -> Counts {
        self.swarms
            .get(&info_hash)
            .map_or_else(Counts::default, counts)
    }

    /// All swarms, in no order.
    pub fn summaries(&self) -> impl Iterator<Item = Summary> {
        self.swarms.iter().map(|(&info_hash, swarm)| Summary {
            info_hash,
            counts: counts(swarm),
            super_peers: swarm.super_peers() as u32,
        })
    }

    /// The swarms and peers of a connection.
    #[must_use]
    pub fn peers_of(&self, conn: ConnKey) -> &[(InfoHash, PeerId)] {
        self.connections.of(conn)
    }

    /// Swarms in all.
    #[must_use]
    pub fn swarms(&self) -> usize {
        self.swarms.len()
    }

    /// Peers in all; one that is in two swarms counts twice.
    #[must_use]
    pub fn peers(&self) -> usize {
        self.peers
    }

    /// Relayed offers that wait for their answer.
    #[must_use]
    pub fn offers_pending(&self) -> usize {
        self.ledger.len()
    }

    /// Verifies what must always hold; for tests and simulations, as it looks at everything.
    ///
    /// # Errors
    /// The text says what does not hold.
    pub fn check(&self) -> Result<(), String> {
        let mut peers = 0;
        for (info_hash, swarm) in &self.swarms {
            swarm.check()?;
            peers += swarm.len();
            for member in swarm.members() {
                let known = self.connections.of(member.conn);
                if !known.contains(&(*info_hash, member.peer_id)) {
                    return Err(format!("{member:?} is unknown to its connection"));
                }
            }
        }
        if (peers, peers) != (self.peers, self.connections.len()) {
            let (noted, known) = (self.peers, self.connections.len());
            return Err(format!(
                "{peers} peers in swarms, {known} at connections, {noted} noted"
            ));
        }
        if self.ledger.len() > self.config.offers_pending_max.max(2) {
            return Err(format!("{} offers pending", self.ledger.len()));
        }
        Ok(())
    }

    fn holder(&self, info_hash: InfoHash, peer_id: PeerId) -> Option<(MemberKey, ConnKey)> {
        let member = self.swarms.get(&info_hash)?.get(&peer_id)?;
        Some((member.key, member.conn))
    }

    /// Makes the peer a member, or notes that it still is one.
    fn enter(
        &mut self,
        now: Time,
        conn: ConnKey,
        announce: &Announce<'_>,
    ) -> Result<MemberKey, Refusal> {
        let (info_hash, peer_id) = (announce.info_hash, announce.peer_id);
        let swarm = self.swarms.get_mut(&info_hash);
        let Some((swarm, member)) =
            swarm.and_then(|swarm| swarm.get(&peer_id).cloned().map(|member| (swarm, member)))
        else {
            return self.join(now, conn, announce);
        };
        if member.conn == conn {
            swarm.refresh(&peer_id, now, announce.has_all, &announce.standing);
            return Ok(member.key);
        }
        let holder = member.standing.holder;
        let is_proven = holder.is_some() && holder == announce.standing.holder;
        if !is_proven && !member.is_overdue(now, self.config.peer_age_ms_max()) {
            return Err(self.taken(now, info_hash, &peer_id));
        }
        if self.connections.of(conn).len() >= self.config.peers_per_connection_max {
            return Err(Refusal::ConnectionFull);
        }
        // Somebody else's socket from here on: what was offered to and by the old one is void.
        self.connections.remove(member.conn, info_hash, peer_id);
        self.remove(info_hash, peer_id);
        self.join(now, conn, announce)
    }

    fn join(
        &mut self,
        now: Time,
        conn: ConnKey,
        announce: &Announce<'_>,
    ) -> Result<MemberKey, Refusal> {
        let (info_hash, peer_id) = (announce.info_hash, announce.peer_id);
        match self.swarms.get(&info_hash) {
            None if self.swarms.len() >= self.config.swarms_max => return Err(Refusal::SwarmsFull),
            Some(swarm) if swarm.len() >= self.config.peers_per_swarm_max => {
                return Err(Refusal::SwarmFull);
            }
            _ => {}
        }
        if self.connections.of(conn).len() >= self.config.peers_per_connection_max {
            return Err(Refusal::ConnectionFull);
        }
        self.members += 1;
        self.peers += 1;
        let key = MemberKey(self.members);
        self.connections.insert(conn, info_hash, peer_id);
        self.swarms.entry(info_hash).or_default().insert(Member {
            key,
            peer_id,
            conn,
            seen: now,
            probed: None,
            has_all: announce.has_all,
            standing: announce.standing,
            slots: None,
        });
        Ok(key)
    }

    /// The refusal for somebody who uses the id of another connection's peer. That connection is to be
    /// probed, unless that is going on already.
    fn taken(&mut self, now: Time, info_hash: InfoHash, peer_id: &PeerId) -> Refusal {
        let swarm = self.swarms.get_mut(&info_hash);
        let probe = swarm
            .and_then(|swarm| swarm.get_mut(peer_id))
            .filter(|member| member.probed.is_none_or(|at| now.since_ms(at) >= PROBE_MS))
            .map(|member| {
                member.probed = Some(now);
                member.conn
            });
        Refusal::PeerIdTaken { probe }
    }

    fn remove(&mut self, info_hash: InfoHash, peer_id: PeerId) {
        let Some(swarm) = self.swarms.get_mut(&info_hash) else {
            return;
        };
        self.peers -= usize::from(swarm.remove(&peer_id).is_some());
        if swarm.len() == 0 {
            self.swarms.remove(&info_hash);
        }
    }
}

fn counts(swarm: &Swarm) -> Counts {
    Counts {
        complete: swarm.has_all() as u32,
        incomplete: (swarm.len() - swarm.has_all()) as u32,
    }
}
