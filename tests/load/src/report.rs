//! What was measured, as a table.

use crate::tracker::Report;

/// Prints a line for each run.
pub(crate) fn print(runs: &[(String, Report)]) {
    let mut text = String::from(
        "tracker                 ann/s   off/s   ans/s    cpu  µs/ann  announce p50/p99 ms   offer p50/p99  answer p50/p99  \
         rss MiB  KiB/conn  conns  fail  lost\n",
    );
    for (name, report) in runs {
        text.push_str(&line(name, report));
    }
    eprintln!("{text}");
}

fn line(name: &str, report: &Report) -> String {
    let counts = &report.counts;
    let rate = |count: u64| count as f64 / report.seconds;
    let (rss, each) = report.rss_kib.map_or((0.0, 0.0), |(now, before)| {
        let more = now.saturating_sub(before) as f64;
        (now as f64 / 1024.0, more / counts.connections.max(1) as f64)
    });
    let cpu = report.cpu.unwrap_or(f64::NAN);
    format!(
        "{name:<20} {:>8.0} {:>7.0} {:>7.0} {cpu:>6.2} {:>7.1} {:>20} {:>15} {:>15} {rss:>8.1} {each:>9.2} {:>6} {:>5} {:>5}\n",
        rate(counts.announces),
        rate(counts.offers),
        rate(counts.answers),
        us_per_announce(report),
        percentiles(&counts.announce_us),
        percentiles(&counts.offer_us),
        percentiles(&counts.answer_us),
        counts.connections,
        counts.failures,
        counts.lost,
    )
}

/// CPU time of an announce with all the offers and answers that it brings.
pub(crate) fn us_per_announce(report: &Report) -> f64 {
    let cpu = report.cpu.unwrap_or(f64::NAN);
    cpu * report.seconds * 1e6 / report.counts.announces as f64
}

/// Announces a second.
pub(crate) fn announces_per_second(report: &Report) -> f64 {
    report.counts.announces as f64 / report.seconds
}

fn percentiles(latencies_us: &[u32]) -> String {
    let ms: Vec<f64> = latencies_us.iter().map(|&us| f64::from(us) / 1e3).collect();
    format!("{:.2}/{:.2}", percentile(&ms, 0.5), percentile(&ms, 0.99))
}

/// The figure that a share of them does not exceed.
pub(crate) fn percentile(figures: &[f64], share: f64) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let place = (sorted.len() as f64 * share) as usize;
    let figure = sorted.get(place.min(sorted.len().saturating_sub(1)));
    figure.copied().unwrap_or(f64::NAN)
}

/// The middle one of some figures.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_figures_that_were_measured() {
        let figures: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(percentile(&figures, 0.5), 51.0);
        assert_eq!(percentile(&figures, 0.99), 100.0);
        assert_eq!(percentile(&figures, 1.0), 100.0);
        assert_eq!(percentile(&[7.0], 0.99), 7.0);
    }

    #[test]
    fn of_nothing_there_is_no_middle() {
        assert!(percentile(&[], 0.5).is_nan() && median(Vec::new()).is_nan());
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
    }
}
