//! Every ten seconds: close the span, tell who listens, write what there is.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use beekeepr_service::Shutdown;
use prometheus::Registry as Prometheus;
use tokio::time::sleep;

use super::{Beacons, Known, SeederBytes, Tick};
use crate::Sources;
use crate::clock::now_ms;
use crate::documents::{Channel, Registry};
use crate::store::{Retention, STEPS_S, Sample};

/// The length of a span in milliseconds.
const TICK_MS: i64 = STEPS_S[0] * 1000;

/// Ticks that wait for a store that does not answer: an hour.
const PENDING_MAX: usize = 360;

/// Ticks between two cleanings: ten minutes.
const TIDY_TICKS: u32 = 60;

/// What the ticker needs.
pub(crate) struct Ticker {
    pub(crate) beacons: Beacons,
    pub(crate) registry: Registry,
    pub(crate) sources: Sources,
    pub(crate) prometheus: Prometheus,
    pub(crate) retention: Retention,
}

/// Ticks until the shutdown, and once more then.
pub(crate) async fn run(ticker: Ticker, shutdown: Shutdown) {
    let mut pending = VecDeque::new();
    let mut ticks: u32 = 0;
    let mut changes = ticker.registry.channels_changed();
    ticker.know().await;
    loop {
        let rest_ms = TICK_MS - now_ms().rem_euclid(TICK_MS);
        let rest = Duration::from_millis(u64::try_from(rest_ms).unwrap_or_default());
        let is_last = tokio::select! {
            () = sleep(rest) => false,
            () = shutdown.requested() => true,
            // A viewer may report of a new channel before the next tick.
            _ = changes.changed() => {
                changes.mark_unchanged();
                ticker.know().await;
                continue;
            }
        };
        ticker.know().await;
        ticker.tick(&mut pending);
        ticker.flush(&mut pending).await;
        if is_last {
            return;
        }
        ticks = ticks.wrapping_add(1);
        if ticks % TIDY_TICKS == 1 {
            ticker.tidy().await;
        }
    }
}

impl Ticker {
    /// Looks which channels there are: ours, and those of the process's configuration.
    async fn know(&self) {
        let kept = match self.registry.all::<Channel>().await {
            Ok(kept) => kept,
            Err(error) => {
                return tracing::warn!(%error, "the channels cannot be read; reports of new ones are refused");
            }
        };
        let mut channels: Vec<Known> = kept
            .into_iter()
            .map(|it| Known {
                swarm_id: it.document.swarm_id(),
                name: it.id,
                tenant: it.tenant,
            })
            .collect();
        if let Some(others) = &self.sources.channels {
            let mut others = others.get();
            others.retain(|other| channels.iter().all(|it| it.name != other.name));
            channels.extend(others);
        }
        self.beacons.know(channels);
    }

    fn tick(&self, pending: &mut VecDeque<Vec<Sample>>) {
        let now_ms = now_ms();
        // A moment before: the span that has just ended, also when this comes a little late.
        let at_s = (now_ms - 1).div_euclid(TICK_MS) * STEPS_S[0];
        let seeders = seeder_bytes(&self.prometheus);
        let (samples, sessions) = {
            let mut aggregate = self.beacons.aggregate();
            (aggregate.tick(at_s, now_ms, &seeders), aggregate.sessions())
        };
        let inner = &self.beacons.0;
        inner.metrics.tick(&samples, sessions);
        let tick = Arc::new(Tick { at_s, samples });
        *inner.last.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&tick);
        // Nobody may be listening.
        let _ = inner.ticks.send(Arc::clone(&tick));
        if !tick.samples.is_empty() {
            pending.push_back(tick.samples.clone());
        }
        if pending.len() > PENDING_MAX {
            pending.pop_front();
            tracing::error!(
                "statistics of ten seconds are lost: the database has not answered for an hour"
            );
        }
    }

    /// Writes what waits, the oldest first. What cannot be written waits for the next tick.
    async fn flush(&self, pending: &mut VecDeque<Vec<Sample>>) {
        while let Some(samples) = pending.front() {
            let written = self.registry.store.add(samples).await;
            self.beacons.0.metrics.flush(written.is_ok(), pending.len());
            if let Err(error) = written {
                return tracing::warn!(%error, ticks = pending.len(), "statistics cannot be written; they wait in memory");
            }
            pending.pop_front();
        }
        self.beacons.0.metrics.flush(true, 0);
    }

    async fn tidy(&self) {
        match self.registry.store.tidy(now_ms(), self.retention).await {
            Ok(rows) => tracing::debug!(rows, "what was kept long enough is forgotten"),
            Err(error) => tracing::warn!(%error, "old statistics cannot be removed"),
        }
    }
}

/// What a seeder of this process counts, by its metrics.
fn seeder_bytes(prometheus: &Prometheus) -> HashMap<String, SeederBytes> {
    let mut bytes: HashMap<String, SeederBytes> = HashMap::new();
    for family in prometheus.gather() {
        let is_fetched = match family.name() {
            "beekeepr_seeder_fetched_bytes_total" => true,
            "beekeepr_seeder_uploaded_bytes_total" => false,
            _ => continue,
        };
        for metric in family.get_metric() {
            let label = metric.get_label().iter().find(|it| it.name() == "channel");
            let Some(label) = label else { continue };
            let entry = bytes.entry(label.value().to_owned()).or_default();
            // Counters of bytes are whole numbers, exact in a float up to 9 PB.
            let value = metric.get_counter().get_value() as u64;
            if is_fetched {
                entry.fetched = value;
            } else {
                entry.sent = value;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use prometheus::{IntCounterVec, Opts};

    use super::*;

    #[test]
    fn the_seeders_metrics_are_read_by_channel() {
        let prometheus = Prometheus::new();
        for (name, value) in [("fetched", 5), ("uploaded", 7)] {
            let opts = Opts::new(format!("beekeepr_seeder_{name}_bytes_total"), "Bytes.");
            let counter = IntCounterVec::new(opts, &["channel"]).unwrap();
            counter.with_label_values(&["news"]).inc_by(value);
            prometheus.register(Box::new(counter)).unwrap();
        }
        let bytes = seeder_bytes(&prometheus);
        assert_eq!(
            bytes["news"],
            SeederBytes {
                fetched: 5,
                sent: 7
            }
        );
        assert_eq!(bytes.len(), 1);
    }
}
