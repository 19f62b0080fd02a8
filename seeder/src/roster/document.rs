//! What control says of the channels (docs/protocol/channels.md).

use serde::Deserialize;
use serde_json::Value;

use crate::config::{Channel, Config};

/// The only version there is.
pub(super) const VERSION: u64 = 1;

/// As it comes. Fields that are not known here say nothing to us.
#[derive(Deserialize)]
struct Document {
    version: u64,
    channels: Vec<Value>,
}

/// What came of a document.
#[derive(Debug, PartialEq)]
pub(super) struct Read {
    pub(super) channels: Vec<Channel>,
    /// Channels that cannot be followed, and why.
    pub(super) faults: Vec<String>,
}

/// Reads a document. A channel that cannot be followed stays as it was in `known`; others are not harmed.
pub(super) fn read(bytes: &[u8], known: &[Channel], config: &Config) -> Result<Read, String> {
    let document: Document = serde_json::from_slice(bytes)
        .map_err(|error| format!("what it answered is no list of channels: {error}"))?;
    if document.version != VERSION {
        return Err(format!(
            "its list of channels has version {}, expected {VERSION}; run seeder and control of one release",
            document.version
        ));
    }
    let (mut channels, mut faults) = (Vec::new(), Vec::new());
    for value in document.channels {
        let name = value["name"].as_str().unwrap_or_default().to_owned();
        match channel(value, config) {
            Ok(channel) => channels.push(channel),
            Err(fault) => {
                faults.push(format!("{name:?}: {fault}"));
                channels.extend(known.iter().find(|it| it.name == name).cloned());
            }
        }
    }
    Ok(Read { channels, faults })
}

fn channel(value: Value, config: &Config) -> Result<Channel, String> {
    let channel: Channel =
        serde_path_to_error::deserialize(value).map_err(|error| error.to_string())?;
    let checked = config.check_channels(std::slice::from_ref(&channel));
    checked.map_err(|error| error.to_string())?;
    Ok(channel)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config {
            trackers: vec!["ws://127.0.0.1:8000".parse().unwrap()],
            ..Config::default()
        }
    }

    fn names(read: &Read) -> Vec<&str> {
        read.channels.iter().map(|it| &*it.name).collect()
    }

    #[test]
    fn channels_are_as_in_the_configuration_file() {
        let text = r#"{"version": 1, "later": true, "channels": [
            {"name": "a", "manifest": "https://cdn.example/a.m3u8", "prefetch_s": 60, "headers": {"x-key": "1"}}]}"#;
        let read = read(text.as_bytes(), &[], &config()).unwrap();
        assert_eq!(names(&read), ["a"]);
        assert_eq!(read.channels[0].prefetch_s, 60);
        assert_eq!(read.channels[0].headers["x-key"].0, "1");
    }

    #[test]
    fn a_channel_that_cannot_be_followed_stays_as_it_was_and_harms_no_other() {
        let manifest = "https://cdn.example/old.m3u8".parse().unwrap();
        let known = [Channel::new("a".into(), manifest)];
        let text = r#"{"version": 1, "channels": [{"name": "a", "manifest": "ftp://x"},
            {"name": "b", "manifest": "https://cdn.example/b.m3u8", "unknown": 1},
            {"name": "c", "manifest": "https://cdn.example/c.m3u8"}]}"#;
        let read = read(text.as_bytes(), &known, &config()).unwrap();
        assert_eq!(names(&read), ["a", "c"]);
        assert_eq!(read.channels[0], known[0]);
        assert_eq!(read.faults.len(), 2);
        assert!(
            read.faults[1].contains("unknown field `unknown`"),
            "{:?}",
            read.faults
        );
    }

    #[test]
    fn anything_else_is_no_document() {
        for wrong in [
            "",
            "{}",
            "[]",
            r#"{"version": 2, "channels": []}"#,
            r#"{"version": 1, "channels": {}}"#,
        ] {
            assert!(read(wrong.as_bytes(), &[], &config()).is_err(), "{wrong}");
        }
    }
}
