//! A peer in a swarm.

use beekeepr_model::{PeerId, Time};

use crate::{ConnKey, Privacy, Role, Standing};

/// A membership, numbered. No number is used twice, so one that was noted somewhere never means
/// somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct MemberKey(pub(crate) u64);

/// Who may be introduced to whom. The order is the order in a swarm's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// Super-peers, for everybody but each other.
    SuperPeer,
    /// Viewers that serve others, for everybody.
    Server,
    /// Viewers that serve nobody, or that no other viewer may see: for super-peers.
    Guest,
}

impl Class {
    pub(crate) const fn of(standing: &Standing) -> Self {
        match (standing.role, standing.privacy, standing.is_leech) {
            (Role::SuperPeer, _, _) => Self::SuperPeer,
            (Role::Viewer, Privacy::Mesh, false) => Self::Server,
            (Role::Viewer, Privacy::SuperPeerOnly, _) | (Role::Viewer, _, true) => Self::Guest,
        }
    }
}

/// A peer in a swarm. About 130 bytes.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) key: MemberKey,
    pub(crate) peer_id: PeerId,
    pub(crate) conn: ConnKey,
    /// When it last announced.
    pub(crate) seen: Time,
    /// When its connection was last asked to show that it lives.
    pub(crate) probed: Option<Time>,
    pub(crate) has_all: bool,
    pub(crate) standing: Standing,
    /// Where it stands in the list of each ring, see [`crate::rings`]; `None` while it is on none.
    pub(crate) slots: Option<[u32; crate::rings::RINGS]>,
}

impl Member {
    pub(crate) const fn class(&self) -> Class {
        Class::of(&self.standing)
    }

    pub(crate) fn is_overdue(&self, now: Time, age_ms_max: u64) -> bool {
        now.since_ms(self.seen) > age_ms_max
    }

    /// Whether somebody else is the same viewer on the same socket: two players of one page, that
    /// have nothing to gain from each other. Without tokens a socket may carry many viewers.
    pub(crate) fn is_same_viewer(&self, other: &Self) -> bool {
        self.conn == other.conn
            && self.standing.holder.is_some()
            && self.standing.holder == other.standing.holder
    }
}
