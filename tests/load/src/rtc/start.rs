//! Starting a server, here or behind an adverse network.

use std::io::{BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::{ChildStdout, Stdio};

use anyhow::{Context, Result};

use super::Stack;
use crate::process::{self, Server};
use crate::relay::{Link, Shape};

/// Where servers and receivers are.
pub(super) struct Place {
    link: Option<Link>,
}

impl Place {
    /// On loopback, or with a network of this shape between them.
    pub(super) fn of(shape: Shape) -> Result<Self> {
        let link = (!shape.is_plain())
            .then(|| Link::start(shape))
            .transpose()?;
        Ok(Self { link })
    }

    /// The receivers' address.
    pub(super) fn here(&self) -> IpAddr {
        self.link
            .as_ref()
            .map_or(Ipv4Addr::LOCALHOST.into(), Link::outside)
    }

    fn there(&self) -> IpAddr {
        self.link
            .as_ref()
            .map_or(Ipv4Addr::LOCALHOST.into(), Link::inside)
    }

    /// Starts a server and waits until it is ready.
    pub(super) fn server(&self, stack: Stack, core: usize, window: usize) -> Result<Far> {
        let own = std::env::current_exe()?;
        let mut command = process::pinned(core, &own.display().to_string());
        command.args(["webrtc-server", "--stack", stack.name()]);
        command.args(["--ip", &self.there().to_string()]);
        command.args(["--window", &window.to_string()]);
        command.stdout(Stdio::piped());
        let child = match &self.link {
            Some(link) => link.spawn(command)?,
            None => command
                .spawn()
                .context("cannot run taskset (package util-linux)")?,
        };
        let mut server = Server(child);
        let output = server.0.stdout.take().context("no standard output")?;
        let mut output = BufReader::new(output);
        let mut line = String::new();
        output.read_line(&mut line)?;
        let address = line.trim().strip_prefix("ready ");
        let address = address.with_context(|| format!("{} server says {line:?}", stack.name()))?;
        Ok(Far {
            address: address.parse()?,
            server,
            _output: output,
        })
    }
}

/// A server that runs.
pub(super) struct Far {
    pub(super) address: SocketAddr,
    server: Server,
    _output: BufReader<ChildStdout>,
}

impl Far {
    pub(super) fn pid(&self) -> u32 {
        self.server.0.id()
    }
}
