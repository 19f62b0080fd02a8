//! The seeder's section of the configuration.

mod channel;
mod channels_from;
#[cfg(test)]
mod documented;
mod proxy;
mod storage;
mod token_source;
mod urls;

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::roster::CHANNELS_MAX;
use crate::rtc::SHARDS_MAX;

pub use channel::{Channel, Renditions, Secret};
pub use channels_from::ChannelsFrom;
pub use proxy::Proxy;
pub use storage::{Disk, Shield};
pub use token_source::TokenSource;
pub(crate) use urls::without_query;
pub use urls::{ControlUrl, ManifestUrl, OriginUrl, TrackerUrl, UrlError};

/// Most logical peers: a viewer of p2p-media-loader downloads 3 segments at a time, our own as many;
/// more peers than that only cost announces.
const LOGICAL_PEERS_MAX: u32 = 16;

/// Longest drain: longer than that no supervisor waits.
const DRAIN_S_MAX: u32 = 3_600;

/// Smallest cache: a few of the largest segments.
const CACHE_BYTES_MIN: u64 = 128 * 1024 * 1024;

/// What the seeder does, and for which streams.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The streams to seed.
    pub channels: Vec<Channel>,
    /// Where further channels come from while the seeder runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels_from: Option<ChannelsFrom>,
    /// Where the channels of the admin API are kept, so that they are there again after a restart. It has their credentials
    /// in it. Default: they are forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels_state_file: Option<PathBuf>,
    /// Trackers on which viewers meet, `ws://` or `wss://`. All channels are announced to all of them.
    pub trackers: Vec<TrackerUrl>,
    /// File with the token that the trackers want (`tracker.tokens`), for the role of a super-peer. Read again for each
    /// connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
    /// Hosts of the trackers that get the token. Default: those of all `trackers`.
    pub token_hosts: Vec<String>,
    /// Gives tokens where there is no file: the process of which the seeder is a part.
    #[serde(skip)]
    pub token_source: Option<TokenSource>,
    /// STUN servers, `stun:HOST:PORT`. The first that answers tells the public address of this
    /// machine at the start, unless `external_ips` names it or `udp` is a loopback address.
    pub stun: Vec<String>,
    /// Address of the UDP socket over which viewers connect. `0.0.0.0` is every IPv4 interface, port 0
    /// any free port.
    pub udp: SocketAddr,
    /// Addresses under which viewers reach `udp`, when they are not those of this machine.
    pub external_ips: Vec<IpAddr>,
    /// Bytes of segments in memory, over all channels and shared fairly between them, at least 128 MiB.
    pub cache_bytes_max: u64,
    /// Keeps segments of streams on demand on disk too, so that a restart need not fetch them again. Default: nothing is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<Disk>,
    /// Serves the channels over HTTP, from memory and as far as needed from their origins. Default: off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shield: Option<Shield>,
    /// As how many peers the seeder appears to each viewer, 1 to 16. A p2p-media-loader page takes
    /// one segment at a time from a peer and three in all, hence the default.
    pub logical_peers: u32,
    /// As how many peers at most, where `logical_peers` have all the connections that `peers_max` allows.
    pub logical_peers_max: u32,
    /// Bits per second to all viewers together, over all channels. What goes beyond it is refused, the newest segments last.
    /// 0: no limit.
    pub upload_bps_max: u64,
    /// Bits per second to one viewer of one rendition, over all logical peers. 0: no limit.
    pub viewer_upload_bps_max: u64,
    /// Connections of one logical peer in one swarm.
    pub peers_max: u32,
    /// Connections in all; a viewer has one to each logical peer. 12 KiB each when idle.
    pub connections_max: usize,
    /// Threads for WebRTC, each with a UDP port of its own: that of `udp` and those after it. 1 to 64; one
    /// fills a line of 1 Gbit/s many times over.
    pub shards: usize,
    /// Fetch also from private and loopback addresses. On in any case when `udp` is a loopback address.
    pub allow_private_origins: bool,
    /// Hosts, as written in URLs, that may have private addresses.
    pub private_origins: Vec<String>,
    /// Proxy on the way to the origins: `http://`, `https://`, `socks5://`, `socks5h://`, or `none`; those of the
    /// environment do not count.
    pub proxy: Proxy,
    /// How long viewers may take for the segment that they are being sent when the seeder ends, in seconds.
    pub drain_s: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            channels: Vec::new(),
            channels_from: None,
            channels_state_file: None,
            trackers: Vec::new(),
            token_file: None,
            token_hosts: Vec::new(),
            token_source: None,
            stun: Vec::new(),
            udp: SocketAddr::from(([0, 0, 0, 0], 0)),
            external_ips: Vec::new(),
            cache_bytes_max: 512 * 1024 * 1024,
            disk: None,
            shield: None,
            logical_peers: 3,
            logical_peers_max: 6,
            upload_bps_max: 0,
            viewer_upload_bps_max: 0,
            peers_max: 300,
            connections_max: 3_000,
            shards: 1,
            allow_private_origins: false,
            private_origins: Vec::new(),
            proxy: Proxy::None,
            drain_s: 10,
        }
    }
}

/// Settings that contradict each other or are out of their range. A configuration error, exit code 78.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Nobody could find the seeder.
    #[error(
        "seeder.trackers is empty, expected at least one ws:// or wss:// URL; name the tracker \
         that the viewers' pages use"
    )]
    NoTracker,
    /// Two channels could not be told apart in logs and metrics.
    #[error("seeder.channels has two channels named {0:?}; give each a name of its own")]
    SameName(String),
    /// More than one seeder carries.
    #[error(
        "seeder.channels has {0} channels, expected at most {CHANNELS_MAX}; run another seeder"
    )]
    TooMany(usize),
    /// A channel's settings make no sense.
    #[error("seeder.channels, channel {name:?}: {problem}")]
    Channel {
        /// Which one.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// Out of range.
    #[error("seeder.{key} = {seen}, expected {expected}")]
    Range {
        /// The key in the section.
        key: &'static str,
        /// Its value.
        seen: u64,
        /// What it may be.
        expected: &'static str,
    },
}

impl Config {
    /// What types cannot express.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if self.channels_from.is_some() && self.trackers.is_empty() {
            return Err(ConfigError::NoTracker);
        }
        self.check_channels(&self.channels)?;
        self.check_settings()
    }

    /// What types cannot express of everything but trackers and channels.
    ///
    /// # Errors
    /// The first number that is out of its range.
    pub fn check_settings(&self) -> Result<(), ConfigError> {
        if !(1..=LOGICAL_PEERS_MAX).contains(&self.logical_peers) {
            let seen = u64::from(self.logical_peers);
            return Err(ConfigError::Range {
                key: "logical_peers",
                seen,
                expected: "1 to 16",
            });
        }
        if self.logical_peers_max > LOGICAL_PEERS_MAX {
            let (seen, expected) = (self.logical_peers_max.into(), "16 or less");
            return Err(ConfigError::Range {
                key: "logical_peers_max",
                seen,
                expected,
            });
        }
        if !(1..=SHARDS_MAX).contains(&self.shards) {
            let (seen, expected) = (self.shards as u64, "1 to 64");
            return Err(ConfigError::Range {
                key: "shards",
                seen,
                expected,
            });
        }
        if self.drain_s > DRAIN_S_MAX {
            let (seen, expected) = (self.drain_s.into(), "3600 or less");
            return Err(ConfigError::Range {
                key: "drain_s",
                seen,
                expected,
            });
        }
        if self.cache_bytes_max < CACHE_BYTES_MIN {
            let (seen, expected) = (self.cache_bytes_max, "134217728 (128 MiB) or more");
            return Err(ConfigError::Range {
                key: "cache_bytes_max",
                seen,
                expected,
            });
        }
        self.disk.as_ref().map_or(Ok(()), Disk::check)?;
        self.shield.as_ref().map_or(Ok(()), Shield::check)
    }

    /// Whether channels may be seeded, from wherever they come.
    pub(crate) fn check_channels(&self, channels: &[Channel]) -> Result<(), ConfigError> {
        if !channels.is_empty() && self.trackers.is_empty() {
            return Err(ConfigError::NoTracker);
        }
        check_names(channels)?;
        channels.iter().try_for_each(Channel::check)
    }

    /// Whether origins with private addresses are fine for every host.
    pub(crate) fn any_origin(&self) -> bool {
        self.allow_private_origins || self.udp.ip().is_loopback()
    }
}

/// Names tell channels apart, in logs, metrics and paths.
pub(crate) fn check_names(channels: &[Channel]) -> Result<(), ConfigError> {
    if channels.len() > CHANNELS_MAX {
        return Err(ConfigError::TooMany(channels.len()));
    }
    let mut names = HashSet::new();
    let twice = channels.iter().find(|it| !names.insert(&it.name));
    match twice {
        Some(channel) => Err(ConfigError::SameName(channel.name.clone())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(name: &str) -> Channel {
        let manifest = "https://cdn.example/tv.m3u8?token=1".parse().unwrap();
        Channel::new(name.into(), manifest)
    }

    fn config(channels: &[&str]) -> Config {
        Config {
            channels: channels.iter().map(|name| channel(name)).collect(),
            trackers: vec!["ws://127.0.0.1:8000".parse().unwrap()],
            ..Config::default()
        }
    }

    #[test]
    fn faults_name_the_key() {
        assert_eq!(config(&["a", "b"]).check(), Ok(()));
        assert_eq!(
            config(&["a", "a"]).check(),
            Err(ConfigError::SameName("a".into()))
        );
        let lonely = Config {
            trackers: Vec::new(),
            ..config(&["a"])
        };
        assert_eq!(lonely.check(), Err(ConfigError::NoTracker));
        let peers = Config {
            logical_peers: 0,
            ..config(&["a"])
        };
        assert!(
            peers
                .check()
                .unwrap_err()
                .to_string()
                .starts_with("seeder.logical_peers = 0")
        );
    }

    #[test]
    fn loopback_seeders_may_fetch_from_loopback() {
        assert!(!Config::default().any_origin());
        let local = Config {
            udp: "127.0.0.1:0".parse().unwrap(),
            ..Config::default()
        };
        assert!(local.any_origin());
    }

    #[test]
    fn shards_are_few_and_at_least_one() {
        for (shards, is_fine) in [(0, false), (1, true), (64, true), (65, false)] {
            let config = Config {
                shards,
                ..config(&[])
            };
            assert_eq!(config.check().is_ok(), is_fine, "{shards}");
        }
    }
}
