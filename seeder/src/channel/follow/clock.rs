//! What time it is for a DASH presentation (ISO/IEC 23009-1, 5.8.4.11).

use std::time::{Duration, SystemTime};

use beekeepr_playlist::dash::{Clock, date_ms};
use tokio::time::Instant;
use url::Url;

use super::url_of;
use crate::origin::{Origin, OriginError};

/// Clocks drift by seconds a day at most, so after this what was learnt is asked for anew.
const LEARNT: Duration = Duration::from_secs(600);
/// The longest answer of a time server that makes sense.
const ANSWER_BYTES_MAX: u64 = 256;

/// The difference between the presentation's time and ours.
#[derive(Debug, Default)]
pub(crate) struct Wall {
    ahead_ms: i64,
    learnt_at: Option<Instant>,
}

impl Wall {
    /// In milliseconds since 1970 UTC.
    pub(crate) fn now_ms(&self) -> i64 {
        own_ms().saturating_add(self.ahead_ms)
    }

    /// Asks the first clock that answers; without any the machine's own counts, as in browsers.
    pub(crate) async fn learn(&mut self, origin: &Origin, clocks: &[Clock]) {
        let is_fresh = self.learnt_at.is_some_and(|at| at.elapsed() < LEARNT);
        for clock in clocks {
            let before_ms = own_ms();
            let told = match clock {
                Clock::Direct(now_ms) => Ok(*now_ms),
                Clock::Head(_) | Clock::Get(_) if is_fresh => return,
                Clock::Head(address) | Clock::Get(address) => match url_of(address) {
                    Some(url) if matches!(clock, Clock::Head(_)) => origin.date_ms(&url).await,
                    Some(url) => date_in(origin, &url).await,
                    None => continue,
                },
                Clock::Other { .. } => continue,
            };
            match told {
                Ok(told_ms) => {
                    // It was written down half-way between question and answer, as far as one can know.
                    let here_ms = before_ms + (own_ms() - before_ms) / 2;
                    self.ahead_ms = told_ms.saturating_sub(here_ms);
                    self.learnt_at = Some(Instant::now());
                    return;
                }
                Err(error) => {
                    tracing::debug!("a time server of the manifest does not serve: {error}");
                }
            }
        }
    }
}

async fn date_in(origin: &Origin, url: &Url) -> Result<i64, OriginError> {
    let text = origin.text(url, ANSWER_BYTES_MAX).await?;
    let text = std::str::from_utf8(&text).map_err(|_| OriginError::NoDate)?;
    date_ms(text).ok_or(OriginError::NoDate)
}

/// The machine's own clock.
pub(crate) fn own_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}
