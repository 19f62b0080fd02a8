//! The STUN server: sockets around `beekeepr-stun-core`, which decides everything.
//!
//! Every listening address has one socket for each worker, and every socket a task of its own:
//!
//! ```text
//! receive a batch -> respond to each datagram -> send each reply from the address asked
//! ```
//!
//! Nothing is kept between datagrams, so a new source costs no more than a known one, and there is
//! nothing to drain: the shutdown ends the tasks between two batches.

mod config;
mod error;
mod metrics;
mod socket;
mod worker;

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use beekeepr_service::{Shutdown, net};
use prometheus::Registry;
use tokio::task::JoinSet;

pub use config::{Config, WORKERS_MAX, Workers};
pub use error::StartError;
use metrics::Metrics;
use socket::Socket;

/// A running server. Dropping it ends it at once.
#[derive(Debug)]
#[must_use = "the server ends when this is dropped"]
pub struct Running {
    /// The addresses really bound, in the order of [`Config::listen`], then the alternate one.
    pub addresses: Vec<SocketAddr>,
    tasks: JoinSet<()>,
}

/// Binds every address and starts to answer. Needs a tokio runtime.
///
/// # Errors
/// When addresses cannot be bound: with all of those, and nothing has been started.
pub async fn start(
    config: Config,
    registry: &Registry,
    shutdown: Shutdown,
) -> Result<Running, StartError> {
    let sockets = bind(&config)?;
    let mut addresses = Vec::with_capacity(sockets.len());
    let mut ready = Vec::with_capacity(sockets.len() * config.workers.count());
    for (listen, shared) in config.addresses().zip(sockets) {
        let failed = |source| StartError::Socket {
            address: listen,
            source,
        };
        for (worker, socket) in shared.into_iter().enumerate() {
            if worker == 0 {
                addresses.push(socket.local_addr().map_err(failed)?);
            }
            ready.push(Socket::new(socket).map_err(failed)?);
        }
    }
    let metrics = Arc::new(Metrics::register(registry)?);
    let mut tasks = JoinSet::new();
    for socket in ready {
        tasks.spawn(worker::serve(
            socket,
            Arc::clone(&metrics),
            shutdown.clone(),
        ));
    }
    for address in &addresses {
        tracing::info!(%address, workers = config.workers.count(), "answering STUN");
    }
    Ok(Running { addresses, tasks })
}

/// The sockets of every address, or all the addresses that have none.
fn bind(config: &Config) -> Result<Vec<Vec<UdpSocket>>, StartError> {
    if config.listen.is_empty() {
        return Err(StartError::NoAddress);
    }
    let mut sockets = Vec::new();
    let mut errors = Vec::new();
    for address in config.addresses() {
        match net::udp_sockets(address, config.workers.count()) {
            Ok(shared) => sockets.push(shared),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() {
        Ok(sockets)
    } else {
        Err(StartError::Bind(errors))
    }
}

impl Running {
    /// Returns when the shutdown was asked for and everything received before is answered.
    pub async fn wait(mut self) {
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a STUN worker ended before its time");
            }
        }
    }
}
