//! The end of the process, without cutting viewers off in the middle of a segment.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::Channel;

/// After the last upload, for what is still in the sockets: 64 KiB to a viewer at 1 Mbit/s.
const LAST_BYTES: Duration = Duration::from_millis(500);
/// Between two looks at whether the uploads are done.
const LOOK: Duration = Duration::from_millis(50);

/// A drain that has begun.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drain {
    /// No upload is waited for after this.
    until: Instant,
    /// Since when there has been none. Never before there was one: then there is nothing to wait for.
    idle_since: Option<Instant>,
    look_at: Instant,
}

impl Channel {
    /// Leaves the swarms on the trackers, takes on nothing new, and finishes what is being sent.
    pub(super) fn begin_drain(&mut self) {
        let now = Instant::now();
        let patience = Duration::from_secs(self.common.config.drain_s.into());
        self.drain = Some(Drain {
            until: now + patience,
            idle_since: None,
            look_at: now,
        });
        let time = self.now();
        for peer in &mut self.peers {
            peer.engine.drain(time);
        }
        self.act_all();
        if self.uploads() == 0 {
            self.drain = self.drain.map(|drain| Drain {
                until: now,
                ..drain
            });
        }
    }

    /// Whether there is nothing left to wait for.
    pub(super) fn is_drained(&mut self) -> bool {
        if self.drain.is_none() {
            return false;
        }
        let uploads = self.uploads();
        let Some(drain) = &mut self.drain else {
            return false;
        };
        let now = Instant::now();
        drain.look_at = now + LOOK;
        drain.idle_since = match uploads {
            0 => drain.idle_since.or(Some(now)),
            _ => None,
        };
        let is_idle = drain
            .idle_since
            .is_some_and(|since| now >= since + LAST_BYTES);
        is_idle || now >= drain.until
    }

    /// When to look again; never while there is no drain.
    pub(super) async fn drain_look(drain: Option<Drain>) {
        match drain {
            Some(drain) => sleep_until(drain.look_at).await,
            None => std::future::pending().await,
        }
    }

    /// What an operator sees of the uploads, a few times a second at most.
    pub(super) fn note_uploads(&self) {
        let engines = self.peers.iter().map(|peer| &peer.engine);
        let queued: u64 = engines
            .map(beekeepr_engine::Engine::upload_queue_bytes)
            .sum();
        self.metrics.uploads.set(self.uploads() as i64);
        self.metrics.upload_queue_bytes.set(queued as i64);
    }

    /// Segments that are being sent to viewers.
    pub(super) fn uploads(&self) -> usize {
        let engines = self.peers.iter().map(|peer| &peer.engine);
        engines.map(beekeepr_engine::Engine::uploads).sum()
    }
}
