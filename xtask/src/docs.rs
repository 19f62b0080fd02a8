//! Pages that are made from the code. Tests compare them; this writes them.

use anyhow::{Result, bail};

use crate::build;
use crate::deploy::HELM;
use crate::shell;

/// Tests that make pages: they write instead of comparing when the variable is set.
const TESTS: [(&str, &[&str]); 2] = [
    ("reference", &["--bin=beekeepr"]),
    ("page_of_metrics", &["--test=binary"]),
];

/// Writes all pages, or with `--check` compares them.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let is_check = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => bail!("expected nothing or --check, got {}", arguments.join(" ")),
    };
    let mut cargo = shell::cargo(&["test", "--quiet", "--package=beekeepr"]);
    for (_, target) in TESTS {
        cargo.args(target);
    }
    cargo.arg("--").args(TESTS.map(|(name, _)| name));
    if !is_check {
        cargo.env("BEEKEEPR_DOCS_WRITE", "1");
    }
    shell::step("keys of the configuration, metrics", || {
        shell::run(&mut cargo)
    })?;
    shell::step("the Helm chart's values", || {
        build::node_modules(HELM)?;
        let command = if is_check { "check-docs" } else { "docs" };
        shell::run(&mut build::npm(HELM, &["run", "--silent", command]))
    })
}
