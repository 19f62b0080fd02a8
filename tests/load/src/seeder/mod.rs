//! Many viewers of one live channel, all fed by the seeder.

mod conversation;
mod live;
mod measure;
mod origin;
mod servers;
mod soak;
mod swarm;
#[cfg(test)]
mod tests;
mod viewer;

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args as Arguments;
use tokio::task::LocalSet;

use crate::{process, seconds};

/// What `seeder` takes.
#[derive(Arguments, Clone, Debug)]
pub(crate) struct Args {
    /// Our binary; build it with --release.
    #[arg(long, default_value = "target/release/beekeepr")]
    beekeepr: PathBuf,
    /// Viewers at a time.
    #[arg(long, default_value_t = 100)]
    viewers: usize,
    /// Viewers that connect at a time.
    #[arg(long, default_value_t = 4)]
    joining: usize,
    /// Seconds of a segment.
    #[arg(long, default_value = "4", value_parser = seconds)]
    segment: Duration,
    /// Bits a second of the channel, which every viewer takes whole.
    #[arg(long, default_value_t = 1e6)]
    bitrate: f64,
    /// A segment has failed when a viewer has it not after so many times its own duration.
    #[arg(long, default_value_t = 2.0)]
    patience: f64,
    /// As how many peers the seeder appears.
    #[arg(long, default_value_t = 3)]
    logical_peers: u32,
    /// Seconds before counting begins, once all are connected.
    #[arg(long, default_value = "8", value_parser = seconds)]
    warm_up: Duration,
    /// Seconds that are counted.
    #[arg(long, default_value = "20", value_parser = seconds)]
    time: Duration,
    /// Only connect: set-up and memory.
    #[arg(long)]
    idle: bool,
    /// Let viewers come and go for so many seconds and watch the seeder's memory. Ends with code 1 when
    /// it grows or viewers are stuck.
    #[arg(long, value_parser = seconds, conflicts_with = "idle")]
    soak: Option<Duration>,
    /// With --soak: seconds that a viewer stays, half to one and a half times.
    #[arg(long, default_value = "60", value_parser = seconds)]
    stay: Duration,
    /// With --soak: share by which memory may grow, from the first third after the warm-up to the last.
    #[arg(long, default_value_t = 0.1)]
    growth_max: f64,
    /// The core that the seeder is pinned to; all else runs on the others.
    #[arg(long, default_value_t = 0)]
    core: usize,
}

/// Playlist length; p2p-media-loader's viewers sit up to so many segments behind the edge.
const SEGMENTS_LISTED: u64 = 5;

/// Where everything is.
const IP: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Runs the load and prints what was measured.
pub(crate) fn run(args: &Args) -> Result<()> {
    check(args)?;
    process::stay_off(args.core)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let local = LocalSet::new();
    local.block_on(&runtime, async {
        match args.soak {
            Some(time) => soak::run(args, time).await,
            None => measure::run(args).await,
        }
    })
}

fn check(args: &Args) -> Result<()> {
    ensure!(args.viewers > 0, "--viewers 0: there is nothing to measure");
    ensure!(
        args.segment >= Duration::from_secs(1),
        "--segment {}: a playlist's target duration is a whole second at least",
        args.segment.as_secs_f64()
    );
    ensure!(
        args.bitrate * args.segment.as_secs_f64() >= 8.0,
        "--bitrate {}: segments would be empty",
        args.bitrate
    );
    ensure!(
        args.patience >= 1.0,
        "--patience {}: a segment takes its own duration to come to be",
        args.patience
    );
    ensure!(
        args.beekeepr.exists(),
        "{} is not there; build it with: cargo build --release -p beekeepr",
        args.beekeepr.display()
    );
    Ok(())
}
