//! A network that is slow and loses packets, for anything that runs in a namespace behind it.

mod link;
mod path;

use std::process::Command;

use anyhow::{Context, Result, bail};

pub(crate) use link::Link;
pub(crate) use path::Shape;

/// What `relay` takes.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    shape: Shape,
    /// What to run behind the network, after `--`. It finds the machine's servers at
    /// $BEEKEEPR_RELAY_OUTSIDE and has the address $BEEKEEPR_RELAY_INSIDE itself.
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

/// Runs a command behind the network and ends with its exit code.
pub(crate) fn run(args: &Args) -> Result<()> {
    let (program, arguments) = args.command.split_first().context("no command")?;
    let link = Link::start(args.shape)?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("BEEKEEPR_RELAY_OUTSIDE", link.outside().to_string())
        .env("BEEKEEPR_RELAY_INSIDE", link.inside().to_string());
    let status = link.spawn(command)?.wait()?;
    match status.code() {
        Some(0) => Ok(()),
        Some(code) => std::process::exit(code),
        None => bail!("{program} was ended by a signal"),
    }
}
