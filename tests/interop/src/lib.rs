//! Runs foreign implementations, so that tests can put ours beside them.
//!
//! The npm packages are in `package.json` here; `cargo xtask test` installs them. Scripts are in the
//! folders beside it: each takes one JSON value on standard input and answers with one.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// What to do when something is missing.
const INSTALL: &str =
    "run `npm ci --ignore-scripts` in tests/interop, or `cargo xtask test`, which does";

/// Runs a script of this folder on a value and gives its answer.
///
/// # Errors
/// Node or the npm packages are missing, the script fails, or its answer is no JSON.
pub fn node(script: &str, arguments: &[&str], input: &Value) -> Result<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    ensure!(
        folder.join("node_modules").is_dir(),
        "tests/interop/node_modules is missing; {INSTALL}"
    );
    let mut child = Command::new("node")
        .arg(folder.join(script))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start node; install Node.js 20 or later")?;
    let mut stdin = child.stdin.take().context("node has no standard input")?;
    // Scripts read everything before they answer, so this cannot wait for us to read. One that ends
    // early closes the pipe; its exit code says more than that.
    let written = stdin.write_all(input.to_string().as_bytes());
    drop(stdin);
    let output = child.wait_with_output()?;
    ensure!(
        output.status.success(),
        "{script} ended with {}; see above, and if a package is missing {INSTALL}",
        output.status
    );
    written?;
    serde_json::from_slice(&output.stdout).with_context(|| format!("{script} wrote no JSON"))
}
