//! Statistics of clients: reports come in, are checked against what can be and against what others say, added up in memory, and
//! written every ten seconds. Without its store nothing else is harmed: the figures of an hour wait in memory.

mod aggregate;
mod beacon;
mod listener;
mod proof;
mod sessions;
mod ticker;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use beekeepr_service::cidr::Cidr;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use tokio::sync::broadcast;

pub use aggregate::{Known, SeederBytes};
pub use beacon::Beacon;
pub(crate) use listener::start;
pub use sessions::Refusal;
pub(crate) use ticker::{Ticker, run};

use crate::metrics::Metrics;
use crate::rate::{Rates, asker};
use crate::store::Sample;
use aggregate::Aggregate;

/// Ticks that a slow listener may be behind.
const TICKS_MAX: usize = 8;

/// The section `control.beacons`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where viewers' pages send their reports: IP:PORT; port 0 takes a free one. Without it no reports are taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// Reports of one address in a second; many viewers may be behind one. Ten times as many may come at once.
    pub per_address_per_s: u32,
    /// Of how many viewers one may report at most. 1: all report.
    pub sample_max: u32,
    /// Proxies whose `X-Forwarded-For` says who a viewer is. Networks such as 10.0.0.0/8.
    pub trusted_proxies: Vec<Cidr>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: None,
            per_address_per_s: 100,
            sample_max: 1,
            trusted_proxies: Vec::new(),
        }
    }
}

/// The figures of ten seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tick {
    /// When they begin, in seconds since 1970.
    pub at_s: i64,
    /// Those of each channel in which something happened.
    pub samples: Vec<Sample>,
}

/// Where reports go. Clones share everything.
#[derive(Clone)]
pub struct Beacons(Arc<Inner>);

struct Inner {
    aggregate: Mutex<Aggregate>,
    rates: Rates<IpAddr>,
    sample_max: u32,
    last: Mutex<Arc<Tick>>,
    ticks: broadcast::Sender<Arc<Tick>>,
    metrics: Metrics,
}

impl std::fmt::Debug for Beacons {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Beacons(..)")
    }
}

impl Beacons {
    /// None yet.
    #[must_use]
    pub fn new(config: &Config, metrics: Metrics) -> Self {
        let per_s = f64::from(config.per_address_per_s);
        let (ticks, _) = broadcast::channel(TICKS_MAX);
        Self(Arc::new(Inner {
            aggregate: Mutex::default(),
            rates: Rates::new(per_s, per_s * 10.0),
            sample_max: config.sample_max,
            last: Mutex::default(),
            ticks,
            metrics,
        }))
    }

    /// The channels that reports may be of.
    pub fn know(&self, channels: Vec<Known>) {
        self.aggregate().know(channels);
    }

    /// Takes a report.
    ///
    /// # Errors
    /// It does not count.
    pub fn take(&self, bytes: &[u8], from: IpAddr, now_ms: i64) -> Result<(), Refusal> {
        let taken = self.judge(bytes, from, now_ms);
        self.0.metrics.beacon(taken.err());
        taken
    }

    fn judge(&self, bytes: &[u8], from: IpAddr, now_ms: i64) -> Result<(), Refusal> {
        if !self.0.rates.take(asker(from), Instant::now()) {
            return Err(Refusal::TooOften);
        }
        let beacon = Beacon::read(bytes).ok_or(Refusal::Malformed)?;
        if beacon.r > self.0.sample_max {
            return Err(Refusal::Impossible);
        }
        self.aggregate().take(&beacon, now_ms)
    }

    /// The figures of the last ten seconds.
    #[must_use]
    pub fn last(&self) -> Arc<Tick> {
        Arc::clone(&self.0.last.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Hears of figures as they come.
    #[must_use]
    pub fn ticks(&self) -> broadcast::Receiver<Arc<Tick>> {
        self.0.ticks.subscribe()
    }

    fn aggregate(&self) -> MutexGuard<'_, Aggregate> {
        // A panic in the middle of adding up leaves figures that are a report short.
        self.0
            .aggregate
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
