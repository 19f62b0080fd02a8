//! Where the player is.

use beekeepr_model::Time;

/// The last report of the player, carried on at its rate.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Playhead {
    report: Option<Report>,
}

#[derive(Clone, Copy, Debug)]
struct Report {
    at: Time,
    position_ms: i64,
    rate_milli: u32,
}

impl Playhead {
    pub(crate) fn report(&mut self, at: Time, position_ms: i64, rate_milli: u32) {
        self.report = Some(Report {
            at,
            position_ms,
            rate_milli,
        });
    }

    /// The position now, `None` before the first report.
    pub(crate) fn position_ms(&self, now: Time) -> Option<i64> {
        let report = self.report?;
        let passed = now
            .since_ms(report.at)
            .min(i64::from(u32::MAX).unsigned_abs());
        let moved = passed * u64::from(report.rate_milli) / 1000;
        Some(report.position_ms.saturating_add(moved as i64))
    }

    /// Milliseconds until the player reaches `start_ms`, below 0 when it has passed it.
    /// Before the first report the player waits for whatever it asks: 0.
    pub(crate) fn until_ms(&self, start_ms: i64, now: Time) -> i64 {
        let Some(position) = self.position_ms(now) else {
            return 0;
        };
        let distance = start_ms.saturating_sub(position);
        // A paused player may go on at any moment: count as if it played.
        let rate = match self.report.map_or(0, |report| report.rate_milli) {
            0 => 1000,
            rate => i64::from(rate),
        };
        distance.clamp(-DISTANCE_MS_MAX, DISTANCE_MS_MAX) * 1000 / rate
    }
}

/// Farther than a century nothing lies; a hostile manifest may say otherwise.
const DISTANCE_MS_MAX: i64 = 1 << 42;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_playhead_moves_on_between_reports() {
        let mut playhead = Playhead::default();
        assert_eq!(playhead.until_ms(9_000, Time::from_ms(50)), 0);
        playhead.report(Time::from_ms(100), 5_000, 2_000);
        assert_eq!(playhead.position_ms(Time::from_ms(600)), Some(6_000));
        assert_eq!(playhead.until_ms(9_000, Time::from_ms(600)), 1_500);
    }

    #[test]
    fn a_paused_player_counts_as_about_to_play() {
        let mut playhead = Playhead::default();
        playhead.report(Time::ZERO, 1_000, 0);
        assert_eq!(playhead.until_ms(3_000, Time::from_ms(70_000)), 2_000);
    }
}
