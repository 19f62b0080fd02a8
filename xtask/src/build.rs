//! Building the browser client and the binary.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::shell;
use crate::stamp;
use crate::tools;

const TARGET: &str = "wasm32-unknown-unknown";
const MODULE: &str = "beekeepr_client_wasm";

/// The npm package's folder.
pub(crate) const JS: &str = "client-wasm/js";
/// Where wasm-bindgen's module and glue go; the npm package's build takes them from there.
const PACKAGE: &str = "target/wasm-pkg";
/// What the WebAssembly module is made of.
const MODULE_INPUTS: [&str; 5] = [
    "Cargo.toml",
    "Cargo.lock",
    "core",
    "client-wasm/src",
    "xtask/src/build.rs",
];

/// Builds the npm package with the WebAssembly module in it, as far as something has changed.
pub(crate) fn client() -> Result<()> {
    node_modules(JS)?;
    module()?;
    let inputs = [JS, PACKAGE];
    stamp::when_changed("npm-build", &inputs, &["client-wasm/js/dist"], || {
        shell::step("build the npm package", || {
            shell::run(npm(JS, &["run", "--silent", "build"]).env("BEEKEEPR_WASM_PKG", package()))
        })
    })
}

/// Installs a package's dependencies when its lock file changed.
pub(crate) fn node_modules(folder: &str) -> Result<()> {
    tools::node()?;
    let lock = format!("{folder}/package-lock.json");
    let modules = format!("{folder}/node_modules");
    let name = format!("npm-ci-{}", folder.replace('/', "-"));
    stamp::when_changed(&name, &[&lock], &[&modules], || {
        shell::step(&format!("install npm packages of {folder}"), || {
            // No install scripts: they download things and run with the user's rights.
            let quiet = [
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--loglevel=error",
            ];
            shell::run(
                npm(folder, &["ci"])
                    .args(quiet)
                    .stdout(std::process::Stdio::null()),
            )
        })
    })
}

/// npm in one of the workspace's packages.
pub(crate) fn npm(folder: &str, arguments: &[&str]) -> Command {
    let mut command = shell::command("npm", arguments);
    command
        .current_dir(shell::root().join(folder))
        .env("BEEKEEPR_WASM_PKG", package());
    command
}

fn package() -> PathBuf {
    shell::root().join(PACKAGE)
}

/// core/engine and its parts for the browser: compiled, bound to JavaScript, shrunk.
fn module() -> Result<()> {
    let result = format!("{PACKAGE}/{MODULE}_bg.wasm");
    stamp::when_changed("wasm", &MODULE_INPUTS, &[&result], || {
        let bindgen = tools::wasm_bindgen()?;
        let toolchain = Toolchain::find()?;
        shell::step(
            "build the WebAssembly module (minutes the first time)",
            || {
                shell::run(&mut toolchain.cargo(&[
                    "build",
                    "--quiet",
                    "--profile=wasm",
                    "--package=beekeepr-client-wasm",
                ]))
            },
        )?;
        let input = format!("target/wasm/{TARGET}/wasm/{MODULE}.wasm");
        let bindgen = bindgen
            .to_str()
            .context("expected a tool path of valid UTF-8")?;
        shell::run(&mut shell::command(
            bindgen,
            &["--target", "web", "--out-dir", PACKAGE, &input],
        ))?;
        let shrink = format!("{JS}/node_modules/.bin/wasm-opt");
        shell::run(&mut shell::command(
            &shrink,
            &["-Oz", &result, "-o", &result],
        ))
    })
}

/// Checks that a package compiles for the browser.
pub(crate) fn check_for_browser(packages: &[String]) -> Result<()> {
    let mut cargo = Toolchain::find()?.cargo(&["check", "--quiet", "--profile=wasm"]);
    cargo.args(
        packages
            .iter()
            .map(|package| format!("--package={package}")),
    );
    shell::run(&mut cargo)
}

/// The standard library is built along, so it may as well be built small: without these two (the
/// second is in the next constant) the module is half as large again.
const DEBIAN_FLAGS: [&str; 2] = [
    "-Zbuild-std=std,panic_abort",
    "-Zbuild-std-features=optimize_for_size",
];

/// Panics end the module at once and say nothing, which spares their texts; the shell then plays on
/// over HTTP either way.
const DEBIAN_RUSTFLAGS: &str =
    "-C linker-flavor=wasm-ld -Z unstable-options -C panic=immediate-abort";

/// How this machine compiles for the browser.
enum Toolchain {
    /// The ordinary one has the target.
    Rustup,
    /// Debian's compiler for the web, which builds the standard library on the way.
    Debian,
}

impl Toolchain {
    fn find() -> Result<Self> {
        if has_target()? || add_target()? {
            return Ok(Self::Rustup);
        }
        if !Toolchain::debian_is_complete() {
            tools::apt(
                "no WebAssembly target can be downloaded; Debian's compiler for the web serves",
                &[
                    "rustc-web",
                    "cargo-web",
                    "rust-web-src",
                    "rust-web-llvm",
                    "lld",
                ],
            )?;
        }
        Ok(Self::Debian)
    }

    fn debian_is_complete() -> bool {
        shell::succeeds(&mut shell::command("/usr/bin/rustc", &["--version"]))
            && shell::succeeds(&mut shell::command("/usr/bin/cargo", &["--version"]))
            && shell::succeeds(&mut shell::command("wasm-ld", &["--version"]))
            && has_library_source()
    }

    /// A cargo command for the browser, with a target folder of its own: the two compilers would
    /// take turns in throwing away each other's results.
    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = match self {
            Self::Rustup => shell::cargo(arguments),
            Self::Debian => {
                let mut command = shell::command("/usr/bin/cargo", arguments);
                command
                    .args(DEBIAN_FLAGS)
                    // The released compiler takes -Z flags only under this name.
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("RUSTC", "/usr/bin/rustc")
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld")
                    .env(
                        "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
                        DEBIAN_RUSTFLAGS,
                    )
                    .env_remove("CARGO")
                    .env_remove("RUSTUP_TOOLCHAIN");
                command
            }
        };
        command.args(["--target", TARGET, "--target-dir", "target/wasm"]);
        command
    }
}

fn has_target() -> Result<bool> {
    let arguments = ["--print", "target-libdir", "--target", TARGET];
    let folder = shell::output(&mut shell::command("rustc", &arguments))?;
    Ok(PathBuf::from(folder.trim()).is_dir())
}

fn has_library_source() -> bool {
    shell::output(&mut shell::command(
        "/usr/bin/rustc",
        &["--print", "sysroot"],
    ))
    .is_ok_and(|it| {
        PathBuf::from(it.trim())
            .join("lib/rustlib/src/rust/library/std/Cargo.toml")
            .exists()
    })
}

/// Lets rustup fetch the target. False where it cannot, which takes seconds without a network.
fn add_target() -> Result<bool> {
    /// A fetch takes some 30 MB; who is slower than this gets the Debian packages.
    const FETCH_S_MAX: &str = "180";
    eprintln!("the WebAssembly target is missing; asking rustup for it");
    shell::succeeds(&mut shell::command(
        "timeout",
        &[FETCH_S_MAX, "rustup", "target", "add", TARGET],
    ));
    has_target()
}

/// The server binary, built for development: that is quick, and the parts that move bytes are
/// optimised nevertheless (the profile's `package."*"`).
const BINARY: &str = "target/debug/beekeepr";

/// Builds the server binary as far as something has changed, and says where it is.
pub(crate) fn binary() -> Result<PathBuf> {
    let inputs = [
        "Cargo.toml",
        "Cargo.lock",
        "core",
        "service",
        "tracker",
        "stun-server",
        "seeder",
        "beekeepr",
        "client-wasm/examples",
        "client-wasm/js/dist",
    ];
    stamp::when_changed("binary", &inputs, &[BINARY], || {
        shell::step("build the binary (minutes the first time)", || {
            shell::run(&mut shell::cargo(&[
                "build",
                "--quiet",
                "--package",
                "beekeepr",
            ]))
        })
    })?;
    Ok(shell::root().join(BINARY))
}

/// The binary that the tests of the workspace have just built and run themselves. To build it once
/// more alone would mean other features of its dependencies, hence all of them anew.
pub(crate) fn tested_binary() -> Result<PathBuf> {
    let binary = shell::root().join(BINARY);
    ensure!(
        binary.exists(),
        "{BINARY} is not there; see why the Rust tests could not be built"
    );
    Ok(binary)
}
