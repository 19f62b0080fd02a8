//! `cargo xtask fuzz`: libFuzzer on the functions of tests/fuzz, with the toolchain that is there.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::shell;
use crate::tools;

/// What is fuzzed, with inputs and dictionaries.
const FOLDER: &str = "tests/fuzz";

/// Where the targets are, a workspace of their own.
const TARGETS: &str = "tests/fuzz/cargo-fuzz";

/// Builds, inputs that were found and inputs that failed.
const OUT: &str = "target/fuzz";

/// How often each target is run when nobody says: a minute or two.
const RUNS: u64 = 1_000_000;

/// The longest input. Nothing of what is tested needs longer ones, and short ones are fast.
const INPUT_BYTES_MAX: u32 = 2048;

/// After this an input has hung.
const TIMEOUT_S: u32 = 10;

/// Runs the targets named, or all of them.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let (targets, runs) = read(arguments)?;
    let all = targets_there()?;
    if let Some(unknown) = targets.iter().find(|target| !all.contains(target)) {
        bail!("no target `{unknown}`; there are {}", all.join(", "));
    }
    build()?;
    for target in if targets.is_empty() { all } else { targets } {
        shell::step(&format!("fuzz {target}, {runs} runs"), || {
            fuzz(&target, runs)
        })?;
    }
    Ok(())
}

fn read(arguments: &[String]) -> Result<(Vec<String>, u64)> {
    let (mut targets, mut runs) = (Vec::new(), RUNS);
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--runs" => {
                let number = arguments.next().and_then(|it| it.parse().ok());
                runs = number.context("expected a number after --runs, 0 to run for ever")?;
            }
            flag if flag.starts_with('-') => bail!("expected [target...] [--runs N], got {flag}"),
            target => targets.push(target.to_owned()),
        }
    }
    Ok((targets, runs))
}

fn targets_there() -> Result<Vec<String>> {
    let folder = shell::root().join(TARGETS).join("fuzz_targets");
    let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    let mut names: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

/// With the versions of the workspace, where the same crates are tested; cargo adds libFuzzer's.
///
/// `RUSTC_BOOTSTRAP` opens the compiler's coverage flags on stable. No sanitizer: all of our code is
/// safe Rust, so it can overflow and panic but not corrupt memory, and runs eight times as fast without.
fn build() -> Result<()> {
    let cargo_fuzz = tools::cargo_fuzz()?;
    let lock = shell::root().join(TARGETS).join("Cargo.lock");
    fs::copy(shell::root().join("Cargo.lock"), lock).context("cannot copy Cargo.lock")?;
    shell::step("build the fuzz targets", || {
        let mut build = shell::command(&cargo_fuzz.to_string_lossy(), &["fuzz", "build"]);
        build.args(["--fuzz-dir", TARGETS, "--sanitizer", "none"]);
        build.arg("--target-dir").arg(out("build"));
        shell::run(build.env("RUSTC_BOOTSTRAP", "1"))
    })
}

fn fuzz(target: &str, runs: u64) -> Result<()> {
    let (found, failed) = (out("found").join(target), out("failed").join(target));
    fs::create_dir_all(&found)?;
    fs::create_dir_all(&failed)?;
    let mut fuzzer = shell::command(&binary(target)?.to_string_lossy(), &[]);
    fuzzer.arg(&found).arg(committed("corpus").join(target));
    let dictionary = committed("dictionaries").join(format!("{target}.dict"));
    if dictionary.exists() {
        fuzzer.arg(format!("-dict={}", dictionary.display()));
    }
    // Without runs it would only look at what is there.
    let runs = if runs == 0 { -1 } else { i64::try_from(runs)? };
    fuzzer.arg(format!("-runs={runs}"));
    fuzzer.arg(format!("-max_len={INPUT_BYTES_MAX}"));
    fuzzer.arg(format!("-timeout={TIMEOUT_S}"));
    fuzzer.arg(format!("-artifact_prefix={}/", failed.display()));
    // Slow inputs are changed less often, and the counts are the last thing shown.
    fuzzer.args(["-entropic_scale_per_exec_time=1", "-print_final_stats=1"]);
    shell::run(&mut fuzzer)
}

/// The build's folder is named for the machine, which is the only one in it.
fn binary(target: &str) -> Result<PathBuf> {
    let machines = fs::read_dir(out("build"))?.filter_map(Result::ok);
    let mut binaries = machines.map(|machine| machine.path().join("release").join(target));
    let found = binaries.find(|path| path.exists());
    found.with_context(|| format!("no binary of {target} in {OUT}/build"))
}

fn out(folder: &str) -> PathBuf {
    shell::root().join(OUT).join(folder)
}

fn committed(folder: &str) -> PathBuf {
    shell::root().join(FOLDER).join(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(text: &str) -> Result<(Vec<String>, u64)> {
        let arguments: Vec<_> = text.split_whitespace().map(ToOwned::to_owned).collect();
        read(&arguments)
    }

    #[test]
    fn targets_and_runs_are_read_in_any_order() {
        let stun = vec!["stun".to_owned()];
        assert_eq!(arguments("").unwrap(), (vec![], RUNS));
        assert_eq!(arguments("stun --runs 5").unwrap(), (stun.clone(), 5));
        assert_eq!(arguments("--runs 5 stun").unwrap(), (stun, 5));
        assert!(arguments("--runs").is_err());
        assert!(arguments("--runs many").is_err());
        assert!(arguments("--fast").is_err());
    }
}
