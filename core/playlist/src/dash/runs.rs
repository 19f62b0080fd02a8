//! Which segments a Representation has in a Period at a time.

use super::address::{Entry, Source, Times};
use super::listing::{Edge, Part};
use super::scalar;

/// A segment that begins so near to the end of its Period, in seconds, is an error of rounding.
const SLACK_SECONDS: f64 = 1e-6;

/// Segments of the same duration one after another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Run {
    /// The number of the first one.
    pub(super) number: u64,
    /// The media time at which it begins.
    pub(super) time: u64,
    /// What mpd-parser takes for that time: it does not go back where an entry overlaps those before.
    pub(super) time_v3: u64,
    /// At least 1.
    pub(super) duration: u64,
    pub(super) count: u64,
}

impl Run {
    /// One past its last number and the media times at which it has ended; `None` beyond all bounds.
    fn end(self) -> Option<(u64, u64, u64)> {
        let length = self.count.checked_mul(self.duration)?;
        let (time, time_v3) = (
            self.time.checked_add(length)?,
            self.time_v3.checked_add(length)?,
        );
        Some((self.number.checked_add(self.count)?, time, time_v3))
    }

    /// Without the first ones, and with at most `end` of all.
    fn cut(self, first: u64, end: u64) -> Option<Self> {
        let length = first.checked_mul(self.duration)?;
        Some(Self {
            number: self.number.checked_add(first)?,
            time: self.time.checked_add(length)?,
            time_v3: self.time_v3.checked_add(length)?,
            duration: self.duration,
            count: self.count.min(end).checked_sub(first)?,
        })
    }
}

impl Part {
    pub(super) fn runs(&self, edge: Option<Edge>) -> Vec<Run> {
        let mut runs = match &self.addressing.times {
            Times::Each(duration) => self.equal(*duration, edge),
            Times::Timeline(entries) => self.timeline(entries, edge),
            Times::Whole => self.whole(),
        };
        if let Some(last) = self.addressing.last_number {
            for run in &mut runs {
                run.count = run
                    .count
                    .min(last.saturating_add(1).saturating_sub(run.number));
            }
        }
        runs.retain(|run| run.count > 0);
        runs
    }

    /// One segment as long as the Period.
    fn whole(&self) -> Vec<Run> {
        let timescale = self.addressing.timescale;
        let seconds = self.end.map_or(0.0, |end| (end - self.start).max(0.0));
        vec![Run {
            number: self.addressing.first_number,
            time: self.addressing.offset,
            time_v3: self.addressing.offset,
            duration: (seconds * timescale as f64) as u64,
            count: 1,
        }]
    }

    /// All segments of a list. Of a template those of the Period, and while it is live those that have ended and not
    /// left the window.
    fn equal(&self, duration: u64, edge: Option<Edge>) -> Vec<Run> {
        let per_segment = duration as f64 / self.addressing.timescale as f64;
        // A last segment shorter than a millionth of the others is an error of rounding.
        let in_period = self.end.map(|end| {
            let count = (end - self.start) / per_segment - SLACK_SECONDS;
            count.ceil().max(0.0) as u64
        });
        let numbered = self.addressing.last_number.map(|last| {
            last.saturating_add(1)
                .saturating_sub(self.addressing.first_number)
        });
        let (first, end) = match (&self.addressing.source, edge) {
            (Source::List(list), _) => (0, list.len() as u64),
            (Source::Template(_) | Source::File(_), Some(edge)) => {
                (self.left(edge, duration), self.ended(edge, duration, 0))
            }
            (Source::Template(_) | Source::File(_), None) => {
                (0, in_period.or(numbered).unwrap_or(0))
            }
        };
        let all = Run {
            number: self.addressing.first_number,
            time: 0,
            time_v3: 0,
            duration,
            count: in_period.unwrap_or(u64::MAX),
        };
        all.cut(first, end).into_iter().collect()
    }

    fn timeline(&self, entries: &[Entry], edge: Option<Edge>) -> Vec<Run> {
        let mut runs = Vec::with_capacity(entries.len());
        let (mut number, mut time, mut time_v3) = (self.addressing.first_number, 0, 0);
        for (index, entry) in entries.iter().enumerate() {
            number = entry.number.unwrap_or(number);
            time = entry.time.unwrap_or(time);
            time_v3 = time.max(time_v3);
            let next = entries.get(index + 1).and_then(|next| next.time);
            let count = match (entry.count, next) {
                (Some(count), _) => count,
                (None, Some(next)) => next.saturating_sub(time).div_ceil(entry.duration),
                (None, None) => self.open_count(time, entry.duration, edge),
            };
            let run = Run {
                number,
                time,
                time_v3,
                duration: entry.duration,
                count,
            };
            runs.extend(self.inside(run, edge));
            match run.end() {
                Some(end) => (number, time, time_v3) = end,
                None => break,
            }
        }
        runs
    }

    /// For how many segments an entry without an end stands: those up to now, or up to the end of the Period.
    fn open_count(&self, time: u64, duration: u64, edge: Option<Edge>) -> u64 {
        let before_end = self
            .end_time()
            .map(|end| end.saturating_sub(time).div_ceil(duration));
        let since = time.saturating_sub(self.addressing.offset);
        let ended = edge.map(|edge| self.ended(edge, duration, since));
        match (before_end, ended) {
            (Some(one), Some(other)) => one.min(other),
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => 0,
        }
    }

    /// The part of a run that is within the Period. Of segments made of chunks only those that have ended.
    fn inside(&self, run: Run, edge: Option<Edge>) -> Option<Run> {
        let offset = self.addressing.offset;
        let before = offset.saturating_sub(run.time) / run.duration;
        let mut end = u64::MAX;
        if let Some(period_end) = self.end_time() {
            end = period_end.saturating_sub(run.time).div_ceil(run.duration);
        }
        if let Some(edge) = edge.filter(|_| !self.early().complete) {
            let since = run.time.saturating_sub(offset);
            end = end.min(self.ended(edge, run.duration, since));
        }
        run.cut(before, end)
    }

    /// The media time at which the Period ends, if that is known.
    fn end_time(&self) -> Option<u64> {
        let length = self.end? - self.start - SLACK_SECONDS;
        let units = (length * self.addressing.timescale as f64).ceil().max(0.0) as u64;
        Some(units.saturating_add(self.addressing.offset))
    }

    /// How many segments of a duration have ended since a time of the media.
    fn ended(&self, edge: Edge, duration: u64, since: u64) -> u64 {
        let early = self.early();
        let early_ms = if early.complete {
            early.seconds * 1_000.0
        } else {
            0.0
        };
        if early_ms.is_infinite() && self.end.is_some() {
            return u64::MAX;
        }
        let early_ms = if early_ms.is_finite() {
            early_ms as i64
        } else {
            0
        };
        let ms = self.elapsed_ms(edge).saturating_add(early_ms);
        self.segments_in(ms, duration, since)
    }

    /// How many segments have left the window.
    fn left(&self, edge: Edge, duration: u64) -> u64 {
        let Some(window_ms) = edge.window_ms.and_then(|ms| i64::try_from(ms).ok()) else {
            return 0;
        };
        let ms = self.elapsed_ms(edge).saturating_sub(window_ms);
        self.segments_in(ms, duration, 0)
    }

    fn elapsed_ms(&self, edge: Edge) -> i64 {
        edge.now_ms.saturating_sub(scalar::ms(self.start) as i64)
    }

    fn segments_in(&self, ms: i64, duration: u64, since: u64) -> u64 {
        let timescale = self.addressing.timescale;
        let ms = u64::try_from(ms).unwrap_or(0);
        // Seconds apart from the rest, so that both fit.
        let units = (ms / 1_000).saturating_mul(timescale);
        let units = units.saturating_add((ms % 1_000).saturating_mul(timescale) / 1_000);
        units.saturating_sub(since) / duration
    }
}
