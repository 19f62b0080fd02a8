//! A run against one tracker.

use std::cell::RefCell;
use std::mem;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::task::LocalSet;
use tokio::time;

use crate::Load;
use crate::process;
use crate::viewer::{self, Counts, Run};

/// Longest time that making all connections may take.
const CONNECTING_TIME_MAX: Duration = Duration::from_secs(60);

/// Connections that are made at a time, so that no listener's backlog overflows.
const CONNECTING_AT_A_TIME: usize = 100;

/// What was measured.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) seconds: f64,
    pub(crate) counts: Counts,
    /// Cores that the server used, when its process is known.
    pub(crate) cpu: Option<f64>,
    /// What the server holds with all connections, and held before, in KiB.
    pub(crate) rss_kib: Option<(u64, u64)>,
}

pub(crate) fn run(server: SocketAddr, pid: Option<u32>, load: &Load) -> Result<Report> {
    ensure!(
        load.swarms >= load.swarms_per_connection,
        "fewer swarms than one connection has"
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let local = LocalSet::new();
    local.block_on(&runtime, measure(server, pid, load))
}

async fn measure(server: SocketAddr, pid: Option<u32>, load: &Load) -> Result<Report> {
    let base_kib = pid.map(process::rss_kib).transpose()?;
    let run = Rc::new(Run {
        load: load.clone(),
        server,
        started: Instant::now(),
        counts: RefCell::default(),
        buffer: RefCell::new(vec![0; 256 * 1024]),
    });
    connect(&run).await?;
    time::sleep(load.warm_up).await;
    let connections = run.counts.borrow().connections;
    *run.counts.borrow_mut() = Counts {
        connections,
        ..Counts::default()
    };
    let cpu_before = pid.map(process::cpu_seconds).transpose()?;
    let start = Instant::now();
    time::sleep(load.time).await;
    let seconds = start.elapsed().as_secs_f64();
    let cpu_after = pid.map(process::cpu_seconds).transpose()?;
    let rss_kib = pid.map(process::rss_kib).transpose()?;
    let counts = mem::take(&mut *run.counts.borrow_mut());
    Ok(Report {
        seconds,
        counts,
        cpu: cpu_before
            .zip(cpu_after)
            .map(|(before, after)| (after - before) / seconds),
        rss_kib: rss_kib.zip(base_kib),
    })
}

/// Makes the connections, some at a time.
async fn connect(run: &Rc<Run>) -> Result<()> {
    let deadline = Instant::now() + CONNECTING_TIME_MAX;
    for number in 0..run.load.connections {
        let viewer = Rc::clone(run);
        tokio::task::spawn_local(async move { viewer::live(&viewer, number).await });
        let connected = || run.counts.borrow().connected as usize;
        while number + 1 >= connected() + CONNECTING_AT_A_TIME {
            ensure!(
                Instant::now() < deadline,
                "only {} connections in time",
                connected()
            );
            time::sleep(Duration::from_millis(1)).await;
        }
    }
    while (run.counts.borrow().connected as usize) < run.load.connections {
        ensure!(Instant::now() < deadline, "some connections cannot be made");
        time::sleep(Duration::from_millis(1)).await;
    }
    Ok(())
}
