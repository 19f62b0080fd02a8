//! The WebSocket tracker: introduces viewers of the same stream to each other.
//!
//! A shell around three cores: `beekeepr-websocket` makes messages of bytes,
//! `beekeepr-tracker-proto` makes sense of messages, `beekeepr-swarm` decides. Here are the sockets,
//! the clock, the limits and the metrics. Nothing is stored: after a restart clients announce again.
//!
//! ```text
//! worker      one thread: sockets, mail from other workers, the clock
//!   hub         bytes to messages (reading), messages to where their content is
//!     arrival     PROXY protocol, TLS, WebSocket handshake: who may come in
//!     routing     which worker has the content (directory), mail to it (post); scrapes of several
//!     pace        how much a client may ask for; renewal: newer tokens
//!     connections what waits to be sent; the outbox of
//!     signalling  what a message means and who is told what
//! gate        limits by address, for all workers
//! ```

mod access;
mod config;
mod connection;
mod connections;
mod directory;
mod forwarded;
mod gate;
mod hub;
mod metrics;
mod origin;
mod outbox;
mod post;
mod proxy_header;
mod rate;
mod signalling;
mod statistics;
mod tls;
mod worker;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::Instant;

use beekeepr_service::Shutdown;
use beekeepr_service::net::{BindError, tcp_listeners};
use tokio::sync::oneshot;

use access::Access;
pub use access::{Group, GroupMode, Matching, PrivacyMode, SdpLimits, Tokens};
pub use beekeepr_service::cidr::{Cidr, CidrError};
pub use config::{Config, Limits};
use directory::Directory;
use gate::Gate;
use hub::Shared;
use metrics::Metrics;
use post::Post;
pub use statistics::Statistics;
use worker::Parts;

/// Open files that connections do not get: listeners, logs, the admin listener and its visitors, and
/// what other roles of the process need.
const FILES_RESERVED: u64 = 256;

/// Why the tracker does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration cannot work; all its faults.
    #[error("{}", .0.join("\n"))]
    Config(Vec<String>),
    /// The address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The certificate cannot be used.
    #[error("tracker.tls: {0}")]
    Tls(#[from] beekeepr_service::tls::LoadError),
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
    /// What is in it, for an operator.
    pub statistics: Statistics,
    done: Vec<oneshot::Receiver<io::Result<()>>>,
}

/// Starts the tracker. It listens once this returns.
///
/// # Errors
/// The configuration cannot work, or an address cannot be listened on.
pub async fn start(
    config: Config,
    registry: &prometheus::Registry,
    shutdown: Shutdown,
) -> Result<Running, StartError> {
    let (running, _) = start_on(Vec::new(), config, registry, shutdown).await?;
    Ok(running)
}

/// Starts the tracker on listeners of a process that it takes over from, or on new ones when there are
/// none. Gives them back for whoever takes over next: the addresses stay taken while they are kept.
///
/// # Errors
/// The configuration cannot work, or an address cannot be listened on.
pub async fn start_on(
    inherited: Vec<TcpListener>,
    mut config: Config,
    registry: &prometheus::Registry,
    shutdown: Shutdown,
) -> Result<(Running, Vec<TcpListener>), StartError> {
    let faults = config.faults();
    if !faults.is_empty() {
        return Err(StartError::Config(faults));
    }
    fit_open_files(&mut config);
    let workers = config.workers.unwrap_or(1);
    let access = Access::new(&config).map_err(StartError::Config)?;
    let tls = config.tls.as_ref();
    let tls = tls
        .map(|tls| beekeepr_service::tls::server_config(tls, &["http/1.1"]))
        .transpose()?;
    let is_tls = tls.is_some();
    let listeners = listen(&config, workers, inherited)?;
    let metrics = Metrics::register(registry)?;
    metrics.workers.set(workers as i64);
    let (post, mail) = Post::new(workers);
    let shared = Shared {
        gate: Gate::new(config.clone()),
        directory: Directory::new(workers, config.limits.swarms_max),
        access,
        post: post.clone(),
        config,
        metrics,
        tls,
    };
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for listener in listeners.iter().flatten() {
        let address = listener.local_addr()?;
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    let kept = clones(&listeners)?;
    let (started, mut done) = (Instant::now(), Vec::new());
    for (number, (mail, listeners)) in mail.into_iter().zip(listeners).enumerate() {
        let parts = Parts {
            number: number as directory::WorkerId,
            shared: shared.clone(),
            started,
            listeners,
            mail,
        };
        done.push(spawn(parts, shutdown.clone())?);
    }
    tracing::info!(?addresses, workers, is_tls, "tracker listens");
    let running = Running {
        addresses,
        statistics: Statistics::new(post),
        done,
    };
    Ok((running, kept))
}

/// Sockets of each worker: one of its own for each address, between which the system spreads
/// connections. Inherited ones of an address are dealt out, and shared by workers if they are too few.
fn listen(
    config: &Config,
    workers: usize,
    mut inherited: Vec<TcpListener>,
) -> Result<Vec<Vec<TcpListener>>, StartError> {
    let mut of_workers: Vec<Vec<TcpListener>> = (0..workers).map(|_| Vec::new()).collect();
    for address in config.addresses() {
        let (here, others): (Vec<TcpListener>, _) = inherited
            .into_iter()
            .partition(|it| it.local_addr().is_ok_and(|it| is_at(it, address)));
        inherited = others;
        let listeners = match here.is_empty() {
            true => tcp_listeners(address, workers)?,
            false => shared_by(here, workers)?,
        };
        for (number, listener) in listeners.into_iter().enumerate() {
            if let Some(worker) = of_workers.get_mut(number % workers) {
                worker.push(listener);
            }
        }
    }
    Ok(of_workers)
}

/// Whether a socket is at a configured address, of which port 0 takes any.
fn is_at(bound: SocketAddr, configured: SocketAddr) -> bool {
    bound.ip() == configured.ip() && (configured.port() == 0 || configured.port() == bound.port())
}

/// At least one for each worker: of several sockets with one address each must be accepted from.
fn shared_by(mut listeners: Vec<TcpListener>, workers: usize) -> io::Result<Vec<TcpListener>> {
    let missing = workers.saturating_sub(listeners.len());
    let clones = listeners
        .iter()
        .cycle()
        .take(missing)
        .map(TcpListener::try_clone);
    let clones = clones.collect::<io::Result<Vec<_>>>()?;
    listeners.extend(clones);
    Ok(listeners)
}

fn clones(listeners: &[Vec<TcpListener>]) -> io::Result<Vec<TcpListener>> {
    listeners
        .iter()
        .flatten()
        .map(TcpListener::try_clone)
        .collect()
}

/// Lets no more connections in than there are open files for.
fn fit_open_files(config: &mut Config) {
    let Some(files) = beekeepr_service::open_files::raise() else {
        return;
    };
    let connections = usize::try_from(files.saturating_sub(FILES_RESERVED)).unwrap_or(usize::MAX);
    if connections < config.limits.connections_max {
        tracing::info!(
            open_files = files,
            connections_max = connections,
            "fewer connections than configured, for want of open files"
        );
        config.limits.connections_max = connections;
    }
}

fn spawn(parts: Parts, shutdown: Shutdown) -> io::Result<oneshot::Receiver<io::Result<()>>> {
    let (tell, done) = oneshot::channel();
    thread::Builder::new()
        .name(format!("tracker-{}", parts.number))
        .spawn(move || {
            // Nobody listens when `Running` was dropped; the tracker then ends with the shutdown.
            let _ = tell.send(worker::run(parts, &shutdown));
        })?;
    Ok(done)
}

impl Running {
    /// Returns when the tracker has ended: after the shutdown was asked for and its clients are gone.
    pub async fn wait(self) {
        for worker in self.done {
            match worker.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "the tracker ended"),
                Err(_) => tracing::error!("a thread of the tracker panicked"),
            }
        }
    }
}
