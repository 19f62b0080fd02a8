//! Where a segment is.

use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use beekeepr_model::ByteRange;
use tokio::time::Instant;
use url::Url;

/// Most addresses that one segment is tried at.
const PLACES_MAX: usize = 4;

/// A segment at the origin. It stays the same one while its addresses change, as those do that carry tokens: the first
/// address it was listed under names it.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) url: Url,
    pub(crate) range: Option<ByteRange>,
    /// When a manifest first listed it.
    pub(crate) listed_at: Instant,
    /// Where it is now, best first.
    places: Mutex<Arc<[Url]>>,
    /// When it was there to be fetched, in milliseconds since 1970 UTC; [`UNKNOWN`] while nobody has told, [`OLD`] when it
    /// was there before we looked.
    published_ms: AtomicI64,
}

const UNKNOWN: i64 = i64::MIN;
const OLD: i64 = i64::MAX;

impl Source {
    pub(crate) fn new(url: Url, range: Option<ByteRange>) -> Self {
        Self {
            places: Mutex::new([url.clone()].into()),
            url,
            range,
            listed_at: Instant::now(),
            published_ms: AtomicI64::new(UNKNOWN),
        }
    }

    /// It was there already when the manifest was first read.
    pub(crate) fn set_old(&self) {
        self.published_ms.store(OLD, Ordering::Relaxed);
    }

    /// Whether it was.
    pub(crate) fn is_from_before(&self) -> bool {
        self.published_ms.load(Ordering::Relaxed) == OLD
    }

    /// Since when it can be had, as the manifest or its server says. The first word counts: the manifest's is to the
    /// millisecond, a server's to the second.
    pub(crate) fn was_published(&self, at_ms: i64) {
        let order = Ordering::Relaxed;
        let _ = self
            .published_ms
            .compare_exchange(UNKNOWN, at_ms, order, order);
    }

    /// Since when it can be had, if it is new and somebody has told.
    pub(crate) fn published_ms(&self) -> Option<i64> {
        let at_ms = self.published_ms.load(Ordering::Relaxed);
        (at_ms != UNKNOWN && at_ms != OLD).then_some(at_ms)
    }

    /// It is to be had there from now on; of many addresses the first few count.
    pub(crate) fn move_to(&self, places: impl IntoIterator<Item = Url>) {
        let places: Vec<Url> = places.into_iter().take(PLACES_MAX).collect();
        if let Ok(mut known) = self.places.lock()
            && !places.is_empty()
            && **known != *places
        {
            *known = places.into();
        }
    }

    pub(crate) fn places(&self) -> Arc<[Url]> {
        let places = self.places.lock();
        places.map_or_else(|_| [self.url.clone()].into(), |places| Arc::clone(&places))
    }
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        self.url == other.url && self.range == other.range
    }
}

impl Eq for Source {}

impl Hash for Source {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.url.hash(state);
        self.range.hash(state);
    }
}
