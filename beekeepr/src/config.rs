//! The whole configuration: one file for all roles, each reads its own section.

#[cfg(test)]
mod reference;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use beekeepr_service::config::{self, ConfigError};
use beekeepr_service::logs::LogConfig;
use serde::{Deserialize, Serialize};

use crate::web;

/// Where health and metrics are unless the configuration says otherwise.
const ADMIN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9000);

/// Everything that can be configured.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// Logs.
    pub(crate) log: LogConfig,
    /// Health and metrics.
    pub(crate) admin: Admin,
    /// The page; `up` only.
    pub(crate) web: web::Config,
    /// The tracker.
    pub(crate) tracker: beekeepr_tracker::Config,
    /// The STUN server.
    pub(crate) stun: beekeepr_stun_server::Config,
    /// The seeder.
    pub(crate) seeder: beekeepr_seeder::Config,
    /// Control.
    pub(crate) control: beekeepr_control::Config,
}

/// The `[admin]` section.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Admin {
    /// Address of `/livez`, `/readyz` and `/metrics`. Without it 127.0.0.1:9000, which a second role
    /// on the machine may find taken: it then runs without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) listen: Option<SocketAddr>,
    /// File with a token; everything below `/v1/` then needs `Authorization: Bearer` with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token_file: Option<PathBuf>,
}

impl Admin {
    /// The configured address or the default one.
    pub(crate) fn address(&self) -> SocketAddr {
        self.listen.unwrap_or(ADMIN)
    }
}

impl Config {
    /// Reads the file and this process's environment.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        // A variable that is not text cannot be one of ours.
        let env = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        config::load(file, env)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_env(name: &str, value: &str) -> Result<Config, ConfigError> {
        config::load(None, [(name.to_owned(), value.to_owned())].into_iter())
    }

    #[test]
    fn what_is_printed_can_be_read_again() {
        let printed = toml::to_string(&Config::default()).unwrap();
        let read: Config = toml::from_str(&printed).unwrap();
        assert_eq!(toml::to_string(&read).unwrap(), printed);
    }

    #[test]
    fn every_role_reads_its_section() {
        let config = from_env("BEEKEEPR_TRACKER__LISTEN", "127.0.0.1:1").unwrap();
        assert_eq!(config.tracker.listen.port(), 1);
        let config = from_env("BEEKEEPR_WEB__LISTEN", "127.0.0.1:2").unwrap();
        assert_eq!(config.web.listen.port(), 2);
    }

    #[test]
    fn a_misspelt_key_is_named_with_the_one_meant() {
        let error = from_env("BEEKEEPR_TRACKER__LISTN", "127.0.0.1:1")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("tracker.listn") && error.contains("`listen`"),
            "{error}"
        );
    }
}
