//! How many reports of viewers one core takes: `cargo bench -p beekeepr-control --bench beacons`.
//!
//! Reports come over HTTP on kept connections to a control whose threads are one, as a page's would; what counts is the time
//! that this thread computes, not the clock on the wall, which the senders share.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program that measures"
)]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use beekeepr_control::beacons::Known;
use beekeepr_control::{ChannelSource, Config, start};
use beekeepr_service::Shutdown;
use rustix::time::{ClockId, clock_gettime};

/// Reports in all, and connections that bring them.
const REPORTS: u64 = 40_000;
const SENDERS: u64 = 20;

/// What each says.
const SAID: &str =
    r#""h":500000,"p":4000000,"sp":500000,"u":3000000,"st":0,"sm":0,"f":812,"l":720"#;

fn main() {
    let (told, address) = std::sync::mpsc::channel();
    let (trigger, shutdown) = Shutdown::new();
    let control = std::thread::spawn(move || serve(shutdown, &told));
    let address = address.recv().unwrap();
    let began = Instant::now();
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| std::thread::spawn(move || send(address, sender)))
        .collect();
    let counted: u64 = senders.into_iter().map(|it| it.join().unwrap()).sum();
    let passed = began.elapsed().as_secs_f64();
    trigger.request();
    let computed = control.join().unwrap().as_secs_f64();
    println!(
        "{counted} of {REPORTS} reports counted in {passed:.1} s; control computed {computed:.2} s: {:.0} reports/s on one core",
        REPORTS as f64 / computed
    );
}

/// Runs control on this thread and gives the time that it computed.
fn serve(shutdown: Shutdown, told: &std::sync::mpsc::Sender<SocketAddr>) -> Duration {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut config = Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        ..Config::default()
    };
    config.beacons.listen = Some("127.0.0.1:0".parse().unwrap());
    config.beacons.per_address_per_s = 1_000_000;
    config.sources.channels = Some(ChannelSource::new(|| {
        let known = |number: u64| Known {
            name: format!("channel {number}"),
            tenant: String::new(),
            swarm_id: format!("https://cdn.example/{number}/master.m3u8"),
        };
        (0..100).map(known).collect()
    }));
    runtime.block_on(async {
        let running = start(config, &prometheus::Registry::new(), shutdown)
            .await
            .unwrap();
        // The channels are known from the ticker's first turn on.
        tokio::time::sleep(Duration::from_millis(200)).await;
        told.send(running.beacons.unwrap()).unwrap();
        running.wait().await;
    });
    let computed = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        computed.tv_sec.unsigned_abs(),
        u32::try_from(computed.tv_nsec).unwrap(),
    )
}

/// Sends one report after the other; each is of another session, as with many viewers.
fn send(address: SocketAddr, sender: u64) -> u64 {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut answer = [0; 1024];
    let mut counted = 0;
    for number in 0..REPORTS / SENDERS {
        let body = format!(
            r#"{{"v":1,"c":"https://cdn.example/{}/master.m3u8","s":"session-{sender}-{number}","n":0,"t":10000,{SAID}}}"#,
            number % 100
        );
        let request = format!(
            "POST /v1/beacons HTTP/1.1\r\nhost: control\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let length = stream.read(&mut answer).unwrap();
        counted += u64::from(answer[..length].starts_with(b"HTTP/1.1 204"));
    }
    counted
}
