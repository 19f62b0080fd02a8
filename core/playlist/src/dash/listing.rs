//! From the way segments are addressed to the segments there are at a time.

use std::sync::Arc;

use beekeepr_model::{ByteRange, SegmentId};

use super::address::{Addressing, At, Early, InitAt, Source, Times};
use super::runs::Run;
use super::template::{Values, fill};
use super::{number, scalar};
use crate::{Address, Init, SEGMENTS_MAX, Segment, SegmentIds};

/// How many seconds of p2p-media-loader's numbers up to 4.x are one (shaka `segment-manager.ts`, 2.2.2).
const V2_SECONDS: f64 = 0.5;

/// How many numbers of p2p-media-loader 5.x are a second (`manifest/registry.ts`, 5.0).
const V3_PER_SECOND: f64 = 10.0;

/// A stream's Representation in one Period.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    /// When the Period begins, in seconds of the presentation.
    pub(crate) start: f64,
    /// When it ends, if that is known.
    pub(crate) end: Option<f64>,
    /// Where addresses are relative to; of several each serves.
    pub(crate) bases: Arc<[Base]>,
    pub(crate) representation: String,
    pub(crate) bandwidth: u64,
    pub(crate) addressing: Arc<Addressing>,
}

/// A BaseURL.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Base {
    pub(crate) url: Address,
    pub(crate) early: Early,
}

/// What a live presentation has at a time, in milliseconds since its start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub(crate) now_ms: i64,
    /// How long segments can be had.
    pub(crate) window_ms: Option<u64>,
}

impl Part {
    /// The segments there are at a time; without a time all of them. At most [`SEGMENTS_MAX`], the last ones.
    pub(crate) fn segments(&self, edge: Option<Edge>, mirror: usize) -> Vec<Segment> {
        let runs = self.runs(edge);
        let total = runs
            .iter()
            .fold(0_u64, |sum, run| sum.saturating_add(run.count));
        let mut skip = total.saturating_sub(SEGMENTS_MAX as u64);
        let mut segments = Vec::with_capacity((total - skip) as usize);
        let starts = self.list_starts();
        for run in runs {
            let skipped = skip.min(run.count);
            skip -= skipped;
            let segment = |index| self.segment(run, index, mirror, &starts);
            segments.extend((skipped..run.count).filter_map(segment));
        }
        segments
    }

    /// When the list changes next without a new manifest, in milliseconds since the presentation's start.
    pub(crate) fn next_change_ms(&self, edge: Edge) -> Option<i64> {
        let duration = match &self.addressing.times {
            Times::Each(duration) => *duration,
            Times::Timeline(entries) => entries.last().filter(|it| it.count.is_none())?.duration,
            Times::Whole => return None,
        };
        let seconds = duration as f64 / self.addressing.timescale as f64;
        // The first end of a segment that is still to come.
        let last = self.runs(Some(edge)).last().copied();
        let index = last.map_or(0, |run| self.units_to_end(run));
        let end = self.start + index as f64 / self.addressing.timescale as f64 + seconds;
        let early = self.early();
        let early = if early.complete { early.seconds } else { 0.0 };
        let at = ((end - early) * 1_000.0).ceil() as i64;
        let ended = self
            .end
            .is_some_and(|period_end| end >= period_end + seconds);
        (at > edge.now_ms && !ended).then_some(at)
    }

    /// How far into the Period a run reaches, in units.
    fn units_to_end(&self, run: Run) -> u64 {
        let end = run
            .time
            .saturating_add(run.count.saturating_mul(run.duration));
        match self.addressing.times {
            Times::Each(_) => end,
            Times::Timeline(_) | Times::Whole => end.saturating_sub(self.addressing.offset),
        }
    }

    /// Whether the segments there are follow from the time.
    pub(crate) fn needs_clock(&self) -> bool {
        match (&self.addressing.times, &self.addressing.source) {
            (Times::Each(_), Source::Template(_) | Source::File(_)) => true,
            (Times::Timeline(entries), _) => entries.last().is_some_and(|it| it.count.is_none()),
            (Times::Each(_), Source::List(_)) | (Times::Whole, _) => false,
        }
    }

    /// The file's index, if its segments are listed there.
    pub(crate) fn index_at(&self) -> Option<&At> {
        match &self.addressing.source {
            Source::File(index) => index.as_ref(),
            Source::Template(_) | Source::List(_) => None,
        }
    }

    pub(crate) fn init(&self) -> Option<Init> {
        let at = match self.addressing.init.as_ref()? {
            InitAt::Element(at) => at.clone(),
            InitAt::Template(template) => At {
                address: Some(fill(template, self.values(None, None))),
                range: None,
            },
        };
        let (url, byte_range) = self.resolve(&at, 0)?;
        Some(Init { url, byte_range })
    }

    /// An address of the Representation, and the bytes there.
    pub(crate) fn resolve(&self, at: &At, mirror: usize) -> Option<(Address, Option<ByteRange>)> {
        let base = self.base(mirror)?;
        let url = match &at.address {
            Some(address) => base.join(address).ok()?,
            None => base.clone(),
        };
        Some((url, at.range))
    }

    fn base(&self, mirror: usize) -> Option<&Address> {
        let base = self.bases.get(mirror).or_else(|| self.bases.first());
        base.map(|base| &base.url)
    }

    /// An address that cannot be made.
    pub(crate) fn broken_address(&self) -> Option<String> {
        let at = match &self.addressing.source {
            Source::Template(media) => At {
                address: Some(fill(media, self.values(Some(1), Some(1)))),
                range: None,
            },
            Source::List(list) => list
                .iter()
                .find(|at| self.resolve(at, 0).is_none())?
                .clone(),
            Source::File(index) => index.clone()?,
        };
        self.resolve(&at, 0)
            .is_none()
            .then(|| at.address.unwrap_or_default())
    }

    fn values(&self, number: Option<u64>, time: Option<u64>) -> Values<'_> {
        Values {
            representation: &self.representation,
            bandwidth: self.bandwidth,
            number,
            time,
        }
    }

    /// How early its segments can be had.
    pub(super) fn early(&self) -> Early {
        let base = self.bases.first().map_or(Early::NO, |base| base.early);
        self.addressing.early.and(base)
    }

    fn segment(&self, run: Run, index: u64, mirror: usize, starts: &[f64]) -> Option<Segment> {
        let number = run.number.checked_add(index)?;
        let time = run.time.checked_add(index.checked_mul(run.duration)?)?;
        let position = number.checked_sub(self.addressing.first_number)?;
        let (url, byte_range) = match &self.addressing.source {
            Source::Template(media) => {
                let address = fill(media, self.values(Some(number), Some(time)));
                (self.base(mirror)?.join(&address).ok()?, None)
            }
            Source::List(list) => {
                self.resolve(list.get(usize::try_from(position).ok()?)?, mirror)?
            }
            Source::File(_) => (self.base(mirror)?.clone(), None),
        };
        let time_v3 = run.time_v3.checked_add(time - run.time)?;
        let (mut v2, v3) = self.starts(position, time, time_v3, run.duration);
        if let Some(start) = starts.get(position as usize) {
            v2 = *start;
        }
        let mut seconds = self.seconds(run.duration);
        if let Some(end) = self.end {
            seconds = seconds.min(end - v2);
        }
        let mut segment = listed(v2, v3, url, seconds);
        segment.byte_range = byte_range;
        Some(segment)
    }

    /// When a segment begins, in seconds of the presentation: for Shaka, and for mpd-parser, which p2p-media-loader 5.x
    /// reads MPDs with. They differ where all segments last the same (5.3.9.5.3 does not count the offset there) and
    /// in the order of their floating point operations.
    fn starts(&self, position: u64, time: u64, time_v3: u64, duration: u64) -> (f64, f64) {
        let timescale = self.addressing.timescale as f64;
        let start =
            |time: u64| self.start + (time as f64 - self.addressing.offset as f64) / timescale;
        let v2 = match self.addressing.times {
            Times::Timeline(_) => start(time),
            Times::Each(_) => position as f64 * (duration as f64 / timescale) + self.start,
            Times::Whole => self.start,
        };
        (v2, start(time_v3))
    }

    /// When the segments of a list begin for Shaka, which adds up their durations from the list's first number on.
    fn list_starts(&self) -> Vec<f64> {
        let (Source::List(list), Times::Each(duration)) =
            (&self.addressing.source, &self.addressing.times)
        else {
            return Vec::new();
        };
        let each = self.seconds(*duration);
        let mut next = each * self.addressing.first_number.saturating_sub(1) as f64;
        let start = |_| {
            let start = self.start + next;
            next += each;
            start
        };
        list.iter().map(start).collect()
    }

    fn seconds(&self, duration: u64) -> f64 {
        duration as f64 / self.addressing.timescale as f64
    }
}

/// A segment by the times at which the two families of clients say that it begins.
pub(crate) fn listed(v2: f64, v3: f64, url: Address, seconds: f64) -> Segment {
    let ids = SegmentIds::new(
        SegmentId(number::trunc(v2 / V2_SECONDS)),
        SegmentId(number::round(v3 * V3_PER_SECOND)),
    );
    Segment::new(scalar::ms(v2), ids, url, scalar::ms(seconds))
}
