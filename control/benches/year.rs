//! How large the database of 100 channels is after a year: `cargo bench -p beekeepr-control --bench year [DATABASE_URL]`.
//!
//! Fills the statistics as far as they are kept, with figures of channels that 500 viewers watch without a pause, by way of a
//! backup's lines, and prints rows, bytes and what queries take.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program that measures"
)]

use std::time::Instant;

use beekeepr_control::store::{Counters, Retention, STEPS_S, Span, Sql, Store as _};

const CHANNELS: i64 = 100;
const YEAR_S: i64 = 366 * 86_400;
/// The end of the year.
const NOW_S: i64 = 1_800_000_000;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(run());
}

async fn run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control.db");
    let given = std::env::args().skip(1).find(|it| it.contains(':'));
    let url = given.unwrap_or_else(|| format!("sqlite:{}", path.display()));
    let store = Sql::open(&url).await.unwrap();
    let began = Instant::now();
    let rows = store.import(Box::new(lines().map(Ok))).await.unwrap();
    println!("{rows} rows in {:.0} s", began.elapsed().as_secs_f64());
    for (name, step_s, from_s, by_channel) in [
        ("the last hour of all together", 10, 3_600, false),
        ("a day of each", 60, 86_400, true),
        ("a month of all together", 3_600, 31 * 86_400, false),
        ("a year of each", 86_400, YEAR_S, true),
    ] {
        let span = Span {
            step_s,
            from_s: NOW_S - from_s,
            to_s: NOW_S,
            channel: None,
            tenant: None,
            by_channel,
            limit: 1_000_000,
        };
        let began = Instant::now();
        let found = store.samples(span).await.unwrap().len();
        println!(
            "{name}: {found} samples in {} ms",
            began.elapsed().as_millis()
        );
    }
    store.close().await;
    if let Ok(file) = std::fs::metadata(&path) {
        println!("{:.0} MB", file.len() as f64 / 1e6);
    }
}

fn lines() -> impl Iterator<Item = String> {
    let steps = STEPS_S.into_iter().zip(Retention::default().steps_s);
    let spans = steps.flat_map(|(step_s, kept_s)| {
        let count = kept_s.min(YEAR_S) / step_s;
        (1..=count)
            .rev()
            .map(move |back| (step_s, NOW_S - NOW_S % step_s - back * step_s))
    });
    let rows = spans.flat_map(|(step_s, at_s)| (1..=CHANNELS).map(move |it| (step_s, at_s, it)));
    let series = (1..=CHANNELS).map(|it| format!(r#"["series",{it},"channel {it}",""]"#));
    let count = rows.clone().count() + series.clone().count() + 2;
    [
        "{\"beekeepr_backup\":1}".to_owned(),
        "[\"counters\",\"revision\",1]".to_owned(),
    ]
    .into_iter()
    .chain(["[\"counters\",\"series\",100]".to_owned()])
    .chain(series)
    .chain(rows.map(|(step_s, at_s, series)| row(step_s, at_s, series)))
    .chain([format!("{{\"rows\":{count}}}")])
}

/// 500 viewers at 4 Mbit/s, nine tenths of it from others, every fiftieth with a stall each minute.
fn row(step_s: i64, at_s: i64, series: i64) -> String {
    // So that figures have the digits that real ones have.
    let noise = (at_s / step_s * 7_919 + series * 104_729) % 1_000;
    let viewer_s = step_s * (450 + noise / 10);
    let bytes = viewer_s * 500_000 + noise;
    let counters = Counters {
        viewer_s,
        viewers_max: 500 + noise / 20,
        http_bytes: bytes / 10,
        peer_bytes: bytes / 10 * 7,
        super_peer_bytes: bytes / 10 * 2,
        uploaded_bytes: bytes / 10 * 7,
        unproven_bytes: noise,
        seeder_fetched_bytes: step_s * 500_000,
        seeder_sent_bytes: bytes / 10 * 2,
        stalls: viewer_s / 3_000,
        stalled_ms: viewer_s / 3_000 * 700,
        starts: viewer_s / 1_200,
        start_ms: viewer_s / 1_200 * 800,
        starts_250: viewer_s / 12_000,
        starts_500: viewer_s / 4_000,
        starts_1000: viewer_s / 3_000,
        starts_2000: viewer_s / 6_000,
        starts_4000: viewer_s / 24_000,
        lines_270_s: 0,
        lines_400_s: viewer_s / 20,
        lines_576_s: viewer_s / 10,
        lines_800_s: viewer_s / 4,
        lines_1200_s: viewer_s / 2,
        lines_more_s: 0,
        beacons: viewer_s / 10,
        refused: noise / 300,
    };
    let values: Vec<String> = counters.values().iter().map(i64::to_string).collect();
    format!(
        "[\"statistics\",{step_s},{at_s},{series},{}]",
        values.join(",")
    )
}
