//! Where a value was written.

use std::fmt;
use std::path::PathBuf;

/// Where a value was written. In the order in which an operator reads: down the file, then the
/// environment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Nowhere: what is wrong is that something is not there.
    Defaults,
    /// In a file.
    File {
        /// Which file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// In an environment variable.
    Env {
        /// Its name.
        name: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Defaults => formatter.write_str("configuration"),
            Self::File { path, line } => write!(formatter, "{}:{line}", path.display()),
            Self::Env { name } => formatter.write_str(name),
        }
    }
}
