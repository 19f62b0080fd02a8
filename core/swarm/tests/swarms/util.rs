//! Swarms with a clock, and three clients.

use beekeepr_model::{InfoHash, OfferId, PeerId, Time};
use beekeepr_swarm::{Announce, Answer, Config, ConnKey, Counts, Refusal, Role, Standing, Swarms};

pub(crate) const HASH: InfoHash = InfoHash(*b"hpw5DN1BrHoy/nDyIVbD");
pub(crate) const OTHER_HASH: InfoHash = InfoHash(*b"dWzShRMpT2iw023W5NAw");
pub(crate) const A: Client = Client {
    conn: ConnKey(1),
    peer_id: PeerId([b'a'; 20]),
};
pub(crate) const B: Client = Client {
    conn: ConnKey(2),
    peer_id: PeerId([b'b'; 20]),
};
pub(crate) const C: Client = Client {
    conn: ConnKey(3),
    peer_id: PeerId([b'c'; 20]),
};
pub(crate) const OFFER: OfferId = OfferId([b'o'; 20]);
/// The default interval.
pub(crate) const INTERVAL_MS: u64 = 60_000;

#[derive(Clone, Copy)]
pub(crate) struct Client {
    pub(crate) conn: ConnKey,
    pub(crate) peer_id: PeerId,
}

impl Client {
    /// Peers whose ids begin like a seeder's are super-peers here.
    pub(crate) fn standing(self) -> Standing {
        let role = match self.peer_id.is_seeder() {
            true => Role::SuperPeer,
            false => Role::Viewer,
        };
        Standing {
            role,
            ..Standing::default()
        }
    }
}

/// Swarms with a clock, checked after every step.
pub(crate) struct Tracker {
    pub(crate) swarms: Swarms,
    pub(crate) now: Time,
}

impl Tracker {
    pub(crate) fn new() -> Self {
        Self::with(Config::default())
    }

    pub(crate) fn with(config: Config) -> Self {
        let now = Time::from_ms(1_000);
        Self {
            swarms: Swarms::new(config, 1, now),
            now,
        }
    }

    pub(crate) fn wait(&mut self, ms: u64) -> usize {
        self.now = self.now + ms;
        let expired = self.swarms.expire(self.now);
        self.swarms
            .check()
            .expect("invariants should hold after every step");
        expired
    }

    pub(crate) fn announce(
        &mut self,
        who: Client,
        offers: &[OfferId],
    ) -> Result<Vec<ConnKey>, Refusal> {
        self.announce_in(HASH, who, offers)
    }

    pub(crate) fn announce_in(
        &mut self,
        info_hash: InfoHash,
        who: Client,
        offers: &[OfferId],
    ) -> Result<Vec<ConnKey>, Refusal> {
        self.announce_as(info_hash, who, who.standing(), offers)
    }

    pub(crate) fn announce_as(
        &mut self,
        info_hash: InfoHash,
        who: Client,
        standing: Standing,
        offers: &[OfferId],
    ) -> Result<Vec<ConnKey>, Refusal> {
        let mut targets = Vec::new();
        let announce = Announce {
            info_hash,
            peer_id: who.peer_id,
            has_all: false,
            standing,
            offers,
        };
        let result = self
            .swarms
            .announce(self.now, who.conn, &announce, &mut targets);
        self.swarms
            .check()
            .expect("invariants should hold after every step");
        result.map(|_| targets)
    }

    pub(crate) fn answer(&mut self, who: Client, to: Client) -> Result<ConnKey, Refusal> {
        let answer = Answer {
            info_hash: HASH,
            peer_id: who.peer_id,
            to_peer_id: to.peer_id,
            offer_id: OFFER,
        };
        self.swarms.answer(self.now, who.conn, &answer)
    }

    /// B is there, A offers to it.
    pub(crate) fn introduced() -> Self {
        let mut tracker = Self::new();
        tracker
            .announce(B, &[])
            .expect("an empty tracker should take anybody");
        assert_eq!(tracker.announce(A, &[OFFER]), Ok(vec![B.conn]));
        tracker
    }

    pub(crate) fn count(&self) -> Counts {
        self.swarms.counts(HASH)
    }
}

pub(crate) fn incomplete(incomplete: u32) -> Counts {
    Counts {
        complete: 0,
        incomplete,
    }
}
