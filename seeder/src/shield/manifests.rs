//! Manifests as the origin has them at present: many who ask at about the same time make one request.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::time::Instant;
use url::Url;

use crate::origin::{Origin, OriginError, Text};

/// How old a manifest may be: as old as a poll of the seeder's own finds it in the mean, several times over, and an eighth
/// of a usual segment.
const AGE_MAX: Duration = Duration::from_millis(250);
/// Manifests at a time: of some channels, with what the seconds of blocking reloads ask for. More are not shared.
const MANIFESTS_MAX: usize = 512;

type Loading = Shared<BoxFuture<'static, Result<Text, OriginError>>>;

/// Manifests of all channels.
#[derive(Default)]
pub(super) struct Manifests(Mutex<HashMap<Key, State>>);

/// Channel and address.
type Key = (String, Url);

struct State {
    loading: Loading,
    /// When it had come; not yet if none.
    since: Option<Instant>,
}

impl Manifests {
    /// A manifest, and whether somebody else's request brought it.
    pub(super) async fn load(
        &self,
        channel: &str,
        origin: &Origin,
        url: &Url,
        held: Duration,
    ) -> (Result<Text, OriginError>, bool) {
        let key = (channel.to_owned(), url.clone());
        let (loading, is_known) = self.join(&key, || {
            let (origin, url) = (origin.clone(), url.clone());
            // Spawned, so that it comes to its end whoever goes away.
            let task = tokio::spawn(async move { origin.manifest(&url, held).await });
            task.map(|outcome| outcome.unwrap_or(Err(OriginError::Timeout)))
                .boxed()
                .shared()
        });
        let outcome = loading.await;
        self.note(&key, outcome.is_ok());
        (outcome, is_known)
    }

    fn join(&self, key: &Key, begin: impl FnOnce() -> Loading) -> (Loading, bool) {
        let now = Instant::now();
        let is_good = |state: &State| state.since.is_none_or(|since| now < since + AGE_MAX);
        let mut states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = states.get(key).filter(|state| is_good(state)) {
            return (state.loading.clone(), true);
        }
        states.retain(|_, state| is_good(state));
        let loading = begin();
        if states.len() < MANIFESTS_MAX {
            let state = State {
                loading: loading.clone(),
                since: None,
            };
            states.insert(key.clone(), state);
        }
        (loading, false)
    }

    /// It has come. Failures are not kept.
    fn note(&self, key: &Key, is_good: bool) {
        let mut states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(state) = states.get_mut(key) else {
            return;
        };
        // A later one may run already.
        if state.loading.peek().is_none() {
            return;
        }
        if is_good {
            state.since.get_or_insert_with(Instant::now);
        } else {
            states.remove(key);
        }
    }
}
