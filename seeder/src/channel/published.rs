//! How long it takes from a segment's being there to viewers' knowing of it.

use std::sync::Arc;

use super::Channel;
use super::follow::clock::own_ms;
use crate::origin::Source;

/// Times that are longer ago are no times of publication: a programme that is shown again has its first dates.
const PUBLISHED_MS_MAX: i64 = 120_000;

impl Channel {
    /// A live segment has come and is announced.
    pub(super) fn note_announced(&self, source: &Arc<Source>) {
        // What was there when the channel began tells how much there was, not how quick we are.
        if source.is_from_before() {
            return;
        }
        let since_listed = source.listed_at.elapsed();
        self.metrics
            .announce_seconds
            .observe(since_listed.as_secs_f64());
        // Clocks that are a little apart may make it negative.
        let since_ms = source
            .published_ms()
            .map(|at_ms| own_ms().saturating_sub(at_ms).max(0));
        if let Some(since_ms) = since_ms.filter(|it| *it <= PUBLISHED_MS_MAX) {
            self.metrics
                .publish_seconds
                .observe(since_ms as f64 / 1_000.0);
        }
    }
}
