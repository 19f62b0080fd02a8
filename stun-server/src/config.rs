//! The server's section of the configuration.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::{Deserialize, Serialize};

/// Workers at most. More sockets on an address than cores gain nothing, and larger machines than
/// this do not stand in front of viewers.
pub const WORKERS_MAX: u16 = 256;

/// STUN's port (RFC 8489 section 18.6).
const PORT: u16 = 3478;

/// Settings of the STUN server; the section `[stun]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// UDP addresses to answer on, IP:PORT; port 0 takes a free one. `0.0.0.0` and `[::]` stand for
    /// all addresses of one family; replies come from the address that was asked.
    pub listen: Vec<SocketAddr>,
    /// One more address that answers, for the tests of RFC 5780. Only plain requests are served yet:
    /// a client that asks for a change of address is told that this is unknown (420).
    pub alternate: Option<SocketAddr>,
    /// Sockets, and so cores, that share the work on each address: 1 to 256. One answers some
    /// 200,000 requests a second.
    pub workers: Workers,
}

/// How many sockets share an address: 1 to [`WORKERS_MAX`], by construction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Workers(u16);

/// A number that is no number of workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} workers are not possible; expected 1 to {WORKERS_MAX}, best the number of cores")]
pub struct WorkersError(u16);

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: vec![
                (Ipv4Addr::LOCALHOST, PORT).into(),
                (Ipv6Addr::LOCALHOST, PORT).into(),
            ],
            alternate: None,
            workers: Workers(1),
        }
    }
}

impl Config {
    /// Every address to answer on.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.listen.iter().copied().chain(self.alternate)
    }
}

impl Workers {
    pub(crate) fn count(self) -> usize {
        usize::from(self.0)
    }
}

impl TryFrom<u16> for Workers {
    type Error = WorkersError;

    fn try_from(count: u16) -> Result<Self, WorkersError> {
        if (1..=WORKERS_MAX).contains(&count) {
            Ok(Self(count))
        } else {
            Err(WorkersError(count))
        }
    }
}

impl From<Workers> for u16 {
    fn from(workers: Workers) -> Self {
        workers.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_workers_is_checked_where_it_is_read() {
        assert!(Workers::try_from(1).is_ok() && Workers::try_from(WORKERS_MAX).is_ok());
        let error = Workers::try_from(0).unwrap_err().to_string();
        assert_eq!(
            error,
            "0 workers are not possible; expected 1 to 256, best the number of cores"
        );
    }
}
