//! Reports of viewers and counters of seeders, added up by channel until the next tick.

use std::collections::HashMap;

use super::beacon::Beacon;
use super::proof::Proof;
use super::sessions::{Refusal, Sessions};
use crate::store::{Counters, Sample};

/// A channel as viewers know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its name.
    pub name: String,
    /// Whose it is; empty for the operator's own.
    pub tenant: String,
    /// What viewers report it by.
    pub swarm_id: String,
}

/// What a seeder has fetched and sent of a channel since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeederBytes {
    /// From the origin.
    pub fetched: u64,
    /// To viewers.
    pub sent: u64,
}

#[derive(Debug, Default)]
pub(super) struct Aggregate {
    /// The reports' channels; one that is gone keeps its place, as sessions know it.
    channels: Vec<Channel>,
    by_swarm: HashMap<String, usize>,
    sessions: Sessions,
}

#[derive(Debug)]
struct Channel {
    known: Known,
    /// Whether there is such a channel now.
    is_there: bool,
    counters: Counters,
    peers: Proof,
    super_peers: Proof,
    /// What the seeder's counters stood at. They begin with this process, as the seeder is in it.
    seeder: SeederBytes,
}

impl Aggregate {
    /// The channels that there are now.
    pub(super) fn know(&mut self, channels: Vec<Known>) {
        self.by_swarm.clear();
        self.channels.iter_mut().for_each(|it| it.is_there = false);
        for known in channels {
            let place = self
                .channels
                .iter()
                .position(|it| it.known.name == known.name && it.known.tenant == known.tenant);
            let place = place.unwrap_or_else(|| {
                self.channels.push(Channel {
                    known: known.clone(),
                    is_there: true,
                    counters: Counters::default(),
                    peers: Proof::default(),
                    super_peers: Proof::default(),
                    seeder: SeederBytes::default(),
                });
                self.channels.len() - 1
            });
            self.channels[place].is_there = true;
            // Of two channels with one swarm the first one counts.
            self.by_swarm.entry(known.swarm_id).or_insert(place);
        }
    }

    /// Takes a report.
    pub(super) fn take(&mut self, beacon: &Beacon, now_ms: i64) -> Result<(), Refusal> {
        let place = self
            .by_swarm
            .get(&beacon.c)
            .copied()
            .ok_or(Refusal::UnknownSwarm)?;
        let taken = self.sessions.take(beacon, place, now_ms);
        let counters = &mut self.channels[place].counters;
        match taken {
            Ok(news) => counters.add(&news),
            Err(_) => counters.refused += 1,
        }
        taken.map(drop)
    }

    /// Closes the span that begins at `at_s` and gives the figures of the channels in which something happened.
    pub(super) fn tick(
        &mut self,
        at_s: i64,
        now_ms: i64,
        seeders: &HashMap<String, SeederBytes>,
    ) -> Vec<Sample> {
        let viewers = self.sessions.viewers(self.channels.len(), now_ms);
        let mut samples = Vec::new();
        for (channel, viewers) in self.channels.iter_mut().zip(viewers) {
            let mut counters = std::mem::take(&mut channel.counters);
            counters.viewers_max = viewers;
            let is_seeded = channel.seed(
                &mut counters,
                seeders
                    .get(&channel.known.name)
                    .filter(|_| channel.is_there),
            );
            counters.unproven_bytes = channel
                .peers
                .take(counters.peer_bytes, counters.uploaded_bytes);
            // Of other processes' seeders nothing is known; what viewers say of them is all there is.
            if is_seeded {
                let (got, given) = (counters.super_peer_bytes, counters.seeder_sent_bytes);
                counters.unproven_bytes += channel.super_peers.take(got, given);
            }
            if !counters.is_zero() {
                samples.push(Sample {
                    channel: channel.known.name.clone(),
                    tenant: channel.known.tenant.clone(),
                    at_s,
                    counters,
                });
            }
        }
        samples
    }

    /// How many viewers' sessions are known.
    pub(super) fn sessions(&self) -> usize {
        self.sessions.len()
    }
}

impl Channel {
    /// Adds what the seeders' counters have grown by; whether they are known.
    fn seed(&mut self, counters: &mut Counters, now: Option<&SeederBytes>) -> bool {
        let Some(now) = now.copied() else {
            return false;
        };
        // A channel that was removed and came again begins at 0.
        let grown = |now: u64, before: u64| {
            let grown = if now >= before { now - before } else { now };
            i64::try_from(grown).unwrap_or_default()
        };
        let before = std::mem::replace(&mut self.seeder, now);
        counters.seeder_fetched_bytes += grown(now.fetched, before.fetched);
        counters.seeder_sent_bytes += grown(now.sent, before.sent);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aggregate() -> Aggregate {
        let mut aggregate = Aggregate::default();
        let known = |name: &str| Known {
            name: name.into(),
            tenant: String::new(),
            swarm_id: format!("swarm-{name}"),
        };
        aggregate.know(vec![known("a"), known("b")]);
        aggregate
    }

    fn beacon(swarm: &str, session: &str, n: u64, bytes: u64) -> Beacon {
        let t = 10_000 * (n + 1);
        let text = format!(
            r#"{{"v":1,"c":"swarm-{swarm}","s":"session-{session}","n":{n},"t":{t},"h":{bytes},"p":{bytes},"u":{bytes}}}"#
        );
        Beacon::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn each_channel_has_its_figures_and_silent_ones_none() {
        let mut aggregate = aggregate();
        aggregate.take(&beacon("a", "1", 0, 100), 0).unwrap();
        aggregate.take(&beacon("a", "2", 0, 100), 0).unwrap();
        let unknown = aggregate.take(&beacon("c", "1", 0, 100), 0);
        assert_eq!(unknown, Err(Refusal::UnknownSwarm));
        let samples = aggregate.tick(10, 1_000, &HashMap::new());
        assert_eq!(samples.len(), 1);
        let counters = samples[0].counters;
        assert_eq!(
            (counters.http_bytes, counters.viewers_max, counters.beacons),
            (200, 2, 2)
        );
        let next = aggregate.tick(20, 11_000, &HashMap::new());
        assert_eq!(
            (next[0].counters.http_bytes, next[0].counters.viewers_max),
            (0, 2)
        );
    }

    #[test]
    fn a_seeders_counters_count_by_what_they_grow() {
        let mut aggregate = aggregate();
        let seeders =
            |fetched, sent| HashMap::from([("b".to_owned(), SeederBytes { fetched, sent })]);
        let samples = aggregate.tick(10, 0, &seeders(1_000, 2_000));
        assert_eq!(samples[0].counters.seeder_sent_bytes, 2_000);
        let samples = aggregate.tick(20, 0, &seeders(1_010, 2_020));
        let counters = samples[0].counters;
        assert_eq!(
            (counters.seeder_fetched_bytes, counters.seeder_sent_bytes),
            (10, 20)
        );
        let samples = aggregate.tick(30, 0, &seeders(3, 4));
        assert_eq!(samples[0].counters.seeder_fetched_bytes, 3);
    }

    #[test]
    fn a_channel_that_comes_again_keeps_its_sessions() {
        let mut aggregate = aggregate();
        aggregate.take(&beacon("a", "1", 0, 100), 0).unwrap();
        aggregate.know(Vec::new());
        assert_eq!(
            aggregate.take(&beacon("a", "1", 1, 200), 5_000),
            Err(Refusal::UnknownSwarm)
        );
        let again = Known {
            name: "a".into(),
            tenant: String::new(),
            swarm_id: "swarm-a".into(),
        };
        aggregate.know(vec![again]);
        aggregate.take(&beacon("a", "1", 1, 200), 10_000).unwrap();
        assert_eq!(
            aggregate.tick(0, 10_000, &HashMap::new())[0]
                .counters
                .http_bytes,
            200
        );
    }

    #[test]
    fn what_a_lone_liar_claims_is_unproven() {
        let mut aggregate = aggregate();
        let mut sum = Counters::default();
        for n in 0..60 {
            let claim = Beacon {
                u: 0,
                ..beacon("a", "liar", n, 10_000_000 * (n + 1))
            };
            let now_ms = i64::try_from(n).unwrap() * 10_000;
            aggregate.take(&claim, now_ms).unwrap();
            for sample in aggregate.tick(now_ms / 1000, now_ms, &HashMap::new()) {
                sum.add(&sample.counters);
            }
        }
        let part = sum.unproven_bytes as f64 / sum.peer_bytes as f64;
        assert!(part > 0.75, "{part}");
    }
}
