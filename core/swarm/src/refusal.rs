//! Why something was refused.

use std::fmt;

use crate::ConnKey;

/// Why an announce or answer was refused. The text is meant for the client's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Another connection is this peer in this swarm.
    PeerIdTaken {
        /// The other connection, when it is to be probed: a client that changed its network comes back
        /// while its old connection looks alive. Whoever is silent for [`crate::PROBE_MS`] then is
        /// dead, and closing it frees the id.
        probe: Option<ConnKey>,
    },
    /// [`crate::Config::swarms_max`] is reached.
    SwarmsFull,
    /// [`crate::Config::peers_per_swarm_max`] is reached.
    SwarmFull,
    /// [`crate::Config::peers_per_connection_max`] is reached.
    ConnectionFull,
    /// The answer belongs to no offer that was handed to this peer and still waits.
    OfferUnknown,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PeerIdTaken { .. } => {
                "peer_id is in use by another connection, expected one of your own; \
                 if it was yours, announce again in a few seconds"
            }
            Self::SwarmsFull => "the tracker has no room for another swarm; try again later",
            Self::SwarmFull => "the swarm has no room for another peer; try again later",
            Self::ConnectionFull => {
                "too many peers on this connection; stop some or open another connection"
            }
            Self::OfferUnknown => {
                "answer to an unknown offer, expected one that was relayed to this peer \
                 less than a minute ago and is not answered yet"
            }
        })
    }
}

impl std::error::Error for Refusal {}
