use super::*;
use crate::metrics::Metrics;
use crate::origin::{Deadlines, Guard};

/// A channel's account.
pub(crate) fn account(cache: &Cache, name: &str) -> Account {
    let manifest = "http://origin.example/tv.m3u8".parse().unwrap();
    let channel = Channel::new(name.to_owned(), manifest);
    let metrics = Metrics::register(&prometheus::Registry::new()).unwrap();
    let tls = crate::tls::client_config().unwrap();
    let origin = Origin::new(Guard::new(true, &[]), &tls, Deadlines::default()).unwrap();
    cache.account(&channel, &origin, &metrics.channel(name))
}

/// A segment of it.
pub(crate) fn source(path: &str) -> Arc<Source> {
    let url = url::Url::parse(&format!("http://origin.example/{path}")).unwrap();
    Arc::new(Source::new(url, None))
}

fn fetched(account: &Account, path: &str, bytes: &'static [u8]) {
    let source = source(path);
    let Found::Room(room) = account.hold(&source, Purpose::Asked) else {
        unreachable!("there is room and it is not there yet");
    };
    account.settle(&source, &room, Some(&Bytes::from_static(bytes)), true);
}

#[tokio::test]
async fn a_channel_is_told_what_it_has_to_let_go_of() {
    let cache = Cache::new(1024 * 1024, None);
    let one = account(&cache, "one");
    fetched(&one, "a", &[0; 600_000]);
    fetched(&one, "b", &[0; 600_000]);
    assert_eq!(one.evicted().await, [source("a")]);
}

#[test]
fn uses_are_counted_as_they_were_for_those_who_asked() {
    let cache = Cache::new(1024 * 1024, None);
    let one = account(&cache, "one");
    fetched(&one, "a", b"0123456789");
    one.touch(&source("a"));
    assert_eq!((one.hits.get(), one.misses.get()), (0, 1));
    one.touch(&source("a"));
    assert!(matches!(one.borrow(&source("a")), Found::Here(_)));
    assert_eq!((one.hits.get(), one.misses.get()), (2, 1));
}

#[test]
fn a_channel_that_is_gone_leaves_nothing() {
    let cache = Cache::new(1024 * 1024, None);
    let one = account(&cache, "one");
    fetched(&one, "a", b"0123456789");
    drop(one);
    let other = account(&cache, "other");
    assert!(matches!(other.borrow(&source("a")), Found::Room(_)));
}
