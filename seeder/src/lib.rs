//! Super-peer: fetches every segment once and injects it into the swarms.
//!
//! For each configured channel the seeder reads the manifests, fetches new live segments at once and
//! others on demand, joins the swarms of every generation of clients and serves viewers over WebRTC
//! data channels. What to announce, to whom to send and what to fetch is decided by
//! [`beekeepr_engine`]; this crate owns the sockets, the bytes and the clock.
//!
//! The way of a segment through it:
//!
//! | module | what it does |
//! |---|---|
//! | `channel::follow` | reads manifests again and again: HLS by its playlists, DASH by its clock and indexes |
//! | `channel::timeline` | what the manifests list over time, under the numbers of each generation |
//! | `channel::streams` | which streams are served in which swarms |
//! | `origin` | requests: who may be asked, with which credentials, how often, how long, and once for all |
//! | `channel::shelf` | the bytes, as long as somebody needs them |
//! | `rtc` | viewers |
//! | [`check`] | whether a channel suits, before it is seeded |

mod channel;
pub mod check;
mod config;
mod metrics;
mod origin;
mod public_address;
pub mod rtc;
mod seed;
mod tls;
mod tracker;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use beekeepr_service::Shutdown;
use tokio::task::JoinSet;

pub use channel::Board;
pub use config::{
    Channel, Config, ConfigError, ManifestUrl, OriginUrl, Renditions, Secret, TrackerUrl, UrlError,
};

/// Why the seeder cannot start. Origins and trackers out of reach are no reason.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration contradicts itself.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// WebRTC cannot start, most often for its UDP port.
    #[error(transparent)]
    Hub(#[from] rtc::HubError),
    /// Metrics of this name are registered already.
    #[error("cannot register the seeder's metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    /// TLS or HTTP cannot be set up.
    #[error("cannot set up HTTPS: {0}")]
    Client(String),
}

/// A seeder at work.
#[derive(Debug)]
pub struct Running {
    /// The UDP address really bound.
    pub addresses: Vec<SocketAddr>,
    /// What there is to say of the channels.
    pub board: Board,
    tasks: JoinSet<()>,
}

impl Running {
    /// Returns when a requested shutdown is done: all swarms are left.
    pub async fn wait(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Starts seeding. Channels whose origin is out of reach are tried until it answers.
///
/// # Errors
/// The configuration contradicts itself, or the UDP address cannot be had.
pub async fn start(
    config: Config,
    registry: &prometheus::Registry,
    shutdown: Shutdown,
) -> Result<Running, StartError> {
    config.check()?;
    let metrics = metrics::Metrics::register(registry)?;
    let tls = tls::client_config().map_err(|error| StartError::Client(error.to_string()))?;
    let guard = origin::Guard::new(config.any_origin(), &config.private_origins);
    let origin = origin::Origin::new(guard, &tls, origin::Deadlines::default())
        .map_err(|error| StartError::Client(error.to_string()))?;
    let hub = rtc::start(hub_config(&config).await, shutdown.clone())?;
    let common = channel::Common {
        config: Arc::new(config),
        origin,
        tls,
        shutdown,
    };
    let mut tasks = JoinSet::new();
    let mut board = Board::default();
    for settings in common.config.channels.clone() {
        let status = board.add(&settings, metrics.channel(&settings.name));
        tasks.spawn(channel::run(
            common.clone(),
            settings,
            status,
            hub.register(),
        ));
    }
    Ok(Running {
        addresses: vec![hub.address()],
        board,
        tasks,
    })
}

async fn hub_config(config: &Config) -> rtc::HubConfig {
    rtc::HubConfig {
        udp: config.udp,
        external_ips: external_ips(config).await,
        peers_max: config.connections_max,
        ..rtc::HubConfig::default()
    }
}

/// The configured addresses, else the public one and the machine's own, else none: the hub then
/// tells the machine's own.
async fn external_ips(config: &Config) -> Vec<IpAddr> {
    if !config.external_ips.is_empty() || config.udp.ip().is_loopback() {
        return config.external_ips.clone();
    }
    let own = own_ips(config.udp);
    match public_address::discover(&config.stun, config.udp).await {
        Some(public) if !own.contains(&public) => {
            tracing::info!(%public, "viewers are told the public address too");
            [vec![public], own].concat()
        }
        Some(_) | None => Vec::new(),
    }
}

fn own_ips(udp: SocketAddr) -> Vec<IpAddr> {
    if !udp.ip().is_unspecified() {
        return vec![udp.ip()];
    }
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let told = interfaces
        .iter()
        .filter(|it| !it.is_loopback() && !it.is_link_local());
    told.map(if_addrs::Interface::ip).collect()
}
