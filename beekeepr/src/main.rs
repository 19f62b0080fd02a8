//! The server binary: every role, alone or together.
//!
//! The life of a process: command line, configuration, logs, the roles, the ready line, until a
//! signal asks for the end; then the drain and the exit code (0 done, 64 usage, 78 configuration,
//! 1 anything else).

mod args;
mod config;
mod control;
mod demo;
mod doctor;
#[cfg(test)]
mod documents;
mod failure;
mod generate;
mod handover;
mod operator;
mod process;
mod reload;
mod roles;
mod simulate;
mod start;
mod up;
mod web;

use std::future::Future;
use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Command};
use failure::Failure;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nothing to do about a closed output. Help and version are no errors.
            let _ = error.print();
            return if error.use_stderr() {
                args::USAGE.into()
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("beekeepr: {failure}");
            failure.exit_code()
        }
    }
}

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Up(args) => block_on(up::run(args)),
        Command::Tracker(args) => block_on(roles::tracker(args)),
        Command::Stun(args) => block_on(roles::stun(args)),
        Command::Seeder(args) => block_on(roles::seeder(args)),
        Command::Check(args) => block_on(operator::check(args)),
        Command::Config(args::Config::Print(file)) => operator::print(&file),
        Command::Ports(file) => operator::ports(&file),
        Command::Healthcheck(args) => operator::healthcheck(&args),
        Command::Doctor(args) => block_on(doctor::run(args)),
        Command::Simulate(args) => simulate::run(&args),
        Command::Control(args) => block_on(control::run(args)),
        Command::Channel(args) => block_on(control::channel(args)),
        Command::Token(args) => block_on(control::token(args)),
        Command::Keygen(args) => control::keygen(&args),
        Command::Backup(args) => block_on(control::backup(args)),
        Command::Restore(args) => block_on(control::restore(args)),
        Command::Page(args) => block_on(up::page(args)),
        Command::Completions(args) => {
            generate::completions(&args);
            Ok(())
        }
        Command::Man(args) => generate::man(&args),
    }
}

fn block_on(role: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Other(format!("cannot start threads: {error}")))?
        .block_on(role)
}
