//! Whether one more segment, or one more viewer, can be served in good time.
//!
//! Whoever gets bytes more slowly than HTTP would bring them is worse off than with nothing: he waits
//! before he asks elsewhere. So what cannot be served well is answered "absent", at once.

use beekeepr_model::Time;

use crate::Engine;
use crate::api::SegmentKey;
use crate::limits;
use crate::peer::Peer;
use crate::rate::transfer_ms;

/// How a super-peer copes with what is asked of it.
#[derive(Debug, Default)]
pub(crate) struct Load {
    /// Most uploads at a time; none is known while everything goes well.
    uploads_max: Option<u32>,
    /// When the most uploads were last lowered.
    lowered_at: Time,
    /// Requests refused since the shell last asked what is wanted.
    pub(crate) refused_lately: u32,
    /// Requests in the time that runs, and in the one before.
    window: Window,
    before: Window,
}

#[derive(Clone, Copy, Debug, Default)]
struct Window {
    since: Time,
    asked: u32,
    refused: u32,
}

impl Load {
    fn answered(&mut self, refused: bool, now: Time) {
        self.turn_windows(now);
        self.window.asked += 1;
        self.window.refused += u32::from(refused);
        self.refused_lately += u32::from(refused);
    }

    fn turn_windows(&mut self, now: Time) {
        let passed = now.since_ms(self.window.since);
        if passed < limits::REFUSALS_WINDOW_MS {
            return;
        }
        self.before = match passed < 2 * limits::REFUSALS_WINDOW_MS {
            true => self.window,
            false => Window::default(),
        };
        self.window = Window {
            since: now,
            ..Window::default()
        };
    }

    /// Whether most requests of the last seconds had to be refused.
    fn is_full(&mut self, now: Time) -> bool {
        self.turn_windows(now);
        let asked = self.window.asked + self.before.asked;
        let refused = self.window.refused + self.before.refused;
        asked >= limits::REFUSALS_JUDGED_FROM && 2 * refused > asked
    }

    /// Lowers the most uploads when nearly all are slow, raises it step by step when they are not.
    fn adapt(&mut self, running: u32, is_slow: bool, now: Time) {
        let rested = now.since_ms(self.lowered_at) >= limits::LOAD_SETTLES_MS;
        match self.uploads_max {
            _ if is_slow => {
                if rested {
                    self.uploads_max = Some((running / 4 * 3).max(limits::LOADED_UPLOADS_MIN));
                    self.lowered_at = now;
                }
            }
            Some(max) if rested => {
                let max = max + (max / 16).max(1);
                self.uploads_max =
                    (max < 2 * running.max(limits::LOADED_UPLOADS_MIN)).then_some(max);
            }
            Some(_) | None => {}
        }
    }
}

/// What is under way to all peers.
#[derive(Clone, Copy, Debug, Default)]
struct Backlog {
    uploads: u32,
    /// Bytes promised and not yet sent, and in the channels' buffers.
    bytes: u64,
}

impl Engine {
    /// Whether one more upload can end in good time.
    pub(crate) fn has_upload_slot(&mut self, key: SegmentKey, offset: u64) -> bool {
        if !self.is_super_peer() {
            return self.viewer_has_slot(key);
        }
        let admitted = self.super_peer_has_slot(key, offset);
        self.load.answered(!admitted, self.now);
        admitted
    }

    /// A viewer sends to a few at a time.
    fn viewer_has_slot(&self, key: SegmentKey) -> bool {
        let backlog = self.backlog();
        let bytes = backlog.bytes + self.usual_bytes(key);
        let bps = match self.config.upload_bps_max {
            0 => self.uplink.peak_bps,
            limit => limit,
        };
        let slow = bps > 0 && transfer_ms(bytes, bps) > self.patience_ms(key);
        backlog.uploads < self.config.uploads_max
            && (backlog.uploads < limits::UPLOADS_MIN || !slow)
    }

    /// A super-peer serves whoever is connected, as long as its limit and its machine allow it.
    fn super_peer_has_slot(&self, key: SegmentKey, offset: u64) -> bool {
        let bps = self.config.upload_bps_max;
        if bps == 0 && self.load.uploads_max.is_none() {
            return true;
        }
        let backlog = self.backlog();
        if self
            .load
            .uploads_max
            .is_some_and(|max| backlog.uploads >= max)
        {
            return false;
        }
        let known = self.segment(key).and_then(|segment| segment.total);
        let whole = known.unwrap_or_else(|| self.usual_bytes(key));
        let bytes = backlog.bytes + whole.saturating_sub(offset);
        // One copy of a new segment soon makes many; half of the time is kept for those.
        let patience = match self.is_newest(key) {
            true => self.patience_ms(key),
            false => self.patience_ms(key) / 2,
        };
        bps == 0 || transfer_ms(bytes, bps) <= patience
    }

    /// Whether a segment is one of those that few viewers have yet. On demand all count the same.
    fn is_newest(&self, key: SegmentKey) -> bool {
        let stream = self.streams.get(&key.stream);
        stream.is_some_and(|stream| {
            let mut newest = stream.listed.keys().rev().take(limits::NEWEST_SEGMENTS);
            !stream.live || newest.any(|&id| id == key.id)
        })
    }

    fn patience_ms(&self, key: SegmentKey) -> u64 {
        let stream = self.streams.get(&key.stream);
        let duration_ms = stream.map_or(0, |stream| stream.duration_ms(key.id));
        duration_ms.max(limits::UPLOAD_MS_MIN)
    }

    fn backlog(&self) -> Backlog {
        let mut backlog = Backlog::default();
        for (_, peer) in self.conns.values().filter_map(|conn| conn.peer()) {
            backlog.bytes += u64::from(peer.waiting_bytes());
            if let Some(upload) = &peer.upload {
                backlog.uploads += 1;
                backlog.bytes += upload.missing();
            }
        }
        backlog
    }

    /// Looks whether bytes still leave quickly. One viewer may have a slow line; when nearly all have,
    /// it is our line or our processor.
    pub(crate) fn watch_load(&mut self) {
        let now = self.now;
        let is_slow = |peer: &&Peer| peer.drain_ms(now) >= limits::LOADED_DRAIN_MS;
        let peers = self.conns.values().filter_map(|conn| Some(conn.peer()?.1));
        let served: Vec<&Peer> = peers
            .filter(|peer| peer.upload.is_some() || peer.waiting_bytes() > 0)
            .collect();
        let slow = served.iter().copied().filter(|peer| is_slow(peer)).count();
        let is_slow = served.len() >= limits::LOAD_JUDGED_FROM && 4 * slow >= 3 * served.len();
        let running = served.len() as u32;
        self.load.adapt(running, is_slow, now);
    }

    /// Whether a new viewer would only make all others slower.
    pub(crate) fn refuses_viewers(&mut self) -> bool {
        self.is_super_peer() && self.load.is_full(self.now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearly_all_slow_lowers_the_uploads_and_quick_ones_raise_them_again() {
        let mut load = Load::default();
        let at = |step: u64| Time::from_ms(10_000 + step * limits::LOAD_SETTLES_MS);
        load.adapt(100, true, at(0));
        assert_eq!(load.uploads_max, Some(75));
        // What was lowered takes a while to show.
        load.adapt(100, true, at(0) + 1);
        assert_eq!(load.uploads_max, Some(75));
        load.adapt(75, true, at(1));
        assert_eq!(load.uploads_max, Some(54));
        load.adapt(54, false, at(2));
        assert_eq!(load.uploads_max, Some(57));
        let steps: Vec<_> = (3..40)
            .map(|step| {
                load.adapt(57, false, at(step));
                load.uploads_max
            })
            .collect();
        assert_eq!(steps.last(), Some(&None));
    }

    #[test]
    fn most_requests_refused_is_full_and_it_is_forgotten() {
        let mut load = Load::default();
        let now = Time::from_ms(50_000);
        for request in 0..20 {
            load.answered(request % 3 != 0, now);
        }
        assert!(load.is_full(now));
        assert!(!load.is_full(now + 2 * limits::REFUSALS_WINDOW_MS));
    }
}
