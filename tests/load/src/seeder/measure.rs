//! A measurement: connect everybody, count for a while.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::mem;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use beekeepr_model::{Generation, InfoHash};
use beekeepr_playlist::Stream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::live::Live;
use super::origin::Origin;
use super::servers::{SWARM_ID, Servers};
use super::viewer::{Counts, Run, Viewer};
use super::{Args, IP, SEGMENTS_LISTED};
use crate::process;
use crate::report::percentile;

/// Before memory is read, for what is still being freed.
const REST: Duration = Duration::from_secs(1);

/// Before a viewer that lost its connection comes again.
const RECONNECT_AFTER: Duration = Duration::from_secs(1);

/// Failures that are told one by one.
const ERRORS_SHOWN_MAX: usize = 3;

/// Everything that runs.
pub(super) struct World {
    pub(super) run: Rc<Run>,
    pub(super) servers: Servers,
    pub(super) origin: Origin,
    pub(super) go: watch::Sender<bool>,
}

impl World {
    pub(super) async fn start(args: &Args) -> Result<Self> {
        let live = Live::new(Instant::now(), args.segment, args.bitrate, SEGMENTS_LISTED);
        let (origin, playlist) = Origin::start(IP, live).await?;
        let servers = Servers::start(args, &playlist)?;
        let (run, go) = run_of(live, servers.tracker.clone(), args.patience)?;
        Ok(Self {
            run,
            servers,
            origin,
            go,
        })
    }
}

/// What viewers share, and the word to begin.
pub(super) fn run_of(
    live: Live,
    tracker: String,
    patience: f64,
) -> Result<(Rc<Run>, watch::Sender<bool>)> {
    let (go, going) = watch::channel(false);
    let run = Run {
        live,
        tracker,
        info_hash: swarm()?,
        ip: IP,
        patience,
        going,
        counts: RefCell::default(),
        connected: Cell::new(0),
        stuck: Cell::new(0),
        digests: RefCell::new(HashMap::new()),
    };
    Ok((Rc::new(run), go))
}

/// The swarm of a lone playlist as p2p-media-loader 2.3 names it.
fn swarm() -> Result<InfoHash> {
    // The name follows from the swarm's id, not from the address.
    let url = "http://127.0.0.1/live.m3u8".parse()?;
    let hash = Stream::lone(url).info_hash(Generation::V2, SWARM_ID);
    hash.context("a lone playlist has no swarm")
}

pub(super) async fn run(args: &Args) -> Result<()> {
    let world = World::start(args).await?;
    let pid = world.servers.seeder();
    sleep(REST).await;
    let empty_kib = process::rss_kib(pid)?;
    let joining = Instant::now();
    let viewers = connect_all(&world.run, args).await?;
    eprintln!(
        "{} viewers connected in {:.1} s",
        args.viewers,
        joining.elapsed().as_secs_f64()
    );
    sleep(REST).await;
    let each = |kib: u64| kib.saturating_sub(empty_kib) as f64 / args.viewers as f64;
    let idle_kib = process::rss_kib(pid)?;
    tell_set_up(&world.run.counts.borrow());
    eprintln!(
        "seeder: {} KiB empty, {idle_kib} KiB with them, {:.0} KiB for each",
        empty_kib,
        each(idle_kib)
    );
    if args.idle {
        return Ok(());
    }
    for (number, viewer) in viewers.into_iter().enumerate() {
        tokio::task::spawn_local(stay(Rc::clone(&world.run), viewer, number as u64));
    }
    world.go.send_replace(true);
    sleep(args.warm_up).await;
    mem::take(&mut *world.run.counts.borrow_mut());
    let (cpu, sent, start) = (
        process::cpu_seconds(pid)?,
        world.origin.sent(),
        Instant::now(),
    );
    sleep(args.time).await;
    let counts = mem::take(&mut *world.run.counts.borrow_mut());
    let cpu = process::cpu_seconds(pid)? - cpu;
    let seconds = start.elapsed().as_secs_f64();
    tell(&counts, seconds, cpu);
    let loaded_kib = process::rss_kib(pid)?;
    eprintln!(
        "memory loaded: {loaded_kib} KiB, {:.0} KiB for each viewer; from the origin {:.1} MB; connected at the end: {}",
        each(loaded_kib),
        (world.origin.sent() - sent) as f64 / 1e6,
        world.run.connected.get()
    );
    ensure!(
        counts.failed == 0 && counts.corrupt == 0,
        "{} segments failed, {} were corrupt",
        counts.failed,
        counts.corrupt
    );
    Ok(())
}

/// Connects the viewers, some at a time.
pub(super) async fn connect_all(run: &Rc<Run>, args: &Args) -> Result<Vec<Viewer>> {
    let mut joining = JoinSet::new();
    let mut viewers = Vec::with_capacity(args.viewers);
    for number in 0..args.viewers {
        if joining.len() >= args.joining.max(1)
            && let Some(viewer) = joining.join_next().await
        {
            viewers.push(viewer??);
        }
        let run = Rc::clone(run);
        joining.spawn_local(async move { Viewer::connect(&run, number as u64).await });
    }
    while let Some(viewer) = joining.join_next().await {
        viewers.push(viewer??);
    }
    Ok(viewers)
}

/// Watches, and comes again when the connection is lost.
async fn stay(run: Rc<Run>, viewer: Viewer, number: u64) {
    let mut viewer = Some(viewer);
    for attempt in 1.. {
        let watched = match viewer.take() {
            Some(mut viewer) => viewer.watch().await,
            None => match Viewer::connect(&run, number + attempt * 1_000_000).await {
                Ok(mut viewer) => viewer.watch().await,
                Err(error) => Err(error),
            },
        };
        if let Err(error) = watched {
            tell_error(&run, number, &error);
        }
        sleep(RECONNECT_AFTER).await;
    }
}

pub(super) fn tell_error(run: &Run, number: u64, error: &anyhow::Error) {
    let counts = run.counts.borrow();
    if (counts.lost + counts.alone) as usize <= ERRORS_SHOWN_MAX {
        eprintln!("viewer {number}: {error:#}");
    }
}

pub(super) fn tell_set_up(counts: &Counts) {
    let both = |figures: &[f64]| {
        format!(
            "{:.1}/{:.1}",
            percentile(figures, 0.5),
            percentile(figures, 0.99)
        )
    };
    eprintln!(
        "set-up p50/p99: {} ms from the answer to the open channel, {} ms from the announce",
        both(&counts.set_up_ms),
        both(&counts.join_ms)
    );
}

pub(super) fn tell(counts: &Counts, seconds: f64, cpu: f64) {
    let Counts {
        bytes,
        in_time,
        late,
        failed,
        corrupt,
        absent,
        lost,
        ..
    } = counts;
    eprintln!(
        "{seconds:.1} s: {:.0} Mbit/s; segments {in_time} in time, {late} late, {failed} failed, {corrupt} corrupt; \
         {absent} absent, {lost} connections lost",
        *bytes as f64 * 8.0 / seconds / 1e6
    );
    eprintln!(
        "a segment came {:.0}/{:.0}/{:.0} ms after its publication (p50/p99/longest)",
        percentile(&counts.segment_ms, 0.5),
        percentile(&counts.segment_ms, 0.99),
        percentile(&counts.segment_ms, 1.0)
    );
    eprintln!(
        "seeder: {:.2} cores, {:.2} CPU seconds for a GB",
        cpu / seconds,
        cpu / (*bytes as f64 / 1e9)
    );
}
