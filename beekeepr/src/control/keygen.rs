//! `beekeepr keygen`: a signing key for those who issue tokens themselves, without a running control.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use beekeepr_control::documents::SigningKey;
use beekeepr_control::vault::random_name;
use serde::{Deserialize, Serialize};

use crate::args::Keygen;
use crate::failure::Failure;
use crate::operator::say;

/// The file of a key.
#[derive(Serialize, Deserialize)]
pub(super) struct KeyFile {
    /// What tokens call it.
    pub(super) kid: String,
    /// Itself, with its private half.
    pub(super) key: SigningKey,
}

/// Makes a key, writes it for its owner alone, and prints the public half for `tracker.tokens.keys`.
pub(crate) fn keygen(args: &Keygen) -> Result<(), Failure> {
    let kid = random_name().map_err(|error| Failure::Other(error.to_string()))?;
    let now_ms = i64::try_from(now_s() * 1000).unwrap_or_default();
    let key = SigningKey::make(now_ms).map_err(Failure::Other)?;
    let public = serde_json::json!({ "keys": [key.jwk(&kid)] });
    let text = serde_json::to_string(&KeyFile { kid, key });
    let text = text.map_err(|error| Failure::Other(error.to_string()))?;
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&args.file);
    let written = written.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| fault(&args.file, &format!("cannot be made: {error}")))?;
    say(&public.to_string());
    Ok(())
}

/// Reads such a file.
pub(super) fn read(path: &Path) -> Result<KeyFile, Failure> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| fault(path, &format!("cannot be read: {error}")))?;
    serde_json::from_str(&text).map_err(|_| {
        fault(
            path,
            "is no key; expected a file that `beekeepr keygen` made",
        )
    })
}

/// Seconds since 1970.
pub(super) fn now_s() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

fn fault(path: &Path, text: &str) -> Failure {
    Failure::Other(format!("{}: {text}", path.display()))
}
