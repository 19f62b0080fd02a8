//! The compose files: whether docker-compose understands them, and the binary the configuration that they mount.

use std::process::Stdio;

use anyhow::Result;

use crate::build;
use crate::shell;
use crate::tools;

const FILES: [&str; 2] = ["deploy/docker-compose.yml", "deploy/docker-compose.one.yml"];
/// What the services share.
const CONFIG: &str = "deploy/config/compose.toml";

/// Both.
pub(crate) fn check() -> Result<()> {
    tools::docker_compose()?;
    for file in FILES {
        let arguments = ["--file", file, "config", "--quiet"];
        shell::run(&mut shell::command("docker-compose", &arguments))?;
    }
    let binary = build::tested_binary()?;
    let check = ["check", "--offline", "--config", CONFIG];
    let mut command = shell::command(&binary.to_string_lossy(), &check);
    shell::run(command.stdout(Stdio::null()))
}
