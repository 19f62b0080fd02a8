//! One stream's segments as its playlist lists them over time.

use std::collections::HashMap;
use std::sync::Arc;

use beekeepr_engine::ListedSegment;
use beekeepr_model::{Generation, SegmentId};
use beekeepr_playlist::Segment;

use super::follow::{Listing, url_of};
use crate::origin::Source;

/// What a new playlist meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Nothing new, or an older playlist than the last one, as CDNs give them out now and then.
    None,
    /// More segments, or other ones.
    Listed,
    /// The origin started over: the same numbers now name other segments.
    Restarted,
}

/// Of a live stream the newest so many are seeded: six hours of 2 s, of which viewers are told in 11 KB.
const LIVE_LISTED_MAX: usize = 10_800;

/// A stream's segments.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    entries: Vec<Entry>,
    live: bool,
    /// For each generation, where a segment is.
    sources: [HashMap<SegmentId, Arc<Source>>; Generation::ALL.len()],
}

#[derive(Clone, Debug)]
struct Entry {
    /// The segment's, by which entries are sorted.
    number: u64,
    start_ms: i64,
    end_ms: i64,
    ids: [SegmentId; Generation::ALL.len()],
    source: Arc<Source>,
    gap: bool,
}

impl Entry {
    /// Without its time yet. None for an address that the HTTP client does not take.
    fn new(segment: &Segment) -> Option<Self> {
        Some(Self {
            number: segment.number,
            start_ms: 0,
            end_ms: 0,
            ids: Generation::ALL.map(|generation| segment.id(generation)),
            source: Arc::new(Source::new(url_of(&segment.url)?, segment.byte_range)),
            gap: segment.gap,
        })
    }
}

impl Timeline {
    /// Whether more segments will come.
    pub(crate) fn is_live(&self) -> bool {
        self.live
    }

    /// The segments under the numbers of one of [`Generation::ALL`].
    pub(crate) fn listed(&self, generation: usize) -> Vec<ListedSegment> {
        let loadable = self.entries.iter().filter(|entry| !entry.gap);
        loadable
            .map(|entry| ListedSegment {
                id: entry.ids[generation],
                start_ms: entry.start_ms,
                end_ms: entry.end_ms,
            })
            .collect()
    }

    /// Where a listed segment is.
    pub(crate) fn source(&self, generation: usize, id: SegmentId) -> Option<&Arc<Source>> {
        self.sources.get(generation)?.get(&id)
    }

    /// Takes over what the playlist lists now.
    pub(crate) fn update(&mut self, listing: &Listing) -> Change {
        let (live, segments) = (listing.is_live, &listing.segments[..]);
        let restarted = self.contradicts(segments);
        if restarted {
            self.entries.clear();
        } else if self.is_behind(segments) {
            return Change::None;
        }
        let entries = self.entries_of(listing);
        self.renew(&entries, listing);
        let same = entries
            .iter()
            .map(|it| it.number)
            .eq(self.entries.iter().map(|it| it.number));
        if same && self.live == live && !restarted {
            return Change::None;
        }
        self.entries = entries;
        self.live = live;
        for (generation, sources) in self.sources.iter_mut().enumerate() {
            let pairs = self
                .entries
                .iter()
                .map(|it| (it.ids[generation], Arc::clone(&it.source)));
            *sources = pairs.collect();
        }
        if restarted {
            Change::Restarted
        } else {
            Change::Listed
        }
    }

    /// Whether the playlist cannot be a later state of the one we know: it lies wholly before it,
    /// or has another file under a known number. Folders and queries may change, they carry tokens.
    fn contradicts(&self, segments: &[Segment]) -> bool {
        let Some(first) = self.entries.first() else {
            return false;
        };
        let Some(last) = segments.last() else {
            return false;
        };
        last.number < first.number
            || segments.iter().any(|segment| {
                self.find(segment.number).is_some_and(|known| {
                    file_name(known.source.url.as_str()) != file_name(segment.url.as_str())
                        || known.source.range != segment.byte_range
                })
            })
    }

    fn is_behind(&self, segments: &[Segment]) -> bool {
        let newest = segments.last().map(|segment| segment.number);
        newest < self.entries.last().map(|entry| entry.number)
    }

    fn find(&self, number: u64) -> Option<&Entry> {
        let found = self
            .entries
            .binary_search_by_key(&number, |entry| entry.number);
        self.entries.get(found.ok()?)
    }

    /// Addresses may be other ones each time.
    fn renew(&self, entries: &[Entry], listing: &Listing) {
        let mut entries = entries.iter().peekable();
        for segment in &listing.segments {
            let Some(entry) = entries.next_if(|entry| entry.number == segment.number) else {
                continue;
            };
            let mirrors = listing.mirrors.get(&segment.number).into_iter().flatten();
            let places = url_of(&segment.url).into_iter().chain(mirrors.cloned());
            entry.source.move_to(places);
        }
    }

    fn entries_of(&self, listing: &Listing) -> Vec<Entry> {
        let segments = &listing.segments[..];
        let is_first = self.entries.is_empty();
        let mut start_ms = self.start_of(segments);
        let mut entries = Vec::with_capacity(segments.len());
        for segment in segments {
            if listing.is_timed {
                start_ms = i64::try_from(segment.number).unwrap_or(i64::MAX);
            }
            let end_ms = start_ms + i64::try_from(segment.duration_ms).unwrap_or(0);
            let known = self.find(segment.number).cloned();
            // Known segments keep their numbers also when a live stream ends and new ones are
            // counted otherwise, as in p2p-media-loader.
            let new = || {
                let entry = Entry::new(segment)?;
                match listing.published_ms(segment) {
                    _ if is_first => entry.source.set_old(),
                    Some(at_ms) => entry.source.was_published(at_ms),
                    None => {}
                }
                Some(entry)
            };
            if let Some(entry) = known.or_else(new) {
                entries.push(Entry {
                    start_ms,
                    end_ms,
                    ..entry
                });
            }
            start_ms = end_ms;
        }
        if listing.is_live {
            let surplus = entries.len().saturating_sub(LIVE_LISTED_MAX);
            entries.drain(..surplus);
        }
        entries
    }

    /// Where the playlist's first segment starts on the timeline we have begun.
    fn start_of(&self, segments: &[Segment]) -> i64 {
        let mut before_ms: i64 = 0;
        for segment in segments {
            if let Some(known) = self.find(segment.number) {
                return known.start_ms - before_ms;
            }
            before_ms += i64::try_from(segment.duration_ms).unwrap_or(0);
        }
        self.entries.last().map_or(0, |last| last.end_ms)
    }
}

fn file_name(url: &str) -> Option<&str> {
    let path = url.split(['?', '#']).next()?;
    path.rsplit('/').next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use beekeepr_playlist::{Manifest, Media, read};

    const V2: usize = 1;
    const V3: usize = 2;

    /// A playlist of segments of 2 s.
    fn media(first: u64, count: u64, prefix: &str, end: &str) -> Media {
        let mut text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{first}\n");
        for number in first..first + count {
            text.push_str(&format!("#EXTINF:2,\n{prefix}{number}.ts?t={first}\n"));
        }
        text.push_str(end);
        let Ok(Manifest::Media(media)) = read(text.as_bytes(), "http://origin.example/live.m3u8")
        else {
            panic!("a media playlist is expected");
        };
        media
    }

    fn live(first: u64, count: u64) -> Media {
        media(first, count, "", "")
    }

    fn listing(media: &Media) -> Listing {
        Listing {
            is_live: media.live,
            is_timed: false,
            origin_ms: None,
            segments: media.segments.clone(),
            mirrors: HashMap::new(),
        }
    }

    fn update(timeline: &mut Timeline, media: &Media) -> Change {
        timeline.update(&listing(media))
    }

    #[test]
    fn a_segment_stays_the_same_one_when_its_address_is_renewed() {
        let mut timeline = Timeline::default();
        update(&mut timeline, &live(10, 3));
        let known = Arc::clone(timeline.source(V2, SegmentId(11)).unwrap());
        update(&mut timeline, &live(11, 2));
        let renewed = timeline.source(V2, SegmentId(11)).unwrap();
        assert!(Arc::ptr_eq(&known, renewed));
        assert_eq!(renewed.places()[0].query(), Some("t=11"));
    }

    #[test]
    fn segments_that_tell_their_time_are_placed_by_it() {
        let mut timeline = Timeline::default();
        let timed = Listing {
            is_timed: true,
            ..listing(&live(7_000, 1))
        };
        timeline.update(&timed);
        let seen = timeline.listed(V2);
        assert_eq!((seen[0].start_ms, seen[0].end_ms), (7_000, 9_000));
    }

    fn ids(timeline: &Timeline, generation: usize) -> Vec<i64> {
        timeline
            .listed(generation)
            .iter()
            .map(|it| it.id.0)
            .collect()
    }

    #[test]
    fn a_sliding_window_keeps_the_time_of_each_segment() {
        let mut timeline = Timeline::default();
        assert_eq!(update(&mut timeline, &live(10, 3)), Change::Listed);
        assert_eq!(update(&mut timeline, &live(12, 3)), Change::Listed);
        let seen: Vec<_> = timeline
            .listed(V2)
            .iter()
            .map(|it| (it.id.0, it.start_ms))
            .collect();
        assert_eq!(seen, [(12, 4000), (13, 6000), (14, 8000)]);
        // A window that has slid past all we knew continues after it.
        assert_eq!(update(&mut timeline, &live(20, 1)), Change::Listed);
        assert_eq!(timeline.listed(V2)[0].start_ms, 10_000);
    }

    #[test]
    fn the_same_and_older_playlists_change_nothing() {
        let mut timeline = Timeline::default();
        update(&mut timeline, &live(10, 3));
        assert_eq!(update(&mut timeline, &live(10, 3)), Change::None);
        assert_eq!(update(&mut timeline, &live(9, 3)), Change::None);
        assert_eq!(ids(&timeline, V2), [10, 11, 12]);
    }

    #[test]
    fn an_origin_that_starts_over_is_noticed() {
        let mut timeline = Timeline::default();
        update(&mut timeline, &live(10, 3));
        assert_eq!(update(&mut timeline, &live(0, 3)), Change::Restarted);
        assert_eq!(
            update(&mut timeline, &media(1, 3, "other", "")),
            Change::Restarted
        );
        assert_eq!(timeline.listed(V2)[0].start_ms, 0);
    }

    #[test]
    fn on_demand_the_older_clients_count_from_zero() {
        let mut timeline = Timeline::default();
        update(&mut timeline, &media(100, 2, "", "#EXT-X-ENDLIST\n"));
        assert!(!timeline.is_live());
        assert_eq!(ids(&timeline, V2), [0, 1]);
        assert_eq!(ids(&timeline, V3), [100, 101]);
        assert!(
            timeline
                .source(V2, SegmentId(0))
                .unwrap()
                .url
                .path()
                .ends_with("/100.ts")
        );
    }

    #[test]
    fn a_live_stream_that_ends_keeps_the_numbers_of_what_was_known() {
        let mut timeline = Timeline::default();
        update(&mut timeline, &live(10, 2));
        assert_eq!(
            update(&mut timeline, &media(10, 3, "", "#EXT-X-ENDLIST\n")),
            Change::Listed
        );
        assert_eq!(ids(&timeline, V2), [10, 11, 2]);
        assert_eq!(ids(&timeline, V3), [10, 11, 12]);
    }

    #[test]
    fn of_a_long_live_window_only_the_end_is_seeded() {
        let mut timeline = Timeline::default();
        update(&mut timeline, &live(0, 11_000));
        assert_eq!(ids(&timeline, V2).len(), LIVE_LISTED_MAX);
        assert_eq!(ids(&timeline, V2).last(), Some(&10_999));
        assert_eq!(update(&mut timeline, &live(1, 11_000)), Change::Listed);
    }

    #[test]
    fn gaps_are_not_listed() {
        let mut gap = live(0, 3);
        gap.segments[1].gap = true;
        let mut timeline = Timeline::default();
        update(&mut timeline, &gap);
        assert_eq!(ids(&timeline, V2), [0, 2]);
    }
}
