//! What came of a run.

use std::fmt;

use crate::node::Outcome;
use crate::profile::Role;
use crate::stats::Second;
use crate::world::World;

/// Figures of a run. Those of bytes and peaks leave out the time in which viewers come to know each other
/// ([`crate::Config::warm_ms`]); those of viewers are over all of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Viewers that came.
    pub viewers: u32,
    /// Most viewers at a time.
    pub viewers_most: u32,
    /// Of the bytes that viewers got, the part from the origin.
    pub share_origin: f64,
    /// The part from other viewers.
    pub share_viewers: f64,
    /// The part from super-peers.
    pub share_super_peers: f64,
    /// The part from other viewers and super-peers, over the whole run.
    pub share_overall: f64,
    /// What the origin sent to everybody, in Mbit/s: on average.
    pub origin_mbps: f64,
    /// And in the busiest second of the whole run.
    pub origin_peak_mbps: f64,
    /// What viewers took in on average, in Mbit/s: what the origin would have to send alone.
    pub demand_mbps: f64,
    /// What super-peers sent, in Mbit/s: on average.
    pub super_peer_mbps: f64,
    /// And in their busiest second.
    pub super_peer_peak_mbps: f64,
    /// Requests that the origin got.
    pub origin_requests: u64,
    /// Announces that the tracker got.
    pub announces: u64,
    /// How often playback stood still.
    pub stalls: u64,
    /// For how long, over all viewers.
    pub stalled_ms: u64,
    /// Viewers for whom it did.
    pub viewers_stalled: u32,
    /// Time from seeks to pictures, over all viewers.
    pub seek_wait_ms: u64,
    /// From joining to the first picture, in milliseconds: median.
    pub startup_p50_ms: u64,
    /// 95th percentile.
    pub startup_p95_ms: u64,
    /// 99th percentile.
    pub startup_p99_ms: u64,
    /// Viewers that saw nothing.
    pub viewers_without_picture: u32,
    /// Of the bytes that viewers got over the whole run, the part that neither played nor waits to be played.
    pub wasted: f64,
    /// Jain's index of what viewers sent in the time that they were there: 1 when all sent the same.
    pub fairness: f64,
    /// The most that a viewer sent, in multiples of what it watched.
    pub upload_ratio_most: f64,
    /// Bits per second of what was played, on average.
    pub played_bps: u64,
    /// Most peers at a time of any viewer.
    pub peers_most: u32,
    /// Median of the most peers of each viewer.
    pub peers_p50: u32,
    /// Bytes of segments in a viewer's memory: the most of any.
    pub stored_most: u64,
    /// Things that happened.
    pub events: u64,
    /// Things that did not hold, and the first of them.
    pub faults: u64,
    /// The first of them in words.
    pub fault_texts: Vec<String>,
    /// Second by second.
    pub seconds: Vec<Second>,
    /// How long each viewer waited in all, without its start, in the order of the viewers' numbers.
    pub waits_ms: Vec<u64>,
    /// From joining to the first picture, in the same order.
    pub startups_ms: Vec<Option<u64>>,
}

impl Report {
    pub(crate) fn of(world: &World) -> Self {
        let mut report = Self {
            origin_requests: world.origin.requests,
            announces: world.tracker.announces,
            events: world.events,
            faults: world.faults.count,
            fault_texts: world.faults.texts().to_vec(),
            seconds: world.series.seconds().to_vec(),
            ..Self::default()
        };
        report.add_traffic((world.config.warm_ms / 1_000) as usize);
        let viewers: Vec<&Outcome> = world
            .nodes
            .iter()
            .filter(|node| node.profile.role == Role::Viewer && node.outcome.present_ms > 0)
            .map(|node| &node.outcome)
            .collect();
        report.add_viewers(&viewers);
        report
    }

    fn add_traffic(&mut self, warm_s: usize) {
        let seconds = &self.seconds;
        let warm_s = warm_s.min(seconds.len().saturating_sub(1));
        let after = &seconds[warm_s.min(seconds.len())..];
        let all = sum(seconds);
        let warm = sum(after);
        let got = |of: &Second| of.origin_bytes + of.viewer_bytes + of.super_peer_bytes;
        self.share_origin = part(warm.origin_bytes, got(&warm));
        self.share_viewers = part(warm.viewer_bytes, got(&warm));
        self.share_super_peers = part(warm.super_peer_bytes, got(&warm));
        self.share_overall = part(all.viewer_bytes + all.super_peer_bytes, got(&all));
        let time_s = after.len() as u64;
        self.origin_mbps = mbps(warm.origin_bytes + warm.seed_bytes, time_s);
        self.demand_mbps = mbps(got(&warm), time_s);
        self.super_peer_mbps = mbps(warm.super_peer_bytes, time_s);
        let peak = |of: fn(&Second) -> u64| seconds.iter().map(of).max().unwrap_or(0);
        self.origin_peak_mbps = mbps(peak(|it| it.origin_bytes + it.seed_bytes), 1);
        self.super_peer_peak_mbps = mbps(peak(|it| it.super_peer_bytes), 1);
        self.viewers_most = seconds.iter().map(|it| it.viewers).max().unwrap_or(0);
    }

    fn add_viewers(&mut self, viewers: &[&Outcome]) {
        self.viewers = viewers.len() as u32;
        let waits = viewers.iter().map(|it| &it.experience);
        self.waits_ms = waits.map(|it| it.stalled_ms + it.seek_wait_ms).collect();
        let startups = viewers.iter().map(|it| it.experience.startup_ms);
        self.startups_ms = startups.collect();
        for outcome in viewers {
            let experience = &outcome.experience;
            self.stalls += u64::from(experience.stalls);
            self.stalled_ms += experience.stalled_ms;
            self.seek_wait_ms += experience.seek_wait_ms;
            self.viewers_stalled += u32::from(experience.stalls > 0);
            self.viewers_without_picture += u32::from(experience.startup_ms.is_none());
            self.peers_most = self.peers_most.max(outcome.peers_most);
            self.stored_most = self.stored_most.max(outcome.stored_most);
        }
        let mut startups: Vec<u64> = self.startups_ms.iter().copied().flatten().collect();
        startups.sort_unstable();
        self.startup_p50_ms = percentile(&startups, 50);
        self.startup_p95_ms = percentile(&startups, 95);
        self.startup_p99_ms = percentile(&startups, 99);
        let mut peers: Vec<u64> = viewers.iter().map(|it| it.peers_most.into()).collect();
        peers.sort_unstable();
        self.peers_p50 = percentile(&peers, 50) as u32;
        self.add_bytes(viewers);
    }

    fn add_bytes(&mut self, viewers: &[&Outcome]) {
        let total = |of: fn(&Outcome) -> u64| viewers.iter().map(|it| of(it)).sum::<u64>();
        let got = total(|it| it.from_http + it.from_viewers + it.from_super_peers);
        let used = total(|it| it.played + it.left_over);
        self.wasted = part(got.saturating_sub(used), got);
        let played = total(|it| it.experience.bps_sum);
        self.played_bps = played / total(|it| it.experience.segments).max(1);
        let rates: Vec<f64> = viewers
            .iter()
            .filter(|it| it.present_ms >= JUDGED_AFTER_MS)
            .map(|it| it.uploaded as f64 / it.present_ms as f64)
            .collect();
        self.fairness = jain(&rates);
        let ratios = viewers.iter().map(|it| part(it.uploaded, it.played));
        self.upload_ratio_most = ratios.fold(0.0, f64::max);
    }
}

/// Who was there for less has had no time to send anything.
const JUDGED_AFTER_MS: u64 = 30_000;

fn sum(seconds: &[Second]) -> Second {
    seconds.iter().fold(Second::default(), |sum, it| Second {
        origin_bytes: sum.origin_bytes + it.origin_bytes,
        seed_bytes: sum.seed_bytes + it.seed_bytes,
        viewer_bytes: sum.viewer_bytes + it.viewer_bytes,
        super_peer_bytes: sum.super_peer_bytes + it.super_peer_bytes,
        viewers: sum.viewers.max(it.viewers),
        stalled_ms: sum.stalled_ms + it.stalled_ms,
    })
}

fn part(of: u64, all: u64) -> f64 {
    of as f64 / all.max(1) as f64
}

fn mbps(bytes: u64, seconds: u64) -> f64 {
    bytes as f64 * 8.0 / 1e6 / seconds.max(1) as f64
}

/// A value of a sorted list, 0 when it is empty.
fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let place = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(place).copied().unwrap_or(0)
}

/// Jain, Chiu, Hawe 1984: (Σx)² / (n Σx²).
fn jain(rates: &[f64]) -> f64 {
    let sum: f64 = rates.iter().sum();
    let squares: f64 = rates.iter().map(|it| it * it).sum();
    if squares == 0.0 {
        return 1.0;
    }
    sum * sum / (rates.len() as f64 * squares)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "viewers            {} in all, {} at most at a time",
            self.viewers, self.viewers_most
        )?;
        writeln!(
            f,
            "bytes from         viewers {:.1} %, super-peers {:.1} %, origin {:.1} % (once warm; {:.1} % offload overall)",
            100.0 * self.share_viewers,
            100.0 * self.share_super_peers,
            100.0 * self.share_origin,
            100.0 * self.share_overall
        )?;
        writeln!(
            f,
            "origin             {:.1} Mbit/s of {:.1} that are watched, peak {:.1}, {} requests",
            self.origin_mbps, self.demand_mbps, self.origin_peak_mbps, self.origin_requests
        )?;
        writeln!(
            f,
            "super-peers        {:.1} Mbit/s, peak {:.1}",
            self.super_peer_mbps, self.super_peer_peak_mbps
        )?;
        writeln!(
            f,
            "stalls             {} of {} viewers, {} ms in all; {} ms after seeks",
            self.stalls, self.viewers_stalled, self.stalled_ms, self.seek_wait_ms
        )?;
        writeln!(
            f,
            "first picture      median {} ms, 95 % {} ms, 99 % {} ms; {} viewers saw none",
            self.startup_p50_ms,
            self.startup_p95_ms,
            self.startup_p99_ms,
            self.viewers_without_picture
        )?;
        writeln!(
            f,
            "uploads            fairness {:.2} (Jain), the most {:.1} times what was watched; wasted {:.2} %",
            self.fairness,
            self.upload_ratio_most,
            100.0 * self.wasted
        )?;
        write!(
            f,
            "peers              median {}, most {}; {} announces",
            self.peers_p50, self.peers_most, self.announces
        )?;
        for text in &self.fault_texts {
            write!(f, "\nDOES NOT HOLD      {text}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_uploads_are_fair_and_one_uploader_is_not() {
        assert!((jain(&[2.0, 2.0, 2.0]) - 1.0).abs() < 1e-9);
        assert!((jain(&[3.0, 0.0, 0.0]) - 1.0 / 3.0).abs() < 1e-9);
        assert!((jain(&[]) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn percentiles_are_values_of_the_list() {
        let values: Vec<u64> = (0..100).collect();
        assert_eq!((percentile(&values, 50), percentile(&values, 99)), (50, 99));
        assert_eq!(percentile(&[], 50), 0);
    }
}
