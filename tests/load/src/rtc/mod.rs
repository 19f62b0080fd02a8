//! The seeder's WebRTC beside the `webrtc` crate, on the same work.

mod chromium;
mod compare;
mod ours;
mod receive;
mod rival;
mod server;
mod start;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::relay::Shape;
use crate::seconds;

pub(crate) use chromium::run as chromium;
pub(crate) use compare::run as compare;
pub(crate) use server::run as serve;

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Stack {
    /// The seeder's hub.
    Ours,
    /// `webrtc` 0.21.1, with a UDP port for each peer.
    Webrtc,
}

impl Stack {
    const ALL: [Self; 2] = [Self::Ours, Self::Webrtc];

    const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Webrtc => "webrtc",
        }
    }
}

/// What `webrtc-server` takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct ServerArgs {
    /// Whose WebRTC.
    #[arg(long)]
    stack: Stack,
    /// Where to listen, for signalling and for WebRTC; ports are free ones.
    #[arg(long, default_value = "127.0.0.1")]
    ip: IpAddr,
    /// Bytes queued or unacknowledged on a connection.
    #[arg(long, default_value_t = WINDOW_BYTES)]
    window: usize,
}

/// What `compare-webrtc` takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct CompareArgs {
    /// Peers at a time.
    #[arg(long, default_value_t = 50)]
    peers: usize,
    /// Bytes of a message; may be repeated, each size is a comparison of its own.
    #[arg(long = "message", default_values_t = [65_536, 16_384])]
    messages: Vec<usize>,
    /// Bytes queued or unacknowledged on a connection.
    #[arg(long, default_value_t = WINDOW_BYTES)]
    window: usize,
    /// Rounds; in each both have their turn.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Only connect: set-up and memory.
    #[arg(long)]
    idle: bool,
    /// Connections set up at a time. One alone tells the time of a set-up, more the queue before it.
    #[arg(long, default_value_t = 4)]
    joining: usize,
    /// Seconds before counting begins.
    #[arg(long, default_value = "1", value_parser = seconds)]
    warm_up: Duration,
    /// Seconds that are counted.
    #[arg(long, default_value = "5", value_parser = seconds)]
    time: Duration,
    /// The core that the servers are pinned to; the load comes from the others.
    #[arg(long, default_value_t = 0)]
    core: usize,
    #[command(flatten)]
    shape: Shape,
}

/// What `chromium` takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct ChromiumArgs {
    /// The browser.
    #[arg(long, default_value = "chromium")]
    browser: PathBuf,
    /// Bytes of a message; may be repeated.
    #[arg(long = "message", default_values_t = [16_384])]
    messages: Vec<usize>,
    /// Bytes queued or unacknowledged on a connection.
    #[arg(long, default_value_t = SEEDER_WINDOW_BYTES)]
    window: usize,
    /// Rounds; in each both have their turn.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Seconds that are counted, after a first one that is not.
    #[arg(long, default_value_t = 10)]
    time: u32,
    /// The core that the servers are pinned to.
    #[arg(long, default_value_t = 0)]
    core: usize,
    #[command(flatten)]
    shape: Shape,
}

/// What the figures in docs/decisions/webrtc.md were measured with.
const WINDOW_BYTES: usize = 128 * 1024;

/// What the seeder keeps on its way to one viewer.
const SEEDER_WINDOW_BYTES: usize = 64 * 1024;
