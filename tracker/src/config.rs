//! The tracker's section of the configuration.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// Workers at most: as many as the STUN server takes.
const WORKERS_MAX: usize = 256;

/// The section `tracker`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where to listen for WebSocket connections: IP:PORT; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Threads that may serve connections, 1 to 256. This version serves all swarms from one, and says so
    /// when it is allowed more.
    pub workers: usize,
    /// How often clients are told to announce, in seconds, 1 to 3600. One that was silent for twice as
    /// long is forgotten. Shorter finds peers sooner, longer saves work on both sides.
    pub announce_interval_s: u32,
    /// A client that has not finished its WebSocket handshake after so many seconds is dropped.
    pub handshake_timeout_s: u32,
    /// A client that was silent for so many seconds is pinged. Below the 60 seconds after which
    /// common proxies drop idle connections.
    pub ping_interval_s: u32,
    /// A client that is still silent so many seconds after a ping is dropped.
    pub pong_timeout_s: u32,
    /// What one tracker may be made to hold.
    pub limits: Limits,
}

/// The section `tracker.limits`. Reaching one refuses newcomers and leaves everybody else alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Connections at a time. Each takes one of the process's open files.
    pub connections_max: usize,
    /// Bytes that wait for one slow client; with more it is dropped.
    pub connection_output_bytes_max: usize,
    /// Swarms at a time.
    pub swarms_max: usize,
    /// Peers in one swarm at a time.
    pub peers_per_swarm_max: usize,
    /// Peers on one connection at a time: a page has one for each rendition that it played lately, a
    /// seeder one for each rendition of each channel.
    pub peers_per_connection_max: usize,
    /// Relayed offers that wait for their answer; the oldest are forgotten.
    pub offers_pending_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8000)),
            workers: 1,
            announce_interval_s: beekeepr_swarm::Config::default().announce_interval_s,
            handshake_timeout_s: 10,
            ping_interval_s: 45,
            pong_timeout_s: 10,
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        let swarm = beekeepr_swarm::Config::default();
        Self {
            connections_max: 50_000,
            // Four of the largest messages; a client that reads at all is never so far behind.
            connection_output_bytes_max: 256 * 1024,
            swarms_max: swarm.swarms_max,
            peers_per_swarm_max: swarm.peers_per_swarm_max,
            peers_per_connection_max: swarm.peers_per_connection_max,
            offers_pending_max: swarm.offers_pending_max,
        }
    }
}

impl Config {
    /// All values that cannot work, each with its key, or nothing.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if !(1..=WORKERS_MAX).contains(&self.workers) {
            faults.push(format!(
                "tracker.workers is {}: expected 1 to {WORKERS_MAX}",
                self.workers
            ));
        }
        let mut check = |key: &str, value: u32, range: RangeInclusive<u32>| {
            if !range.contains(&value) {
                let (from, to) = range.into_inner();
                faults.push(format!("tracker.{key} is {value}: expected {from} to {to}"));
            }
        };
        check("announce_interval_s", self.announce_interval_s, 1..=3600);
        check("handshake_timeout_s", self.handshake_timeout_s, 1..=300);
        check("ping_interval_s", self.ping_interval_s, 1..=3600);
        check("pong_timeout_s", self.pong_timeout_s, 1..=300);
        faults
    }

    pub(crate) fn swarm(&self) -> beekeepr_swarm::Config {
        beekeepr_swarm::Config {
            announce_interval_s: self.announce_interval_s,
            swarms_max: self.limits.swarms_max,
            peers_per_swarm_max: self.limits.peers_per_swarm_max,
            peers_per_connection_max: self.limits.peers_per_connection_max,
            offers_pending_max: self.limits.offers_pending_max,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_work() {
        assert_eq!(Config::default().faults(), Vec::<String>::new());
    }

    #[test]
    fn every_fault_names_its_key_and_what_to_write() {
        let config = Config {
            workers: 0,
            announce_interval_s: 0,
            ..Config::default()
        };
        assert_eq!(
            config.faults(),
            [
                "tracker.workers is 0: expected 1 to 256",
                "tracker.announce_interval_s is 0: expected 1 to 3600",
            ]
        );
    }
}
