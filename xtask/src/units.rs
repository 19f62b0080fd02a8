//! The systemd unit: whether systemd understands it, and how little the service may do.

use std::fs;
use std::process::Stdio;

use anyhow::Result;

use crate::build;
use crate::shell;
use crate::tools;

const UNIT: &str = "deploy/systemd/beekeepr@.service";
/// A copy that starts the binary of this workspace: systemd asks that it is there.
const SCRATCH: &str = "target/xtask/units";
/// Where packages put the binary.
const INSTALLED: &str = "/usr/bin/beekeepr";
/// Exposure in tenths by `systemd-analyze security`: what may go out and come in over the network is over 1 already.
const EXPOSURE_MAX: &str = "--threshold=15";

/// Both.
pub(crate) fn check() -> Result<()> {
    tools::systemd_analyze()?;
    let binary = build::tested_binary()?;
    let unit = fs::read_to_string(shell::root().join(UNIT))?;
    let folder = shell::root().join(SCRATCH);
    fs::create_dir_all(&folder)?;
    let copy = folder.join("beekeepr@.service");
    fs::write(&copy, unit.replace(INSTALLED, &binary.to_string_lossy()))?;
    let analyze = |arguments: &[&str]| {
        let mut command = shell::command("systemd-analyze", arguments);
        command.stdout(Stdio::null());
        command
    };
    // Manual pages are there once a package is installed.
    shell::run(analyze(&["verify", "--man=no"]).arg(&copy))?;
    let security = ["security", "--offline=true", "--no-pager", EXPOSURE_MAX];
    shell::run(analyze(&security).arg(&copy))
}
