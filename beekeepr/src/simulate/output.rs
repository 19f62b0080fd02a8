//! Figures for people and for scripts.

use std::fs;
use std::path::Path;

use beekeepr_sim::{Plot, Report, svg};
use serde_json::{Value, json};

use super::{Run, Simulate};
use crate::failure::Failure;
use crate::operator::say;

/// A plot on a terminal.
const COLUMNS: usize = 72;
const ROWS: usize = 18;

/// Prints what came of the runs and writes the plot.
pub(super) fn show(args: &Simulate, runs: &[Run]) -> Result<(), Failure> {
    if args.json {
        let runs: Vec<Value> = runs.iter().map(value).collect();
        say(&json!({ "seed": args.seed, "runs": runs }).to_string());
    } else if args.sweep.is_empty() {
        runs.iter().for_each(|run| say(&text(run)));
    } else {
        table(runs);
    }
    match &args.plot {
        None => Ok(()),
        Some(file) => write(file, &plots(runs, !args.sweep.is_empty())),
    }
}

fn text(run: &Run) -> String {
    let mut text = run.report.to_string();
    if let Some(plain) = &run.plain {
        text += &format!(
            "\nwith plain HTTP    origin {:.1} Mbit/s, peak {:.1}; stalls {} of {} viewers, {} ms in all; {} ms after seeks",
            plain.origin_mbps,
            plain.origin_peak_mbps,
            plain.stalls,
            plain.viewers_stalled,
            plain.stalled_ms,
            plain.seek_wait_ms
        );
    }
    let memory = memory_mb().map_or_else(String::new, |mb| format!(", {mb} MB"));
    text + &format!(
        "\nsimulated          {} events in {:.1} s{memory}",
        run.report.events, run.seconds
    )
}

/// The most memory that this process has had, where the system tells.
fn memory_mb() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kb: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kb / 1024)
}

fn table(runs: &[Run]) {
    say(&format!(
        "{:>8} {:>8} {:>10} {:>10} {:>12} {:>7} {:>9} {:>8}",
        "viewers", "offload", "origin", "peak", "super-peers", "stalls", "start p95", "wasted"
    ));
    say(&format!(
        "{:>8} {:>8} {:>10} {:>10} {:>12} {:>7} {:>9} {:>8}",
        "", "%", "Mbit/s", "Mbit/s", "Mbit/s", "", "ms", "%"
    ));
    for run in runs {
        let report = &run.report;
        say(&format!(
            "{:>8} {:>8.1} {:>10.1} {:>10.1} {:>12.1} {:>7} {:>9} {:>8.2}",
            run.viewers,
            100.0 * offload(report),
            report.origin_mbps,
            report.origin_peak_mbps,
            report.super_peer_mbps,
            report.stalls,
            report.startup_p95_ms,
            100.0 * report.wasted
        ));
    }
}

/// What the origin did not have to send, super-peers' own requests counted against it.
fn offload(report: &Report) -> f64 {
    1.0 - report.origin_mbps / report.demand_mbps.max(f64::MIN_POSITIVE)
}

fn value(run: &Run) -> Value {
    let plain = run.plain.as_ref().map(figures);
    let mut value = figures(&run.report);
    value["viewers"] = json!(run.viewers);
    value["seconds"] = json!(run.seconds);
    value["memory_mb"] = json!(memory_mb());
    value["plain_http"] = json!(plain);
    value
}

fn figures(report: &Report) -> Value {
    json!({
        "viewers_in_all": report.viewers,
        "offload": offload(report),
        "share_viewers": report.share_viewers,
        "share_super_peers": report.share_super_peers,
        "share_origin": report.share_origin,
        "share_overall": report.share_overall,
        "demand_mbps": report.demand_mbps,
        "origin_mbps": report.origin_mbps,
        "origin_peak_mbps": report.origin_peak_mbps,
        "origin_requests": report.origin_requests,
        "super_peer_mbps": report.super_peer_mbps,
        "super_peer_peak_mbps": report.super_peer_peak_mbps,
        "stalls": report.stalls,
        "stalled_ms": report.stalled_ms,
        "viewers_stalled": report.viewers_stalled,
        "seek_wait_ms": report.seek_wait_ms,
        "startup_p50_ms": report.startup_p50_ms,
        "startup_p95_ms": report.startup_p95_ms,
        "startup_p99_ms": report.startup_p99_ms,
        "viewers_without_picture": report.viewers_without_picture,
        "wasted": report.wasted,
        "fairness": report.fairness,
        "upload_ratio_most": report.upload_ratio_most,
        "played_bps": report.played_bps,
        "peers_p50": report.peers_p50,
        "peers_most": report.peers_most,
        "announces": report.announces,
        "events": report.events,
    })
}

fn plots(runs: &[Run], is_sweep: bool) -> Vec<Plot> {
    if is_sweep {
        return over_viewers(runs);
    }
    runs.iter().map(|run| over_time(&run.report)).collect()
}

fn over_viewers(runs: &[Run]) -> Vec<Plot> {
    let line = |name: &str, of: fn(&Report) -> f64| {
        let points = runs
            .iter()
            .map(|run| (f64::from(run.viewers), of(&run.report)));
        (name.to_owned(), points.collect())
    };
    let plot = |title: &str, lines| Plot {
        title: title.to_owned(),
        x: "viewers".to_owned(),
        is_log: true,
        lines,
    };
    vec![
        plot(
            "Part of the bytes",
            vec![
                line("offload", offload),
                line("from viewers", |it| it.share_viewers),
                line("from super-peers", |it| it.share_super_peers),
            ],
        ),
        plot(
            "Mbit/s",
            vec![
                line("origin", |it| it.origin_mbps),
                line("origin, peak", |it| it.origin_peak_mbps),
                line("super-peers", |it| it.super_peer_mbps),
            ],
        ),
    ]
}

fn over_time(report: &Report) -> Plot {
    let line = |name: &str, of: fn(&beekeepr_sim::Second) -> u64| {
        let seconds = report.seconds.iter().enumerate();
        let points = seconds.map(|(at, second)| (at as f64, of(second) as f64 * 8.0 / 1e6));
        (name.to_owned(), points.collect())
    };
    Plot {
        title: "Mbit/s".to_owned(),
        x: "seconds".to_owned(),
        is_log: false,
        lines: vec![
            line("from viewers", |it| it.viewer_bytes),
            line("from super-peers", |it| it.super_peer_bytes),
            line("from the origin", |it| it.origin_bytes + it.seed_bytes),
        ],
    }
}

fn write(file: &Path, plots: &[Plot]) -> Result<(), Failure> {
    let text = || -> String { plots.iter().map(|plot| plot.text(COLUMNS, ROWS)).collect() };
    if file == Path::new("-") {
        say(text().trim_end());
        return Ok(());
    }
    let is_svg = file.extension().is_some_and(|end| end == "svg");
    let text = if is_svg { svg(plots) } else { text() };
    fs::write(file, text).map_err(|error| {
        Failure::Other(format!("cannot write the plot {}: {error}", file.display()))
    })
}
