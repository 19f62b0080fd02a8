//! The tracker's section of the configuration.

mod limits;

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use beekeepr_service::tls;
use serde::{Deserialize, Serialize};

use crate::access::{Matching, PrivacyMode, SdpLimits, Tokens};
use beekeepr_service::cidr::Cidr;
pub use limits::Limits;

/// Workers at most: a worker's number is one byte.
const WORKERS_MAX: usize = 256;

/// Addresses at most, so that a list grown by mistake is noticed.
const LISTEN_MAX: usize = 16;

/// The section `tracker`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where to listen for WebSocket connections: IP:PORT; port 0 takes a free one. `[::]` takes IPv4
    /// as well.
    pub listen: SocketAddr,
    /// More addresses to listen on, `[::1]:8000` for example.
    pub listen_more: Vec<SocketAddr>,
    /// Threads that serve connections, 1 to 256. Without it as many as the machine has cores; one in
    /// `beekeepr up`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workers: Option<usize>,
    /// How often clients are told to announce, in seconds, 1 to 3600. One that was silent for twice as
    /// long is forgotten. Shorter finds peers sooner, longer saves work on both sides.
    pub announce_interval_s: u32,
    /// A client that has not finished its handshakes (PROXY protocol, TLS, WebSocket) after so many
    /// seconds is dropped.
    pub handshake_timeout_s: u32,
    /// A client that was silent for so many seconds is pinged. Below the 60 seconds after which
    /// common proxies drop idle connections.
    pub ping_interval_s: u32,
    /// A client that is still silent so many seconds after a ping is dropped.
    pub pong_timeout_s: u32,
    /// How long clients are served after SIGTERM, in seconds, 0 to 3600, while they are asked to go
    /// one after the other. Everybody at once would come back at once. Without it 10; none in
    /// `beekeepr up`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drain_s: Option<u32>,
    /// Path of a socket at which another process of this tracker takes over: it gets the listening
    /// sockets, so that no handshake is refused, and this one ends like after SIGTERM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handover: Option<PathBuf>,
    /// TLS on all addresses; without it plain WebSocket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<tls::Config>,
    /// Proxies whose word on who the client is counts: by `X-Forwarded-For`, or by the PROXY
    /// protocol. Networks such as 10.0.0.0/8.
    pub trusted_proxies: Vec<Cidr>,
    /// Whether connections from trusted proxies begin with the PROXY protocol, version 1 or 2. Others
    /// never do.
    pub proxy_protocol: bool,
    /// Origins of pages that may use the tracker: `https://a.example`, `https://*.a.example`; all
    /// when there are none. Programs other than browsers can pretend any.
    pub origins_allowed: Vec<String>,
    /// Origins of pages that may not use the tracker, whatever is allowed.
    pub origins_denied: Vec<String>,
    /// Whether clients without an `Origin` header are refused. Seeders have none.
    pub origin_required: bool,
    /// The only info_hashes that are served, as 20 characters or 40 hexadecimal digits; all when there
    /// are none here and no file.
    pub info_hashes: Vec<String>,
    /// A file with more of them, one in each line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info_hashes_file: Option<PathBuf>,
    /// Whether a scrape without info_hash is told of all swarms (the 1,000 largest) and not
    /// only of the client's own. It gives away what is streamed.
    pub scrape_all: bool,
    /// Whom viewers may be introduced to: `mesh` (everybody) or `superpeer-only`, which shows no viewer
    /// another's address. A token may say so for its holder.
    pub privacy: PrivacyMode,
    /// Info_hashes whose viewers meet super-peers only, whatever `privacy` says.
    pub privacy_superpeer_only: Vec<String>,
    /// Which session descriptions are relayed.
    pub sdp: SdpLimits,
    /// Who is introduced to whom.
    pub matching: Matching,
    /// Access by JWT.
    pub tokens: Tokens,
    /// What one tracker may be made to hold.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8000)),
            listen_more: Vec::new(),
            workers: None,
            announce_interval_s: beekeepr_swarm::Config::default().announce_interval_s,
            handshake_timeout_s: 10,
            ping_interval_s: 45,
            pong_timeout_s: 10,
            drain_s: None,
            handover: None,
            tls: None,
            trusted_proxies: Vec::new(),
            proxy_protocol: false,
            origins_allowed: Vec::new(),
            origins_denied: Vec::new(),
            origin_required: false,
            info_hashes: Vec::new(),
            info_hashes_file: None,
            scrape_all: false,
            privacy: PrivacyMode::Mesh,
            privacy_superpeer_only: Vec::new(),
            sdp: SdpLimits::default(),
            matching: Matching::default(),
            tokens: Tokens::default(),
            limits: Limits::default(),
        }
    }
}

impl Config {
    /// All values that cannot work, each with its key, or nothing.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if let Some(workers) = self.workers.filter(|it| !(1..=WORKERS_MAX).contains(it)) {
            faults.push(format!(
                "tracker.workers is {workers}: expected 1 to {WORKERS_MAX}"
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
        check("drain_s", self.drain_s.unwrap_or_default(), 0..=3600);
        let crowd = self.matching.crowd_percent_max.into();
        check("matching.crowd_percent_max", crowd, 1..=100);
        if self.listen_more.len() >= LISTEN_MAX {
            faults.push(format!(
                "tracker.listen_more has {} addresses: expected at most {}",
                self.listen_more.len(),
                LISTEN_MAX - 1
            ));
        }
        if self.proxy_protocol && self.trusted_proxies.is_empty() {
            faults.push(
                "tracker.proxy_protocol is true: expected tracker.trusted_proxies to name the proxy"
                    .to_owned(),
            );
        }
        faults
    }

    /// Where to listen.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        std::iter::once(self.listen).chain(self.listen_more.iter().copied())
    }

    pub(crate) fn swarm(&self) -> beekeepr_swarm::Config {
        beekeepr_swarm::Config {
            announce_interval_s: self.announce_interval_s,
            swarms_max: self.limits.swarms_max,
            peers_per_swarm_max: self.limits.peers_per_swarm_max,
            peers_per_connection_max: self.limits.peers_per_connection_max,
            offers_pending_max: self.limits.offers_pending_max,
            super_peer_places: self.matching.super_peer_places,
            crowd_percent_max: self.matching.crowd_percent_max,
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
            workers: Some(0),
            announce_interval_s: 0,
            proxy_protocol: true,
            ..Config::default()
        };
        assert_eq!(
            config.faults(),
            [
                "tracker.workers is 0: expected 1 to 256",
                "tracker.announce_interval_s is 0: expected 1 to 3600",
                "tracker.proxy_protocol is true: expected tracker.trusted_proxies to name the proxy",
            ]
        );
    }
}
