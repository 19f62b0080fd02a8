//! Why the server cannot start.

use std::io;

use beekeepr_service::net::BindError;
use beekeepr_service::tls::LoadError;

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration cannot work; all its faults, never empty.
    #[error("{}", .0.join("; "))]
    Config(Vec<String>),
    /// The certificate or its key cannot be used.
    #[error("stun.tls: {0}")]
    Tls(#[from] LoadError),
    /// These addresses cannot be bound, one error each; never empty. Who can do without them, which
    /// [`BindError::is_absent`] helps to tell, may start again with the rest.
    #[error("STUN: {}", list(.0))]
    Bind(Vec<BindError>),
    /// A bound socket cannot be set up, by the error of the system.
    #[error("STUN: a socket cannot be set up: {0}; see that the process may open more files")]
    Socket(io::Error),
    /// A worker cannot be started.
    #[error("STUN: a worker cannot be started: {0}; fewer of them are had by stun.workers")]
    Thread(io::Error),
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
