//! Logs, on standard error: standard output belongs to the ready line and to commands' results.

use std::fmt;
use std::io::{self, IsTerminal};

use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

/// How to log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// Least important level shown (`error`, `warn`, `info`, `debug`, `trace`), for some modules
    /// another one if wanted: `info,beekeepr_tracker=debug`.
    pub level: LogFilter,
    /// `text` for people, `json` for log collectors (one object a line).
    pub format: LogFormat,
}

/// How a log line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people; coloured on a terminal.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Which log lines are shown; valid by construction.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct LogFilter(String);

/// A text that is no log filter.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is no log level; expected error, warn, info, debug or trace, \
     or a list such as `info,beekeepr_tracker=debug`"
)]
pub struct LogFilterError(String);

impl Default for LogFilter {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

impl TryFrom<String> for LogFilter {
    type Error = LogFilterError;

    fn try_from(text: String) -> Result<Self, LogFilterError> {
        // A single word is a level; the filter's own parser would take it for a module's name.
        let is_word = text.chars().all(char::is_alphanumeric);
        let is_level = text.parse::<tracing::Level>().is_ok() || text == "off";
        let is_filter = EnvFilter::builder().parse(&text).is_ok();
        if is_filter && (!is_word || is_level) {
            Ok(Self(text))
        } else {
            Err(LogFilterError(text))
        }
    }
}

impl From<LogFilter> for String {
    fn from(filter: LogFilter) -> Self {
        filter.0
    }
}

impl fmt::Display for LogFilter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Libraries that log every malformed packet as a warning: a stranger could fill the disk with them.
/// Named in the configuration, they say what they are told to.
const QUIETED: &str = "rtc=error,rtc_ice=error,rtc_dtls=error,rtc_sctp=error";

/// Starts logging. The first call of a process decides; later ones change nothing.
pub fn init(config: &LogConfig) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(format!("{QUIETED},{}", config.level.0)))
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    // An error means that a subscriber is set already, by an earlier call or by a test.
    let _ = match config.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_lists_are_filters() {
        for text in [
            "info",
            "off",
            "info,beekeepr_tracker=debug",
            "beekeepr_stun_server=trace",
        ] {
            assert!(LogFilter::try_from(text.to_owned()).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_misspelt_level_is_refused_with_the_levels_there_are() {
        for text in ["inof", "info,x=loud", ""] {
            let error = LogFilter::try_from(text.to_owned())
                .unwrap_err()
                .to_string();
            assert!(
                error.contains("expected error, warn, info, debug or trace"),
                "{error}"
            );
        }
    }
}
