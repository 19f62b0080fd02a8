//! What one tracker may be made to hold.

use serde::{Deserialize, Serialize};

use beekeepr_service::cidr::Cidr;

/// The section `tracker.limits`. Reaching one refuses newcomers and leaves everybody else alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Connections at a time. Each takes one of the process's open files, of which some are kept for
    /// other things.
    pub connections_max: usize,
    /// Connections at a time from one IPv4 address or one IPv6 network (/64). A mobile carrier's
    /// subscribers share addresses, so a viewer's neighbours are in it.
    pub connections_per_ip_max: usize,
    /// New connections a second from one address, five times as many at once; 0 is no
    /// limit.
    pub handshakes_per_ip_per_s: u32,
    /// Connections at a time with tokens of one subject (`sub`); tokens without one are not counted.
    pub connections_per_token_max: usize,
    /// Networks whose addresses have no limits of their own. Trusted proxies have none anyway.
    pub exempt: Vec<Cidr>,
    /// Announces and scrapes a second on one connection, ten times as many at once; an answer counts
    /// as a fiftieth. 0 is no limit. A page makes one in ten seconds.
    pub requests_per_connection_per_s: u32,
    /// Announces a second with tokens of one subject, on all its connections together, ten times as many
    /// at once; 0 is no limit. Tokens without `sub` are not counted.
    pub announces_per_token_per_s: u32,
    /// A connection is closed (1008) when so many of its requests were refused for coming too fast,
    /// without a pause of ten seconds; 0 never closes.
    pub refusals_per_connection_max: u32,
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

impl Default for Limits {
    fn default() -> Self {
        let swarm = beekeepr_swarm::Config::default();
        Self {
            connections_max: 50_000,
            // A tenth of all. A carrier puts some hundreds of subscribers behind one address.
            connections_per_ip_max: 5_000,
            // All of them in 25 seconds, a tenth of the time in which they come back after a failure.
            handshakes_per_ip_per_s: 200,
            // Somebody's devices and their pages; far from a crowd that shares one token.
            connections_per_token_max: 100,
            // The machine itself: proxies on it, tests, the operator.
            exempt: ["127.0.0.0/8", "::1/128"]
                .iter()
                .filter_map(|it| it.parse().ok())
                .collect(),
            // Less than a hundredth of what a worker does.
            requests_per_connection_per_s: 100,
            // As many as on one connection: a seeder of hundreds of renditions makes ten.
            announces_per_token_per_s: 100,
            // Ten seconds at twice the rate: no mistake of a page that would heal by itself.
            refusals_per_connection_max: 1_000,
            // Four of the largest messages; a client that reads at all is never so far behind.
            connection_output_bytes_max: 256 * 1024,
            swarms_max: swarm.swarms_max,
            peers_per_swarm_max: swarm.peers_per_swarm_max,
            peers_per_connection_max: swarm.peers_per_connection_max,
            offers_pending_max: swarm.offers_pending_max,
        }
    }
}
