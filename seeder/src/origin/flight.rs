//! One fetch of each segment for the whole process, whichever channels want it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};

use super::{Access, OriginError, Source};

type Outcome = Result<Bytes, OriginError>;

/// A fetch, running or done. While somebody keeps it, others who want the segment get its bytes.
pub(crate) type Flight = Shared<BoxFuture<'static, Outcome>>;

/// Which segment, fetched under which rules: other credentials may bring other bytes.
type Key = (Arc<Source>, Arc<Access>);

/// Entries beyond which those of forgotten fetches are cleared away, at least. A few channels' live windows.
const SWEEP_MIN: usize = 1024;

/// All fetches of the process.
#[derive(Debug, Default)]
pub(crate) struct Flights(Mutex<HashMap<Key, WeakShared<BoxFuture<'static, Outcome>>>>);

impl Flights {
    /// Joins the fetch of a segment, or begins it; the second value is whether it began.
    pub(crate) fn join(
        &self,
        key: Key,
        begin: impl FnOnce() -> BoxFuture<'static, Outcome>,
    ) -> (Flight, bool) {
        let Ok(mut flights) = self.0.lock() else {
            return (begin().shared(), true);
        };
        let known = flights.get(&key).and_then(WeakShared::upgrade);
        if let Some(known) = known.filter(|it| !matches!(it.peek(), Some(Err(_)))) {
            return (known, false);
        }
        if flights.len() >= SWEEP_MIN && flights.len() == flights.capacity() {
            flights.retain(|_, flight| flight.upgrade().is_some());
        }
        let flight = begin().shared();
        if let Some(weak) = flight.downgrade() {
            flights.insert(key, weak);
        }
        (flight, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        let url = url::Url::parse(&format!("http://origin.example/{name}")).unwrap();
        (Arc::new(Source::new(url, None)), Arc::default())
    }

    fn brings(text: &'static str) -> BoxFuture<'static, Outcome> {
        async move { Ok(Bytes::from_static(text.as_bytes())) }.boxed()
    }

    #[tokio::test]
    async fn who_comes_while_it_runs_or_is_kept_gets_the_same_bytes() {
        let flights = Flights::default();
        let (first, began) = flights.join(key("a"), || brings("one"));
        let (second, began_again) = flights.join(key("a"), || brings("two"));
        assert!(began && !began_again);
        assert_eq!(second.await.unwrap(), "one");
        assert_eq!(first.clone().await.unwrap(), "one");
        let (late, _) = flights.join(key("a"), || brings("two"));
        assert_eq!(late.await.unwrap(), "one");
        assert_eq!(
            flights.join(key("b"), || brings("other")).0.await.unwrap(),
            "other"
        );
    }

    #[tokio::test]
    async fn what_nobody_keeps_is_fetched_anew() {
        let flights = Flights::default();
        drop(flights.join(key("a"), || brings("one")));
        let (flight, began) = flights.join(key("a"), || brings("two"));
        assert!(began);
        assert_eq!(flight.await.unwrap(), "two");
    }

    #[tokio::test]
    async fn a_failure_is_not_kept() {
        let flights = Flights::default();
        let (failed, _) = flights.join(key("a"), || async { Err(OriginError::Timeout) }.boxed());
        assert!(failed.clone().await.is_err());
        let (flight, _) = flights.join(key("a"), || brings("two"));
        assert_eq!(flight.await.unwrap(), "two");
    }

    #[test]
    fn forgotten_fetches_are_cleared_away() {
        let flights = Flights::default();
        for number in 0..SWEEP_MIN * 16 {
            drop(flights.join(key(&number.to_string()), || brings("")));
        }
        assert!(flights.0.lock().unwrap().len() < SWEEP_MIN * 4);
    }
}
