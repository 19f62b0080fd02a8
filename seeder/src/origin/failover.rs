//! Servers that stand in for each other.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;
use url::Url;

/// How long a stand-in is asked first after the one before it failed. Long enough that a dead server does not cost every
/// segment its deadline, short enough that the operator's first choice is soon taken again.
const PREFERRED: Duration = Duration::from_secs(60);

/// The servers of one channel, best first; all have the same paths.
#[derive(Debug, Default)]
pub(crate) struct Failover {
    servers: Vec<Url>,
    /// Which one answered last, if not the first, and when.
    preferred: Mutex<Option<(usize, Instant)>>,
}

impl Failover {
    /// With the manifest's own server first.
    pub(crate) fn new(manifest: &Url, stand_ins: impl Iterator<Item = Url>) -> Self {
        Self {
            servers: std::iter::once(manifest.clone()).chain(stand_ins).collect(),
            preferred: Mutex::default(),
        }
    }

    /// Where something may be had, in the order to try it.
    pub(crate) fn candidates(&self, url: &Url) -> Vec<Url> {
        if self.servers.len() < 2 || self.server_of(url).is_none() {
            return vec![url.clone()];
        }
        let first = self.first();
        let order = std::iter::once(first).chain((0..self.servers.len()).filter(|it| *it != first));
        order.filter_map(|server| self.moved(url, server)).collect()
    }

    /// It came from there: ask that server first from now on.
    pub(crate) fn answered(&self, url: &Url) {
        let Some(server) = self.server_of(url) else {
            return;
        };
        if let Ok(mut preferred) = self.preferred.lock() {
            match *preferred {
                // The first choice is tried again however well its stand-in does.
                Some((known, _)) if known == server => {}
                Some(_) | None => *preferred = (server > 0).then(|| (server, Instant::now())),
            }
        }
    }

    /// The address that it has on the first server: by that viewers know the channel.
    pub(crate) fn canonical(&self, url: &Url) -> Url {
        let stand_in = self.server_of(url).filter(|server| *server > 0);
        let moved = stand_in.and_then(|_| self.moved(url, 0));
        moved.unwrap_or_else(|| url.clone())
    }

    fn first(&self) -> usize {
        let Ok(mut preferred) = self.preferred.lock() else {
            return 0;
        };
        *preferred = preferred.filter(|(_, since)| since.elapsed() < PREFERRED);
        preferred.map_or(0, |(server, _)| server)
    }

    fn server_of(&self, url: &Url) -> Option<usize> {
        let origin = url.origin();
        self.servers.iter().position(|it| it.origin() == origin)
    }

    fn moved(&self, url: &Url, server: usize) -> Option<Url> {
        let server = self.servers.get(server)?;
        let mut moved = url.clone();
        moved.set_scheme(server.scheme()).ok()?;
        moved.set_host(server.host_str()).ok()?;
        moved.set_port(server.port()).ok()?;
        Some(moved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn failover() -> Failover {
        let stand_in = url("http://backup.example:8080");
        Failover::new(&url("https://cdn.example/tv.m3u8"), [stand_in].into_iter())
    }

    fn seen(failover: &Failover, address: &str) -> Vec<String> {
        let candidates = failover.candidates(&url(address));
        candidates.into_iter().map(String::from).collect()
    }

    const ONE: &str = "https://cdn.example/a/1.ts?t=1";
    const OTHER: &str = "http://backup.example:8080/a/1.ts?t=1";

    #[test]
    fn the_same_path_is_tried_on_each_server() {
        assert_eq!(seen(&failover(), ONE), [ONE, OTHER]);
        assert_eq!(seen(&failover(), OTHER), [ONE, OTHER]);
        let foreign = "https://ads.example/1.ts";
        assert_eq!(seen(&failover(), foreign), [foreign]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stand_in_that_answered_is_asked_first_for_a_while() {
        let failover = failover();
        failover.answered(&url(OTHER));
        assert_eq!(seen(&failover, ONE), [OTHER, ONE]);
        tokio::time::advance(PREFERRED / 2).await;
        failover.answered(&url(OTHER));
        tokio::time::advance(PREFERRED / 2).await;
        assert_eq!(seen(&failover, ONE), [ONE, OTHER]);
    }

    #[test]
    fn viewers_know_the_channel_by_its_first_server() {
        assert_eq!(failover().canonical(&url(OTHER)).as_str(), ONE);
        assert_eq!(failover().canonical(&url(ONE)).as_str(), ONE);
    }
}
