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
    /// It may do nothing.
    Refused(Refusal),
}

/// Why a token does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// For counting.
    pub(crate) kind: &'static str,
    /// For the client.
    pub(crate) text: String,
}

/// A number for a token's text, keyed by this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TokenMark(pub(super) u64);

/// A client, as the handshake or a later token showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(super) entry: Entry,
    /// Tells the token that it came in with from others, without keeping it.
    pub(super) token: Option<TokenMark>,
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
            entry: Entry::Refused(Refusal {
                kind: "",
                text: reason.to_owned(),
            }),
            token: None,
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
            Entry::Refused(refusal) => Some(Cow::Borrowed(&refusal.text)),
            Entry::Granted { expires, .. } if now >= *expires => Some(Cow::Borrowed(
                "the token has expired; get a new one and connect again, \
                 or send it before that as \"jwt\" with an announce",
            )),
            Entry::Open | Entry::Granted { .. } => None,
        }
    }

    /// Why its token does not count, for counting.
    pub(crate) const fn refused_kind(&self) -> Option<&'static str> {
        match &self.entry {
            Entry::Refused(refusal) => Some(refusal.kind),
            Entry::Open | Entry::Granted { .. } => None,
        }
    }

    /// The same client, who may do nothing any more.
    pub(crate) fn refused_for(&self, refusal: Refusal) -> Self {
        Self {
            entry: Entry::Refused(refusal),
            ..self.clone()
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
