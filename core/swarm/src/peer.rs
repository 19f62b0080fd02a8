//! What a peer may do and wants, as the shell found out from its token and the configuration.

use crate::Place;

/// What a peer is for the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Somebody who watches.
    #[default]
    Viewer,
    /// One of the operator's seeders: has every segment and time for everybody.
    SuperPeer,
}

/// Whom a viewer may be introduced to: who is introduced sees the other's address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Privacy {
    /// To viewers and super-peers.
    #[default]
    Mesh,
    /// To super-peers only; no other viewer gets to know its address.
    SuperPeerOnly,
}

/// The holder of a token, as a number that the shell gives: equal numbers are the same subject, proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Holder(pub u64);

/// What the shell knows of the peer behind an announce, beyond what it says itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Viewer or super-peer.
    pub role: Role,
    /// It takes and does not give.
    pub is_leech: bool,
    /// Whom it may meet.
    pub privacy: Privacy,
    /// Who it is, when a token says so.
    pub holder: Option<Holder>,
    /// Where it is.
    pub place: Place,
}
