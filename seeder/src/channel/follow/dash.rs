//! DASH: one manifest, the clock, and indexes in the media.

use std::collections::HashMap;
use std::pin::pin;
use std::time::Duration;

use beekeepr_playlist::dash::{Presentation, Stream};
use beekeepr_playlist::{Manifest, Segment};
use tokio::time::sleep;
use url::Url;

use super::clock::Wall;
use super::index::Indexes;
use super::track::chosen;
use super::{
    Follower, Listing, Loaded, News, POLL_MIN, REFRESH, RETRY_FIRST, RETRY_MAX, Track, Unwanted,
    url_of,
};

/// BaseURLs that a segment is tried at.
const MIRRORS_MAX: usize = 3;

impl Follower {
    /// Follows a presentation. Returns when the manifest has to be read anew, with another kind of manifest when it has
    /// become one.
    pub(super) async fn follow_dash(
        &self,
        first: Presentation,
        from: Url,
    ) -> Result<Option<Loaded>, Unwanted> {
        let mut presentation = first;
        let mut indexes = Indexes::default();
        let mut wall = Wall::default();
        let mut stale = pin!(self.is_stale());
        self.health.keep(std::slice::from_ref(&self.manifest));
        loop {
            if presentation.live {
                wall.learn(&self.origin, &presentation.clocks).await;
            }
            let Some(seeded) = self.tell_tracks(&presentation, &from).await? else {
                sleep(REFRESH).await;
                return Ok(None);
            };
            let listed = self.list_on(&presentation, &seeded, &mut indexes, &wall);
            let next = tokio::select! {
                next = self.next_manifest(&presentation) => next,
                Err(unwanted) = listed => return Err(unwanted),
                () = &mut stale => return Ok(None),
                () = self.news.closed() => return Err(Unwanted),
            };
            match next {
                (Manifest::Dash(newer), _) => presentation = newer,
                other => return Ok(Some(other)),
            }
        }
    }

    /// Tells which streams are seeded; none if the configuration wants others than there are.
    async fn tell_tracks(
        &self,
        presentation: &Presentation,
        from: &Url,
    ) -> Result<Option<Vec<Stream>>, Unwanted> {
        let tracks: Vec<Track> = presentation.streams.iter().map(Track::of_dash).collect();
        let is_chosen = match chosen(&self.renditions, &tracks) {
            Ok(is_chosen) => is_chosen,
            Err(error) => {
                self.failed(&self.manifest, &error);
                return Ok(None);
            }
        };
        let pairs = tracks.into_iter().zip(&presentation.streams).zip(is_chosen);
        let seeded = pairs.filter(|(_, is_chosen)| *is_chosen);
        let (tracks, streams) = seeded
            .map(|((track, stream), _)| (track, stream.clone()))
            .unzip();
        self.tell_streams(tracks, from).await?;
        Ok(Some(streams))
    }

    /// Lists the segments there are, again whenever there is another one. Comes to no end but that nobody wants them.
    async fn list_on(
        &self,
        presentation: &Presentation,
        seeded: &[Stream],
        indexes: &mut Indexes,
        wall: &Wall,
    ) -> Result<(), Unwanted> {
        let mut backoff = self.backoff.clone();
        loop {
            let is_complete = indexes.read(self, presentation).await;
            let now_ms = wall.now_ms();
            for (place, stream) in seeded.iter().enumerate() {
                let listing = listing(presentation, stream, indexes, now_ms);
                self.tell(News::Listing(place, listing)).await?;
            }
            let changes = seeded
                .iter()
                .filter_map(|stream| presentation.next_change_ms(stream, now_ms));
            let change = changes.min().map(|at_ms| {
                let in_ms = u64::try_from(at_ms.saturating_sub(wall.now_ms())).unwrap_or(0);
                // A millisecond more, for the timer may be that much early.
                Duration::from_millis(in_ms + 1)
            });
            match (change, is_complete) {
                (Some(wait), true) => sleep(wait).await,
                (Some(wait), false) => sleep(wait.min(backoff.wait(RETRY_FIRST, RETRY_MAX))).await,
                (None, false) => sleep(backoff.wait(RETRY_FIRST, RETRY_MAX)).await,
                (None, true) => std::future::pending().await,
            }
        }
    }

    /// The manifest when a newer one may be there. While it cannot be had, what the last one says still counts.
    async fn next_manifest(&self, presentation: &Presentation) -> Loaded {
        let asked_for = presentation.minimum_update_ms.map(Duration::from_millis);
        let wait = match asked_for {
            Some(wait) => wait.clamp(POLL_MIN, REFRESH),
            None if presentation.live => REFRESH,
            None => std::future::pending().await,
        };
        sleep(wait).await;
        let mut backoff = self.backoff.clone();
        let (mut tries, mut failed) = (0, Vec::new());
        loop {
            let location = presentation.locations.get(tries).and_then(url_of);
            let url = location.unwrap_or_else(|| self.manifest.clone());
            match self.load(&url, None, Duration::ZERO).await {
                Ok(loaded) => {
                    // The others are no loss while this one is there.
                    failed.iter().for_each(|url| self.health.works(url));
                    return loaded;
                }
                Err(_) if tries < presentation.locations.len() => {
                    tries += 1;
                    failed.push(url);
                }
                Err(_) => {
                    tries = 0;
                    failed.clear();
                    sleep(backoff.wait(RETRY_FIRST, RETRY_MAX)).await;
                }
            }
        }
    }
}

fn listing(
    presentation: &Presentation,
    stream: &Stream,
    indexes: &Indexes,
    now_ms: i64,
) -> Listing {
    let mut segments = presentation.segments(stream, now_ms, 0);
    let own = stream.indexes();
    if !own.is_empty() {
        segments.extend(indexes.segments(&own));
        segments.sort_by_key(|segment| segment.number);
        segments.dedup_by_key(|segment| segment.number);
    }
    Listing {
        is_live: presentation.live,
        is_timed: true,
        origin_ms: presentation.start_ms,
        mirrors: mirrors(presentation, stream, now_ms),
        segments,
    }
}

/// The same segments at the BaseURLs beside the first.
fn mirrors(presentation: &Presentation, stream: &Stream, now_ms: i64) -> HashMap<u64, Vec<Url>> {
    let mut mirrors: HashMap<u64, Vec<Url>> = HashMap::new();
    for mirror in 1..stream.mirrors().min(MIRRORS_MAX) {
        for Segment { number, url, .. } in presentation.segments(stream, now_ms, mirror) {
            mirrors.entry(number).or_default().extend(url_of(&url));
        }
    }
    mirrors
}
