//! Keys of the admin API: `bk_NAME_SECRET`. The name finds the record, which has a digest of the secret.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Document;
use crate::store::Kind;
use crate::vault::{Vault, VaultError, random_name, random_secret};

/// What keys begin with, so that scanners for leaked secrets can know them.
const PREFIX: &str = "bk_";

/// What digests of keys are for.
const PURPOSE: &str = "api-key";

/// What the holder of a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Everything.
    Owner,
    /// Channels, tokens and groups; sees the settings, the signing keys and the audit log.
    Operator,
    /// Sees statistics.
    Viewer,
    /// A seeder: gets the list of channels, with their credentials, and nothing else.
    Seeder,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Operator, Self::Viewer, Self::Seeder];
}

/// A key as it is kept.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// What to call it.
    pub title: String,
    /// What it may do.
    pub role: Role,
    /// Of the secret.
    pub digest: String,
}

impl Document for ApiKey {
    const KIND: Kind = Kind::ApiKey;
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey")
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

impl ApiKey {
    /// A new key, and the text that its holder needs: it cannot be had again.
    ///
    /// # Errors
    /// No random numbers.
    pub fn make(vault: &Vault, title: String, role: Role) -> Result<(KeyText, Self), VaultError> {
        let text = KeyText {
            name: random_name()?,
            secret: random_secret()?,
        };
        let digest = vault.digest(PURPOSE, &text.secret);
        Ok((
            text,
            Self {
                title,
                role,
                digest,
            },
        ))
    }

    /// Whether a text is this key's.
    #[must_use]
    pub fn is_of(&self, text: &KeyText, vault: &Vault) -> bool {
        vault.fits(PURPOSE, &text.secret, &self.digest)
    }
}

/// A key as its holder has it.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyText {
    /// The record's name.
    pub name: String,
    secret: String,
}

impl KeyText {
    /// What to hand to the holder, and to write nowhere else.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}_{}", self.name, self.secret)
    }
}

impl FromStr for KeyText {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (name, secret) = text
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split_once('_'))
            .ok_or(())?;
        let is_short = name.len() <= 32 && secret.len() <= 64;
        let is_name = name.chars().all(|it| it.is_ascii_alphanumeric());
        if !is_short || !is_name || name.is_empty() {
            return Err(());
        }
        Ok(Self {
            name: name.to_owned(),
            secret: secret.to_owned(),
        })
    }
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyText({PREFIX}{}_..)", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_by_its_text_alone_and_shows_no_secret() {
        let vault = Vault::temporary().unwrap();
        let (text, key) = ApiKey::make(&vault, "mine".into(), Role::Viewer).unwrap();
        let brought: KeyText = text.reveal().parse().unwrap();
        assert!(key.is_of(&brought, &vault));
        let (other, _) = ApiKey::make(&vault, "other".into(), Role::Viewer).unwrap();
        assert!(!key.is_of(&other, &vault));
        assert!(!key.is_of(&text, &Vault::temporary().unwrap()));
        let shown = format!("{text:?} {key:?} {}", serde_json::to_string(&key).unwrap());
        assert!(!shown.contains(&text.secret), "{shown}");
    }

    #[test]
    fn what_is_no_key_is_none() {
        for wrong in ["", "bk_", "bk__x", "bk_a", "xx_a_b", "bk_../_b"] {
            assert!(wrong.parse::<KeyText>().is_err(), "{wrong}");
        }
    }
}
