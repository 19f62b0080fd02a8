//! What the operator sees and steers: the store, the admin API, the statistics of clients.
//!
//! | module | what it does |
//! |---|---|
//! | [`store`] | everything that is kept, in SQLite or PostgreSQL, behind one trait |
//! | [`documents`] | channels, keys, groups, ... as types; sealed where they have secrets |
//! | [`vault`] | the installation's secret: sealing, digests |
//! | `api` | `/v1/...` for programs and the dashboard |
//! | `dashboard` | the page at `/`, made of `dashboard/` |
//! | [`beacons`] | reports of viewers: checked, added up, written every ten seconds |
//! | `signing` | the keys of viewers' tokens, and how one follows another |
//!
//! Nobody waits for control: trackers, STUN servers and seeders work on without it.

mod api;
pub mod beacons;
mod clock;
mod config;
mod dashboard;
pub mod documents;
mod metrics;
mod rate;
mod signing;
mod sources;
pub mod store;
pub mod vault;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use beekeepr_service::Shutdown;
use beekeepr_service::http::{self, Limits};
use beekeepr_service::net::{self, BindError};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub use api::openapi;
pub use config::{Config, DatabaseUrl, Keep, Places};
pub use metrics::Metrics;
pub use signing::Tokens;
pub use sources::{ChannelSource, Check, CheckReport, Checked, EmbedSource, Source, Sources};

use beacons::Beacons;
use documents::{ApiKey, Change, Installation, KeyText, Registry, RegistryError, Role};
use store::{Expected, Note, Sql, StoreError};
use vault::{Vault, VaultError};

/// Dashboards, scripts and seeders: each holds a connection or two.
const LIMITS: Limits = Limits {
    connections_max: 1_024,
    head_time: Duration::from_secs(10),
    // Event streams are opened again.
    connection_time: Duration::from_secs(3_600),
    head_bytes_max: 16 * 1024,
    drain_time: Duration::from_secs(2),
};

/// The record that tells whether the secret is the database's.
const INSTALLATION: &str = "installation";
/// What it says.
const CHECK: &str = "beekeepr";
/// What the first key's record of existence is called.
const FIRST_KEY: &str = "first-key";

/// Why control cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration says something that cannot be.
    #[error("{0}")]
    Config(String),
    /// The address is taken.
    #[error("control.listen, control.beacons.listen: {0}")]
    Bind(#[from] BindError),
    /// The database.
    #[error("control.database: {0}")]
    Store(#[from] StoreError),
    /// The secret.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A record of the database.
    #[error("control.database: {0}")]
    Registry(#[from] RegistryError),
    /// Metrics of this name are registered already.
    #[error("cannot register control's metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    /// The system gave no socket, or no folder.
    #[error("{0}")]
    System(#[from] std::io::Error),
}

/// Control at work.
#[derive(Debug)]
pub struct Running {
    /// Where the admin API listens.
    pub address: SocketAddr,
    /// Where reports of viewers are taken, if they are.
    pub beacons: Option<SocketAddr>,
    /// The owner's key, at the very first start: to be shown once, and written nowhere.
    pub first_key: Option<KeyText>,
    /// A seeder's key for the seeder of this process; it ends with the process.
    pub seeder_key: KeyText,
    tasks: JoinSet<()>,
    sql: Arc<Sql>,
}

impl Running {
    /// Returns when a requested shutdown is done: figures are written, the database is closed.
    pub async fn wait(mut self) {
        while self.tasks.join_next().await.is_some() {}
        self.sql.close().await;
    }
}

/// Opens the store that a configuration names.
///
/// # Errors
/// It cannot be opened, or its secret cannot.
pub async fn open(config: &Config) -> Result<(Arc<Sql>, Registry), StartError> {
    let faults = config.faults();
    if !faults.is_empty() {
        return Err(StartError::Config(faults.join("; ")));
    }
    let places = config.places().map_err(StartError::Config)?;
    if let Some(data) = &config.data {
        std::fs::create_dir_all(data)?;
    }
    let vault = match &places.secret_file {
        Some(file) => Vault::open(file)?,
        None => Vault::temporary()?,
    };
    let sql = Arc::new(Sql::open(&places.database.0).await?);
    let registry = Registry::new(Arc::clone(&sql) as Arc<dyn store::Store>, Arc::new(vault));
    Ok((sql, registry))
}

/// Starts control.
///
/// # Errors
/// The configuration, the database, its secret or an address cannot be used.
pub async fn start(
    config: Config,
    registry: &prometheus::Registry,
    shutdown: Shutdown,
) -> Result<Running, StartError> {
    let metrics = Metrics::register(registry)?;
    let (sql, records) = open(&config).await?;
    let first_key = first_start(&records).await?;
    let listener = TcpListener::from_std(net::tcp_listener(config.listen, false)?)?;
    let address = listener.local_addr()?;
    let door = match config.beacons.listen {
        Some(listen) => Some(TcpListener::from_std(net::tcp_listener(listen, false)?)?),
        None => None,
    };
    let door_address = door.as_ref().map(TcpListener::local_addr).transpose()?;
    let beacons = Beacons::new(&config.beacons, metrics.clone());
    let mut tasks = JoinSet::new();
    let ticker = beacons::Ticker {
        beacons: beacons.clone(),
        registry: records.clone(),
        sources: config.sources.clone(),
        prometheus: registry.clone(),
        retention: config.keep.into(),
    };
    tasks.spawn(beacons::run(ticker, shutdown.clone()));
    if let Some(door) = door {
        let trusted = config.beacons.trusted_proxies.clone();
        tasks.spawn(beacons::start(
            door,
            beacons.clone(),
            trusted,
            shutdown.clone(),
        ));
    }
    if let Err(error) = signing::publish(&records, &config.tokens).await {
        tracing::warn!(
            status = error.status(),
            "the tracker's files are not written"
        );
    }
    let (seeder_key, own_key) =
        ApiKey::make(&records.vault, "this process".to_owned(), Role::Seeder)?;
    let app = api::App {
        own_key: (seeder_key.name.clone(), own_key),
        registry: records,
        tokens: config.tokens,
        beacons,
        sources: config.sources,
        limits: api::Limits::default(),
        metrics,
        prometheus: registry.clone(),
        shutdown: shutdown.clone(),
    };
    let router = api::router(Arc::new(app));
    tasks.spawn(http::serve(listener, router, LIMITS, Some(shutdown)));
    Ok(Running {
        address,
        beacons: door_address,
        first_key,
        seeder_key,
        tasks,
        sql,
    })
}

/// Checks that the secret is the database's, and makes the owner's key at the very first start. Of several processes that start
/// at once one makes it.
async fn first_start(registry: &Registry) -> Result<Option<KeyText>, StartError> {
    let change = |detail: &str| Change {
        expected: Expected::Absent,
        tenant: String::new(),
        expires_ms: 0,
        note: Some(Note {
            actor: "control".to_owned(),
            action: "create".to_owned(),
            detail: detail.to_owned(),
            ..Note::default()
        }),
    };
    let check = Installation {
        check: CHECK.to_owned(),
    };
    match registry
        .put(INSTALLATION, &check, change("the installation"))
        .await
    {
        Ok(_) | Err(RegistryError::Store(StoreError::Conflict)) => (),
        Err(error) => return Err(error.into()),
    }
    registry.get::<Installation>(INSTALLATION).await?;
    match registry
        .put(FIRST_KEY, &check, change("the owner's first key"))
        .await
    {
        Err(RegistryError::Store(StoreError::Conflict)) => return Ok(None),
        Err(error) => return Err(error.into()),
        Ok(_) => (),
    }
    let (text, key) = ApiKey::make(&registry.vault, "first".to_owned(), Role::Owner)?;
    registry.put(&text.name, &key, change("role owner")).await?;
    Ok(Some(text))
}
