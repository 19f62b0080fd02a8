//! What brings the binary to machines: the Helm chart, alert rules, dashboards, compose files, the unit.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::build;
use crate::compose;
use crate::monitoring;
use crate::runner::Tally;
use crate::tools;
use crate::units;

/// The package that renders the Helm chart; it makes the chart's schema and table of values as well.
pub(crate) const HELM: &str = "tests/helm";

/// `cargo xtask deploy`: these checks alone, on the binary that is there.
pub(crate) fn run() -> ExitCode {
    let mut tally = Tally::default();
    check(&mut tally);
    tally.finish()
}

/// The checks, as part of all.
pub(crate) fn check(tally: &mut Tally) {
    tally.check("alert rules and dashboards", monitoring::check);
    tally.check("systemd unit", units::check);
    tally.check("compose files", compose::check);
    tally.tests("the Helm chart", chart);
}

fn chart() -> Result<Command> {
    build::node_modules(HELM)?;
    let mut npm = build::npm(HELM, &["test", "--silent"]);
    npm.envs(tools::helm()?)
        .env("BEEKEEPR_PYTHON", tools::kubernetes_validate()?)
        .env("BEEKEEPR_BIN", build::tested_binary()?);
    Ok(npm)
}
