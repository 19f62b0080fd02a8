//! What the project needs from the machine, installed when it is absent, never silently.

mod packaged;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::shell;

pub(crate) use packaged::{helm, kubernetes_validate, promtool};

/// Where the browser tests and everything else expect Chromium.
const CHROMIUM: &str = "/usr/bin/chromium";

/// ffmpeg makes the tests' media and the demo clip; the fonts write its clock.
pub(crate) fn ffmpeg() -> Result<()> {
    if shell::succeeds(&mut shell::command("ffmpeg", &["-version"])) {
        return Ok(());
    }
    apt(
        "ffmpeg makes the media that the tests play",
        &["ffmpeg", "fonts-dejavu-core"],
    )
}

/// Chromium plays in the browser tests.
pub(crate) fn chromium() -> Result<()> {
    if Path::new(CHROMIUM).exists() {
        return Ok(());
    }
    apt(
        "Chromium plays the streams in the browser tests",
        &["chromium"],
    )
}

/// Debian's STUN clients ask our server; real NATs between them are made of network namespaces.
pub(crate) fn stun_clients() -> Result<()> {
    let programs = ["turnutils_natdiscovery", "stun", "nft", "ip"];
    if programs.iter().all(|program| is_on_path(program)) {
        return Ok(());
    }
    apt(
        "foreign STUN clients and NATs test the STUN server",
        &["coturn", "stun-client", "nftables", "iproute2"],
    )
}

/// The store's tests run on a real PostgreSQL, which they start themselves.
pub(crate) fn postgresql() -> Result<()> {
    let debian = std::fs::read_dir("/usr/lib/postgresql");
    let is_there = debian.is_ok_and(|mut versions| versions.next().is_some());
    if is_there || ["initdb", "postgres"].iter().all(|it| is_on_path(it)) {
        return Ok(());
    }
    apt(
        "PostgreSQL is one of the two databases that control is tested with",
        &["postgresql"],
    )
}

/// Reads compose files; the old one, which refuses what only the new one knows.
pub(crate) fn docker_compose() -> Result<()> {
    if is_on_path("docker-compose") {
        return Ok(());
    }
    apt(
        "docker-compose reads the compose files",
        &["docker-compose"],
    )
}

/// systemd's own check of units.
pub(crate) fn systemd_analyze() -> Result<()> {
    if is_on_path("systemd-analyze") {
        return Ok(());
    }
    apt("systemd says whether it understands the unit", &["systemd"])
}

fn is_on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Where Debian keeps what only root calls; not on everybody's path.
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    folders
        .into_iter()
        .any(|folder| folder.join(program).exists())
}

/// Node and npm build the client's TypeScript shell; which version is the user's choice.
pub(crate) fn node() -> Result<()> {
    for program in ["node", "npm"] {
        if !shell::succeeds(&mut shell::command(program, &["--version"])) {
            bail!("no `{program}` found; install Node.js 20 or later (https://nodejs.org)");
        }
    }
    Ok(())
}

/// cargo-nextest runs the tests of the workspace. On the path, or built into the cache: with its own
/// lock file, which it insists on, and without optimisation: 3.5 minutes of a processor in place of
/// 9, for a program that only waits for others.
pub(crate) fn nextest() -> Result<PathBuf> {
    if shell::succeeds(&mut shell::command("cargo-nextest", &["--version"])) {
        return Ok("cargo-nextest".into());
    }
    cached("cargo-nextest", &["--locked", "--debug"])
}

/// cargo-fuzz builds the fuzz targets. On the path, or built into the cache.
pub(crate) fn cargo_fuzz() -> Result<PathBuf> {
    if shell::succeeds(&mut shell::command("cargo-fuzz", &["--version"])) {
        return Ok("cargo-fuzz".into());
    }
    cached("cargo-fuzz", &["--locked", "--debug"])
}

/// A program from the user's cache folder, built there when absent.
fn cached(program: &str, flags: &[&str]) -> Result<PathBuf> {
    let folder = tools_folder()?.join(program);
    let binary = folder.join("bin").join(program);
    if binary.exists() {
        return Ok(binary);
    }
    eprintln!(
        "{program} is missing; it is built once into {}",
        folder.display()
    );
    shell::step(&format!("build {program} (several minutes)"), || {
        let mut install = shell::cargo(&["install", "--quiet", program]);
        install.args(flags);
        // The scratch files go to its own folder, away from the workspace's target folder.
        let scratch = folder.join("build");
        install
            .arg("--root")
            .arg(&folder)
            .env("CARGO_TARGET_DIR", &scratch);
        // `cargo run` hands its own settings down; they would bend the other build.
        install.env_remove("RUSTUP_TOOLCHAIN").current_dir("/");
        shell::run(&mut install)?;
        std::fs::remove_dir_all(scratch).context("cannot clean up after the build")
    })?;
    Ok(binary)
}

/// Where programs are kept that the machine does not have.
fn tools_folder() -> Result<PathBuf> {
    cache().map(|cache| cache.join("beekeepr/tools"))
}

fn cache() -> Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    set("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| set("HOME").map(|home| PathBuf::from(home).join(".cache")))
        .context("neither XDG_CACHE_HOME nor HOME is set; set one to say where tools are kept")
}

/// Installs Debian packages, with sudo where we are not root. Says what and why first.
pub(crate) fn apt(why: &str, packages: &[&str]) -> Result<()> {
    let list = packages.join(" ");
    if !shell::succeeds(&mut shell::command("apt-get", &["--version"])) {
        bail!("{why}; this machine has no apt: install the equivalent of `{list}` by hand");
    }
    eprintln!("{why}; installing the Debian packages {list}");
    let is_root = shell::output(&mut shell::command("id", &["-u"]))?.trim() == "0";
    let apt = |arguments: &[&str]| {
        let mut command = if is_root {
            shell::command("apt-get", &[])
        } else {
            shell::command("sudo", &["apt-get"])
        };
        command
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive");
        command.stdout(std::process::Stdio::null());
        command
    };
    shell::step(&format!("install {list}"), || {
        let install = ["install", "-y", "-qq", "--no-install-recommends"];
        let install = [&install[..], packages].concat();
        // The package lists may be too old, or absent as in a fresh container.
        if shell::succeeds(&mut apt(&install)) {
            return Ok(());
        }
        shell::run(&mut apt(&["update", "-qq"]))?;
        shell::run(&mut apt(&install))
    })
}
