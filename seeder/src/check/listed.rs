//! What a stream lists, judged.

use std::collections::HashMap;

use beekeepr_playlist::dash::Presentation;
use beekeepr_playlist::{Encryption, Media, Segment};
use url::Url;

use crate::channel::follow::url_of;
use crate::config::without_query;

/// Longer segments are all urgent when a viewer asks for them: p2p-media-loader takes what plays within 15 s over HTTP.
const SEGMENT_MS_MAX: u64 = 10_000;
/// Shorter ones cost more in announcements and requests than they bring. DASH clients up to p2p-media-loader 4.x cannot
/// tell segments apart that begin within the same half second.
const SEGMENT_MS_MIN: u64 = 1_000;
/// A live window that holds those 15 s and a segment that viewers can give each other.
const WINDOW_MS_MIN: u64 = 20_000;
/// Nearer to the edge than this players leave peers no time: those 15 s.
const DELAY_MS_MIN: u64 = 15_000;

/// A stream's segments.
pub(super) struct Listed {
    pub(super) is_live: bool,
    pub(super) segments: Vec<Segment>,
    /// What is good to know and no fault.
    pub(super) notes: Vec<String>,
    /// How far from the edge the manifest has players stay.
    delay_ms: Option<u64>,
}

impl Listed {
    pub(super) fn of_hls(media: Media) -> Self {
        let mut notes = Vec::new();
        let is_low_latency = media.edge.part_target_ms.is_some()
            || media
                .segments
                .iter()
                .any(|segment| !segment.hls.parts.is_empty());
        if is_low_latency {
            let text = "low-latency HLS: whole segments are shared, parts are not; players must stay whole segments behind \
                        the edge (hls.js: lowLatencyMode: false) to have something from peers";
            notes.push(text.to_owned());
        }
        if media.live && media.server.can_block_reload {
            notes.push(
                "the server holds its answer until a segment is there, which is used".to_owned(),
            );
        }
        let is_encrypted = |segment: &Segment| segment.hls.encryption != Encryption::None;
        if media.segments.iter().any(is_encrypted) {
            notes.push(
                "segments are encrypted and shared as they are; keys are never shared".to_owned(),
            );
        }
        let is_timed = media
            .segments
            .iter()
            .any(|segment| segment.hls.program_ms.is_some());
        if media.live && !is_timed {
            let text = "there is no EXT-X-PROGRAM-DATE-TIME: how long it takes from publication to viewers is known to the \
                        second, from Last-Modified, or not at all";
            notes.push(text.to_owned());
        }
        // Without it, three target durations (RFC 8216bis, 4.4.3.8).
        let delay_ms = media
            .server
            .hold_back_ms
            .unwrap_or(media.target_duration_ms * 3);
        Self {
            is_live: media.live,
            delay_ms: media.live.then_some(delay_ms),
            segments: media.segments,
            notes,
        }
    }

    pub(super) fn of_dash(
        presentation: &Presentation,
        segments: Vec<Segment>,
        is_indexed: bool,
    ) -> Self {
        let mut notes = Vec::new();
        notes.push(
            match (is_indexed, presentation.minimum_update_ms) {
                (true, _) => "segments are parts of one file, found by its index",
                (false, Some(_)) if presentation.live => {
                    "segments are found by reading the manifest again"
                }
                (false, _) => "segments are found without reading the manifest again",
            }
            .to_owned(),
        );
        if presentation.live && presentation.clocks.is_empty() {
            let text = "there is no UTCTiming: live segments are looked for by this machine's clock, and by each viewer's";
            notes.push(text.to_owned());
        }
        Self {
            is_live: presentation.live,
            delay_ms: presentation.delay_ms.filter(|_| presentation.live),
            segments,
            notes,
        }
    }

    /// What is unsuitable.
    pub(super) fn problems(&self, manifest: &Url) -> Vec<String> {
        let found = [
            self.absent(),
            self.longest(),
            self.shortest(),
            self.window(),
            self.delay(),
            self.unlisted(),
        ];
        found
            .into_iter()
            .flatten()
            .chain(self.mixed(manifest))
            .collect()
    }

    fn lengths(&self) -> impl DoubleEndedIterator<Item = u64> {
        let known = self.segments.iter().map(|segment| segment.duration_ms);
        known.filter(|length| *length > 0)
    }

    fn absent(&self) -> Option<String> {
        let text = "there are no segments yet; check that the packager runs";
        self.segments.is_empty().then(|| text.to_owned())
    }

    fn longest(&self) -> Option<String> {
        let longest = self.lengths().max().filter(|it| *it > SEGMENT_MS_MAX)?;
        Some(format!(
            "a segment lasts {}, expected at most {}, best 2 to 6 s: viewers take what plays soon \
             over HTTP; shorten the packager's segments",
            seconds(longest),
            seconds(SEGMENT_MS_MAX)
        ))
    }

    fn shortest(&self) -> Option<String> {
        // The last one of a stream on demand is what is left.
        let shortest = if self.is_live {
            self.lengths().min()
        } else {
            self.lengths().rev().skip(1).min()
        };
        let shortest = shortest.filter(|it| *it < SEGMENT_MS_MIN)?;
        Some(format!(
            "a segment lasts {}, expected {} or more; lengthen the packager's segments",
            seconds(shortest),
            seconds(SEGMENT_MS_MIN)
        ))
    }

    fn window(&self) -> Option<String> {
        let window: u64 = self.lengths().sum();
        let is_short = self.is_live && !self.segments.is_empty() && window < WINDOW_MS_MIN;
        is_short.then(|| {
            format!(
                "the live window has {}, expected {} or more: nearer to the edge viewers have no time \
                 for peers; lengthen the packager's window",
                seconds(window),
                seconds(WINDOW_MS_MIN)
            )
        })
    }

    fn delay(&self) -> Option<String> {
        let delay_ms = self.delay_ms.filter(|it| *it < DELAY_MS_MIN)?;
        Some(format!(
            "players stay {} behind the edge, expected {} or more: p2p-media-loader takes the rest over HTTP; set \
             liveSyncDurationCount in the pages (docs/embedding.md), or a longer HOLD-BACK or suggestedPresentationDelay",
            seconds(delay_ms),
            seconds(DELAY_MS_MIN)
        ))
    }

    /// Without durations nobody can tell which segment plays when.
    fn unlisted(&self) -> Option<String> {
        let without = self
            .segments
            .iter()
            .filter(|segment| segment.duration_ms == 0)
            .count();
        (without > 0).then(|| {
            format!("{without} segments have no duration, expected EXTINF or @d with each; check the packager")
        })
    }

    /// Browsers load nothing over http:// into a page that came over https://.
    fn mixed(&self, manifest: &Url) -> Option<String> {
        let is_plain = |segment: &&Segment| segment.url.as_str().starts_with("http:");
        let plain = self.segments.iter().find(is_plain)?;
        (manifest.scheme() == "https").then(|| {
            let url = url_of(&plain.url).map_or_else(String::new, |url| without_query(&url));
            format!("the manifest comes over https, the segment {url} over http, which pages refuse; list https addresses")
        })
    }
}

/// The same segment under another file name at each reading looks like an origin that starts over all the time.
pub(super) fn unstable(first: &[Segment], again: &[Segment]) -> Option<String> {
    let name = |segment: &Segment| {
        let url = url_of(&segment.url).map(|url| without_query(&url));
        url.and_then(|url| url.rsplit('/').next().map(str::to_owned))
    };
    let known: HashMap<u64, _> = first.iter().map(|it| (it.number, name(it))).collect();
    let mut others = again.iter().filter(|segment| {
        let before = known.get(&segment.number);
        before.is_some_and(|before| *before != name(segment))
    });
    others.next().map(|segment| {
        format!(
            "segment {} has another file name at each reading, expected one that stays; have the \
             packager or the CDN keep names, tokens belong in the query",
            segment.number
        )
    })
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03} s", ms / 1_000, ms % 1_000)
}
