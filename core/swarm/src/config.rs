//! What the swarms can be told about how to behave.

/// Settings and limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How often clients are told to announce, in seconds. One that was silent for twice as long is
    /// forgotten.
    pub announce_interval_s: u32,
    /// Swarms at a time. One that the last peer left is gone.
    pub swarms_max: usize,
    /// Peers in one swarm at a time. One takes about 160 bytes (measured with swarms of 200).
    pub peers_per_swarm_max: usize,
    /// Peers (pairs of swarm and peer id) on one connection at a time. A page has one for each
    /// rendition that was played lately; a seeder one for each rendition of each of its channels.
    pub peers_per_connection_max: usize,
    /// Relayed offers that wait for their answer, at most a minute or two. When there are more, the
    /// oldest half is forgotten. The default lets 8,000 a second wait for two minutes.
    pub offers_pending_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            announce_interval_s: 60,
            swarms_max: 100_000,
            peers_per_swarm_max: 100_000,
            peers_per_connection_max: 512,
            offers_pending_max: 1_000_000,
        }
    }
}

impl Config {
    /// After so many milliseconds without an announce a peer is forgotten: two intervals, so that one
    /// announce may come late.
    pub(crate) const fn peer_age_ms_max(&self) -> u64 {
        2 * self.announce_interval_s as u64 * 1000
    }

    /// How often forgotten peers are looked for: half an interval.
    pub(crate) const fn sweep_interval_ms(&self) -> u64 {
        self.announce_interval_s as u64 * 500
    }
}
