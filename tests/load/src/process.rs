//! Processes: their CPU time, their memory, which cores they may use.

use std::fs;
use std::process::{Child, Command};

use anyhow::{Context, Result, ensure};

/// Lets this process, and those it starts, open as many files as it is allowed to.
pub(crate) fn raise_open_files() -> Result<()> {
    let own = std::process::id().to_string();
    let hard = Command::new("prlimit")
        .args([
            "--nofile",
            "--output",
            "HARD",
            "--noheadings",
            "--raw",
            "--pid",
            &own,
        ])
        .output()
        .context("cannot run prlimit (package util-linux)")?;
    let hard = String::from_utf8_lossy(&hard.stdout).trim().to_owned();
    run(Command::new("prlimit").args([format!("--nofile={hard}:{hard}"), "--pid".into(), own]))
}

/// Keeps this process off `core`.
pub(crate) fn stay_off(core: usize) -> Result<()> {
    let cores = std::thread::available_parallelism()?.get();
    ensure!(
        cores > 1,
        "a comparison needs two cores: one for the server, one for the load"
    );
    let others: Vec<String> = (0..cores)
        .filter(|it| *it != core)
        .map(|it| it.to_string())
        .collect();
    let own = std::process::id().to_string();
    run(Command::new("taskset").args(["-a", "-p", "-c", &others.join(","), &own]))
}

/// A command that is pinned to `core`.
pub(crate) fn pinned(core: usize, program: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string(), program]);
    command
}

fn run(command: &mut Command) -> Result<()> {
    let output = command
        .output()
        .with_context(|| format!("cannot run {command:?}"))?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {error}");
    Ok(())
}

/// CPU seconds that a process's threads have used, to the microsecond (proc(5), `schedstat`).
pub(crate) fn cpu_seconds(pid: u32) -> Result<f64> {
    let mut nanoseconds = 0.0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(task?.path().join("schedstat"))?;
        let running = text
            .split_whitespace()
            .next()
            .and_then(|it| it.parse::<f64>().ok());
        nanoseconds += running.context("odd schedstat")?;
    }
    Ok(nanoseconds / 1e9)
}

/// Memory that a process holds, in KiB.
pub(crate) fn rss_kib(pid: u32) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number
        .and_then(|number| number.parse().ok())
        .context("odd /proc/PID/status")
}

/// A server that ends with this value.
pub(crate) struct Server(pub(crate) Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
