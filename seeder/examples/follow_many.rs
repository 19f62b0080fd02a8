//! Many live channels at once: how long until a segment that has been published is announced, and in how much memory.
//!
//! ```text
//! cargo run --release -p beekeepr-seeder --example follow_many -- [CHANNELS] [SECONDS] [together]
//! ```
//!
//! The origin is a process of its own (the same program), with channels of two renditions whose segments of 2 s and 250 KB
//! are a function of the clock; their playlists change one after the other, or all `together`.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a tool for a terminal"
)]

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use beekeepr_seeder::{Channel, Config};
use beekeepr_service::Shutdown;
use prometheus::Registry;

const SEGMENT_MS: u64 = 2_000;
const SEGMENT_BYTES: usize = 250_000;
/// Segments in a playlist.
const WINDOW: u64 = 10;
static SEGMENT: [u8; SEGMENT_BYTES] = [7; SEGMENT_BYTES];

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, otherwise: u64| {
        let given = arguments.get(at).and_then(|it| it.parse().ok());
        given.unwrap_or(otherwise)
    };
    let together = arguments.iter().any(|it| it == "together");
    if arguments.first().is_some_and(|it| it == "origin") {
        return origin(together).await;
    }
    measure(number(0, 50), number(1, 20), together).await;
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap().as_millis() as u64
}

async fn origin(together: bool) {
    let master = async || {
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=500000,RESOLUTION=640x360\nlow/live.m3u8\n\
         #EXT-X-STREAM-INF:BANDWIDTH=1000000,RESOLUTION=1280x720\nhigh/live.m3u8\n"
    };
    let file = async move |Path((channel, _, file)): Path<(u64, String, String)>| -> Response {
        if file != "live.m3u8" {
            return SEGMENT.as_slice().into_response();
        }
        let phase_ms = if together {
            0
        } else {
            channel * 137 % SEGMENT_MS
        };
        playlist(now_ms() - phase_ms, phase_ms).into_response()
    };
    let router = Router::new()
        .route("/{channel}/master.m3u8", get(master))
        .route("/{channel}/{rendition}/{file}", get(file));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    axum::serve(listener, router).await.unwrap();
}

/// What was complete at a time; a segment's date and duration together are when it was published.
fn playlist(at_ms: u64, phase_ms: u64) -> String {
    let end = at_ms / SEGMENT_MS;
    let first = end - WINDOW;
    let mut text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{first}\n");
    for number in first..end {
        let began = SystemTime::UNIX_EPOCH + Duration::from_millis(number * SEGMENT_MS + phase_ms);
        let seconds = httpdate::fmt_http_date(began);
        let millis = (number * SEGMENT_MS + phase_ms) % 1_000;
        text.push_str(&format!(
            "#EXT-X-PROGRAM-DATE-TIME:{}\n#EXTINF:2,\n{number}.ts\n",
            iso(&seconds, millis)
        ));
    }
    text
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` as ISO 8601.
fn iso(date: &str, millis: u64) -> String {
    let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let month = months.iter().position(|it| *it == &date[8..11]).unwrap() + 1;
    let (day, year, time) = (&date[5..7], &date[12..16], &date[17..25]);
    format!("{year}-{month:02}-{day}T{time}.{millis:03}Z")
}

fn spawn_origin(together: bool) -> (Child, SocketAddr) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("origin").stdout(Stdio::piped());
    if together {
        command.arg("together");
    }
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    let stdout = child.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    (child, line.trim().parse().unwrap())
}

async fn measure(channels: u64, seconds: u64, together: bool) {
    let (mut child, origin) = spawn_origin(together);
    let channel = |number: u64| {
        let manifest = format!("http://{origin}/{number}/master.m3u8")
            .parse()
            .unwrap();
        Channel {
            prefetch_s: 10,
            ..Channel::new(format!("c{number}"), manifest)
        }
    };
    let config = Config {
        channels: (0..channels).map(channel).collect(),
        // Nobody is there; that costs the sockets' attempts.
        trackers: vec!["ws://127.0.0.1:1".parse().unwrap()],
        udp: "127.0.0.1:0".parse().unwrap(),
        ..Config::default()
    };
    let (trigger, shutdown) = Shutdown::new();
    let registry = Registry::new();
    let running = beekeepr_seeder::start(config, &registry, shutdown)
        .await
        .unwrap();
    let cpu = cpu_seconds();
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let used = cpu_seconds() - cpu;
    let (resident_kb, cached) = (
        resident_kb(),
        gauge(&registry, "beekeepr_seeder_cached_bytes"),
    );
    for name in ["publish", "announce", "fetch"] {
        histogram(&registry, &format!("beekeepr_seeder_{name}_seconds"));
    }
    println!(
        "memory {} MB, of them {:.0} MB segments; CPU {used:.1} s in {seconds} s",
        resident_kb / 1_000,
        cached / 1e6
    );
    trigger.request();
    running.wait().await;
    child.kill().unwrap();
    child.wait().unwrap();
}

fn gauge(registry: &Registry, name: &str) -> f64 {
    let families = registry.gather();
    let metrics = families.iter().filter(|it| it.name() == name);
    metrics
        .flat_map(prometheus::proto::MetricFamily::get_metric)
        .map(|metric| metric.get_gauge().get_value())
        .sum()
}

/// All channels' times together: how many lie below each bound.
fn histogram(registry: &Registry, name: &str) {
    let families = registry.gather();
    let metrics = families.iter().filter(|it| it.name() == name);
    let mut below = std::collections::BTreeMap::new();
    let (mut count, mut sum) = (0, 0.0);
    for metric in metrics.flat_map(prometheus::proto::MetricFamily::get_metric) {
        let histogram = metric.get_histogram();
        count += histogram.get_sample_count();
        sum += histogram.get_sample_sum();
        for bucket in histogram.get_bucket() {
            let bound_ms = (bucket.upper_bound() * 1e3) as u64;
            *below.entry(bound_ms).or_insert(0) += bucket.cumulative_count();
        }
    }
    let shares = below.iter().filter(|(bound, _)| **bound <= 1_000);
    let shares = shares.map(|(bound, below)| {
        format!(
            "{bound} ms {:.1} %",
            *below as f64 * 100.0 / count.max(1) as f64
        )
    });
    let shares: Vec<String> = shares.collect();
    println!(
        "{name}: {count}, mean {:.0} ms; {}",
        sum * 1e3 / count.max(1) as f64,
        shares.join(", ")
    );
}

fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|it| it.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// User and system time of this process, in ticks of 10 ms.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks: f64 = fields[11..13]
        .iter()
        .map(|it| it.parse::<f64>().unwrap())
        .sum();
    ticks / 100.0
}
