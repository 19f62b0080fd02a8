//! Load generators: many clients in one process, speaking as the real ones do, and the comparison of
//! our servers with others on the same work.
//!
//! See `tests/load/README.md` for the commands behind the figures in `docs/benchmarks`.

mod compare;
mod http;
mod message;
mod peer;
mod process;
mod relay;
mod report;
mod rtc;
mod seeder;
mod stun;
mod tracker;
mod viewer;

use std::io::Write;
use std::net::{SocketAddr, SocketAddrV4};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

#[derive(Parser)]
#[command(about, version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Load one tracker that runs already.
    Tracker {
        /// Where it listens.
        #[arg(long)]
        server: SocketAddr,
        /// Its process, to tell its CPU time and memory.
        #[arg(long)]
        pid: Option<u32>,
        #[command(flatten)]
        load: Load,
    },
    /// Start trackers one after the other, several rounds, and put the same load on each.
    CompareTrackers {
        /// Our binary; build it with --release.
        #[arg(long, default_value = "target/release/beekeepr")]
        beekeepr: PathBuf,
        /// Rounds; in each every tracker has its turn.
        #[arg(long, default_value_t = 3)]
        rounds: usize,
        /// The core that the trackers are pinned to; the load comes from the others.
        #[arg(long, default_value_t = 0)]
        core: usize,
        #[command(flatten)]
        load: Load,
    },
    /// Load one STUN server on this machine that runs already.
    Stun {
        /// Where it listens.
        #[arg(long)]
        server: SocketAddrV4,
        /// Its process, to tell its CPU time and memory.
        #[arg(long)]
        pid: u32,
        #[command(flatten)]
        load: stun::Load,
    },
    /// Start STUN servers one after the other, several rounds, and put the same load on each.
    CompareStun {
        /// Our binary; build it with --release.
        #[arg(long, default_value = "target/release/beekeepr")]
        beekeepr: PathBuf,
        /// Rounds; in each every server has its turn.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// The core that the servers are pinned to; the load comes from the others.
        #[arg(long, default_value_t = 0)]
        core: usize,
        #[command(flatten)]
        load: stun::Load,
        /// More options for our server, after `--`.
        #[arg(last = true)]
        options: Vec<String>,
    },
    /// Send every datagram back as it came: what the network alone takes.
    StunEcho {
        /// Where to listen.
        #[arg(long)]
        listen: SocketAddr,
    },
    /// Start the seeder's WebRTC and the `webrtc` crate one after the other, several rounds, and have
    /// each send as fast as it can to the same peers.
    CompareWebrtc(rtc::CompareArgs),
    /// The same with one tab of a real Chromium as the receiver.
    Chromium(rtc::ChromiumArgs),
    /// One of these servers alone.
    WebrtcServer(rtc::ServerArgs),
    /// Start the tracker and the seeder and feed viewers with a live channel, all bytes from the seeder.
    Seeder(seeder::Args),
    /// Run a command in a network namespace that is reached over a slow, lossy network. Needs root.
    Relay(relay::Args),
}

/// What the viewers do.
#[derive(Args, Clone, Debug)]
struct Load {
    /// Connections at a time.
    #[arg(long, default_value_t = 200)]
    connections: usize,
    /// Swarms that they spread over.
    #[arg(long, default_value_t = 10)]
    swarms: usize,
    /// Swarms of one connection: p2p-media-loader shares a socket between video and audio.
    #[arg(long, default_value_t = 1)]
    swarms_per_connection: usize,
    /// Offers in an announce.
    #[arg(long, default_value_t = 5)]
    offers: usize,
    /// Bytes of an offer's session description; Chromium's with two candidates have about 1,300.
    #[arg(long, default_value_t = 1300)]
    offer_bytes: usize,
    /// Bytes of an answer's session description.
    #[arg(long, default_value_t = 650)]
    answer_bytes: usize,
    /// Leave offers unanswered.
    #[arg(long)]
    silent: bool,
    /// Announces a second of all together; without it each connection announces as soon as the last
    /// announce is answered.
    #[arg(long)]
    rate: Option<f64>,
    /// Announce once, then stay connected in silence; tells the memory of a connection.
    #[arg(long, conflicts_with = "rate")]
    idle: bool,
    /// After each answered announce close the connection and make another: a storm of reconnecting.
    #[arg(long, conflicts_with_all = ["rate", "idle"])]
    reconnect: bool,
    /// Seconds before counting begins.
    #[arg(long, default_value = "3", value_parser = seconds)]
    warm_up: Duration,
    /// Seconds that are counted.
    #[arg(long, default_value = "10", value_parser = seconds)]
    time: Duration,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| format!("{text:?} is no number of seconds"))?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// Says a line on standard output at once, for whoever started us.
fn say(line: &str) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}")?;
    output.flush()
}

fn main() -> Result<()> {
    process::raise_open_files()?;
    match Cli::parse().command {
        Command::Tracker { server, pid, load } => {
            let report = tracker::run(server, pid, &load)?;
            report::print(&[("tracker".to_owned(), report)]);
        }
        Command::CompareTrackers {
            beekeepr,
            rounds,
            core,
            load,
        } => compare::trackers(&beekeepr, rounds, core, &load)?,
        Command::Stun { server, pid, load } => {
            let report = stun::run(server, pid, &load)?;
            eprintln!("{report:#?}");
        }
        Command::CompareStun {
            beekeepr,
            rounds,
            core,
            load,
            options,
        } => stun::compare(&beekeepr, &options, rounds, core, &load)?,
        Command::StunEcho { listen } => stun::echo(listen)?,
        Command::CompareWebrtc(args) => rtc::compare(&args)?,
        Command::Chromium(args) => rtc::chromium(&args)?,
        Command::WebrtcServer(args) => rtc::serve(&args)?,
        Command::Seeder(args) => seeder::run(&args)?,
        Command::Relay(args) => relay::run(&args)?,
    }
    Ok(())
}
