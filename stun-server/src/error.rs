//! Why the server cannot start.

use std::io;
use std::net::SocketAddr;

use beekeepr_service::net::BindError;

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration has no address.
    #[error("stun.listen is an empty list; expected at least one address, such as 0.0.0.0:3478")]
    NoAddress,
    /// These addresses cannot be bound, one error each; never empty. Who can do without them, which
    /// [`BindError::is_absent`] helps to tell, may start again with the rest.
    #[error("STUN: {}", list(.0))]
    Bind(Vec<BindError>),
    /// A bound socket cannot be set up.
    #[error(
        "STUN: the socket of {address} cannot be set up: {source}; kernels before Linux 4.18 \
             may lack what it takes"
    )]
    Socket {
        /// Whose socket.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The metrics' names are taken, which happens when the role is started twice on one registry.
    #[error("STUN metrics cannot be registered: {0}; start the role once in a process")]
    Metrics(#[from] prometheus::Error),
}

fn list(errors: &[BindError]) -> String {
    errors
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}
