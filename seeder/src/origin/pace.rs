//! Fetching no faster than an origin should bear.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// A rate that holds on average: what has been fetched puts off what comes next.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Bits per second; 0 for no limit.
    bps_max: u64,
    free_at: Mutex<Instant>,
}

impl Pace {
    pub(crate) fn new(bps_max: u64) -> Self {
        Self {
            bps_max,
            free_at: Mutex::new(Instant::now()),
        }
    }

    /// Waits until the next fetch may begin.
    pub(crate) async fn turn(&self) {
        let free_at = self
            .free_at
            .lock()
            .map_or_else(|_| Instant::now(), |at| *at);
        sleep_until(free_at).await;
    }

    /// So much was fetched.
    pub(crate) fn took(&self, bytes: u64) {
        if self.bps_max == 0 {
            return;
        }
        let Ok(mut free_at) = self.free_at.lock() else {
            return;
        };
        let took_us = bytes.saturating_mul(8_000_000) / self.bps_max;
        *free_at = (*free_at).max(Instant::now()) + Duration::from_micros(took_us);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_next_fetch_waits_for_the_last_one_to_be_paid() {
        let (pace, began) = (Pace::new(8_000), Instant::now());
        pace.turn().await;
        assert_eq!(began.elapsed(), Duration::ZERO);
        pace.took(1_500);
        pace.turn().await;
        assert!((1_500..=1_501).contains(&began.elapsed().as_millis()));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_nothing_waits() {
        let (pace, began) = (Pace::new(0), Instant::now());
        pace.took(u64::MAX);
        pace.turn().await;
        assert_eq!(began.elapsed(), Duration::ZERO);
    }
}
