//! The WebSocket tracker: introduces viewers of the same stream to each other.
//!
//! A shell around three cores: `beekeepr-websocket` makes messages of bytes,
//! `beekeepr-tracker-proto` makes sense of messages, `beekeepr-swarm` decides. Here are the sockets,
//! the clock, the limits and the metrics. Nothing is stored: after a restart clients announce again.

mod config;
mod connection;
mod hub;
mod metrics;
mod signalling;
mod worker;

use std::io;
use std::net::SocketAddr;
use std::thread;

use beekeepr_service::Shutdown;
use beekeepr_service::net::{BindError, tcp_listener};
use tokio::sync::oneshot;

pub use config::{Config, Limits};
use metrics::Metrics;

/// Why the tracker does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration cannot work; all its faults.
    #[error("{}", .0.join("\n"))]
    Config(Vec<String>),
    /// The address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The bound address cannot be told, or no thread can be started.
    #[error("cannot start the tracker: {0}")]
    System(#[from] io::Error),
    /// The metrics are registered already: a second tracker with the same registry.
    #[error("cannot register the tracker's metrics: {0}")]
    Metrics(#[from] prometheus::Error),
}

/// A running tracker.
#[derive(Debug)]
pub struct Running {
    /// Where it really listens.
    pub addresses: Vec<SocketAddr>,
    done: oneshot::Receiver<io::Result<()>>,
}

/// Starts the tracker. It listens once this returns.
///
/// # Errors
/// The configuration cannot work, or the address cannot be listened on.
pub async fn start(
    config: Config,
    registry: &prometheus::Registry,
    shutdown: Shutdown,
) -> Result<Running, StartError> {
    let faults = config.faults();
    if !faults.is_empty() {
        return Err(StartError::Config(faults));
    }
    if config.workers > 1 {
        tracing::warn!(
            "tracker.workers is {}: this version serves all swarms from one thread",
            config.workers
        );
    }
    let listener = tcp_listener(config.listen, false)?;
    let addresses = vec![listener.local_addr()?];
    let metrics = Metrics::register(registry)?;
    let (tell, done) = oneshot::channel();
    thread::Builder::new()
        .name("tracker".to_owned())
        .spawn(move || {
            // Nobody listens when `Running` was dropped; the tracker then ends with the shutdown.
            let _ = tell.send(worker::run(config, metrics, listener, &shutdown));
        })?;
    Ok(Running { addresses, done })
}

impl Running {
    /// Returns when the tracker has ended: after the shutdown was asked for and its clients are gone.
    pub async fn wait(self) {
        match self.done.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the tracker ended"),
            Err(_) => tracing::error!("the tracker's thread panicked"),
        }
    }
}
