//! What records are about, as types, and reading and changing them.

mod api_key;
mod channel;
mod group;
mod registry;
mod settings;
mod signing_key;
mod tenant;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use api_key::{ApiKey, KeyText, Role};
pub use channel::{Channel, HIDDEN, Renditions};
pub use group::{Group, read_file, write_file};
pub use registry::{Change, Found, News, Registry, RegistryError};
pub use settings::Settings;
pub use signing_key::SigningKey;
pub use tenant::{Installation, Revocation, Session, Tenant};

use crate::store::Kind;

/// Something that is kept as a record.
pub trait Document: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Which kind of record.
    const KIND: Kind;
    /// Whether its body is sealed, as it has secrets in it.
    const IS_SEALED: bool = false;
}

/// Letters of a name at most: it is shown in tables and is a label of metrics.
const NAME_CHARS_MAX: usize = 64;

/// Whether a text can be a name: 1 to 64 letters, digits, spaces, `.`, `-` and `_`, with a letter or digit at the front and no
/// space at the end. What a seeder takes as a channel's name.
///
/// # Errors
/// It cannot.
pub fn check_name(name: &str) -> Result<(), String> {
    let is_inner = |it: char| it.is_alphanumeric() || " .-_".contains(it);
    let is_good = name.starts_with(char::is_alphanumeric)
        && name.chars().all(is_inner)
        && !name.ends_with(' ')
        && name.chars().count() <= NAME_CHARS_MAX;
    if is_good {
        return Ok(());
    }
    Err(format!(
        "the name {name:?} cannot be, expected 1 to {NAME_CHARS_MAX} letters, digits, spaces, '.', '-' and '_', beginning with a \
         letter or digit"
    ))
}
