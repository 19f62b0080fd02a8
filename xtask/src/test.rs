//! `cargo xtask test`: everything CI checks, in the order of what fails fastest.

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::build;
use crate::deploy;
use crate::runner::Tally;
use crate::shell;
use crate::tidy;
use crate::tools;

/// The package with the tests that cross everything: the binary, browsers, foreign clients.
const E2E: &str = "tests/e2e";

/// The package with foreign implementations that Rust tests run beside ours.
const INTEROP: &str = "tests/interop";

/// Runs all checks, also after one has failed: one run shows all that is wrong.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let browser = match arguments {
        [] => true,
        [flag] if flag == "--no-browser" => false,
        _ => bail!(
            "expected nothing or --no-browser, got {}",
            arguments.join(" ")
        ),
    };
    let mut tally = Tally::default();
    tally.check("dependencies, imports and files (tidy)", tidy::sources);
    tally.check("format", || {
        shell::run(&mut shell::cargo(&["fmt", "--all", "--check"]))
    });
    tally.check("the browser client", build::client);
    tally.check("the dashboard", build::dashboard);
    tally.check(
        "core compiles for the browser (tidy)",
        tidy::core_for_browser,
    );
    tally.check("lints", lints);
    tally.tests("Rust tests", || {
        build::node_modules(INTEROP)?;
        tools::stun_clients()?;
        tools::postgresql()?;
        let mut nextest = shell::cargo(&["nextest", "run", "--workspace", "--no-fail-fast"]);
        // The processes' output is for those that fail; the list of passed tests is long.
        nextest.args(["--status-level", "fail", "--final-status-level", "fail"]);
        Ok(with_on_path(nextest, &tools::nextest()?))
    });
    tally.check("TypeScript types", || {
        // The client is held to p2p-media-loader's types, which the browser tests bring.
        [E2E, INTEROP, build::JS, build::DASHBOARD]
            .into_iter()
            .try_for_each(|folder| {
                build::node_modules(folder)?;
                shell::run(&mut build::npm(folder, &["run", "--silent", "check"]))
            })
    });
    deploy::check(&mut tally);
    tally.tests("TypeScript tests", || {
        Ok(build::npm(build::JS, &["test", "--silent"]))
    });
    tally.tests("TypeScript tests of the dashboard", || {
        Ok(build::npm(build::DASHBOARD, &["test", "--silent"]))
    });
    tally.check("what the dashboard weighs", || {
        shell::run(&mut build::npm(
            build::DASHBOARD,
            &["run", "--silent", "weigh"],
        ))
    });
    tally.check("what the browser client weighs", || {
        shell::run(&mut build::npm(build::JS, &["run", "--silent", "weigh"]))
    });
    if browser {
        tally.check(
            "golden files: what foreign clients see in manifests",
            || {
                build::node_modules(INTEROP)?;
                tools::chromium()?;
                shell::run(&mut build::npm(INTEROP, &["run", "--silent", "golden"]))
            },
        );
        tally.tests("the browser client in pages", || {
            tools::chromium()?;
            tools::ffmpeg()?;
            Ok(build::npm(build::JS, &["run", "--silent", "pages"]))
        });
        tally.tests("the dashboard in a browser", || {
            tools::chromium()?;
            let mut npm = build::npm(build::DASHBOARD, &["run", "--silent", "pages"]);
            npm.env("BEEKEEPR_BIN", build::tested_binary()?);
            Ok(npm)
        });
        tally.tests("browser tests", || {
            tools::chromium()?;
            tools::ffmpeg()?;
            let binary = build::tested_binary()?;
            let mut npm = build::npm(E2E, &["test", "--silent"]);
            npm.env("BEEKEEPR_BIN", binary);
            Ok(npm)
        });
    }
    Ok(tally.finish())
}

/// Warnings are errors here and only here: while writing they stay warnings.
fn lints() -> Result<()> {
    let arguments = [
        "clippy",
        "--quiet",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ];
    shell::run(&mut shell::cargo(&arguments))
}

/// Lets cargo find a subcommand that lives outside the path.
fn with_on_path(
    mut command: std::process::Command,
    program: &std::path::Path,
) -> std::process::Command {
    let old = std::env::var_os("PATH").unwrap_or_default();
    let folders = program.parent().map(ToOwned::to_owned).into_iter();
    let folders = folders.filter(|folder| !folder.as_os_str().is_empty());
    if let Ok(path) = std::env::join_paths(folders.chain(std::env::split_paths(&old))) {
        command.env("PATH", path);
    }
    command
}
