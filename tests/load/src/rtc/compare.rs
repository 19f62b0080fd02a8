//! Both stacks, turn by turn.

use anyhow::{Context, Result, ensure};

use super::receive::{self, Report};
use super::server::MESSAGE_BYTES_MAX;
use super::start::Place;
use super::{CompareArgs, Stack};
use crate::process;
use crate::report::{median, percentile};

pub(crate) fn run(args: &CompareArgs) -> Result<()> {
    check(args)?;
    process::stay_off(args.core)?;
    let place = Place::of(args.shape)?;
    for &message in &args.messages {
        compare(&place, message, args)?;
        if args.idle {
            break; // the size makes no difference
        }
    }
    Ok(())
}

fn check(args: &CompareArgs) -> Result<()> {
    ensure!(args.peers > 0 && args.rounds > 0, "nothing to measure");
    let fits = |bytes: &usize| (1..=MESSAGE_BYTES_MAX).contains(bytes);
    ensure!(
        args.messages.iter().all(fits),
        "a message has 1 to {MESSAGE_BYTES_MAX} bytes"
    );
    Ok(())
}

fn compare(place: &Place, message: usize, args: &CompareArgs) -> Result<()> {
    eprintln!(
        "{} peers, messages of {message} bytes, {} bytes on the way to each\n\
         stack    Mbit/s  cpu s/GB  cores  set-up ms p50/p99  failed  idle KiB/peer  loaded KiB/peer  starved",
        args.peers, args.window
    );
    let mut reports = Stack::ALL.map(|_| Vec::new());
    for _ in 0..args.rounds {
        for (stack, reports) in Stack::ALL.into_iter().zip(&mut reports) {
            let far = place.server(stack, args.core, args.window)?;
            let report = receive::run(&far, place.here(), message, args).context(stack.name())?;
            eprintln!("{}", line(stack, &report));
            reports.push(report);
        }
    }
    let [ours, rival] = &reports;
    eprintln!("medians, ours to webrtc's: {}\n", summary(ours, rival));
    Ok(())
}

fn line(stack: Stack, report: &Report) -> String {
    let Report {
        mbit,
        cpu_per_gb,
        cores,
        idle_kib,
        loaded_kib,
        starved,
        set_up_ms,
        failed,
    } = report;
    let set_up = format!(
        "{:.1}/{:.1}",
        percentile(set_up_ms, 0.5),
        percentile(set_up_ms, 0.99)
    );
    format!(
        "{:<7} {mbit:>7.0} {cpu_per_gb:>9.2} {cores:>6.2} {set_up:>18} {failed:>7} {idle_kib:>14.0} {loaded_kib:>16.0} {starved:>8}",
        stack.name()
    )
}

/// Ratios of the medians, and the set-up times themselves.
fn summary(ours: &[Report], rival: &[Report]) -> String {
    let middle = |reports: &[Report], figure: fn(&Report) -> f64| {
        median(reports.iter().map(figure).collect())
    };
    let ratio = |figure| middle(ours, figure) / middle(rival, figure);
    let set_up = |reports| middle(reports, |it| percentile(&it.set_up_ms, 0.5));
    let mut text = format!(
        "idle memory {:.2}; set-up {:.1} ms against {:.1} ms",
        ratio(|it| it.idle_kib),
        set_up(ours),
        set_up(rival),
    );
    let cpu = ratio(|it| it.cpu_per_gb);
    if !cpu.is_nan() {
        text += &format!("; CPU for a GB {cpu:.2}, Mbit/s {:.2}", ratio(|it| it.mbit));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(cpu_per_gb: f64) -> Report {
        Report {
            set_up_ms: vec![5.0, 10.0, 15.0],
            failed: 0,
            idle_kib: 100.0,
            loaded_kib: 200.0,
            mbit: 400.0,
            cpu_per_gb,
            cores: 0.5,
            starved: 0,
        }
    }

    #[test]
    fn ratios_are_of_medians() {
        let ours = [report(1.0), report(9.0), report(2.0)];
        let text = summary(&ours, &[report(4.0)]);
        assert!(text.contains("CPU for a GB 0.50, Mbit/s 1.00"), "{text}");
        assert!(text.contains("set-up 10.0 ms against 10.0 ms"), "{text}");
    }

    #[test]
    fn what_was_only_connected_has_no_cpu_time() {
        let text = summary(&[report(f64::NAN)], &[report(f64::NAN)]);
        assert!(!text.contains("CPU") && !text.contains("NaN"), "{text}");
    }
}
