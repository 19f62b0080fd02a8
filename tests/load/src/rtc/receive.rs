//! Peers that take what a server sends.

use std::cell::Cell;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::CompareArgs;
use super::start::Far;
use crate::peer::Peer;
use crate::{http, process};

/// Longest time that one set-up may take.
const SET_UP_MAX: Duration = Duration::from_secs(30);

/// Attempts of one peer; a lossy network may well spoil one.
const ATTEMPTS_MAX: usize = 3;

/// Before memory is read, for what is still being freed.
const REST: Duration = Duration::from_millis(500);

/// What was measured.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) set_up_ms: Vec<f64>,
    /// Set-ups that came to nothing and were tried again.
    pub(super) failed: usize,
    pub(super) idle_kib: f64,
    pub(super) loaded_kib: f64,
    pub(super) mbit: f64,
    pub(super) cpu_per_gb: f64,
    pub(super) cores: f64,
    /// Peers that got nothing while it was counted.
    pub(super) starved: usize,
}

/// Connects the peers, then has the server send as fast as it can.
pub(super) fn run(far: &Far, here: IpAddr, message: usize, args: &CompareArgs) -> Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    tokio::task::LocalSet::new().block_on(&runtime, measure(far, here, message, args))
}

async fn measure(far: &Far, here: IpAddr, message: usize, args: &CompareArgs) -> Result<Report> {
    sleep(REST).await;
    let empty_kib = process::rss_kib(far.pid())?;
    let crowd = connect(far.address, here, args).await?;
    sleep(REST).await;
    let count = args.peers as f64;
    let each = |kib: u64| kib.saturating_sub(empty_kib) as f64 / count;
    let mut report = Report {
        set_up_ms: crowd.set_up_ms,
        failed: crowd.failed,
        idle_kib: each(process::rss_kib(far.pid())?),
        loaded_kib: f64::NAN,
        mbit: f64::NAN,
        cpu_per_gb: f64::NAN,
        cores: f64::NAN,
        starved: 0,
    };
    if args.idle {
        return Ok(report);
    }
    let got: Vec<Rc<Cell<u64>>> = crowd
        .peers
        .into_iter()
        .map(|peer| drink(peer, message))
        .collect();
    sleep(args.warm_up).await;
    let cpu = process::cpu_seconds(far.pid())?;
    let start = Instant::now();
    got.iter().for_each(|it| it.set(0));
    sleep(args.time).await;
    let bytes: u64 = got.iter().map(|it| it.get()).sum();
    let seconds = start.elapsed().as_secs_f64();
    let cpu = process::cpu_seconds(far.pid())? - cpu;
    report.starved = got.iter().filter(|it| it.get() == 0).count();
    report.loaded_kib = each(process::rss_kib(far.pid())?);
    report.mbit = bytes as f64 * 8.0 / seconds / 1e6;
    report.cpu_per_gb = cpu / (bytes as f64 / 1e9);
    report.cores = cpu / seconds;
    ensure!(bytes > 0, "no peer got a byte in {seconds:.1} s");
    Ok(report)
}

/// Asks for the flood and counts it.
fn drink(mut peer: Peer, message: usize) -> Rc<Cell<u64>> {
    let got = Rc::new(Cell::new(0));
    let count = Rc::clone(&got);
    tokio::task::spawn_local(async move {
        peer.send(Bytes::from(format!("flood {message}")));
        while let Ok(message) = peer.message().await {
            count.set(count.get() + message.len() as u64);
        }
    });
    got
}

/// All peers of a run.
#[derive(Default)]
struct Crowd {
    peers: Vec<Peer>,
    /// How long each set-up took.
    set_up_ms: Vec<f64>,
    /// Set-ups that came to nothing.
    failed: usize,
}

async fn connect(server: SocketAddr, here: IpAddr, args: &CompareArgs) -> Result<Crowd> {
    let turns = Arc::new(Semaphore::new(args.joining.max(1)));
    let mut joining = JoinSet::new();
    for _ in 0..args.peers {
        let turns = Arc::clone(&turns);
        joining.spawn_local(async move {
            let _turn = turns.acquire().await?;
            set_up_at_last(server, here).await
        });
    }
    let mut crowd = Crowd::default();
    while let Some(joined) = joining.join_next().await {
        let (peer, took, failed) = joined??;
        crowd.peers.push(peer);
        crowd.set_up_ms.push(took.as_secs_f64() * 1e3);
        crowd.failed += failed;
    }
    Ok(crowd)
}

/// A channel, and how many attempts failed before.
async fn set_up_at_last(server: SocketAddr, here: IpAddr) -> Result<(Peer, Duration, usize)> {
    let mut failed = 0;
    loop {
        match set_up(server, here).await {
            Ok((peer, took)) => return Ok((peer, took, failed)),
            Err(error) if failed + 1 == ATTEMPTS_MAX => return Err(error),
            Err(_) => failed += 1,
        }
    }
}

/// From the offer that is ready to the open channel.
async fn set_up(server: SocketAddr, here: IpAddr) -> Result<(Peer, Duration)> {
    let mut peer = Peer::start(here)?;
    let offer = peer.offer().await?;
    let start = Instant::now();
    let set_up = async {
        let answer = http::post(server, "/connect", &offer).await?;
        peer.connect(answer).await
    };
    timeout(SET_UP_MAX, set_up)
        .await
        .context("no channel in time")??;
    Ok((peer, start.elapsed()))
}
