//! Dividing one uplink between engines that do not know of each other.
//!
//! A process has one limit and many engines: one for each channel and logical peer. A few times a second
//! its shell asks each what it wants ([`Engine::upload_wish`]), divides ([`shares`]), and tells each its
//! part ([`Engine::limit_uploads`]).

use beekeepr_model::Time;

use crate::Engine;
use crate::rate::bits_per_second;

/// What an engine wants of an uplink that it shares with others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UploadWish {
    /// Viewers that are connected; parts are in proportion to it.
    pub viewers: u32,
    /// Bits per second that suffice; `None` while its part holds it back.
    pub enough_bps: Option<u64>,
}

/// Divides `total_bps` so that each gets what suffices or, if that is more, its part by viewers of what
/// the others leave. What nobody wants is divided too: it is there for the next viewer. Every part is at
/// least 1, because 0 means no limit.
#[must_use]
pub fn shares(total_bps: u64, wishes: &[UploadWish]) -> Vec<u64> {
    // An engine without viewers has room for the first.
    let weight = |wish: &UploadWish| u64::from(wish.viewers.max(1));
    let part = |of: u64, wish: &UploadWish, weights: u64| {
        let part = u128::from(of) * u128::from(weight(wish)) / u128::from(weights.max(1));
        u64::try_from(part).unwrap_or(u64::MAX)
    };
    let mut shares = vec![None; wishes.len()];
    let mut left = total_bps;
    // Whoever needs less than its part leaves more to the others, of whom some may then have enough.
    loop {
        let open = (0..wishes.len()).filter(|&it| shares[it].is_none());
        let open: Vec<usize> = open.collect();
        let weights = open.iter().map(|&it| weight(&wishes[it])).sum();
        let content = open.iter().copied().filter(|&it| {
            let enough = wishes[it].enough_bps;
            enough.is_some_and(|bps| bps < part(left, &wishes[it], weights))
        });
        let content: Vec<usize> = content.collect();
        if content.is_empty() {
            for it in open {
                shares[it] = Some(part(left, &wishes[it], weights));
            }
            break;
        }
        let before = left;
        for it in content {
            let enough = wishes[it].enough_bps.unwrap_or(before);
            shares[it] = Some(enough);
            left = left.saturating_sub(enough);
        }
    }
    let used: u64 = shares
        .iter()
        .flatten()
        .fold(0, |sum, it| sum.saturating_add(*it));
    let spare = total_bps.saturating_sub(used);
    let weights = wishes.iter().map(weight).sum();
    let parts = shares.into_iter().zip(wishes);
    let parts = parts.map(|(share, wish)| share.unwrap_or(0) + part(spare, wish, weights));
    parts.map(|share| share.max(1)).collect()
}

/// What an engine used lately and half as much again is taken to suffice.
const GROWTH: (u64, u64) = (3, 2);

impl Engine {
    /// What this engine wants of an uplink, by what happened in the `ms` since this was last asked.
    pub fn upload_wish(&mut self, ms: u64) -> UploadWish {
        let sent = std::mem::take(&mut self.uplink.sent_lately);
        let refused = std::mem::take(&mut self.load.refused_lately);
        let held_back = std::mem::take(&mut self.uplink.held_back);
        let viewers = self.conns.values().filter(|it| it.peer().is_some());
        let viewers = u32::try_from(viewers.count()).unwrap_or(u32::MAX);
        let used_bps = bits_per_second(sent, ms);
        let is_short = held_back || refused > 0;
        UploadWish {
            viewers,
            enough_bps: (!is_short).then_some(used_bps.saturating_mul(GROWTH.0) / GROWTH.1),
        }
    }

    /// Changes [`crate::Config::upload_bps_max`] alone, and sends what has become allowed.
    pub fn limit_uploads(&mut self, now: Time, bps_max: u64) {
        self.pass_to(now);
        self.config.upload_bps_max = bps_max;
        self.run_uploads();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn short(viewers: u32) -> UploadWish {
        UploadWish {
            viewers,
            enough_bps: None,
        }
    }

    const fn content(viewers: u32, bps: u64) -> UploadWish {
        UploadWish {
            viewers,
            enough_bps: Some(bps),
        }
    }

    #[test]
    fn who_is_short_gets_its_part_by_viewers_of_what_others_leave() {
        let wishes = [short(3), short(1), content(10, 200)];
        assert_eq!(shares(1_000, &wishes), [600, 200, 200]);
    }

    #[test]
    fn who_wants_more_than_its_part_gets_its_part() {
        let wishes = [short(1), content(1, 900)];
        assert_eq!(shares(1_000, &wishes), [500, 500]);
    }

    #[test]
    fn what_nobody_wants_is_there_for_the_next_viewer() {
        let wishes = [content(1, 0), content(3, 200)];
        assert_eq!(shares(1_000, &wishes), [200, 800]);
    }

    #[test]
    fn no_part_is_without_limit_and_all_together_stay_within_it() {
        let wishes: Vec<UploadWish> = (0..100)
            .map(|it| content(it % 7, u64::from(it) * 13))
            .collect();
        let parts = shares(5_000, &wishes);
        assert!(parts.iter().sum::<u64>() <= 5_000, "{parts:?}");
        assert!(shares(0, &wishes).iter().all(|&it| it == 1));
        assert!(shares(1_000, &[]).is_empty());
    }
}
