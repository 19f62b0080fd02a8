//! The STUN server: sockets around `beekeepr-stun-core`, which decides everything.
//!
//! Every worker is a thread with a socket of its own for every UDP address, among which the kernel
//! spreads the clients, and does this with each of them:
//!
//! ```text
//! take a batch in one call -> answer each datagram in memory -> send the answers in one call
//! ```
//!
//! On that path nothing is locked, nothing is shared with another worker and nothing is allocated.
//! Nothing is kept of a datagram but what its source has used of its limits, in a table of fixed size.
//! TCP and TLS connections are accepted in one place and handed to the workers in turn.

mod advertised;
mod bind;
mod config;
mod connections;
mod counters;
mod datagrams;
mod error;
#[cfg(target_os = "linux")]
mod kernel;
mod listener;
mod metrics;
#[cfg(any(test, not(target_os = "linux")))]
mod plain;
mod stream;
#[cfg(target_os = "linux")]
mod system;
mod team;
mod thread;
mod worker;

#[cfg(not(target_os = "linux"))]
use plain as system;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use beekeepr_service::{Shutdown, Trigger, tls};
use prometheus::Registry;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

pub use advertised::{Advertised, AdvertisedError};
use bind::{Bound, bind};
pub use config::{Config, Limits};
pub use error::StartError;
use listener::Acceptor;
use metrics::Accepts;
use stream::Timeouts;
use team::Team;
use thread::End;

/// Names by which TLS clients may ask for STUN (RFC 7443 section 3).
const TLS_PROTOCOLS: [&str; 2] = ["stun.turn", "stun.nat-discovery"];

/// A running server. Dropping it ends it at once.
#[derive(Debug)]
#[must_use = "the server ends when this is dropped"]
pub struct Running {
    /// The UDP addresses really bound, in the order of [`Config::listen`].
    pub addresses: Vec<SocketAddr>,
    /// Those that RFC 5780 adds: three for each alternate address.
    pub alternates: Vec<SocketAddr>,
    /// The TCP addresses, in the order of [`Config::tcp_listen`].
    pub tcp: Vec<SocketAddr>,
    /// The TLS addresses, in the order of [`Config::tls_listen`].
    pub tls: Vec<SocketAddr>,
    workers: Vec<oneshot::Receiver<()>>,
    listeners: JoinSet<()>,
    _end: Trigger,
}

/// Binds every address and starts to answer. Needs a tokio runtime, which must live as long as the
/// server.
///
/// # Errors
/// When the configuration cannot work, or addresses cannot be bound: with all of those, and nothing
/// has been started.
pub async fn start(
    config: Config,
    registry: &Registry,
    shutdown: Shutdown,
) -> Result<Running, StartError> {
    let faults = config.faults();
    if !faults.is_empty() {
        return Err(StartError::Config(faults));
    }
    let tls = config
        .tls
        .as_ref()
        .map(|tls| tls::server_config(tls, &TLS_PROTOCOLS))
        .transpose()?;
    let count = config.worker_count();
    let bound = bind(&config, count)?;
    let addresses = |listeners: &[TcpListener]| {
        let addresses = listeners.iter().map(TcpListener::local_addr);
        addresses
            .collect::<io::Result<Vec<_>>>()
            .map_err(StartError::Socket)
    };
    let (tcp_addresses, tls_addresses) = (addresses(&bound.tcp)?, addresses(&bound.tls)?);
    let (dropped_trigger, dropped) = Shutdown::new();
    let end = End {
        shutdown,
        dropped,
        drain: Duration::from_secs(config.drain_s.into()),
    };
    let team = Team::new(&config, &bound.endpoints, count);
    let metrics = Arc::new(Accepts::register(registry)?);
    metrics::register(registry, team.sources())?;
    let Bound {
        endpoints,
        sockets,
        tcp,
        tls: tls_listeners,
    } = bound;
    let udp: Vec<SocketAddr> = endpoints.iter().map(|it| it.address).collect();
    let (workers, senders) = team.start(&config, endpoints, sockets, end)?;
    let acceptor = Acceptor {
        workers: senders,
        connections: team.connections.clone(),
        metrics,
        timeouts: Timeouts::new(&config.limits),
    };
    let mut listeners = JoinSet::new();
    let plain = tcp.into_iter().map(|it| (it, None));
    let encrypted = tls_listeners.into_iter().map(|it| (it, tls.clone()));
    for (listener, tls) in plain.chain(encrypted) {
        let listener = listener::register(listener).map_err(StartError::Socket)?;
        listeners.spawn(acceptor.clone().accept(listener, tls));
    }
    let mut ended = Vec::new();
    for worker in workers {
        // A thread that is gone without a word has panicked, which it has reported itself.
        let ready = worker.ready.await;
        ready
            .unwrap_or_else(|_| Err(io::Error::other("it ended at once")))
            .map_err(StartError::Thread)?;
        ended.push(worker.ended);
    }
    let (addresses, alternates) = udp.split_at(config.listen.len());
    for address in udp.iter().chain(&tcp_addresses).chain(&tls_addresses) {
        tracing::info!(%address, workers = count, "answering STUN");
    }
    Ok(Running {
        addresses: addresses.to_vec(),
        alternates: alternates.to_vec(),
        tcp: tcp_addresses,
        tls: tls_addresses,
        workers: ended,
        listeners,
        _end: dropped_trigger,
    })
}

impl Running {
    /// The addresses as clients write them, `listen` first: `stun:127.0.0.1:3478`,
    /// `stun:127.0.0.1:3478?transport=tcp`, `stuns:127.0.0.1:5349` (RFC 7064).
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        let udp = self.addresses.iter().map(|it| format!("stun:{it}"));
        let tcp = self.tcp.iter().map(|it| format!("stun:{it}?transport=tcp"));
        let tls = self.tls.iter().map(|it| format!("stuns:{it}"));
        udp.chain(tcp).chain(tls).collect()
    }

    /// Returns when the shutdown was asked for and everything received before is answered.
    pub async fn wait(mut self) {
        for worker in &mut self.workers {
            // Closed without a word, as meant.
            let _ = worker.await;
        }
        self.listeners.shutdown().await;
    }
}
