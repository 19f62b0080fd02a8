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
//! | `channel::shelf` | which segments the channel's peers hold |
//! | `cache` | the bytes of all channels, in memory and on disk |
//! | `rtc` | viewers |
//! | `shield` | the cache over HTTP, for players that name it instead of the origin |
//! | `roster` | which channels run, wherever they come from |
//! | [`check`] | whether a channel suits, before it is seeded |

mod budget;
mod cache;
mod channel;
pub mod check;
mod config;
mod metrics;
mod origin;
mod public_address;
mod roster;
pub mod rtc;
mod seed;
mod shield;
mod tls;
mod tracker;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use beekeepr_service::{Shutdown, Trigger};
use tokio::task::JoinSet;

pub use config::{
    Channel, ChannelsFrom, Config, ConfigError, ControlUrl, Disk, ManifestUrl, OriginUrl, Proxy,
    Renditions, Secret, Shield, TokenSource, TrackerUrl, UrlError,
};
pub use roster::{CHANNELS_MAX, Changes, Roster, Source};

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
    /// The origin shield has no address to listen on.
    #[error("seeder.shield.listen: {0}")]
    Shield(#[from] beekeepr_service::net::BindError),
}

/// A seeder at work.
#[derive(Debug)]
pub struct Running {
    /// The UDP addresses really bound, one for each shard.
    pub addresses: Vec<SocketAddr>,
    /// The origin shield's address really bound, if it is on.
    pub shield: Option<SocketAddr>,
    /// The channels, which may be changed.
    pub channels: Roster,
    shutdown: Shutdown,
    tasks: JoinSet<()>,
    /// Dropped, no viewer is served any more.
    hub: Trigger,
}

impl Running {
    /// Returns when a requested shutdown is done: all swarms are left.
    pub async fn wait(mut self) {
        self.shutdown.requested().await;
        self.channels.ended().await;
        while self.tasks.join_next().await.is_some() {}
        self.hub.request();
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
    channel::try_token(&config);
    let metrics = metrics::Metrics::register(registry)?;
    let tls = tls::client_config().map_err(|error| StartError::Client(error.to_string()))?;
    let guard = origin::Guard::new(config.any_origin(), &config.private_origins);
    let origin = origin::Origin::new(guard, &tls, origin::Deadlines::default())
        .and_then(|origin| origin.over(&config.proxy))
        .map_err(|error| StartError::Client(error.to_string()))?;
    let disk = match &config.disk {
        Some(disk) => cache::disk::Disk::open(disk, metrics.disk_bytes.clone()).await,
        None => None,
    };
    // Viewers are served until the channels have finished what they send.
    let (hub_end, hub_shutdown) = Shutdown::new();
    let hub = rtc::start(hub_config(&config).await, hub_shutdown)?;
    let addresses: Vec<SocketAddr> = hub.addresses().collect();
    let channels = config.channels.clone();
    let cache = cache::Cache::new(config.cache_bytes_max, disk);
    let directory = shield::Directory::default();
    let mut tasks = JoinSet::new();
    let shield = match &config.shield {
        Some(shield) => {
            let directory = directory.clone();
            Some(shield::start(
                shield,
                directory,
                shutdown.clone(),
                &mut tasks,
            )?)
        }
        None => None,
    };
    let budget = budget::Budget::new(config.upload_bps_max, config.connections_max);
    let common = channel::Common {
        config: Arc::new(config),
        origin,
        cache,
        directory: directory.clone(),
        budget,
        tls: Arc::clone(&tls),
        shutdown: shutdown.clone(),
    };
    let from = common.config.channels_from.clone();
    let roster = Roster::new(common, metrics, hub);
    roster.set_file(channels)?;
    roster.restore();
    if let Some(from) = from {
        let following = roster::follow(roster.clone(), from, tls, shutdown.clone());
        tasks.spawn(following);
    }
    Ok(Running {
        addresses,
        shield,
        channels: roster,
        shutdown,
        tasks,
        hub: hub_end,
    })
}

async fn hub_config(config: &Config) -> rtc::HubConfig {
    rtc::HubConfig {
        udp: config.udp,
        external_ips: external_ips(config).await,
        peers_max: config.connections_max,
        shards: config.shards,
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
