//! Why the process ends before its time, and with which exit code.

use std::fmt;
use std::process::ExitCode;

use beekeepr_service::config::ConfigError;

use crate::args;

/// Exit code 1: anything that is neither the command line's nor the configuration's fault.
const OTHER: u8 = 1;

/// A failure; its text goes to standard error.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line asks for something that cannot be.
    Usage(String),
    /// The configuration cannot be read, or says something that cannot be.
    Config(String),
    /// Anything else: a taken port, no signals.
    Other(String),
}

impl Failure {
    /// Scripts and supervisors go by this.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Usage(_) => args::USAGE,
            Self::Config(_) => ConfigError::EXIT_CODE,
            Self::Other(_) => OTHER,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Usage(text) | Self::Config(text) | Self::Other(text)) = self;
        formatter.write_str(text)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Config(error.to_string())
    }
}
