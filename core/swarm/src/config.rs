//! What the swarms can be told about how to behave.

/// Settings and limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How often clients are told to announce, in seconds. One that was silent for twice as long is
    /// forgotten.
    pub announce_interval_s: u32,
    /// Swarms at a time. One that the last peer left is gone.
    pub swarms_max: usize,
    /// Peers in one swarm at a time. One takes about 400 bytes.
    pub peers_per_swarm_max: usize,
    /// Peers (pairs of swarm and peer id) on one connection at a time. A page has one for each
    /// rendition that was played lately; a seeder one for each rendition of each of its channels.
    pub peers_per_connection_max: usize,
    /// Relayed offers that wait for their answer, at most a minute or two. When there are more, the
    /// oldest half is forgotten. The default lets 8,000 a second wait for two minutes.
    pub offers_pending_max: usize,
    /// How many of a viewer's introductions are kept for super-peers, as far as there are any.
    pub super_peer_places: usize,
    /// How many of a viewer's introductions may be to peers of one /24 (IPv6: /64) or one group, in
    /// percent, as long as there are others. 100 turns the diversity guard off.
    pub crowd_percent_max: u8,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            announce_interval_s: 60,
            swarms_max: 100_000,
            peers_per_swarm_max: 100_000,
            peers_per_connection_max: 512,
            offers_pending_max: 1_000_000,
            super_peer_places: 1,
            crowd_percent_max: 60,
        }
    }
}

impl Config {
    /// After so many milliseconds without an announce a peer is no longer introduced, and forgotten by
    /// the next sweep: all in all within two intervals, so that one announce may come late.
    pub(crate) const fn peer_age_ms_max(&self) -> u64 {
        2 * self.announce_interval_s as u64 * 1000 - self.sweep_interval_ms()
    }

    /// How often forgotten peers are looked for: a sweep over 100,000 takes about a millisecond, and one
    /// in a sixteenth of an interval leaves a punctual client most of the second interval.
    pub(crate) const fn sweep_interval_ms(&self) -> u64 {
        self.announce_interval_s as u64 * 1000 / 16
    }
}
