//! The project's own commands, the same at home and in CI: `cargo xtask <command>`.
//!
//! Compiled before anything else on a fresh machine, hence next to no dependencies.

mod build;
mod compose;
mod deploy;
mod dist;
mod docs;
mod fuzz;
mod media;
mod monitoring;
mod order;
mod runner;
mod shell;
mod stamp;
mod test;
mod tidy;
mod tools;
mod units;
mod up;

use std::process::ExitCode;

use anyhow::Result;

/// Exit code for a command that does not exist: `EX_USAGE` of sysexits.h.
const USAGE: u8 = 64;

const HELP: &str = "\
cargo xtask <command>

  up [arguments]       build what is missing and run `beekeepr up [arguments]`
  test [--no-browser]  everything CI checks: format, lints, tests, the client, tidiness, browsers
  tidy                 who may depend on whom, what core may import, shapes of files
  deploy               check the Helm chart, alert rules, dashboards, compose files, the systemd unit
  dist                 build what is shipped: static binary, completions, manual pages
  docs [--check]       write the pages that are made from the code, or compare them
  wasm                 build the browser client: WebAssembly and npm package
  fuzz [target...]     libFuzzer on the targets of tests/fuzz; --runs N for each
  media                make the demo channel's clip anew with ffmpeg
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", &[][..]),
    };
    match run(command, rest) {
        Ok(Some(code)) => code,
        Ok(None) => {
            eprintln!("no command `{command}`\n\n{HELP}");
            ExitCode::from(USAGE)
        }
        Err(error) => {
            eprintln!("xtask {command}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// `None` when there is no such command.
fn run(command: &str, arguments: &[String]) -> Result<Option<ExitCode>> {
    match command {
        "up" => up::run(arguments)?,
        "test" => return test::run(arguments).map(Some),
        "tidy" => tidy::run()?,
        "deploy" => return Ok(Some(deploy::run())),
        "dist" => dist::run()?,
        "docs" => docs::run(arguments)?,
        "wasm" => build::client()?,
        "fuzz" => fuzz::run(arguments)?,
        "media" => media::run()?,
        "help" | "--help" | "-h" => eprint!("{HELP}"),
        _ => return Ok(None),
    }
    Ok(Some(ExitCode::SUCCESS))
}
