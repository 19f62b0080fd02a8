//! Where a segment is.

use std::hash::{Hash, Hasher};
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
}

impl Source {
    pub(crate) fn new(url: Url, range: Option<ByteRange>) -> Self {
        Self {
            places: Mutex::new([url.clone()].into()),
            url,
            range,
            listed_at: Instant::now(),
        }
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
