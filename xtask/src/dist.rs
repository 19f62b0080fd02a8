//! What is shipped: the static binary with its completions and manual pages, in target/dist.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::build;
use crate::shell;

/// Where it goes.
const FOLDER: &str = "target/dist";

/// Shells and the names under which they look for completions.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "beekeepr"),
    ("zsh", "_beekeepr"),
    ("fish", "beekeepr.fish"),
];

/// Builds all of it, for this machine's kind of processor.
pub(crate) fn run() -> Result<()> {
    build::client()?;
    build::dashboard()?;
    let target = host()?;
    shell::step("build the binary to ship (many minutes)", || {
        let mut cargo = shell::cargo(&["build", "--quiet", "--release", "--package=beekeepr"]);
        // Named, so that the flag does not count for what runs while building.
        cargo.args(["--target", &target]);
        let flags = format!("CARGO_TARGET_{}_RUSTFLAGS", variable(&target));
        shell::run(cargo.env(flags, "-C target-feature=+crt-static"))
    })?;
    let folder = shell::root().join(FOLDER);
    let binary = folder.join("beekeepr");
    fs::create_dir_all(folder.join("completions"))?;
    let built = shell::root().join(format!("target/{target}/release/beekeepr"));
    fs::copy(&built, &binary).with_context(|| format!("cannot copy {}", built.display()))?;
    shell::run(shell::command("strip", &[]).arg(&binary))?;
    made_by(&binary, &folder)
}

/// What the binary writes of itself.
fn made_by(binary: &Path, folder: &Path) -> Result<()> {
    let binary = binary.to_string_lossy();
    for (shell, name) in COMPLETIONS {
        let script = shell::output(&mut shell::command(&binary, &["completions", shell]))?;
        fs::write(folder.join("completions").join(name), script)?;
    }
    shell::run(shell::command(&binary, &["man"]).arg(folder.join("man")))
}

/// The compiler's name for this kind of machine.
fn host() -> Result<String> {
    let version = shell::output(&mut shell::command("rustc", &["--version", "--verbose"]))?;
    let host = version.lines().find_map(|it| it.strip_prefix("host: "));
    host.map(ToOwned::to_owned)
        .context("rustc does not say what kind of machine this is")
}

/// As environment variables write it.
fn variable(target: &str) -> String {
    target.to_uppercase().replace(['-', '.'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_have_no_hyphens() {
        assert_eq!(
            variable("x86_64-unknown-linux-gnu"),
            "X86_64_UNKNOWN_LINUX_GNU"
        );
    }
}
