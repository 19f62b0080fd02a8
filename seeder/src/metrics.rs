//! What the seeder counts, by channel.

use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry,
};

/// Bounds of times in seconds: from a fetch on the same machine to the deadline of one.
const SECONDS: [f64; 13] = [
    0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0,
];

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
    cache_hits: IntCounterVec,
    cache_misses: IntCounterVec,
    cache_evictions: IntCounterVec,
    disk_hits: IntCounterVec,
    shield_requests: IntCounterVec,
    shield_hits: IntCounterVec,
    shield_bytes: IntCounterVec,
    pub(crate) disk_bytes: IntGauge,
    up: IntGaugeVec,
    uploads: IntGaugeVec,
    upload_queue_bytes: IntGaugeVec,
    fetch_seconds: HistogramVec,
    announce_seconds: HistogramVec,
    publish_seconds: HistogramVec,
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
    pub(crate) cache_hits: IntCounter,
    pub(crate) cache_misses: IntCounter,
    pub(crate) cache_evictions: IntCounter,
    pub(crate) disk_hits: IntCounter,
    pub(crate) shield_requests: IntCounter,
    pub(crate) shield_hits: IntCounter,
    pub(crate) shield_bytes: IntCounter,
    pub(crate) up: IntGauge,
    pub(crate) uploads: IntGauge,
    pub(crate) upload_queue_bytes: IntGauge,
    pub(crate) fetch_seconds: Histogram,
    pub(crate) announce_seconds: Histogram,
    pub(crate) publish_seconds: Histogram,
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
        let disk_bytes = IntGauge::new("beekeepr_seeder_disk_bytes", "Bytes of segments on disk.")?;
        registry.register(Box::new(disk_bytes.clone()))?;
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
            segments: gauge(
                "cached_segments",
                "Segments in memory that are served to viewers; those that several channels serve count for each.",
            )?,
            cached_bytes: gauge(
                "cached_bytes",
                "Bytes of segments in memory or being fetched; those that several channels serve count for one of them.",
            )?,
            cache_hits: counter(
                "cache_hits_total",
                "Segments asked for by viewers or players that were in memory.",
            )?,
            cache_misses: counter(
                "cache_misses_total",
                "Segments asked for by viewers or players that were not in memory.",
            )?,
            cache_evictions: counter(
                "cache_evictions_total",
                "Segments that left memory to make room for others.",
            )?,
            disk_hits: counter(
                "disk_hits_total",
                "Segments that came from the disk instead of the origin.",
            )?,
            shield_requests: counter(
                "shield_requests_total",
                "Requests of players to the origin shield.",
            )?,
            shield_hits: counter(
                "shield_hits_total",
                "Requests to the origin shield that were answered without asking the origin.",
            )?,
            shield_bytes: counter(
                "shield_bytes_total",
                "Bytes of bodies that the origin shield answered with.",
            )?,
            disk_bytes,
            up: gauge(
                "channel_up",
                "1 while the channel is seeded, 0 while it is broken or has not begun.",
            )?,
            uploads: gauge("uploads", "Segments that are being sent to viewers.")?,
            upload_queue_bytes: gauge(
                "upload_queue_bytes",
                "Bytes handed to connections that have not left yet.",
            )?,
            fetch_seconds: seconds(
                "fetch_seconds",
                "Time to fetch a segment from the origin, all tries included.",
            )?,
            publish_seconds: seconds(
                "publish_seconds",
                "Live: time from the moment at which the origin had a segment, as far as the manifest or the server \
                 tells it, to viewers being told that it is here.",
            )?,
            announce_seconds: seconds(
                "announce_seconds",
                "Live: time from a manifest that lists a segment to viewers being told that it is here.",
            )?,
        })
    }

    /// The channel is gone, and its series with it.
    pub(crate) fn forget(&self, name: &str) {
        // What a name has no series of needs none taken away.
        for counters in [
            &self.fetched_bytes,
            &self.uploaded_bytes,
            &self.fetch_failures,
            &self.manifest_failures,
            &self.cache_hits,
            &self.cache_misses,
            &self.cache_evictions,
            &self.disk_hits,
            &self.shield_requests,
            &self.shield_hits,
            &self.shield_bytes,
        ] {
            let _ = counters.remove_label_values(&[name]);
        }
        for gauges in [
            &self.peers,
            &self.viewers,
            &self.segments,
            &self.cached_bytes,
            &self.up,
            &self.uploads,
            &self.upload_queue_bytes,
        ] {
            let _ = gauges.remove_label_values(&[name]);
        }
        for times in [
            &self.fetch_seconds,
            &self.announce_seconds,
            &self.publish_seconds,
        ] {
            let _ = times.remove_label_values(&[name]);
        }
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
            cache_hits: self.cache_hits.with_label_values(&[name]),
            cache_misses: self.cache_misses.with_label_values(&[name]),
            cache_evictions: self.cache_evictions.with_label_values(&[name]),
            disk_hits: self.disk_hits.with_label_values(&[name]),
            shield_requests: self.shield_requests.with_label_values(&[name]),
            shield_hits: self.shield_hits.with_label_values(&[name]),
            shield_bytes: self.shield_bytes.with_label_values(&[name]),
            up: self.up.with_label_values(&[name]),
            uploads: self.uploads.with_label_values(&[name]),
            upload_queue_bytes: self.upload_queue_bytes.with_label_values(&[name]),
            fetch_seconds: self.fetch_seconds.with_label_values(&[name]),
            announce_seconds: self.announce_seconds.with_label_values(&[name]),
            publish_seconds: self.publish_seconds.with_label_values(&[name]),
        }
    }
}
