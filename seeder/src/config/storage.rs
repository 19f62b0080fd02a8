//! Where segments are kept beside memory, and to whom they are served beside viewers.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::channel::Secret;

/// Smallest disk tier: two of the largest segments.
const DISK_BYTES_MIN: u64 = 64 * 1024 * 1024;
/// Shortest key of the shield: what HMAC-SHA-256 cannot be guessed through.
const KEY_BYTES_MIN: usize = 16;

/// Segments of streams on demand on disk. Live ones never are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disk {
    /// The folder, made if it is not there. It is the seeder's own: files in it that are not the seeder's are left alone,
    /// those that are come and go.
    pub path: PathBuf,
    /// Bytes in it, at least 64 MiB.
    #[serde(default = "disk_bytes_max_default")]
    pub bytes_max: u64,
}

fn disk_bytes_max_default() -> u64 {
    10 * 1024 * 1024 * 1024
}

/// An origin shield: players name it instead of the origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shield {
    /// Address to listen on, HTTP without TLS.
    pub listen: SocketAddr,
    /// Connections at a time; more wait.
    #[serde(default = "connections_max_default")]
    pub connections_max: usize,
    /// Addresses in manifests are sealed with it. Shields with the same key understand each other's addresses, and one
    /// that was restarted its earlier ones. At least 16 bytes; default: a new one at each start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Secret>,
}

fn connections_max_default() -> usize {
    4_096
}

impl Disk {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.bytes_max >= DISK_BYTES_MIN {
            return Ok(());
        }
        Err(ConfigError::Range {
            key: "disk.bytes_max",
            seen: self.bytes_max,
            expected: "67108864 (64 MiB) or more",
        })
    }
}

impl Shield {
    /// A shield with everything else as it is by default.
    #[must_use]
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            connections_max: connections_max_default(),
            key: None,
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let key_bytes = self.key.as_ref().map(|Secret(key)| key.len());
        if let Some(seen) = key_bytes.filter(|it| *it < KEY_BYTES_MIN) {
            return Err(ConfigError::Range {
                key: "shield.key",
                seen: seen as u64,
                expected: "16 bytes or more",
            });
        }
        if self.connections_max == 0 {
            return Err(ConfigError::Range {
                key: "shield.connections_max",
                seen: 0,
                expected: "1 or more",
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_small_is_named() {
        let disk = Disk {
            path: "/cache".into(),
            bytes_max: 1,
        };
        let error = disk.check().unwrap_err().to_string();
        assert!(error.starts_with("seeder.disk.bytes_max = 1"), "{error}");
        let mut shield = Shield::new(SocketAddr::from(([127, 0, 0, 1], 0)));
        assert_eq!(shield.check(), Ok(()));
        shield.key = Some(Secret("short".into()));
        let error = shield.check().unwrap_err().to_string();
        assert!(error.starts_with("seeder.shield.key = 5"), "{error}");
    }
}
