//! What the player asks for and what it will ask for next, and how long each can wait.

use beekeepr_model::Time;

use crate::Engine;
use crate::api::{SegmentKey, StreamKey};
use crate::limits;
use crate::rate::product;
use crate::stream::{Listed, Progress, Segment, Stream};

/// A segment that is worth loading.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Need {
    pub(crate) key: SegmentKey,
    /// Milliseconds until it is played.
    pub(crate) until_ms: i64,
    /// How long it can wait before HTTP has to begin, below 0 when it should have begun.
    pub(crate) slack_ms: i64,
    /// How long HTTP will take for what is missing.
    pub(crate) work_ms: i64,
    /// How much earlier HTTP begins for caution's sake.
    caution_ms: i64,
    /// Since when the player asks for it.
    pub(crate) wanted_since: Option<Time>,
}

impl Need {
    pub(crate) fn is_urgent(&self) -> bool {
        self.slack_ms <= 0
    }

    /// Until it has to be there.
    pub(crate) fn room_ms(&self) -> i64 {
        self.until_ms.saturating_sub(limits::DECODE_MARGIN_MS)
    }
}

impl Engine {
    /// All needs, in the order in which they are played.
    pub(crate) fn needs(&self) -> Vec<Need> {
        let mut needs = Vec::new();
        for (&key, stream) in self.streams.iter() {
            self.add_wanted(key, stream, &mut needs);
            if self.is_in_use(stream) {
                self.add_ahead(key, stream, &mut needs);
            }
        }
        self.set_slack(&mut needs);
        needs
    }

    /// When the player last asked for a segment of any stream.
    pub(crate) fn last_wanted(&self) -> Option<Time> {
        let wanted = self
            .streams
            .values()
            .filter_map(|stream| stream.last_wanted);
        wanted.max()
    }

    /// Whether the player still takes segments of a stream: not after it switched to another one.
    pub(crate) fn is_in_use(&self, stream: &Stream) -> bool {
        let (Some(wanted), Some(latest)) = (stream.last_wanted, self.last_wanted()) else {
            return false;
        };
        let duration = stream.listed.values().next();
        let duration_ms = duration.map_or(0, |listed| listed.duration_ms);
        let patience = limits::STREAM_USE_SEGMENTS * duration_ms;
        latest.since_ms(wanted) <= patience.max(limits::STREAM_USE_MS_MIN)
    }

    fn add_wanted(&self, key: StreamKey, stream: &Stream, needs: &mut Vec<Need>) {
        for (&id, segment) in stream.segments.iter() {
            if segment.wanted_since.is_some() && segment.progress == Progress::Partial {
                let unlisted = Listed {
                    start_ms: i64::MIN,
                    duration_ms: 0,
                };
                let listed = stream.listed.get(&id).unwrap_or(&unlisted);
                self.add(SegmentKey { stream: key, id }, stream, listed, needs);
            }
        }
    }

    /// Segments ahead of the playhead that the player has not asked for yet.
    fn add_ahead(&self, key: StreamKey, stream: &Stream, needs: &mut Vec<Need>) {
        if self.playhead.position_ms(self.now).is_none() || self.config.p2p_disabled {
            return;
        }
        let window_ms = self.config.p2p_window_ms.max(self.config.http_window_ms) as i64;
        for (&id, listed) in stream.listed.iter() {
            let until_ms = self.playhead.until_ms(listed.start_ms, self.now);
            if until_ms > window_ms {
                break;
            }
            let (open, runs) = match stream.segments.get(&id) {
                None => (true, false),
                Some(segment) => (
                    segment.progress == Progress::Partial && segment.wanted_since.is_none(),
                    segment.transfer.is_some(),
                ),
            };
            // What runs goes on while the playhead is in it; what is new needs memory.
            let starts = until_ms > 0 && !self.full;
            let goes_on = runs && until_ms.saturating_add_unsigned(listed.duration_ms) > 0;
            if open && (starts || goes_on) {
                self.add(SegmentKey { stream: key, id }, stream, listed, needs);
            }
        }
    }

    fn add(&self, key: SegmentKey, stream: &Stream, listed: &Listed, needs: &mut Vec<Need>) {
        let segment = stream.segments.get(&key.id);
        let until_ms = self.playhead.until_ms(listed.start_ms, self.now);
        let reserve_ms = if stream.live {
            0
        } else {
            limits::ON_DEMAND_RESERVE_MS
        };
        let window_ms = (self.config.urgent_window_ms as i64).saturating_add(reserve_ms);
        let work_ms = self.http_work_ms(key, segment, listed.duration_ms);
        let need = Need {
            key,
            until_ms,
            slack_ms: until_ms.saturating_sub(window_ms),
            work_ms: work_ms as i64,
            caution_ms: caution_ms(work_ms, listed.duration_ms) as i64,
            wanted_since: segment.and_then(|segment| segment.wanted_since),
        };
        let place = needs.partition_point(|known| (known.until_ms, known.key) < (until_ms, key));
        needs.insert(place, need);
    }

    /// How long HTTP will take for what is missing of a segment.
    fn http_work_ms(&self, key: SegmentKey, segment: Option<&Segment>, duration_ms: u64) -> u64 {
        let loaded = segment.map_or(0, |segment| segment.loaded);
        let known = segment.and_then(|segment| segment.total);
        let total = known.unwrap_or_else(|| self.usual_bytes(key));
        let measured = match total {
            0 => None,
            total => self
                .http_rate
                .time_ms(total.saturating_sub(loaded), self.now),
        };
        measured.unwrap_or((duration_ms / 2).min(limits::HTTP_GUESS_MS_MAX))
    }

    /// HTTP brings one after the other: each has to begin so early that those behind it come in time
    /// as well.
    fn set_slack(&self, needs: &mut [Need]) {
        let horizon = needs.first().map_or(0, |first| first.until_ms.max(0));
        let horizon = horizon.saturating_add(limits::HTTP_HORIZON_MS);
        let mut latest_ms = i64::MAX;
        for need in needs.iter_mut().rev() {
            if need.until_ms <= horizon {
                latest_ms = need.room_ms().min(latest_ms).saturating_sub(need.work_ms);
                need.slack_ms = need.slack_ms.min(latest_ms.saturating_sub(need.caution_ms));
            }
        }
    }
}

/// The next response may be half as quick, so HTTP begins its own time earlier. Where it hardly keeps up
/// with playback a buffer that was lost does not come back: there it begins up to three times as early.
fn caution_ms(work_ms: u64, duration_ms: u64) -> u64 {
    work_ms.saturating_add(2 * (product(work_ms, work_ms) / duration_ms.max(1)))
}
