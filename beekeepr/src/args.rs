//! The command line. Scripts outside the project use it: flags are never renamed.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use beekeepr_seeder::{ManifestUrl, TrackerUrl};
use clap::{Args, Parser, Subcommand};

use crate::doctor::StunUrl;
use crate::simulate::Simulate;

/// Exit code for a command line that cannot be: `EX_USAGE` of sysexits.h.
pub(crate) const USAGE: u8 = 64;

/// A private P2P CDN for HLS: viewers share a stream's segments, your servers send a fraction.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Every setting can also be given in the file or the environment: \
    BEEKEEPR_TRACKER__LISTEN=0.0.0.0:8000. A flag beats the environment, which beats the file."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Everything in one process: page, tracker, STUN server and seeder; a demo channel when none
    /// is given
    Up(Up),
    /// The tracker: introduces viewers of the same stream to each other
    Tracker(Tracker),
    /// The STUN server: tells browsers their public address
    Stun(Stun),
    /// The seeder: fetches each new segment once and gives it to the swarm
    Seeder(Seeder),
    /// Control: the admin API, its database, and the statistics of viewers
    Control(Control),
    /// Look at and change control's channels
    #[command(subcommand)]
    Channel(Channels),
    /// Issue a viewer's or a seeder's token
    Token(Token),
    /// Make a key that signs tokens, without control
    Keygen(Keygen),
    /// Write everything that control keeps into a file
    Backup(Backup),
    /// Fill an empty database from such a file
    Restore(Restore),
    /// The page alone: player, client and demo channel, for a tracker and a STUN server that run elsewhere
    Page(Page),
    /// Read the configuration and say what is wrong with it, and with the seeder's channels
    Check(Check),
    /// Look at the configuration
    #[command(subcommand)]
    Config(Config),
    /// The addresses that `up` listens on
    Ports(File),
    /// Ask a running role whether it is ready; exit code 0 when it is
    Healthcheck(Healthcheck),
    /// Ask servers as a viewer would, and say what to do about what is wrong
    Doctor(Doctor),
    /// Try a stream and an audience out: what peers would save, what goes wrong when things fail
    Simulate(Box<Simulate>),
    /// Print a script by which a shell completes commands and flags
    Completions(Completions),
    /// Write manual pages into a folder
    #[command(hide = true)]
    Man(Man),
}

/// Which configuration file.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct File {
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) file: File,
    /// Look at the configuration alone, not at the channels' origins
    #[arg(long)]
    pub(crate) offline: bool,
    /// Print JSON: an object with the channels and what was found of each
    #[arg(long)]
    pub(crate) json: bool,
    /// A stream to look at, instead of the configured ones; may be repeated
    #[arg(long = "channel", value_name = "NAME=MANIFEST_URL")]
    pub(crate) channels: Vec<Channel>,
}

/// Where health and metrics are.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Admin {
    /// Address of /livez, /readyz and /metrics [default: 127.0.0.1:9000 when it is free]
    #[arg(long, value_name = "ADDR")]
    pub(crate) admin_listen: Option<SocketAddr>,
}

#[derive(Debug, Args)]
pub(crate) struct Up {
    #[command(flatten)]
    pub(crate) file: File,
    /// A stream to share, instead of the demo channel; may be repeated
    #[arg(long = "channel", value_name = "NAME=MANIFEST_URL")]
    pub(crate) channels: Vec<Channel>,
    /// Folder for what outlives a restart; beekeepr.toml in it is read when --config is not given
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Tracker {
    #[command(flatten)]
    pub(crate) file: File,
    /// Address for viewers [default: 127.0.0.1:8000]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    #[command(flatten)]
    pub(crate) admin: Admin,
    /// Threads, each with a listener of its own
    #[arg(long, value_name = "N")]
    pub(crate) workers: Option<u16>,
}

#[derive(Debug, Args)]
pub(crate) struct Stun {
    #[command(flatten)]
    pub(crate) file: File,
    /// UDP address to answer on; may be repeated [default: 127.0.0.1:3478 and [::1]:3478]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Vec<SocketAddr>,
    /// Second address for RFC 5780, by which clients examine their NAT; one for each family
    #[arg(long, value_name = "ADDR")]
    pub(crate) alternate: Vec<SocketAddr>,
    #[command(flatten)]
    pub(crate) admin: Admin,
    /// Threads, each with a socket of its own for each address; 0 for one for each core
    #[arg(long, value_name = "N")]
    pub(crate) workers: Option<u16>,
}

#[derive(Debug, Args)]
pub(crate) struct Seeder {
    #[command(flatten)]
    pub(crate) file: File,
    /// A stream to seed; may be repeated
    #[arg(long = "channel", value_name = "NAME=MANIFEST_URL")]
    pub(crate) channels: Vec<Channel>,
    /// The swarm's name, for a single channel [default: the manifest's URL without its query]
    #[arg(long, value_name = "ID")]
    pub(crate) swarm_id: Option<String>,
    /// Tracker to announce to; may be repeated
    #[arg(long = "tracker", value_name = "WS_URL")]
    pub(crate) trackers: Vec<TrackerUrl>,
    /// STUN server; may be repeated
    #[arg(long, value_name = "URL")]
    pub(crate) stun: Vec<String>,
    /// UDP address that viewers connect to
    #[arg(long, value_name = "ADDR")]
    pub(crate) udp: Option<SocketAddr>,
    #[command(flatten)]
    pub(crate) admin: Admin,
}

#[derive(Debug, Args)]
pub(crate) struct Control {
    #[command(flatten)]
    pub(crate) file: File,
    /// Address of the admin API [default: 127.0.0.1:8100]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    /// sqlite:PATH or postgres://USER@HOST/NAME; passwords belong into control.database_file
    #[arg(long, value_name = "URL")]
    pub(crate) database: Option<String>,
    #[command(flatten)]
    pub(crate) admin: Admin,
}

/// Where control's database is.
#[derive(Debug, Args)]
pub(crate) struct Database {
    #[command(flatten)]
    pub(crate) file: File,
    /// sqlite:PATH or postgres://USER@HOST/NAME
    #[arg(long, value_name = "URL")]
    pub(crate) database: Option<String>,
    /// The data folder of `up` or control
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Backup {
    #[command(flatten)]
    pub(crate) database: Database,
    /// The file to write; it must not be there
    pub(crate) to: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    #[command(flatten)]
    pub(crate) database: Database,
    /// The file to read
    pub(crate) from: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Keygen {
    /// The file for the key with its private half; the public half is printed
    pub(crate) file: PathBuf,
}

/// Which control, and with which key.
#[derive(Clone, Debug, Args)]
pub(crate) struct Api {
    /// Control's address
    #[arg(
        long = "api",
        value_name = "URL",
        env = "BEEKEEPR_API",
        default_value = "http://127.0.0.1:8100"
    )]
    pub(crate) url: reqwest::Url,
    /// File with an API key
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    // Of the environment alone: command lines can be read by everybody on the machine.
    #[arg(skip = std::env::var("BEEKEEPR_KEY").ok())]
    pub(crate) key: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Token {
    #[command(flatten)]
    pub(crate) api: Api,
    /// Sign here, with a key that `keygen` made, instead of asking control
    #[arg(long, value_name = "FILE")]
    pub(crate) signing_key: Option<PathBuf>,
    /// Who holds it
    #[arg(long, value_name = "TEXT")]
    pub(crate) subject: Option<String>,
    /// A swarm id that it opens, with * for any text; may be repeated [default: all]
    #[arg(long = "swarm", value_name = "ID")]
    pub(crate) swarms: Vec<String>,
    /// What its holder is for others
    #[arg(long, value_enum, default_value = "viewer")]
    pub(crate) role: HolderRole,
    /// Its holder takes only
    #[arg(long)]
    pub(crate) leech: bool,
    /// How much its holder may give others
    #[arg(long, value_name = "KBIT/S")]
    pub(crate) max_up_kbps: Option<u32>,
    /// How long it counts
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub(crate) lifetime: u32,
    /// `iss`; with --signing-key only
    #[arg(long, value_name = "TEXT", requires = "signing_key")]
    pub(crate) issuer: Option<String>,
    /// `aud`; with --signing-key only
    #[arg(long, value_name = "TEXT", requires = "signing_key")]
    pub(crate) audience: Option<String>,
}

/// What the holder of a token is for others.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum HolderRole {
    /// Somebody who watches
    Viewer,
    /// One of the operator's seeders
    Superpeer,
}

/// What to do with control's channels.
#[derive(Debug, Subcommand)]
pub(crate) enum Channels {
    /// Names and manifests
    List {
        #[command(flatten)]
        api: Api,
    },
    /// Everything about one
    Show {
        #[command(flatten)]
        api: Api,
        /// Its name
        name: String,
    },
    /// Make or change one
    Put {
        #[command(flatten)]
        api: Api,
        /// NAME=MANIFEST_URL
        channel: Channel,
        /// The swarm's name
        #[arg(long, value_name = "ID")]
        swarm_id: Option<String>,
    },
    /// Remove one
    Delete {
        #[command(flatten)]
        api: Api,
        /// Its name
        name: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Page {
    #[command(flatten)]
    pub(crate) file: File,
    /// Address of the page [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    #[command(flatten)]
    pub(crate) admin: Admin,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// Which shell
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The folder, made if it is not there
    pub(crate) folder: PathBuf,
}

/// What to see of the configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Print every setting with its value, as a file that can be read again
    Print(File),
}

#[derive(Debug, Args)]
pub(crate) struct Healthcheck {
    #[command(flatten)]
    pub(crate) file: File,
    #[command(flatten)]
    pub(crate) admin: Admin,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) file: File,
    /// STUN server to ask, stun:HOST:PORT, with ?transport=tcp, or stuns:HOST:PORT; may be repeated
    /// [default: the configured one, on this machine]
    #[arg(long, value_name = "URL")]
    pub(crate) stun: Vec<StunUrl>,
}

/// `NAME=MANIFEST_URL`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Channel {
    pub(crate) name: String,
    pub(crate) manifest: ManifestUrl,
}

impl FromStr for Channel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let example = "expected NAME=MANIFEST_URL, such as news=https://cdn.example/news.m3u8";
        // A URL alone has its first `=` in the query, if any.
        let named = text.split_once('=').filter(|(name, _)| !name.contains('/'));
        let (name, manifest) = named.ok_or_else(|| example.to_owned())?;
        if name.is_empty() {
            return Err(format!("the name is empty; {example}"));
        }
        let manifest = manifest
            .parse::<ManifestUrl>()
            .map_err(|error| error.to_string())?;
        Ok(Self {
            name: name.to_owned(),
            manifest,
        })
    }
}

impl From<Channel> for beekeepr_seeder::Channel {
    fn from(channel: Channel) -> Self {
        Self::new(channel.name, channel.manifest)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_channel_has_a_name_and_a_url() {
        let channel: Channel = "news=https://cdn.example/a.m3u8?t=1=2".parse().unwrap();
        assert_eq!(channel.name, "news");
        assert_eq!(
            channel.manifest.to_string(),
            "https://cdn.example/a.m3u8?t=1=2"
        );
    }

    #[test]
    fn a_channel_without_name_or_url_says_what_is_expected() {
        for wrong in [
            "https://cdn.example/a.m3u8?t=1",
            "news",
            "=https://cdn.example/a.m3u8",
        ] {
            let error = wrong.parse::<Channel>().unwrap_err();
            assert!(
                error.contains("expected NAME=MANIFEST_URL"),
                "{wrong}: {error}"
            );
        }
        assert!(
            "news=ftp://cdn.example/a"
                .parse::<Channel>()
                .unwrap_err()
                .contains("http://")
        );
    }

    #[test]
    fn the_contracts_flags_are_all_there() {
        for line in [
            "beekeepr up --config f --channel a=http://h/a.m3u8 --channel b=http://h/b.m3u8 --data d",
            "beekeepr tracker --config f --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 --workers 2",
            "beekeepr stun --config f --listen 127.0.0.1:0 --listen [::1]:0 --alternate 127.0.0.2:0 \
             --admin-listen [::1]:0 --workers 2",
            "beekeepr seeder --channel a=http://h/a.m3u8 --swarm-id s --tracker ws://h:1 \
             --tracker wss://h --stun stun:h:1 --udp 127.0.0.1:0 --admin-listen 127.0.0.1:0",
            "beekeepr control --config f --listen 127.0.0.1:0 --database sqlite:f --admin-listen 127.0.0.1:0",
            "beekeepr backup --data d f",
            "beekeepr restore --database sqlite:d f",
            "beekeepr keygen f",
            "beekeepr token --signing-key f --subject a --swarm s --role superpeer --issuer i",
            "beekeepr channel put --api http://h:1 a=http://h/a.m3u8 --swarm-id s",
            "beekeepr page --config f --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0",
            "beekeepr config print --config f",
            "beekeepr check --config f --offline --json --channel a=http://h/a.m3u8",
            "beekeepr doctor --config f --stun stun:h:1 --stun stuns:h",
        ] {
            let parsed = Cli::try_parse_from(line.split_whitespace());
            assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
        }
    }
}
