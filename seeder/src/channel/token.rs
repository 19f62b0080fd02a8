//! The token that trackers want, from the operator's file or the process around.

use std::path::Path;
use std::time::{Duration, SystemTime};

use beekeepr_engine::{Input, TrackerKey};
use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;
use tracing::warn;

use super::Channel;
use crate::config::{Config, TrackerUrl};

/// The tracker takes none that is longer (`core/trust`).
const TOKEN_BYTES_MAX: u64 = 4 * 1024;

impl Channel {
    /// For every tracker of peers that have just begun.
    pub(super) fn give_tokens(&mut self) {
        let trackers = self.common.config.trackers.len() as u32;
        for peer in 0..self.peers.len() {
            for tracker in 0..trackers {
                self.give_token(peer, TrackerKey(tracker));
            }
        }
    }

    /// Gives a peer what the file has now.
    pub(super) fn give_token(&mut self, peer: usize, tracker: TrackerKey) {
        let config = &self.common.config;
        let given = match (&config.token_file, &config.token_source) {
            (Some(file), _) => read(file),
            (None, Some(source)) => Ok(source.token()),
            (None, None) => return,
        };
        match given {
            Ok(token) => {
                let lives_ms = lives(&token, SystemTime::now());
                self.token = Some(token);
                let lives_ms = lives_ms.map(|it| u64::try_from(it.as_millis()).unwrap_or(u64::MAX));
                self.handle(peer, Input::TokenGiven { tracker, lives_ms });
            }
            Err(error) => warn!(channel = self.health.channel(), "{error}"),
        }
    }

    /// The token, for a tracker that may have it.
    pub(super) fn token_for(&self, tracker: TrackerKey) -> Option<&str> {
        let config = &self.common.config;
        let url = config.trackers.get(tracker.0 as usize)?;
        let token = self.token.as_deref();
        token.filter(|_| may_have(&config.token_hosts, url))
    }
}

/// Whether a tracker is one of these hosts; all may be meant.
fn may_have(hosts: &[String], tracker: &TrackerUrl) -> bool {
    let host = tracker.url().host_str();
    hosts.is_empty() || host.is_some_and(|host| hosts.iter().any(|it| it == host))
}

/// Warns of a file that cannot be used, before the first channel needs it. It may still be made: another process may
/// write the token.
pub(crate) fn try_token(config: &Config) {
    if let Some(Err(error)) = config.token_file.as_deref().map(read) {
        warn!("{error}; it is read again whenever a tracker is met");
    }
}

fn read(file: &Path) -> Result<String, String> {
    token_in(file).map_err(|error| {
        format!(
            "seeder.token_file {} cannot be used: {error}",
            file.display()
        )
    })
}

fn token_in(file: &Path) -> Result<String, String> {
    let found = std::fs::metadata(file).map_err(|error| error.to_string())?;
    if found.len() > TOKEN_BYTES_MAX {
        return Err(format!(
            "it has {} bytes, expected a token alone",
            found.len()
        ));
    }
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    match text.trim() {
        "" => Err("it is empty, expected a token".to_owned()),
        token => Ok(token.to_owned()),
    }
}

/// For how long a token counts from now on, as far as it says so (RFC 7519, 4.1.4). Whether it is a good one is the
/// tracker's to say.
fn lives(token: &str, now: SystemTime) -> Option<Duration> {
    let claims = BASE64URL_NOPAD
        .decode(token.split('.').nth(1)?.as_bytes())
        .ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    let expires =
        SystemTime::UNIX_EPOCH + Duration::from_secs(claims["exp"].as_u64()?.min(1 << 40));
    Some(expires.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_tells_how_long_it_counts() {
        let token =
            |claims: &str| format!("e30.{}.c2ln", BASE64URL_NOPAD.encode(claims.as_bytes()));
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
        let lives = |text: &str| super::lives(text, now);
        assert_eq!(
            lives(&token(r#"{"exp":1060}"#)),
            Some(Duration::from_secs(60))
        );
        assert_eq!(lives(&token(r#"{"exp":10}"#)), Some(Duration::ZERO));
        assert_eq!(
            lives(&token(r#"{"exp":18446744073709551615}"#)).map(|it| it.as_secs() > 1_000),
            Some(true)
        );
        for other in [&token("{}"), &token("exp"), "no token", ""] {
            assert_eq!(lives(other), None, "{other}");
        }
    }

    #[test]
    fn a_token_is_for_the_hosts_that_are_named() {
        let own: TrackerUrl = "wss://tracker.example:444/x".parse().unwrap();
        let other: TrackerUrl = "wss://other.example".parse().unwrap();
        let hosts = ["tracker.example".to_owned()];
        assert!(may_have(&hosts, &own) && !may_have(&hosts, &other));
        assert!(may_have(&[], &other));
    }

    #[test]
    fn a_file_has_a_token_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let missing = read(&file).unwrap_err();
        assert!(missing.starts_with("seeder.token_file /"), "{missing}");
        for (text, token) in [
            (" a.b.c\n", Ok("a.b.c")),
            ("\n", Err(())),
            (&"x".repeat(5_000), Err(())),
        ] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(read(&file).as_deref().map_err(|_| ()), token);
        }
    }
}
