//! Who may depend on whom.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::shell;

/// A member of the workspace and what it depends on, tests aside.
pub(super) struct Package {
    pub(super) name: String,
    /// Relative to the workspace, `core/model` for example.
    pub(super) folder: String,
    pub(super) dependencies: Vec<String>,
}

/// Foreign crates that core may use: small, pure, without system calls, welcome in the browser.
const PURE: [&str; 5] = ["data-encoding", "md-5", "memchr", "sha1", "thiserror"];

/// For each folder outside core its allowed own dependencies; `core/` stands for all of core.
/// Architecture: a role knows core and service, never another role; service knows nothing of core.
const ALLOWED: [(&str, &[&str]); 12] = [
    ("service", &[]),
    ("tracker", &["core/", "service"]),
    ("stun-server", &["core/", "service"]),
    ("seeder", &["core/", "service"]),
    ("control", &["core/", "service"]),
    (
        "beekeepr",
        &[
            "core/",
            "service",
            "tracker",
            "stun-server",
            "seeder",
            "control",
            "sim",
        ],
    ),
    ("client-wasm", &["core/"]),
    ("client-wasm/playlist", &["core/"]),
    ("sim", &["core/"]),
    ("xtask", &[]),
    ("core/", &["core/"]),
    (
        "tests/",
        &[
            "core/",
            "service",
            "tracker",
            "stun-server",
            "seeder",
            "control",
        ],
    ),
];

/// The workspace's members, as cargo sees them.
pub(super) fn packages() -> Result<Vec<Package>> {
    let arguments = ["metadata", "--format-version=1", "--no-deps"];
    let text = shell::output(&mut shell::cargo(&arguments))?;
    let metadata: Value = serde_json::from_str(&text)?;
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata without packages")?;
    packages.iter().map(package).collect()
}

fn package(value: &Value) -> Result<Package> {
    let text = |value: &Value| {
        value
            .as_str()
            .map(ToOwned::to_owned)
            .context("expected a string")
    };
    let manifest = text(&value["manifest_path"])?;
    let folder = manifest
        .strip_prefix(&format!("{}/", shell::root().display()))
        .and_then(|path| path.strip_suffix("/Cargo.toml"))
        .with_context(|| format!("{manifest} is not below the workspace"))?;
    let dependencies = value["dependencies"]
        .as_array()
        .context("a package without dependencies")?;
    Ok(Package {
        name: text(&value["name"])?,
        folder: folder.to_owned(),
        dependencies: dependencies
            .iter()
            .filter(|it| it["kind"] != "dev")
            .map(|it| text(&it["name"]))
            .collect::<Result<_>>()?,
    })
}

/// One line for each edge that must not be.
pub(super) fn check(packages: &[Package]) -> Vec<String> {
    let mut faults = Vec::new();
    for package in packages {
        for dependency in &package.dependencies {
            let own = packages.iter().find(|it| it.name == *dependency);
            let is_allowed = match own {
                Some(other) => may_use(&package.folder, &other.folder),
                None => !package.folder.starts_with("core/") || PURE.contains(&dependency.as_str()),
            };
            if !is_allowed {
                faults.push(format!(
                    "{}/Cargo.toml: must not depend on {dependency}; the allowed edges are in \
                     xtask/src/tidy/edges.rs",
                    package.folder
                ));
            }
        }
    }
    faults
}

fn may_use(folder: &str, other: &str) -> bool {
    let matches = |pattern: &str, folder: &str| {
        if pattern.ends_with('/') {
            folder.starts_with(pattern)
        } else {
            folder == pattern
        }
    };
    let allowed = ALLOWED.iter().find(|(pattern, _)| matches(pattern, folder));
    allowed.is_some_and(|(_, others)| others.iter().any(|pattern| matches(pattern, other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(folder: &str, dependencies: &[&str]) -> Package {
        Package {
            name: folder.to_owned(),
            folder: folder.to_owned(),
            dependencies: dependencies.iter().map(|&it| it.to_owned()).collect(),
        }
    }

    fn faults(folder: &str, dependency: &str) -> usize {
        check(&[package(folder, &[dependency]), package(dependency, &[])]).len()
    }

    #[test]
    fn core_uses_core_and_pure_crates_alone() {
        assert_eq!(faults("core/engine", "core/model"), 0);
        assert_eq!(faults("core/engine", "service"), 1);
        assert!(check(&[package("core/model", &["memchr"])]).is_empty());
        assert_eq!(check(&[package("core/model", &["tokio"])]).len(), 1);
    }

    #[test]
    fn no_role_knows_another() {
        assert_eq!(faults("tracker", "core/swarm"), 0);
        assert_eq!(faults("tracker", "seeder"), 1);
        assert_eq!(faults("beekeepr", "tracker"), 0);
    }

    #[test]
    fn service_knows_nothing_of_core_and_nothing_knows_the_tests() {
        assert_eq!(faults("service", "core/model"), 1);
        assert_eq!(faults("beekeepr", "tests/load"), 1);
        assert_eq!(faults("client-wasm", "service"), 1);
    }
}
