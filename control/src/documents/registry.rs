//! Reading and changing documents in the store: sealed where they have secrets, checked against the state they are changed for.

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::{broadcast, watch};

use super::Document;
use crate::clock::now_ms;
use crate::store::{Action, Expected, Kind, Note, Page, Record, Store, StoreError};
use crate::vault::{Vault, VaultError};

/// Changes that a slow listener may be behind; then it is told to look at everything again.
const NEWS_MAX: usize = 256;

/// A document with what the store knows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<T> {
    /// Its name.
    pub id: String,
    /// Whose it is; empty for the operator's own.
    pub tenant: String,
    /// Its state, for `ETag`.
    pub revision: i64,
    /// When it came, in ms since 1970.
    pub created_ms: i64,
    /// When it last changed, in ms since 1970.
    pub changed_ms: i64,
    /// When it is forgotten, in ms since 1970; 0 for never.
    pub expires_ms: i64,
    /// Itself.
    pub document: T,
}

/// How a document is changed.
#[derive(Clone, Debug)]
pub struct Change {
    /// Only in this state.
    pub expected: Expected,
    /// Whose it is.
    pub tenant: String,
    /// When it is forgotten, in ms since 1970; 0 for never.
    pub expires_ms: i64,
    /// What the log says; `None` for what is no news.
    pub note: Option<Note>,
}

/// News of a change, for whoever watches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct News {
    /// What kind of thing.
    pub kind: Kind,
    /// Which one.
    pub id: String,
    /// Whose it is.
    #[serde(skip)]
    pub tenant: String,
    /// Its state.
    pub revision: i64,
}

/// Why a document cannot be had or changed.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The store's reason.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It cannot be opened.
    #[error("a record of the database cannot be opened: {0}")]
    Vault(#[from] VaultError),
    /// It is not what it should be.
    #[error("a record of the database cannot be read: {0}")]
    Damaged(#[from] serde_json::Error),
}

/// Documents by kind and name.
#[derive(Clone)]
pub struct Registry {
    /// Where they are.
    pub store: Arc<dyn Store>,
    /// What seals them.
    pub vault: Arc<Vault>,
    news: broadcast::Sender<News>,
    /// Grows when channels change.
    channels: Arc<watch::Sender<u64>>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Registry(..)")
    }
}

impl Registry {
    /// Documents of a store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, vault: Arc<Vault>) -> Self {
        let (news, _) = broadcast::channel(NEWS_MAX);
        Self {
            store,
            vault,
            news,
            channels: Arc::new(watch::Sender::new(0)),
        }
    }

    /// Hears of every change made through this process.
    #[must_use]
    pub fn news(&self) -> broadcast::Receiver<News> {
        self.news.subscribe()
    }

    /// Wakes up when a channel may have changed.
    #[must_use]
    pub fn channels_changed(&self) -> watch::Receiver<u64> {
        self.channels.subscribe()
    }

    /// One document.
    ///
    /// # Errors
    /// The store fails, or the record cannot be read.
    pub async fn get<T: Document>(&self, id: &str) -> Result<Option<Found<T>>, RegistryError> {
        let record = self.store.get(T::KIND, id).await?;
        let record = record.filter(|it| it.expires_ms == 0 || it.expires_ms > now_ms());
        record.map(|record| self.read(record)).transpose()
    }

    /// Documents in the order of their names.
    ///
    /// # Errors
    /// As with [`Registry::get`].
    pub async fn list<T: Document>(&self, page: Page) -> Result<Vec<Found<T>>, RegistryError> {
        let records = self.store.list(T::KIND, page).await?;
        let now_ms = now_ms();
        let counting = records
            .into_iter()
            .filter(|it| it.expires_ms == 0 || it.expires_ms > now_ms);
        counting.map(|record| self.read(record)).collect()
    }

    /// All documents of a kind that has few.
    ///
    /// # Errors
    /// As with [`Registry::get`].
    pub async fn all<T: Document>(&self) -> Result<Vec<Found<T>>, RegistryError> {
        let limit = T::KIND.records_max();
        self.list(Page {
            tenant: None,
            after: String::new(),
            limit,
        })
        .await
    }

    /// Makes or changes a document and gives its state.
    ///
    /// # Errors
    /// It is in another state than expected, there are too many, or the store fails.
    pub async fn put<T: Document>(
        &self,
        id: &str,
        document: &T,
        change: Change,
    ) -> Result<i64, RegistryError> {
        let mut body = serde_json::to_string(document)?;
        if T::IS_SEALED {
            body = self.vault.seal(&place::<T>(id), &body)?;
        }
        let Change {
            expected,
            tenant,
            expires_ms,
            note,
        } = change;
        let owner = tenant.clone();
        let action = Action::Put {
            tenant,
            body,
            expires_ms,
        };
        self.change(T::KIND, id, expected, action, note, owner)
            .await
    }

    /// Removes a document.
    ///
    /// # Errors
    /// As with [`Registry::put`].
    pub async fn delete<T: Document>(
        &self,
        id: &str,
        change: Change,
    ) -> Result<i64, RegistryError> {
        let Change {
            expected,
            tenant,
            note,
            ..
        } = change;
        self.change(T::KIND, id, expected, Action::Delete, note, tenant)
            .await
    }

    async fn change(
        &self,
        kind: Kind,
        id: &str,
        expected: Expected,
        action: Action,
        note: Option<Note>,
        tenant: String,
    ) -> Result<i64, RegistryError> {
        let is_news = note.is_some();
        let change = crate::store::Change {
            kind,
            id: id.to_owned(),
            expected,
            action,
            now_ms: now_ms(),
            note,
        };
        let revision = self.store.change(change).await?;
        if kind == Kind::Channel {
            self.channels.send_modify(|it| *it += 1);
        }
        if is_news {
            // Nobody may be listening.
            let _ = self.news.send(News {
                kind,
                id: id.to_owned(),
                tenant,
                revision,
            });
        }
        Ok(revision)
    }

    fn read<T: Document>(&self, record: Record) -> Result<Found<T>, RegistryError> {
        let body = if T::IS_SEALED {
            self.vault
                .open_sealed(&place::<T>(&record.id), &record.body)?
        } else {
            record.body
        };
        Ok(Found {
            id: record.id,
            tenant: record.tenant,
            revision: record.revision,
            created_ms: record.created_ms,
            changed_ms: record.changed_ms,
            expires_ms: record.expires_ms,
            document: serde_json::from_str(&body)?,
        })
    }
}

/// Where a document is sealed for: one record's body in another's place does not open.
fn place<T: Document>(id: &str) -> String {
    format!("{}/{id}", T::KIND.as_str())
}
