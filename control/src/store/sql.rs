//! The only implementation: SQL that SQLite and PostgreSQL both understand, over sqlx.

use std::collections::HashMap;
use std::fmt;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Mutex, Once};
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::{Any, AnyConnection, AnyPool, Executor as _, Transaction};
use tokio::sync::mpsc;

use super::{
    Audit, Change, Kind, Lines, Note, Page, Record, Reply, Retention, Sample, Span, Store,
    StoreError,
};
use super::{backup, migrations, records, statistics};

/// Readers of SQLite work beside the one writer; more than the cores of a small server gain nothing.
const SQLITE_CONNECTIONS_MAX: u32 = 4;
/// For each process; a PostgreSQL of default settings takes 100 in all.
const POSTGRES_CONNECTIONS_MAX: u32 = 8;
/// How long a question waits for a connection: longer, and whoever asked has given up.
const ACQUIRE_TIME: Duration = Duration::from_secs(5);

/// In what the two databases differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// Begins a transaction that will write. SQLite cannot turn a reader into a writer while another one writes.
    pub(super) const fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }

    /// A text that is ordered by its bytes, as Rust orders it, and not by some language's rules.
    pub(super) const fn text_by_bytes(self) -> &'static str {
        match self {
            Self::Sqlite => "TEXT",
            Self::Postgres => "TEXT COLLATE \"C\"",
        }
    }

    /// Keeps the rows in the key's own tree, which saves a second copy of the key.
    pub(super) const fn keyed(self) -> &'static str {
        match self {
            Self::Sqlite => "WITHOUT ROWID",
            Self::Postgres => "",
        }
    }
}

/// A store in a SQL database.
pub struct Sql {
    pub(super) pool: AnyPool,
    pub(super) dialect: Dialect,
    /// The numbers of channels in the statistics, by name and tenant; as many as there ever were channels.
    pub(super) series: Mutex<HashMap<(String, String), i64>>,
}

impl fmt::Debug for Sql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sql")
            .field("dialect", &self.dialect)
            .finish_non_exhaustive()
    }
}

impl Sql {
    /// Opens `sqlite:PATH`, `sqlite::memory:` or `postgres://USER@HOST/NAME` and makes or renews its tables.
    ///
    /// # Errors
    /// It cannot be reached, is no database of ours, or is of a newer release. Texts show no password.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let (dialect, url) = match url.split_once(':') {
            Some(("sqlite", path)) => (Dialect::Sqlite, sqlite_url(path)?),
            Some(("postgres" | "postgresql", _)) => (Dialect::Postgres, url.to_owned()),
            _ => {
                return Err(StoreError::Unusable(
                    "expected sqlite:PATH or postgres://USER@HOST/DATABASE".to_owned(),
                ));
            }
        };
        let options = options(dialect, &url);
        let pool = options.connect(&url).await.map_err(|error| {
            StoreError::Unusable(format!(
                "cannot open the database: {error}; check its address and access"
            ))
        })?;
        let store = Self {
            pool,
            dialect,
            series: Mutex::default(),
        };
        let mut transaction = store.begin().await?;
        if dialect == Dialect::Postgres {
            // The number is ours alone: "beekeepr" in ASCII. Whoever comes second finds the tables made.
            transaction
                .execute("SELECT pg_advisory_xact_lock(7090760571404415090)")
                .await?;
        }
        migrations::migrate(&mut transaction, dialect).await?;
        transaction.commit().await?;
        Ok(store)
    }

    /// A transaction that will write.
    pub(super) async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        Ok(self.pool.begin_with(self.dialect.begin()).await?)
    }

    /// Waits until nothing is under way and closes the database.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

fn options(dialect: Dialect, url: &str) -> AnyPoolOptions {
    let options = AnyPoolOptions::new().acquire_timeout(ACQUIRE_TIME);
    match dialect {
        Dialect::Postgres => options.max_connections(POSTGRES_CONNECTIONS_MAX),
        // Each connection would have a memory of its own, and forget it when it is closed.
        Dialect::Sqlite if url.contains(":memory:") => options
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None),
        Dialect::Sqlite => options
            .max_connections(SQLITE_CONNECTIONS_MAX)
            .after_connect(|connection, _| Box::pin(prepare(connection))),
    }
}

/// A killed process loses nothing that was committed; a power failure may lose the last second, and harms nothing.
async fn prepare(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    for pragma in [
        "PRAGMA busy_timeout = 5000",
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = NORMAL",
        "PRAGMA journal_size_limit = 67108864",
    ] {
        connection.execute(pragma).await?;
    }
    Ok(())
}

/// Makes the file, for its owner alone, as it has hashes of keys in it.
fn sqlite_url(path: &str) -> Result<String, StoreError> {
    if path.contains(":memory:") {
        return Ok("sqlite::memory:".to_owned());
    }
    let path = Path::new(path.strip_prefix("//").unwrap_or(path));
    let opened = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path);
    opened.map_err(|error| {
        let shown = path.display();
        StoreError::Unusable(format!("cannot open the database {shown}: {error}; expected a file in a folder where this user may write"))
    })?;
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    url::Url::from_file_path(&whole)
        .map(|url| format!("sqlite://{}?mode=rwc", url.path()))
        .map_err(|()| {
            StoreError::Unusable("the path of the database cannot be written as a URL".to_owned())
        })
}

impl Store for Sql {
    fn get<'a>(&'a self, kind: Kind, id: &'a str) -> Reply<'a, Option<Record>> {
        Box::pin(records::get(self, kind, id))
    }

    fn list(&self, kind: Kind, page: Page) -> Reply<'_, Vec<Record>> {
        Box::pin(records::list(self, kind, page))
    }

    fn change(&self, change: Change) -> Reply<'_, i64> {
        Box::pin(records::change(self, change))
    }

    fn latest(&self, kind: Kind) -> Reply<'_, i64> {
        Box::pin(records::latest(self, kind))
    }

    fn note<'a>(&'a self, at_ms: i64, kind: Kind, object: &'a str, note: Note) -> Reply<'a, ()> {
        Box::pin(records::note(self, at_ms, kind, object, note))
    }

    fn audit(&self, tenant: Option<String>, before: i64, limit: i64) -> Reply<'_, Vec<Audit>> {
        Box::pin(records::audit(self, tenant, before, limit))
    }

    fn add<'a>(&'a self, samples: &'a [Sample]) -> Reply<'a, ()> {
        Box::pin(statistics::add(self, samples))
    }

    fn samples(&self, span: Span) -> Reply<'_, Vec<Sample>> {
        Box::pin(statistics::samples(self, span))
    }

    fn tidy(&self, now_ms: i64, retention: Retention) -> Reply<'_, u64> {
        Box::pin(statistics::tidy(self, now_ms, retention))
    }

    fn export(&self, lines: mpsc::Sender<String>) -> Reply<'_, u64> {
        Box::pin(backup::export(self, lines))
    }

    fn import(&self, lines: Lines) -> Reply<'_, u64> {
        Box::pin(backup::import(self, lines))
    }
}
