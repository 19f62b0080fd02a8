//! The configuration file's channels, read again while the seeder runs: on SIGHUP, and when the file has changed.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use beekeepr_seeder::{Channel, Config, Roster};
use beekeepr_service::Shutdown;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::config;
use crate::failure::Failure;

/// Between two looks at the file: a `stat`, and soon enough for somebody who edits it.
const LOOK: Duration = Duration::from_secs(2);

/// What is read again, and what becomes of it.
pub(crate) struct Reload {
    file: Option<PathBuf>,
    /// The seeder's settings as the file had them last.
    known: Config,
    /// What is seeded while the file names no channel.
    otherwise: Vec<Channel>,
}

impl Reload {
    /// `known` is what the file says now; without a file, or when the command line names the channels, nothing is read.
    pub(crate) fn new(file: Option<PathBuf>, known: Config, otherwise: Vec<Channel>) -> Self {
        Self {
            file,
            known,
            otherwise,
        }
    }

    /// Looks at the file until the shutdown.
    pub(crate) fn watch(self, roster: Roster, shutdown: Shutdown) -> Result<(), Failure> {
        // Without a file too: nobody expects a SIGHUP to end a server.
        let hangup = signal(SignalKind::hangup())
            .map_err(|error| Failure::Other(format!("cannot listen for SIGHUP: {error}")))?;
        tokio::spawn(async move {
            tokio::select! {
                () = self.run(hangup, &roster) => {}
                () = shutdown.requested() => {}
            }
        });
        Ok(())
    }

    async fn run(mut self, mut hangup: Signal, roster: &Roster) {
        let Some(file) = self.file.clone() else {
            return while hangup.recv().await.is_some() {
                tracing::info!(
                    "SIGHUP: there is no configuration file with channels to read again"
                );
            };
        };
        let mut seen = stamp(&file);
        loop {
            let is_asked = tokio::select! {
                _ = hangup.recv() => true,
                () = tokio::time::sleep(LOOK) => false,
            };
            let now = stamp(&file);
            if is_asked || now != seen {
                seen = now;
                self.read(&file, roster);
            }
        }
    }

    /// One line for whatever comes of it; what cannot be used changes nothing.
    fn read(&mut self, file: &Path, roster: &Roster) {
        let read = config::Config::load(Some(file)).map_err(|error| error.to_string());
        let changed = read.and_then(|config| {
            let mut channels = config.seeder.channels.clone();
            if channels.is_empty() {
                channels.clone_from(&self.otherwise);
            }
            let changes = roster.set_file(channels);
            let changes = changes.map_err(|error| error.to_string())?;
            Ok((changes, config.seeder))
        });
        match changed {
            Ok((changes, seeder)) => {
                let is_same = bare(&seeder) == bare(&self.known);
                self.known = seeder;
                if !is_same {
                    tracing::warn!(
                        "the configuration file has other settings of [seeder] besides its channels; they count from the \
                         next start"
                    );
                } else if changes.is_empty() {
                    tracing::debug!(
                        "the configuration file was read again; its channels are the same"
                    );
                }
            }
            Err(error) => {
                let error = error.replace('\n', " ");
                tracing::warn!(
                    "the configuration file was read again and cannot be used, nothing changes: {error}"
                );
            }
        }
    }
}

/// All but the channels.
fn bare(config: &Config) -> Config {
    Config {
        channels: Vec::new(),
        ..config.clone()
    }
}

/// What is other when the file is another one. Follows links, as Kubernetes exchanges those.
fn stamp(file: &Path) -> Option<(SystemTime, u64, u64)> {
    let found = fs::metadata(file).ok()?;
    Some((found.modified().ok()?, found.len(), found.ino()))
}
