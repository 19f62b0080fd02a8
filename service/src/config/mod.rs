//! Configuration: one TOML file, overlaid by the environment, read into a role's own types.
//!
//! Every fault found is reported, each with its place, key, value and what to write instead:
//!
//! ```text
//! the configuration has 2 faults
//!   beekeepr.toml:3: tracker.listn: no such key; did you mean `listen`?
//!   BEEKEEPR_STUN__WORKERS: stun.workers = "two": expected a whole number from 0 to 65535
//! ```

mod env;
mod fault;
mod origin;
mod tree;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

pub use fault::Fault;
use fault::Finding;
pub use origin::Origin;
use tree::{Node, Step};

/// Faults reported at most; somebody who has more has the wrong file.
const FAULTS_MAX: usize = 20;

/// Files above this are no configuration of ours: a wrong path given to `--config` must not fill
/// the memory. The full commented example is under 100 KiB.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Attempts at most, including those that only try another reading of an environment variable.
const ATTEMPTS_MAX: usize = 1000;

/// Why there is no configuration.
#[derive(Debug)]
pub enum ConfigError {
    /// The file cannot be read.
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file or the environment says something that cannot be; down the file, then those of
    /// the environment; never empty.
    Faults(Vec<Fault>),
}

impl ConfigError {
    /// Exit code of a process with this error: `EX_CONFIG` of sysexits.h.
    pub const EXIT_CODE: u8 = 78;
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File { source, .. } => Some(source),
            Self::Faults(_) => None,
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, source } => write!(
                formatter,
                "cannot read the configuration file {}: {source}; give the path of a readable \
                 TOML file",
                path.display()
            ),
            Self::Faults(faults) => match faults.as_slice() {
                [only] => write!(formatter, "{only}"),
                several => {
                    write!(formatter, "the configuration has {} faults", several.len())?;
                    several
                        .iter()
                        .try_for_each(|fault| write!(formatter, "\n  {fault}"))
                }
            },
        }
    }
}

/// Reads the file, if there is one, and lays `BEEKEEPR_SECTION__KEY=value` of the environment over
/// it. Without both, `T` gets its defaults.
///
/// A variable's value may be written as in TOML, or as plain text, or as plain texts separated by
/// commas: whatever the key takes. An empty variable counts as absent, because compose files hand
/// on unset ones as empty.
///
/// # Errors
/// When the file cannot be read, or with all faults that could be found.
pub fn load<T: DeserializeOwned>(
    file: Option<&Path>,
    env: impl Iterator<Item = (String, String)>,
) -> Result<T, ConfigError> {
    let mut faults = Vec::new();
    let mut root = match file {
        Some(path) => {
            let text = read(path).map_err(|source| ConfigError::File {
                path: path.to_owned(),
                source,
            })?;
            tree::parse(path, &text, &mut faults)
        }
        None => Node::root(),
    };
    if !faults.is_empty() {
        // A line that could not be read would only cause further faults, which are not real.
        return Err(ConfigError::Faults(faults));
    }
    env::overlay(&mut root, env, &mut faults);
    let config = deserialize(root, &mut faults);
    match config {
        Some(config) if faults.is_empty() => Ok(config),
        _ => {
            faults.sort_by(|one, other| one.origin.cmp(&other.origin));
            Err(ConfigError::Faults(faults))
        }
    }
}

fn read(path: &Path) -> io::Result<String> {
    let bytes = fs::metadata(path)?.len();
    if bytes > FILE_BYTES_MAX {
        let text = format!("it has {bytes} bytes, at most {FILE_BYTES_MAX} are read");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    fs::read_to_string(path)
}

/// Serde stops at the first fault. So each fault is noted and taken out of the tree, and the rest is
/// tried again, until it fits or nothing can be taken out any more.
fn deserialize<T: DeserializeOwned>(mut root: Node, faults: &mut Vec<Fault>) -> Option<T> {
    for _ in 0..ATTEMPTS_MAX {
        let error = match serde_path_to_error::deserialize(root.to_value()) {
            Ok(config) => return Some(config),
            Err(error) => error,
        };
        let mut steps = steps(error.path());
        if root.reread_env(&steps) {
            continue;
        }
        let finding = Finding::new(error.inner());
        // A required key that was itself faulty is gone now; that was reported already.
        if !finding.is_missing_among(&root, &steps) {
            faults.push(finding.into_fault(&root, &steps));
        }
        if faults.len() >= FAULTS_MAX || !root.take_out(&mut steps) {
            return None;
        }
    }
    None
}

/// The way to the fault, as far as it can be followed in the tree.
fn steps(path: &serde_path_to_error::Path) -> Vec<Step> {
    path.iter()
        .map_while(|segment| match segment {
            Segment::Map { key } => Some(Step::Key(key.clone())),
            Segment::Enum { variant } => Some(Step::Key(variant.clone())),
            Segment::Seq { index } => Some(Step::Index(*index)),
            Segment::Unknown => None,
        })
        .collect()
}

#[cfg(test)]
mod tests;
