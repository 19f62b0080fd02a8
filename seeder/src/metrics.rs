//! What the seeder counts, by channel.

use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry,
};

/// Bounds of times in seconds: from a fetch on the same machine to the deadline of one.
const SECONDS: [f64; 11] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0];

/// The seeder's metrics, `beekeepr_seeder_*`.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    fetched_bytes: IntCounterVec,
    uploaded_bytes: IntCounterVec,
    fetch_failures: IntCounterVec,
    manifest_failures: IntCounterVec,
    peers: IntGaugeVec,
    viewers: IntGaugeVec,
    segments: IntGaugeVec,
    cached_bytes: IntGaugeVec,
    up: IntGaugeVec,
    fetch_seconds: HistogramVec,
    announce_seconds: HistogramVec,
}

/// Those of one channel.
#[derive(Clone, Debug)]
pub(crate) struct ChannelMetrics {
    pub(crate) fetched_bytes: IntCounter,
    pub(crate) uploaded_bytes: IntCounter,
    pub(crate) fetch_failures: IntCounter,
    pub(crate) manifest_failures: IntCounter,
    pub(crate) peers: IntGauge,
    pub(crate) viewers: IntGauge,
    pub(crate) segments: IntGauge,
    pub(crate) cached_bytes: IntGauge,
    pub(crate) up: IntGauge,
    pub(crate) fetch_seconds: Histogram,
    pub(crate) announce_seconds: Histogram,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let counter = |name: &str, help: &str| {
            let opts = Opts::new(format!("beekeepr_seeder_{name}"), help);
            let metric = IntCounterVec::new(opts, &["channel"])?;
            registry.register(Box::new(metric.clone()))?;
            Ok::<_, prometheus::Error>(metric)
        };
        let gauge = |name: &str, help: &str| {
            let opts = Opts::new(format!("beekeepr_seeder_{name}"), help);
            let metric = IntGaugeVec::new(opts, &["channel"])?;
            registry.register(Box::new(metric.clone()))?;
            Ok::<_, prometheus::Error>(metric)
        };
        let seconds = |name: &str, help: &str| {
            let opts = HistogramOpts::new(format!("beekeepr_seeder_{name}"), help);
            let metric = HistogramVec::new(opts.buckets(SECONDS.to_vec()), &["channel"])?;
            registry.register(Box::new(metric.clone()))?;
            Ok::<_, prometheus::Error>(metric)
        };
        Ok(Self {
            fetched_bytes: counter(
                "fetched_bytes_total",
                "Bytes of segments that came from the origin.",
            )?,
            uploaded_bytes: counter(
                "uploaded_bytes_total",
                "Bytes of segments that were sent to viewers.",
            )?,
            fetch_failures: counter(
                "fetch_failures_total",
                "Segments that the origin did not give after all tries.",
            )?,
            manifest_failures: counter(
                "manifest_failures_total",
                "Manifests that could not be loaded or read.",
            )?,
            peers: gauge(
                "peers",
                "Open connections to viewers; one viewer has several.",
            )?,
            viewers: gauge(
                "viewers",
                "Viewers with a connection, counted in each swarm they are in.",
            )?,
            segments: gauge("cached_segments", "Segments in memory.")?,
            cached_bytes: gauge("cached_bytes", "Bytes of the segments in memory.")?,
            up: gauge(
                "channel_up",
                "1 while the channel is seeded, 0 while it is broken or has not begun.",
            )?,
            fetch_seconds: seconds(
                "fetch_seconds",
                "Time to fetch a segment from the origin, all tries included.",
            )?,
            announce_seconds: seconds(
                "announce_seconds",
                "Live: time from a manifest that lists a segment to viewers being told that it is here.",
            )?,
        })
    }

    pub(crate) fn channel(&self, name: &str) -> ChannelMetrics {
        ChannelMetrics {
            fetched_bytes: self.fetched_bytes.with_label_values(&[name]),
            uploaded_bytes: self.uploaded_bytes.with_label_values(&[name]),
            fetch_failures: self.fetch_failures.with_label_values(&[name]),
            manifest_failures: self.manifest_failures.with_label_values(&[name]),
            peers: self.peers.with_label_values(&[name]),
            viewers: self.viewers.with_label_values(&[name]),
            segments: self.segments.with_label_values(&[name]),
            cached_bytes: self.cached_bytes.with_label_values(&[name]),
            up: self.up.with_label_values(&[name]),
            fetch_seconds: self.fetch_seconds.with_label_values(&[name]),
            announce_seconds: self.announce_seconds.with_label_values(&[name]),
        }
    }
}
