//! What goes into a store and comes out of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Counters;

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A customer of the operator's.
    Tenant,
    /// A key of the admin API.
    ApiKey,
    /// A stream that is shared.
    Channel,
    /// A key that signs viewers' tokens.
    SigningKey,
    /// A token that counts no more.
    Revocation,
    /// Networks whose viewers meet each other.
    Group,
    /// The settings; there is one record of them.
    Settings,
    /// Somebody at the dashboard.
    Session,
    /// What the installation must remember of itself.
    Installation,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Tenant,
        Self::ApiKey,
        Self::Channel,
        Self::SigningKey,
        Self::Revocation,
        Self::Group,
        Self::Settings,
        Self::Session,
        Self::Installation,
    ];

    /// As in the table and in the audit log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::ApiKey => "api-key",
            Self::Channel => "channel",
            Self::SigningKey => "signing-key",
            Self::Revocation => "revocation",
            Self::Group => "group",
            Self::Settings => "settings",
            Self::Session => "session",
            Self::Installation => "installation",
        }
    }

    /// Records of a kind at most: so many that no real installation meets it, so few that a program gone wild fills no disk.
    #[must_use]
    pub const fn records_max(self) -> i64 {
        match self {
            // What a seeder takes (docs/protocol/channels.md).
            Self::Channel => 512,
            // What a tracker takes, with room for those that are going.
            Self::SigningKey => 16,
            Self::Settings | Self::Installation => 4,
            Self::Tenant | Self::ApiKey | Self::Group => 2_000,
            Self::Session => 10_000,
            Self::Revocation => 100_000,
        }
    }
}

/// A thing with a name, as the store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its name among those of its kind.
    pub id: String,
    /// Whose it is; empty for the operator's own.
    pub tenant: String,
    /// JSON, or what the vault made of it.
    pub body: String,
    /// Grows with every change of anything; the `ETag`.
    pub revision: i64,
    /// When it is forgotten, in ms since 1970; 0 for never.
    pub expires_ms: i64,
    /// When it came, in ms since 1970.
    pub created_ms: i64,
    /// When it last changed, in ms since 1970.
    pub changed_ms: i64,
}

/// The state that a change is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Whatever it is.
    Any,
    /// There is none.
    Absent,
    /// There is one.
    Present,
    /// There is one of this revision.
    Revision(i64),
}

/// What shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// This body, of this tenant, until then (ms since 1970; 0 for ever).
    Put {
        /// See [`Record::tenant`].
        tenant: String,
        /// See [`Record::body`].
        body: String,
        /// See [`Record::expires_ms`].
        expires_ms: i64,
    },
    /// Nothing.
    Delete,
}

/// A change of one record, with its line in the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Of which kind.
    pub kind: Kind,
    /// Which one.
    pub id: String,
    /// Only if it is in this state.
    pub expected: Expected,
    /// What shall be.
    pub action: Action,
    /// Now, in ms since 1970.
    pub now_ms: i64,
    /// What the log says; `None` for what is no news (sessions).
    pub note: Option<Note>,
}

/// Who did what, for the audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// Which key, or which part of the program.
    pub actor: String,
    /// Whose log it belongs to; empty for the operator's alone.
    pub tenant: String,
    /// What was done: `create`, `update`, `delete`, `issue`, ...
    pub action: String,
    /// What else there is to say; never a secret.
    pub detail: String,
}

/// A line of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// Its place; later lines have larger ones.
    pub id: i64,
    /// When, in ms since 1970.
    pub at_ms: i64,
    /// What kind of thing was changed.
    pub kind: String,
    /// Which one.
    pub object: String,
    /// Who and what.
    pub note: Note,
}

/// Which records, in the order of their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Of this tenant only.
    pub tenant: Option<String>,
    /// After this name.
    pub after: String,
    /// At most so many.
    pub limit: i64,
}

/// Figures of a channel for a span of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// The channel's name; empty for all of them together.
    pub channel: String,
    /// Whose it is.
    pub tenant: String,
    /// When the span begins, in seconds since 1970.
    pub at_s: i64,
    /// The figures.
    pub counters: Counters,
}

/// Which figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The length of a sample: 10, 60, 3600 or 86400 s.
    pub step_s: i64,
    /// The first, in seconds since 1970.
    pub from_s: i64,
    /// The end, in seconds since 1970; not included.
    pub to_s: i64,
    /// Of this channel only.
    pub channel: Option<String>,
    /// Of this tenant only.
    pub tenant: Option<String>,
    /// Each channel by itself, or all together.
    pub by_channel: bool,
    /// At most so many.
    pub limit: i64,
}

/// Why the store did not do it.
#[derive(Debug)]
pub enum StoreError {
    /// The record is in another state than expected.
    Conflict,
    /// There are as many of this kind as there may be.
    Full(Kind),
    /// The database cannot be used: wrong address, no access, another program's.
    Unusable(String),
    /// The database did not answer, or not as it should; later it may.
    Failed(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict => f.write_str("it is in another state by now; read it again"),
            Self::Full(kind) => write!(
                f,
                "there are {} of kind {} already, which is the most; delete some",
                kind.records_max(),
                kind.as_str()
            ),
            Self::Unusable(text) | Self::Failed(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(format!("the database failed: {error}"))
    }
}
