//! Segments from the cache, and through it from the origin: many who ask for one make one request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use beekeepr_model::ByteRange;
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::sync::Semaphore;
use url::Url;

use super::directory::Served;
use crate::cache::{Found, Room};
use crate::origin::{Backoff, OriginError, Source};
use crate::seed::seed;

/// Fetches for players at a time, over all channels; more wait. As many as the largest files may be held by 1 GiB.
const FETCHES_MAX: usize = 32;

type Loading = Shared<BoxFuture<'static, Result<Bytes, OriginError>>>;

/// Fetches that run.
pub(super) struct Segments {
    running: Arc<Mutex<HashMap<Key, Loading>>>,
    permits: Arc<Semaphore>,
}

/// Channel and segment.
type Key = (String, Arc<Source>);

impl Segments {
    pub(super) fn new() -> Self {
        Self {
            running: Arc::default(),
            permits: Arc::new(Semaphore::new(FETCHES_MAX)),
        }
    }

    /// A file or a part of it, and whether it was in memory.
    pub(super) async fn load(
        &self,
        served: &Arc<Served>,
        url: &Url,
        range: Option<ByteRange>,
    ) -> (Result<Bytes, OriginError>, bool) {
        let key = (
            served.path().to_owned(),
            Arc::new(Source::new(url.clone(), range)),
        );
        let loading = {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            match running.get(&key) {
                Some(loading) => loading.clone(),
                None => {
                    let room = match served.account.borrow(&key.1) {
                        Found::Here(bytes) => return (Ok(bytes), true),
                        Found::Room(room) => Some(room),
                        // It is passed on all the same.
                        Found::Full => None,
                    };
                    let loading = self.begin(served, key.clone(), room);
                    running.insert(key, loading.clone());
                    loading
                }
            }
        };
        (loading.await, false)
    }

    /// The whole file, if it is in memory.
    pub(super) fn known(served: &Served, url: &Url) -> Option<Bytes> {
        served
            .account
            .peek(&Arc::new(Source::new(url.clone(), None)))
    }

    fn begin(&self, served: &Arc<Served>, key: Key, room: Option<Room>) -> Loading {
        let (served, running) = (Arc::clone(served), Arc::clone(&self.running));
        let permits = Arc::clone(&self.permits);
        // Spawned, so that it comes to its end whoever goes away.
        let task = tokio::spawn(async move {
            // The semaphore is never closed; without a permit the fetch would run all the same.
            let _permit = permits.acquire().await;
            let (account, source) = (&served.account, &key.1);
            let is_live = account.is_live();
            let backoff = Backoff::new(seed());
            let fetch = account.fetch(&served.origin, source, backoff, is_live);
            let (_flight, outcome) = fetch.await;
            if let Some(room) = &room {
                let bytes = outcome.as_ref().ok().map(|fetched| &fetched.bytes);
                account.lend(source, room, bytes, is_live);
            }
            if let Ok(fetched) = &outcome
                && fetched.is_first
            {
                let bytes = fetched.bytes.len() as u64;
                served.metrics.fetched_bytes.inc_by(bytes);
            }
            let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
            running.remove(&key);
            outcome.map(|fetched| fetched.bytes)
        });
        task.map(|outcome| outcome.unwrap_or(Err(OriginError::Timeout)))
            .boxed()
            .shared()
    }
}
