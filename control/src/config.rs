//! Control's section of the configuration.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::signing::Tokens;
use crate::store::Retention;
use crate::{Sources, beacons};

/// What is shown of a secret.
const HIDDEN: &str = "(hidden)";

/// The database's file in the data folder.
const DATABASE_FILE: &str = "control.db";

/// The secret's file in the data folder.
const SECRET_FILE: &str = "control.secret";

/// A day in seconds.
const DAY_S: i64 = 86_400;

/// The section `control`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the admin API listens: IP:PORT; port 0 takes a free one. A loopback address is for this machine alone.
    pub listen: SocketAddr,
    /// Folder for the database and the secret, made when it is not there. Without it and without `database` everything is
    /// forgotten at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<PathBuf>,
    /// `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`. Default: `control.db` in `data`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabaseUrl>,
    /// File with that URL, for passwords that are in no configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_file: Option<PathBuf>,
    /// File with the secret that credentials and keys in the database are sealed with, the same for all processes on one
    /// database. Made when it is not there. Default: `control.secret` in `data`. Keep a copy: without it a backup has no
    /// credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_file: Option<PathBuf>,
    /// Viewers' tokens.
    pub tokens: Tokens,
    /// Statistics of clients.
    pub beacons: beacons::Config,
    /// How long things are kept.
    pub keep: Keep,
    /// What else there is in this process.
    #[serde(skip)]
    pub sources: Sources,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8100)),
            data: None,
            database: None,
            database_file: None,
            secret_file: None,
            tokens: Tokens::default(),
            beacons: beacons::Config::default(),
            keep: Keep::default(),
            sources: Sources::default(),
        }
    }
}

/// The section `control.keep`. Of 100 channels the defaults fill less than 1 GB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keep {
    /// Figures of 10 s, in hours.
    pub tens_hours: u32,
    /// Figures of a minute, in days.
    pub minutes_days: u32,
    /// Figures of an hour, in days.
    pub hours_days: u32,
    /// Figures of a day, in days.
    pub days_days: u32,
    /// The audit log, in days.
    pub audit_days: u32,
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            tens_hours: 6,
            minutes_days: 7,
            hours_days: 400,
            days_days: 3_650,
            audit_days: 400,
        }
    }
}

impl From<Keep> for Retention {
    fn from(keep: Keep) -> Self {
        let days_s = |days: u32| i64::from(days) * DAY_S;
        Self {
            steps_s: [
                i64::from(keep.tens_hours) * 3_600,
                days_s(keep.minutes_days),
                days_s(keep.hours_days),
                days_s(keep.days_days),
            ],
            audit_s: days_s(keep.audit_days),
        }
    }
}

/// The address of a database, which may have a password in it: shown to nobody.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct DatabaseUrl(pub String);

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl Serialize for DatabaseUrl {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // A file has no password.
        let shown = if self.0.starts_with("sqlite:") {
            &self.0
        } else {
            HIDDEN
        };
        serializer.serialize_str(shown)
    }
}

/// Where everything is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// The database's URL.
    pub database: DatabaseUrl,
    /// The secret's file; none when it ends with the process.
    pub secret_file: Option<PathBuf>,
}

impl Config {
    /// All values that cannot work, each with its key, or nothing.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.database.is_some() && self.database_file.is_some() {
            faults.push(
                "control.database and control.database_file are both there: expected one"
                    .to_owned(),
            );
        }
        if self.tokens.lifetime_s_max == 0 {
            faults.push("control.tokens.lifetime_s_max is 0: expected 1 or more".to_owned());
        }
        if self.beacons.sample_max == 0 {
            faults.push("control.beacons.sample_max is 0: expected 1 or more".to_owned());
        }
        if self.beacons.per_address_per_s == 0 {
            faults.push("control.beacons.per_address_per_s is 0: expected 1 or more".to_owned());
        }
        let keep = self.keep;
        for (key, value) in [
            ("tens_hours", keep.tens_hours),
            ("minutes_days", keep.minutes_days),
            ("hours_days", keep.hours_days),
            ("days_days", keep.days_days),
            ("audit_days", keep.audit_days),
        ] {
            if value == 0 {
                faults.push(format!("control.keep.{key} is 0: expected 1 or more"));
            }
        }
        faults
    }

    /// Where everything is, by the settings.
    ///
    /// # Errors
    /// `database_file` cannot be read, or a database outlives the process and its secret would not.
    pub fn places(&self) -> Result<Places, String> {
        let in_data = |name: &str| self.data.as_ref().map(|data| data.join(name));
        let database = match (&self.database, &self.database_file) {
            (Some(url), _) => Some(url.0.clone()),
            (None, Some(file)) => {
                let text = std::fs::read_to_string(file);
                let text = text.map_err(|error| {
                    format!(
                        "control.database_file: cannot read {}: {error}",
                        file.display()
                    )
                })?;
                Some(text.trim().to_owned())
            }
            (None, None) => in_data(DATABASE_FILE).map(|path| format!("sqlite:{}", path.display())),
        };
        let secret_file = self.secret_file.clone().or_else(|| in_data(SECRET_FILE));
        match (database, secret_file) {
            (Some(database), None) if !database.contains(":memory:") => Err(
                "control.secret_file is missing: a database that is kept needs a secret that is kept; name a file for it, or a \
                 folder as control.data"
                    .to_owned(),
            ),
            (database, secret_file) => Ok(Places {
                database: DatabaseUrl(database.unwrap_or_else(|| "sqlite::memory:".to_owned())),
                secret_file,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_work_and_are_those_of_the_store() {
        assert_eq!(Config::default().faults(), Vec::<String>::new());
        assert_eq!(Retention::from(Keep::default()), Retention::default());
        let places = Config::default().places().unwrap();
        assert_eq!(
            (&*places.database.0, places.secret_file),
            ("sqlite::memory:", None)
        );
    }

    #[test]
    fn a_data_folder_has_both_files() {
        let config = Config {
            data: Some("/data".into()),
            ..Config::default()
        };
        let places = config.places().unwrap();
        assert_eq!(places.database.0, "sqlite:/data/control.db");
        assert_eq!(places.secret_file, Some("/data/control.secret".into()));
    }

    #[test]
    fn a_kept_database_needs_a_kept_secret() {
        let url = DatabaseUrl("postgres://u:hunter2@h/n".into());
        let config = Config {
            database: Some(url),
            ..Config::default()
        };
        let error = config.places().unwrap_err();
        assert!(
            error.contains("control.secret_file") && !error.contains("hunter2"),
            "{error}"
        );
        let shown = format!("{config:?} {}", serde_json::to_string(&config).unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn every_fault_names_its_key() {
        let config = Config {
            tokens: Tokens {
                lifetime_s_max: 0,
                ..Tokens::default()
            },
            keep: Keep {
                hours_days: 0,
                ..Keep::default()
            },
            ..Config::default()
        };
        let faults = config.faults().join("\n");
        assert!(faults.contains("control.tokens.lifetime_s_max"), "{faults}");
        assert!(faults.contains("control.keep.hours_days"), "{faults}");
    }
}
