//! What control counts, `beekeepr_control_*`: the dashboard's figures, and how it is itself.

use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

use crate::beacons::Refusal;
use crate::store::Sample;

/// Control's metrics.
#[derive(Clone, Debug)]
pub struct Metrics {
    requests: IntCounterVec,
    beacons: IntCounterVec,
    bytes: IntCounterVec,
    stalls: IntCounterVec,
    viewers: IntGaugeVec,
    sessions: IntGauge,
    pending: IntGauge,
    failures: IntCounter,
}

impl Metrics {
    /// Registers them.
    ///
    /// # Errors
    /// Metrics of these names are registered already.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let opts = |name: &str, help: &str| Opts::new(format!("beekeepr_control_{name}"), help);
        let counters = |name, help, labels: &[&str]| {
            let metric = IntCounterVec::new(opts(name, help), labels)?;
            registry.register(Box::new(metric.clone()))?;
            Ok::<_, prometheus::Error>(metric)
        };
        let gauge = |name, help| {
            let metric = IntGauge::with_opts(opts(name, help))?;
            registry.register(Box::new(metric.clone()))?;
            Ok::<_, prometheus::Error>(metric)
        };
        let viewers = IntGaugeVec::new(
            opts("viewers", "Viewers now, as they report."),
            &["channel"],
        )?;
        registry.register(Box::new(viewers.clone()))?;
        let failures = IntCounter::with_opts(opts(
            "store_failures_total",
            "Times that statistics could not be written.",
        ))?;
        registry.register(Box::new(failures.clone()))?;
        let metrics = Self {
            requests: counters("requests_total", "Requests to the admin API.", &["status"])?,
            beacons: counters(
                "beacons_total",
                "Reports of viewers, by what came of them.",
                &["outcome"],
            )?,
            bytes: counters(
                "viewer_bytes_total",
                "Bytes that viewers report, by where they came from or went to.",
                &["channel", "source"],
            )?,
            stalls: counters(
                "stalls_total",
                "Times that playback stood still.",
                &["channel"],
            )?,
            viewers,
            sessions: gauge("sessions", "Viewers' sessions that are remembered.")?,
            pending: gauge(
                "pending_ticks",
                "Spans of ten seconds that wait to be written.",
            )?,
            failures,
        };
        for outcome in Refusal::ALL
            .map(Refusal::as_str)
            .into_iter()
            .chain(["counted"])
        {
            metrics.beacons.with_label_values(&[outcome]);
        }
        for status in ["2xx", "3xx", "4xx", "5xx"] {
            metrics.requests.with_label_values(&[status]);
        }
        Ok(metrics)
    }

    /// A request was answered.
    pub(crate) fn request(&self, status: u16) {
        let class = match status {
            ..=299 => "2xx",
            300..=399 => "3xx",
            400..=499 => "4xx",
            500.. => "5xx",
        };
        self.requests.with_label_values(&[class]).inc();
    }

    /// A report came.
    pub(crate) fn beacon(&self, refusal: Option<Refusal>) {
        let outcome = refusal.map_or("counted", Refusal::as_str);
        self.beacons.with_label_values(&[outcome]).inc();
    }

    /// Ten seconds are over.
    pub(crate) fn tick(&self, samples: &[Sample], sessions: usize) {
        self.sessions
            .set(i64::try_from(sessions).unwrap_or(i64::MAX));
        // A channel that is gone has no viewers.
        self.viewers.reset();
        for Sample {
            channel, counters, ..
        } in samples
        {
            self.viewers
                .with_label_values(&[channel])
                .set(counters.viewers_max);
            for (source, bytes) in [
                ("http", counters.http_bytes),
                ("peers", counters.peer_bytes),
                ("super_peers", counters.super_peer_bytes),
                ("uploaded", counters.uploaded_bytes),
                ("unproven", counters.unproven_bytes),
            ] {
                let bytes = u64::try_from(bytes).unwrap_or_default();
                self.bytes
                    .with_label_values(&[channel, source])
                    .inc_by(bytes);
            }
            let stalls = u64::try_from(counters.stalls).unwrap_or_default();
            self.stalls.with_label_values(&[channel]).inc_by(stalls);
        }
    }

    /// Statistics were written, or not.
    pub(crate) fn flush(&self, is_written: bool, pending: usize) {
        self.pending.set(i64::try_from(pending).unwrap_or(i64::MAX));
        if !is_written {
            self.failures.inc();
        }
    }
}
