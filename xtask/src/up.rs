//! `cargo xtask up`: from a fresh clone to a playing stream.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::build;

/// Builds what has changed, then becomes `beekeepr up`, so that signals and the exit code are its.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    build::client()?;
    build::dashboard()?;
    let binary = build::binary()?;
    let error = Command::new(&binary).arg("up").args(arguments).exec();
    Err(error).with_context(|| format!("cannot start {}", binary.display()))
}
