//! What an operator is told of a channel's origin: one line when it fails, one when it works again.

use std::collections::BTreeMap;
use std::sync::Mutex;

use tracing::{debug, info, warn};
use url::Url;

use crate::config;
use crate::origin::OriginError;

/// A channel's origin, as it looks from here. Many parts report, the operator reads one line.
#[derive(Debug)]
pub(crate) struct Health {
    channel: String,
    /// What fails, and why.
    failing: Mutex<BTreeMap<String, String>>,
}

impl Health {
    pub(crate) fn new(channel: String) -> Self {
        Self {
            channel,
            failing: Mutex::default(),
        }
    }

    pub(crate) fn channel(&self) -> &str {
        &self.channel
    }

    /// What is broken, if anything is.
    pub(crate) fn reason(&self) -> Option<String> {
        let failing = self.failing.lock().ok()?;
        let (url, reason) = failing.first_key_value()?;
        Some(format!("{url}: {reason}"))
    }

    /// It does not work. Tried again, whatever it is.
    pub(crate) fn failed(&self, url: &Url, error: &OriginError) {
        let url = config::without_query(url);
        let channel = &self.channel;
        let Ok(mut failing) = self.failing.lock() else {
            return;
        };
        if failing.is_empty() {
            warn!(
                channel,
                url, "channel cannot be read: {error}; trying again until it works"
            );
        } else {
            debug!(channel, url, "still failing: {error}");
        }
        failing.insert(url, error.to_string());
    }

    /// Only these are of interest from now on.
    pub(crate) fn keep(&self, urls: &[Url]) {
        let urls: Vec<String> = urls.iter().map(config::without_query).collect();
        if let Ok(mut failing) = self.failing.lock() {
            failing.retain(|url, _| urls.contains(url));
        }
    }

    /// It works, maybe again.
    pub(crate) fn works(&self, url: &Url) {
        let Ok(mut failing) = self.failing.lock() else {
            return;
        };
        if failing.is_empty() {
            return;
        }
        if failing.remove(&config::without_query(url)).is_some() && failing.is_empty() {
            info!(channel = self.channel, "channel can be read again");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::Arc;

    use super::*;

    /// Log lines as an operator reads them.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is logged at the default level while `act` runs.
    fn lines(act: impl FnOnce()) -> Vec<String> {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .with_target(false)
            .without_time()
            .finish();
        tracing::subscriber::with_default(subscriber, act);
        let bytes = log.0.lock().unwrap().clone();
        String::from_utf8(bytes)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    }

    fn url(path: &str) -> Url {
        Url::parse(&format!("https://cdn.example/{path}?token=secret")).unwrap()
    }

    #[test]
    fn an_outage_is_one_line_however_many_parts_fail_and_how_often() {
        let seen = lines(|| {
            let health = Health::new("tv".into());
            for _ in 0..3 {
                health.failed(&url("a.m3u8"), &OriginError::Status(404));
                health.failed(&url("b.m3u8"), &OriginError::Timeout);
            }
        });
        assert_eq!(
            seen,
            [
                "WARN channel cannot be read: the server answered 404, expected 200; check the \
              address and its access rules; trying again until it works channel=\"tv\" \
              url=\"https://cdn.example/a.m3u8\""
            ]
            .map(|line| format!(" {line}"))
        );
    }

    #[test]
    fn the_end_of_an_outage_is_one_line_and_the_next_outage_another() {
        let seen = lines(|| {
            let health = Health::new("tv".into());
            health.failed(&url("a.m3u8"), &OriginError::Timeout);
            health.failed(&url("b.m3u8"), &OriginError::Timeout);
            health.works(&url("b.m3u8"));
            health.works(&url("c.m3u8"));
            health.works(&url("a.m3u8"));
            health.works(&url("a.m3u8"));
            health.failed(&url("a.m3u8"), &OriginError::Timeout);
        });
        let levels: Vec<_> = seen
            .iter()
            .map(|line| line.split_whitespace().next())
            .collect();
        assert_eq!(levels, [Some("WARN"), Some("INFO"), Some("WARN")]);
    }

    #[test]
    fn an_address_that_is_no_longer_listed_does_not_hide_the_next_outage() {
        let seen = lines(|| {
            let health = Health::new("tv".into());
            health.failed(&url("old.m3u8"), &OriginError::Timeout);
            health.keep(&[url("new.m3u8")]);
            health.failed(&url("new.m3u8"), &OriginError::Timeout);
        });
        assert_eq!(seen.len(), 2);
    }
}
