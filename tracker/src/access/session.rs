//! What is known of a client from its handshake on.

use std::borrow::Cow;

use beekeepr_model::{InfoHash, Time};
use beekeepr_swarm::{Holder, Standing};
use beekeepr_tracker_proto::SdpRules;
use beekeepr_trust::Scope;

/// How a client came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// Without a token, where none is needed.
    Open,
    /// With a token.
    Granted {
        /// Which swarms it opens.
        scope: Scope,
        /// When it ends.
        expires: Time,
    },
    /// It may do nothing, for this reason.
    Refused(String),
}

/// A client, as the handshake showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(super) entry: Entry,
    pub(super) standing: Standing,
    /// It plays over HTTP alone.
    pub(super) is_off: bool,
    /// Without tokens a peer id that says so makes a super-peer.
    pub(super) trusts_prefix: bool,
    pub(super) sdp: SdpRules,
}

impl Session {
    /// Somebody who may do nothing.
    #[cfg(test)]
    pub(crate) fn refused(reason: &str) -> Self {
        Self {
            entry: Entry::Refused(reason.to_owned()),
            standing: Standing::default(),
            is_off: false,
            trusts_prefix: false,
            sdp: SdpRules::default(),
        }
    }

    /// When the connection has to be closed: its token has expired.
    pub(crate) fn expires(&self) -> Option<Time> {
        match self.entry {
            Entry::Granted { expires, .. } => Some(expires),
            Entry::Open | Entry::Refused(_) => None,
        }
    }

    /// Why the client may do nothing now, if it may not.
    pub(crate) fn refusal(&self, now: Time) -> Option<Cow<'_, str>> {
        match &self.entry {
            Entry::Refused(text) => Some(Cow::Borrowed(text)),
            Entry::Granted { expires, .. } if now >= *expires => Some(Cow::Borrowed(
                "the token has expired; get a new one and connect again",
            )),
            Entry::Open | Entry::Granted { .. } => None,
        }
    }

    /// Whose token it is, when that says so.
    pub(crate) const fn holder(&self) -> Option<Holder> {
        self.standing.holder
    }

    /// Whether it is introduced to nobody.
    pub(crate) const fn is_off(&self) -> bool {
        self.is_off
    }

    /// Which session descriptions it may send.
    pub(crate) const fn sdp(&self) -> &SdpRules {
        &self.sdp
    }

    pub(super) fn opens(&self, info_hash: &InfoHash, swarm_id: Option<&str>) -> bool {
        match &self.entry {
            Entry::Open => true,
            Entry::Granted { scope, .. } => scope.opens(info_hash, swarm_id),
            Entry::Refused(_) => false,
        }
    }
}
