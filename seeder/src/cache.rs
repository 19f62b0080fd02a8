//! Segments in memory, and on disk if configured: one budget over all channels, fair between them.
//!
//! A channel has an [`Account`] for as long as it runs. What the channel's peers serve it holds, and is told when it is taken
//! away; what was fetched for players of the shield stays as long as there is room. What goes first is decided in
//! `ledger`, why so in `docs/decisions/cache.md`.

mod account;
pub(crate) mod disk;
mod ghosts;
mod ledger;
mod worth;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use prometheus::IntCounter;
use tokio::sync::Notify;
use tokio::time::Instant;

use self::disk::Disk;
use self::ledger::{AccountId, Arrival, Ledger};
use crate::config::Channel;
use crate::metrics::ChannelMetrics;
use crate::origin::{Access, Backoff, Fetched, Flight, Origin, OriginError, Source};

pub(crate) use self::ledger::Purpose;

/// How long a live segment that no peer holds is kept for players. Short, for a live origin that starts over gives other
/// segments under the same addresses.
const LIVE_EXPIRES: Duration = Duration::from_secs(30);

/// Which bytes: other credentials may bring other ones.
type Key = (Arc<Source>, Arc<Access>);

/// The segments of all channels.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    ledger: Arc<Mutex<Ledger<Key>>>,
    disk: Option<Disk>,
}

/// One channel's part of it.
#[derive(Debug)]
pub(crate) struct Account {
    cache: Cache,
    id: AccountId,
    access: Arc<Access>,
    /// In which part of the disk its segments are.
    shelf_mark: String,
    on_evicted: Arc<Notify>,
    is_live: AtomicBool,
    hits: IntCounter,
    misses: IntCounter,
    disk_hits: IntCounter,
}

/// Room for a segment that is being fetched. Must come back to [`Account::settle`].
#[derive(Debug)]
pub(crate) struct Room {
    bytes: u64,
    purpose: Purpose,
}

/// What becomes of a wish.
#[derive(Debug)]
pub(crate) enum Found {
    Here(Bytes),
    /// It may be fetched.
    Room(Room),
    /// Others need the memory more.
    Full,
}

impl Cache {
    pub(crate) fn new(bytes_max: u64, disk: Option<Disk>) -> Self {
        let ledger = Arc::new(Mutex::new(Ledger::new(bytes_max)));
        Self { ledger, disk }
    }

    /// A channel comes; it goes when the account is dropped.
    pub(crate) fn account(
        &self,
        channel: &Channel,
        origin: &Origin,
        metrics: &ChannelMetrics,
    ) -> Account {
        let on_evicted = Arc::<Notify>::default();
        let (evictions, bytes) = (metrics.cache_evictions.clone(), &metrics.cached_bytes);
        let state = account::Account::new(Arc::clone(&on_evicted), evictions, bytes.clone());
        let id = self.ledger().enter(state);
        let is_public = channel.headers.is_empty() && channel.cookies.is_empty();
        Account {
            cache: self.clone(),
            id,
            access: Arc::clone(origin.access()),
            // What was fetched with credentials is for the channel that has them.
            shelf_mark: if is_public {
                String::new()
            } else {
                channel.name.clone()
            },
            on_evicted,
            is_live: AtomicBool::new(false),
            hits: metrics.cache_hits.clone(),
            misses: metrics.cache_misses.clone(),
            disk_hits: metrics.disk_hits.clone(),
        }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger<Key>> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    /// A segment that the channel holds from then on, until [`Account::release`] or [`Account::evicted`] names it.
    pub(crate) fn hold(&self, source: &Arc<Source>, purpose: Purpose) -> Found {
        self.find(source, purpose, true)
    }

    /// A segment for a single use.
    pub(crate) fn borrow(&self, source: &Arc<Source>) -> Found {
        self.find(source, Purpose::Asked, false)
    }

    /// A segment if it is in memory. Its use counts, its absence does not.
    pub(crate) fn peek(&self, source: &Arc<Source>) -> Option<Bytes> {
        let (key, now) = (self.key(source), Instant::now());
        let mut ledger = self.cache.ledger();
        let found = ledger.find(self.id, &key, Purpose::Asked, false, now);
        self.hits.inc_by(u64::from(found.is_some()));
        found
    }

    fn find(&self, source: &Arc<Source>, purpose: Purpose, is_held: bool) -> Found {
        let key = self.key(source);
        let mut ledger = self.cache.ledger();
        let is_asked = purpose == Purpose::Asked;
        if let Some(bytes) = ledger.find(self.id, &key, purpose, is_held, Instant::now()) {
            self.hits.inc_by(u64::from(is_asked));
            return Found::Here(bytes);
        }
        self.misses.inc_by(u64::from(is_asked));
        let room = ledger.reserve(self.id, purpose);
        room.map_or(Found::Full, |bytes| Found::Room(Room { bytes, purpose }))
    }

    /// A fetch has ended, with nothing when it failed. `is_held` as if it had been found.
    pub(crate) fn settle(
        &self,
        source: &Arc<Source>,
        room: &Room,
        bytes: Option<&Bytes>,
        is_held: bool,
    ) {
        let arrival = bytes.map(|bytes| Arrival {
            key: self.key(source),
            bytes: bytes.clone(),
            purpose: room.purpose,
            is_held,
            expires: None,
        });
        self.cache.ledger().settle(self.id, room.bytes, arrival);
    }

    /// The same for a segment that nobody holds.
    pub(crate) fn lend(
        &self,
        source: &Arc<Source>,
        room: &Room,
        bytes: Option<&Bytes>,
        is_live: bool,
    ) {
        let arrival = bytes.map(|bytes| Arrival {
            key: self.key(source),
            bytes: bytes.clone(),
            purpose: room.purpose,
            is_held: false,
            expires: is_live.then(|| Instant::now() + LIVE_EXPIRES),
        });
        self.cache.ledger().settle(self.id, room.bytes, arrival);
    }

    /// Somebody uses a segment that the channel holds.
    pub(crate) fn touch(&self, source: &Arc<Source>) {
        let is_hit = self.cache.ledger().touch(&self.key(source));
        self.hits.inc_by(u64::from(is_hit));
    }

    pub(crate) fn release(&self, source: &Arc<Source>) {
        self.cache.ledger().release(self.id, &self.key(source));
    }

    /// Whether what the channel holds is a live window.
    pub(crate) fn set_live(&self, is_live: bool) {
        if self.is_live.swap(is_live, Ordering::Relaxed) != is_live {
            self.cache.ledger().set_live(self.id, is_live);
        }
    }

    /// Whether the channel is live.
    pub(crate) fn is_live(&self) -> bool {
        self.is_live.load(Ordering::Relaxed)
    }

    /// Waits until something is taken away from the channel, which then has to let go of it at once.
    pub(crate) async fn evicted(&self) -> Vec<Arc<Source>> {
        loop {
            let evicted = self.cache.ledger().evicted(self.id);
            if !evicted.is_empty() {
                return evicted.into_iter().map(|(source, _)| source).collect();
            }
            self.on_evicted.notified().await;
        }
    }

    /// Fetches a segment: from the disk, if it is one on demand, else from the origin.
    pub(crate) async fn fetch(
        &self,
        origin: &Origin,
        source: &Arc<Source>,
        backoff: Backoff,
        is_live: bool,
    ) -> (Flight, Result<Fetched, OriginError>) {
        let disk = self.cache.disk.clone().filter(|_| !is_live);
        let name = disk::Name::of(&self.shelf_mark, source);
        let stored = {
            let (disk, origin, source) = (disk.clone(), origin.clone(), Arc::clone(source));
            let hits = self.disk_hits.clone();
            async move {
                let disk = disk.filter(|_| origin.permits(&source.url))?;
                let bytes = disk.read(name).await?;
                hits.inc();
                Some(bytes)
            }
        };
        let (flight, outcome) = origin.segment(source, backoff, stored).await;
        if let (Some(disk), Ok(fetched)) = (&disk, &outcome)
            && fetched.is_first
        {
            disk.write(name, fetched.bytes.clone());
        }
        (flight, outcome)
    }

    fn key(&self, source: &Arc<Source>) -> Key {
        (Arc::clone(source), Arc::clone(&self.access))
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.cache.ledger().leave(self.id);
    }
}

#[cfg(test)]
pub(crate) mod tests;
