//! Where everything is kept: behind one trait, so that nobody else knows of SQL.
//!
//! Three things are kept. *Records*: things with a name and a JSON body (channels, keys, ...), which change one by one, each
//! change checked against the revision it was made for and written together with its line in the audit log. *Statistics*:
//! figures of each channel for 10 s, which are added to the spans of a minute, an hour and a day in the same transaction, so
//! that no roll-up can be forgotten or done twice. The *audit log*.

mod backup;
mod counters;
mod migrations;
mod records;
mod sql;
mod statistics;
mod types;

use std::pin::Pin;

use tokio::sync::mpsc;

pub use backup::Lines;
pub use counters::Counters;
pub use sql::Sql;
pub use statistics::{Retention, STEPS_S};
pub use types::{
    Action, Audit, Change, Expected, Kind, Note, Page, Record, Sample, Span, StoreError,
};

/// An answer that takes its time.
pub type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// What the rest of control may do with its database.
pub trait Store: Send + Sync + 'static {
    /// One record.
    fn get<'a>(&'a self, kind: Kind, id: &'a str) -> Reply<'a, Option<Record>>;

    /// Records in the order of their names.
    fn list(&self, kind: Kind, page: Page) -> Reply<'_, Vec<Record>>;

    /// Changes one record and gives its new revision, all or nothing.
    fn change(&self, change: Change) -> Reply<'_, i64>;

    /// The revision of the last change of this kind, deletions included; 0 before the first.
    fn latest(&self, kind: Kind) -> Reply<'_, i64>;

    /// Writes a line of the log that belongs to no change.
    fn note<'a>(&'a self, at_ms: i64, kind: Kind, object: &'a str, note: Note) -> Reply<'a, ()>;

    /// Lines of the log, the newest first, those before the line `before` (0 for the end) and of one tenant.
    fn audit(&self, tenant: Option<String>, before: i64, limit: i64) -> Reply<'_, Vec<Audit>>;

    /// Adds figures for 10 s each, all or nothing.
    fn add<'a>(&'a self, samples: &'a [Sample]) -> Reply<'a, ()>;

    /// Figures in the order of time.
    fn samples(&self, span: Span) -> Reply<'_, Vec<Sample>>;

    /// Forgets what is too old; gives the number of rows.
    fn tidy(&self, now_ms: i64, retention: Retention) -> Reply<'_, u64>;

    /// Sends a backup of one moment, line by line; gives the number of rows.
    fn export(&self, lines: mpsc::Sender<String>) -> Reply<'_, u64>;

    /// Fills an empty database from a backup, all or nothing; gives the number of rows.
    fn import(&self, lines: Lines) -> Reply<'_, u64>;
}
