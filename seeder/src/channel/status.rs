//! What an operator can see of the channels.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::health::Health;
use crate::config::Channel;
use crate::metrics::ChannelMetrics;

/// One channel, as far as others than itself may look.
#[derive(Debug)]
pub(crate) struct Status {
    name: String,
    manifest: String,
    pub(crate) health: Arc<Health>,
    pub(crate) metrics: ChannelMetrics,
    is_live: AtomicBool,
    streams: AtomicUsize,
    swarms: AtomicUsize,
}

impl Status {
    pub(crate) fn new(channel: &Channel, metrics: ChannelMetrics) -> Self {
        Self {
            name: channel.name.clone(),
            manifest: channel.manifest.without_query(),
            health: Arc::new(Health::new(channel.name.clone())),
            metrics,
            is_live: AtomicBool::new(false),
            streams: AtomicUsize::new(0),
            swarms: AtomicUsize::new(0),
        }
    }

    /// How many streams are seeded, in how many swarms; none while it is not known.
    pub(super) fn seeds(&self, streams: usize, swarms: usize, is_live: bool) {
        self.streams.store(streams, Ordering::Relaxed);
        self.swarms.store(swarms, Ordering::Relaxed);
        self.is_live.store(is_live, Ordering::Relaxed);
        let is_up = swarms > 0 && self.health.reason().is_none();
        self.metrics.up.set(i64::from(is_up));
    }

    /// Addresses are without their queries, which carry tokens.
    pub(crate) fn json(&self) -> Value {
        let reason = self.health.reason();
        let swarms = self.swarms.load(Ordering::Relaxed);
        let state = match (&reason, swarms) {
            (Some(_), _) => "broken",
            (None, 0) => "starting",
            (None, _) => "seeding",
        };
        let metrics = &self.metrics;
        json!({
            "name": self.name,
            "manifest": self.manifest,
            "state": state,
            "reason": reason,
            "live": self.is_live.load(Ordering::Relaxed),
            "streams": self.streams.load(Ordering::Relaxed),
            "swarms": swarms,
            "viewers": metrics.viewers.get(),
            "connections": metrics.peers.get(),
            "origin_bytes": metrics.fetched_bytes.get(),
            "peer_bytes": metrics.uploaded_bytes.get(),
            "cached_segments": metrics.segments.get(),
            "cached_bytes": metrics.cached_bytes.get(),
            "fetch_failures": metrics.fetch_failures.get(),
            "manifest_failures": metrics.manifest_failures.get(),
        })
    }
}
