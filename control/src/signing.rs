//! The keys that sign viewers' tokens: which one signs now, how one follows another, and files for a tracker on this machine.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use beekeepr_trust::Claims;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::Problem;
use crate::clock::now_ms;
use crate::documents::{Change, Found, Registry, Revocation, SigningKey};
use crate::store::{Expected, Note};
use crate::vault::random_name;

/// The section `control.tokens`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tokens {
    /// What tokens say as `iss`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// What tokens say as `aud`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// The longest that a token may count, in seconds.
    pub lifetime_s_max: u32,
    /// How long trackers have to learn of a new key before it signs, in seconds.
    pub overlap_s: u32,
    /// File that the public halves of the keys are written to, for `tracker.tokens.keys` of a tracker on this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys_file: Option<PathBuf>,
    /// File that the names (`jti`) of revoked tokens are written to, one in each line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_file: Option<PathBuf>,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            issuer: None,
            audience: None,
            lifetime_s_max: 86_400,
            overlap_s: 30,
            keys_file: None,
            revoked_file: None,
        }
    }
}

impl Tokens {
    pub(crate) fn overlap_ms(&self) -> i64 {
        i64::from(self.overlap_s) * 1000
    }
}

/// All keys, the newest first.
pub(crate) async fn keys(registry: &Registry) -> Result<Vec<Found<SigningKey>>, Problem> {
    let mut keys = registry.all::<SigningKey>().await?;
    keys.sort_by_key(|it| std::cmp::Reverse((it.document.created_ms, it.revision)));
    Ok(keys)
}

/// The newest key that trackers have had time to learn of, else the oldest.
pub(crate) fn signer(
    keys: &[Found<SigningKey>],
    now_ms: i64,
    overlap_ms: i64,
) -> Option<&Found<SigningKey>> {
    let known = keys
        .iter()
        .find(|it| it.document.created_ms + overlap_ms <= now_ms);
    known.or_else(|| keys.last())
}

/// The public halves, as a JWK set.
pub(crate) fn jwks(keys: &[Found<SigningKey>]) -> Value {
    let keys: Vec<Value> = keys.iter().map(|it| it.document.jwk(&it.id)).collect();
    json!({ "keys": keys })
}

/// Makes a new key; those before it are forgotten when nothing that they signed counts any more.
pub(crate) async fn rotate(
    registry: &Registry,
    tokens: &Tokens,
    note: &(dyn Fn(&str) -> Note + Sync),
) -> Result<Found<SigningKey>, Problem> {
    let now_ms = now_ms();
    let last_ms = now_ms + tokens.overlap_ms() + i64::from(tokens.lifetime_s_max) * 1000;
    for old in keys(registry)
        .await?
        .into_iter()
        .filter(|it| it.expires_ms == 0)
    {
        let change = Change {
            expected: Expected::Revision(old.revision),
            tenant: String::new(),
            expires_ms: last_ms,
            note: Some(note("retire")),
        };
        registry.put(&old.id, &old.document, change).await?;
    }
    let id = random_name()?;
    let key = SigningKey::make(now_ms).map_err(Problem::unprocessable)?;
    let change = Change {
        expected: Expected::Absent,
        tenant: String::new(),
        expires_ms: 0,
        note: Some(note("create")),
    };
    registry.put(&id, &key, change).await?;
    publish(registry, tokens).await?;
    let made = registry.get::<SigningKey>(&id).await?;
    made.ok_or_else(|| Problem::absent("signing key", &id))
}

/// Signs claims with the key whose turn it is; the first is made when there is none.
pub(crate) async fn sign(
    registry: &Registry,
    tokens: &Tokens,
    claims: &Claims,
) -> Result<(String, String), Problem> {
    let mut all = keys(registry).await?;
    if all.is_empty() {
        let note = |action: &str| Note {
            actor: "control".to_owned(),
            action: action.to_owned(),
            ..Note::default()
        };
        all = vec![rotate(registry, tokens, &note).await?];
    }
    let key = signer(&all, now_ms(), tokens.overlap_ms());
    let key = key.ok_or_else(|| Problem::absent("signing key", ""))?;
    let token = key
        .document
        .sign(&key.id, claims)
        .map_err(Problem::unprocessable)?;
    Ok((key.id.clone(), token))
}

/// Writes the files that a tracker on this machine reads.
pub(crate) async fn publish(registry: &Registry, tokens: &Tokens) -> Result<(), Problem> {
    if let Some(file) = &tokens.keys_file {
        let text = jwks(&keys(registry).await?).to_string();
        warn_of(file, write(file, &text));
    }
    if let Some(file) = &tokens.revoked_file {
        let revoked = registry.all::<Revocation>().await?;
        let lines: String = revoked.iter().map(|it| format!("{}\n", it.id)).collect();
        warn_of(file, write(file, &lines));
    }
    Ok(())
}

fn warn_of(file: &Path, written: std::io::Result<()>) {
    if let Err(error) = written {
        let file = file.display();
        tracing::error!(%error, %file, "a file for the tracker cannot be written; its tokens will be refused");
    }
}

/// Whole or not at all: a tracker may read it at any time.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o644)
        .open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str, created_ms: i64) -> Found<SigningKey> {
        Found {
            id: id.to_owned(),
            tenant: String::new(),
            revision: 1,
            created_ms,
            changed_ms: created_ms,
            expires_ms: 0,
            document: SigningKey::make(created_ms).unwrap(),
        }
    }

    #[test]
    fn a_new_key_signs_when_trackers_have_had_time_to_learn_of_it() {
        let keys = [key("new", 100_000), key("old", 50_000)];
        let at = |now_ms| signer(&keys, now_ms, 30_000).map(|it| it.id.as_str());
        assert_eq!(at(110_000), Some("old"));
        assert_eq!(at(130_000), Some("new"));
        assert_eq!(at(60_000), Some("old"), "the first signs at once");
        assert!(signer(&[], 0, 0).is_none());
    }

    #[test]
    fn files_for_the_tracker_are_exchanged_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        write(&path, "a longer text").unwrap();
        write(&path, "short").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "short");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
