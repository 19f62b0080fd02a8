//! DASH manifests (MPD, ISO/IEC 23009-1) to streams and segments.
//!
//! An MPD says less than a playlist: which segments there are may follow from the time, and where they are from an index
//! in the media. So a [`Presentation`] is kept and asked, with the time as a value:
//!
//! 1. learn the offset of the own clock from [`Presentation::clocks`], once;
//! 2. ask for [`Presentation::indexes`] of a stream, fetch them and read them with [`sidx::segments`];
//! 3. ask for [`Presentation::segments`] again at [`Presentation::next_change_ms`];
//! 4. fetch the manifest again after [`Presentation::minimum_update_ms`], from the first of [`Presentation::locations`].
//!
//! Left out: text, images, trick modes, sets with an EssentialProperty that no client would know, events, and patches
//! (the whole manifest serves). Periods that begin at a time not known yet come with a later manifest. Segments are
//! listed when they are complete: parts of low-latency segments are gone before a peer could help.

mod address;
mod fault;
mod identity;
mod inherit;
mod language;
mod listing;
mod names;
mod number;
mod periods;
mod runs;
mod scalar;
pub mod sidx;
mod streams;
mod template;
mod xml;

use std::sync::Arc;

use crate::{Address, Init, ManifestError, SEGMENTS_MAX, Segment, text};
use address::Early;
use beekeepr_model::{
    ByteRange, Generation, InfoHash, StreamKind, StreamProperties, identity as identity_of,
    info_hash, swarm_string,
};
use fault::{duration, fault, not_xml};
use listing::{Base, Edge, Part};
use xml::{Document, Element};

/// Most time sources that are remembered; real manifests name one or two.
const CLOCKS_MAX: usize = 8;

/// Most places of the next manifest that are remembered.
const LOCATIONS_MAX: usize = 4;

/// A DASH presentation.
#[derive(Clone, Debug, PartialEq)]
pub struct Presentation {
    /// Whether more segments may come: the type is `dynamic`.
    pub live: bool,
    /// @availabilityStartTime, in milliseconds since 1970 UTC: when a segment at the time 0 would have been begun.
    pub start_ms: Option<i64>,
    /// How long it lasts, if that is known.
    pub duration_ms: Option<u64>,
    /// @minimumUpdatePeriod: a newer manifest may be there after this time. Without it there will be none.
    pub minimum_update_ms: Option<u64>,
    /// @timeShiftBufferDepth: how long segments can be had. Without it all that have been.
    pub window_ms: Option<u64>,
    /// @suggestedPresentationDelay: how far behind the live edge players shall be.
    pub delay_ms: Option<u64>,
    /// Where the next manifest is, best first. Without any it is where this one was.
    pub locations: Vec<Address>,
    /// Where to learn the time, best first.
    pub clocks: Vec<Clock>,
    /// Video streams and audio streams in the order of the manifest.
    pub streams: Vec<Stream>,
}

/// Where to learn the time that live segments go by (UTCTiming).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clock {
    /// From the Date header of the answer to a HEAD request.
    Head(Address),
    /// From the answer to a GET request, which [`date_ms`] reads.
    Get(Address),
    /// It is this, in milliseconds since 1970 UTC, when the manifest is fetched.
    Direct(i64),
    /// In a way that a browser cannot take: NTP and the like.
    Other {
        /// @schemeIdUri.
        scheme: String,
        /// @value.
        value: String,
    },
}

/// A Representation through all Periods that have it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stream {
    /// Representation@id.
    pub id: String,
    /// Whether it is video, maybe with audio in it, rather than audio alone.
    pub is_video: bool,
    /// Its place among those of its kind in the manifest.
    pub index: usize,
    /// Representation@bandwidth in bits per second, the highest of all Periods; 0 when not given.
    pub bandwidth: u64,
    /// Whether ContentProtection is there. Viewers share segments as they are; keys are the player's business.
    pub encrypted: bool,
    /// Whether the presentation has video at all.
    has_video: bool,
    v2: StreamProperties,
    v3: StreamProperties,
    parts: Vec<Part>,
}

/// Where the segments of a stream in one Period are listed: `sidx` boxes in the media.
#[derive(Clone, Debug, PartialEq)]
pub struct Index {
    /// The file with the index.
    pub url: Address,
    /// Which bytes to fetch; `None` for all.
    pub byte_range: Option<ByteRange>,
    /// The file with the segments.
    pub media: Address,
    /// When the Period begins, in seconds of the presentation.
    period_start: f64,
    /// The media time at which the Period begins, in seconds.
    offset: f64,
}

/// Reads a date as time servers and MPDs write them, in milliseconds since 1970 UTC.
#[must_use]
pub fn date_ms(text: &str) -> Option<i64> {
    scalar::date(text.trim())
}

/// Reads an MPD and nothing else, for a client that never meets HLS. `url` is where it came from, after redirects.
///
/// # Errors
/// The text is no MPD.
pub fn read(text: &[u8], url: &str) -> Result<Presentation, ManifestError> {
    let base = Address::parse(url).map_err(|_| ManifestError::Address(text::quote(url)))?;
    let text = text::trimmed(text::check(text)?);
    if text::is_dash(text) {
        parse(text, &base)
    } else {
        Err(ManifestError::NotAManifest(text::quote(text)))
    }
}

pub(crate) fn parse(text: &str, url: &Address) -> Result<Presentation, ManifestError> {
    let document = Document::read(text).map_err(|error| not_xml(text, &error))?;
    let mpd = document.root();
    if mpd.name() != "MPD" {
        return Err(fault(mpd, mpd.name(), "MPD"));
    }
    let total = duration(mpd, "mediaPresentationDuration")?;
    let above: Arc<[Base]> = Arc::new([Base {
        url: url.clone(),
        early: Early::NO,
    }]);
    let bases = periods::bases_of(mpd, &above)?;
    let presentation = Presentation {
        live: mpd.attribute("type").as_deref() == Some("dynamic"),
        start_ms: fault::read(
            mpd,
            "availabilityStartTime",
            scalar::date,
            "a date such as 2026-01-31T10:00:00Z",
        )?,
        duration_ms: total.map(scalar::ms),
        minimum_update_ms: duration(mpd, "minimumUpdatePeriod")?.map(scalar::ms),
        window_ms: duration(mpd, "timeShiftBufferDepth")?.map(scalar::ms),
        delay_ms: duration(mpd, "suggestedPresentationDelay")?.map(scalar::ms),
        locations: mpd
            .all("Location")
            .filter_map(|it| url.join(it.text()).ok())
            .take(LOCATIONS_MAX)
            .collect(),
        clocks: mpd
            .all("UTCTiming")
            .flat_map(|it| clocks(it, url))
            .take(CLOCKS_MAX)
            .collect(),
        streams: names::name(streams::read(mpd, &bases, total)?),
    };
    if presentation.live && presentation.start_ms.is_none() && presentation.needs_clock() {
        return Err(fault(
            mpd,
            "a live MPD without availabilityStartTime",
            "availabilityStartTime",
        ));
    }
    Ok(presentation)
}

/// Schemes of UTCTiming, without what stands around them (5.8.5.7).
fn clocks(element: Element<'_, '_>, url: &Address) -> Vec<Clock> {
    let scheme = element.attribute("schemeIdUri").unwrap_or_default();
    let value = element.attribute("value").unwrap_or_default();
    let short = scheme
        .strip_prefix("urn:mpeg:dash:utc:")
        .and_then(|rest| rest.split(':').next());
    let servers = |clock: fn(Address) -> Clock| {
        let servers = value
            .split_whitespace()
            .filter_map(|server| url.join(server).ok());
        servers.map(clock).take(CLOCKS_MAX).collect()
    };
    match short {
        Some("http-head") => servers(Clock::Head),
        Some("http-xsdate" | "http-iso") => servers(Clock::Get),
        Some("direct") => scalar::date(&value)
            .map(Clock::Direct)
            .into_iter()
            .collect(),
        _ => vec![Clock::Other {
            scheme: scheme.into_owned(),
            value: value.into_owned(),
        }],
    }
}

impl Presentation {
    /// The segments of a stream that can be had at a time, in order. At most [`SEGMENTS_MAX`], the last ones.
    ///
    /// `now_ms` is the time in milliseconds since 1970 UTC, by the clock of [`Self::clocks`]. `mirror` chooses one of
    /// several BaseURLs, 0 is the first; see [`Stream::mirrors`]. A stream whose segments are in an index has none here.
    #[must_use]
    pub fn segments(&self, stream: &Stream, now_ms: i64, mirror: usize) -> Vec<Segment> {
        let edge = self.edge(now_ms);
        // From the newest Period backwards, until there are enough.
        let mut newest_first = Vec::new();
        let mut count = 0;
        for part in stream
            .parts
            .iter()
            .rev()
            .filter(|part| part.index_at().is_none())
        {
            if count < SEGMENTS_MAX {
                let segments = part.segments(edge, mirror);
                count += segments.len();
                newest_first.push(segments);
            }
        }
        let mut listed: Vec<Segment> = Vec::with_capacity(count);
        for segments in newest_first.into_iter().rev() {
            let first = listed.len();
            for mut segment in segments {
                // Numbers rise whatever the manifest says.
                if listed
                    .last()
                    .is_none_or(|before| before.number < segment.number)
                {
                    segment.discontinuity = first > 0 && listed.len() == first;
                    listed.push(segment);
                }
            }
        }
        listed.drain(..listed.len().saturating_sub(SEGMENTS_MAX));
        listed
    }

    /// When [`Self::segments`] of a stream change next without a new manifest, in milliseconds since 1970 UTC: a
    /// segment will then have been completed. `None` if they do not.
    #[must_use]
    pub fn next_change_ms(&self, stream: &Stream, now_ms: i64) -> Option<i64> {
        let edge = self.edge(now_ms)?;
        let changes = stream
            .parts
            .iter()
            .filter_map(|part| part.next_change_ms(edge));
        changes.min()?.checked_add(self.start_ms?)
    }

    fn edge(&self, now_ms: i64) -> Option<Edge> {
        self.live.then(|| Edge {
            now_ms: now_ms.saturating_sub(self.start_ms.unwrap_or(0)),
            window_ms: self.window_ms,
        })
    }

    fn needs_clock(&self) -> bool {
        let mut parts = self.streams.iter().flat_map(|stream| &stream.parts);
        parts.any(Part::needs_clock)
    }
}

impl Stream {
    /// Its role among clients of one generation. Audio without video is the main thing up to 4.x, never for 5.x.
    #[must_use]
    pub fn kind(&self, generation: Generation) -> StreamKind {
        match generation {
            Generation::V2Index | Generation::V2 if !self.has_video => StreamKind::Main,
            Generation::V2Index | Generation::V2 | Generation::V3 if self.is_video => {
                StreamKind::Main
            }
            Generation::V2Index | Generation::V2 | Generation::V3 => StreamKind::Secondary,
        }
    }

    /// What names it among clients of one generation.
    #[must_use]
    pub fn properties(&self, generation: Generation) -> &StreamProperties {
        match generation {
            Generation::V2Index | Generation::V2 => &self.v2,
            Generation::V3 => &self.v3,
        }
    }

    /// The stream's swarm among clients of one generation. `swarm_id` is the configured one, or the manifest's URL
    /// without its query.
    #[must_use]
    pub fn info_hash(&self, generation: Generation, swarm_id: &str) -> InfoHash {
        let identity = identity_of(generation, self.index, self.properties(generation));
        info_hash(
            generation,
            &swarm_string(generation, swarm_id, self.kind(generation), &identity),
        )
    }

    /// How many addresses each segment has.
    #[must_use]
    pub fn mirrors(&self) -> usize {
        self.parts
            .iter()
            .map(|part| part.bases.len())
            .max()
            .unwrap_or(0)
    }

    /// What a player loads before segments, Period by Period. It is never shared.
    #[must_use]
    pub fn inits(&self) -> Vec<Init> {
        let mut inits = Vec::new();
        for init in self.parts.iter().filter_map(Part::init) {
            if !inits.contains(&init) {
                inits.push(init);
            }
        }
        inits
    }

    /// Where its segments are listed, Period by Period; nothing where the manifest lists them itself.
    #[must_use]
    pub fn indexes(&self) -> Vec<Index> {
        let index = |part: &Part| {
            let (url, byte_range) = part.resolve(part.index_at()?, 0)?;
            Some(Index {
                url,
                byte_range,
                media: part.bases.first()?.url.clone(),
                period_start: part.start,
                offset: part.addressing.offset as f64 / part.addressing.timescale as f64,
            })
        };
        self.parts.iter().filter_map(index).collect()
    }
}
