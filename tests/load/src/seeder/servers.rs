//! The tracker and the seeder as an operator starts them.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};

use anyhow::{Context, Result};
use tempfile::NamedTempFile;

use super::{Args, IP};
use crate::process::{self, Server};

/// Connections that the seeder may have beyond the viewers': those that end while others begin.
const SPARE_CONNECTIONS: usize = 200;

/// Names the swarm, whatever port the origin has.
pub(crate) const SWARM_ID: &str = "load";

/// Both, for as long as this value lives.
pub(crate) struct Servers {
    pub(crate) tracker: String,
    /// The seeder's address for metrics.
    pub(crate) admin: SocketAddr,
    seeder: Role,
    _tracker: Role,
}

impl Servers {
    /// Starts both; the seeder follows this playlist.
    pub(crate) fn start(args: &Args, playlist: &str) -> Result<Self> {
        let mut command = Command::new(&args.beekeepr);
        command.args(["tracker", "--workers", "1", "--listen", &any_port()]);
        let (tracker_role, ready) = Role::start(command)?;
        let tracker = field(&ready, "listen")?.to_owned();

        let config = configuration(args)?;
        let mut command = process::pinned(args.core, &args.beekeepr.display().to_string());
        command.args(["seeder", "--config", path(config.path())?]);
        command.args(["--channel", &format!("load={playlist}")]);
        command.args([
            "--swarm-id",
            SWARM_ID,
            "--tracker",
            &tracker,
            "--udp",
            &any_port(),
        ]);
        let (seeder, ready) = Role::start(command)?;
        let admin = field(&ready, "admin")?.trim_start_matches("http://");
        Ok(Self {
            tracker,
            admin: admin.parse()?,
            seeder,
            _tracker: tracker_role,
        })
    }

    /// The seeder's process.
    pub(crate) fn seeder(&self) -> u32 {
        self.seeder.server.0.id()
    }
}

fn any_port() -> String {
    SocketAddr::new(IP, 0).to_string()
}

/// What no flag says.
fn configuration(args: &Args) -> Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile()?;
    let connections = args.viewers * 2 + SPARE_CONNECTIONS;
    writeln!(
        file,
        "[seeder]\nlogical_peers = {}\npeers_max = {connections}\nconnections_max = {connections}",
        args.logical_peers
    )?;
    Ok(file)
}

fn path(path: &Path) -> Result<&str> {
    path.to_str()
        .context("the temporary folder's name is no text")
}

/// A running role of the binary.
struct Role {
    server: Server,
    _output: BufReader<ChildStdout>,
}

impl Role {
    /// Starts it; tells its ready line.
    fn start(mut command: Command) -> Result<(Self, String)> {
        command.args(["--admin-listen", &any_port()]);
        command.stdout(Stdio::piped());
        let child = command.spawn();
        let mut server = Server(child.with_context(|| format!("cannot run {command:?}"))?);
        let output = server.0.stdout.take().context("no standard output")?;
        let mut output = BufReader::new(output);
        let mut line = String::new();
        output.read_line(&mut line)?;
        let role = Self {
            server,
            _output: output,
        };
        Ok((role, line))
    }
}

/// The value of `name=value` in a ready line.
fn field<'a>(ready: &'a str, name: &str) -> Result<&'a str> {
    let fields = ready.strip_prefix("ready ").into_iter();
    let mut fields = fields.flat_map(str::split_whitespace);
    fields
        .find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
        .with_context(|| format!("expected a ready line with {name}=, got {ready:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ready_line_names_addresses() {
        let line = "ready role=tracker listen=ws://127.0.0.1:8000 admin=http://127.0.0.1:9000\n";
        assert_eq!(field(line, "listen").unwrap(), "ws://127.0.0.1:8000");
        assert_eq!(field(line, "admin").unwrap(), "http://127.0.0.1:9000");
    }

    #[test]
    fn another_line_is_no_ready_line() {
        for line in [
            "",
            "error: listen=ws://127.0.0.1:8000",
            "ready role=tracker",
        ] {
            assert!(field(line, "listen").is_err(), "{line}");
        }
    }
}
