//! What goes into the swarms and comes out of them.

use beekeepr_model::{InfoHash, OfferId, PeerId};

use crate::Standing;

/// A client's connection, numbered by the shell. No number is used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnKey(pub u64);

/// A peer says that it is in a swarm.
#[derive(Clone, Copy, Debug)]
pub struct Announce<'a> {
    /// Which swarm.
    pub info_hash: InfoHash,
    /// Who it is there.
    pub peer_id: PeerId,
    /// Whether it says that it has everything.
    pub has_all: bool,
    /// What the shell knows of it.
    pub standing: Standing,
    /// One for each peer that it wants to meet.
    pub offers: &'a [OfferId],
}

/// A peer answers an offer.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// In which swarm.
    pub info_hash: InfoHash,
    /// Who answers.
    pub peer_id: PeerId,
    /// Who offered.
    pub to_peer_id: PeerId,
    /// What was offered.
    pub offer_id: OfferId,
}

/// The size of a swarm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Peers that say they have everything.
    pub complete: u32,
    /// The others.
    pub incomplete: u32,
}

/// A swarm, for the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Which one.
    pub info_hash: InfoHash,
    /// Its size.
    pub counts: Counts,
    /// How many of its peers are super-peers.
    pub super_peers: u32,
}
