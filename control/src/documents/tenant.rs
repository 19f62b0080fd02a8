//! Small documents.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Document;
use crate::store::Kind;

/// A customer of the operator's, with channels and API keys of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tenant {
    /// What to call it.
    pub title: String,
}

impl Document for Tenant {
    const KIND: Kind = Kind::Tenant;
}

/// A token that counts no more, by its `jti`, until it would have expired.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Revocation {
    /// When the token expires, in seconds since 1970: until then it must be remembered.
    pub expires_s: i64,
    /// Why.
    pub reason: String,
}

impl Document for Revocation {
    const KIND: Kind = Kind::Revocation;
}

/// Somebody at the dashboard; the record's name is a digest of the cookie.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The API key that it was opened with, and that it ends with.
    pub key: String,
}

impl Document for Session {
    const KIND: Kind = Kind::Session;
}

/// What the installation remembers of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installation {
    /// A known text: whoever cannot open it has another secret than the database was made with.
    pub check: String,
}

impl Document for Installation {
    const KIND: Kind = Kind::Installation;
    const IS_SEALED: bool = true;
}
