//! What the seeder counts, by channel.

use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

/// The seeder's metrics, `beekeepr_seeder_*`.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    fetched_bytes: IntCounterVec,
    uploaded_bytes: IntCounterVec,
    fetch_failures: IntCounterVec,
    manifest_failures: IntCounterVec,
    peers: IntGaugeVec,
    segments: IntGaugeVec,
}

/// Those of one channel.
#[derive(Clone, Debug)]
pub(crate) struct ChannelMetrics {
    pub(crate) fetched_bytes: IntCounter,
    pub(crate) uploaded_bytes: IntCounter,
    pub(crate) fetch_failures: IntCounter,
    pub(crate) manifest_failures: IntCounter,
    pub(crate) peers: IntGauge,
    pub(crate) segments: IntGauge,
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
            segments: gauge("cached_segments", "Segments in memory.")?,
        })
    }

    pub(crate) fn channel(&self, name: &str) -> ChannelMetrics {
        ChannelMetrics {
            fetched_bytes: self.fetched_bytes.with_label_values(&[name]),
            uploaded_bytes: self.uploaded_bytes.with_label_values(&[name]),
            fetch_failures: self.fetch_failures.with_label_values(&[name]),
            manifest_failures: self.manifest_failures.with_label_values(&[name]),
            peers: self.peers.with_label_values(&[name]),
            segments: self.segments.with_label_values(&[name]),
        }
    }
}
