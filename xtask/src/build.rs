//! Building the browser client and the binary.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::order;
use crate::shell;
use crate::stamp;
use crate::tools;

const TARGET: &str = "wasm32-unknown-unknown";
/// The engine, and the reader of manifests that only pages with Shaka Player load.
const MODULES: [&str; 2] = ["beekeepr-client-wasm", "beekeepr-client-playlist"];

/// The npm package's folder.
pub(crate) const JS: &str = "client-wasm/js";
/// Where the finished module goes; the npm package's build takes it from there.
const PACKAGE: &str = "target/wasm-pkg";
/// What the WebAssembly modules are made of.
const MODULE_INPUTS: [&str; 7] = [
    "Cargo.toml",
    "Cargo.lock",
    "core",
    "client-wasm/src",
    "client-wasm/playlist",
    "xtask/src/build.rs",
    "xtask/src/order.rs",
];

/// Builds the npm package with the WebAssembly module in it, as far as something has changed.
pub(crate) fn client() -> Result<()> {
    node_modules(JS)?;
    module()?;
    let inputs = [JS, PACKAGE, "client-wasm/examples/demo/palette.css"];
    stamp::when_changed("npm-build", &inputs, &["client-wasm/js/dist"], || {
        shell::step("build the npm package", || {
            shell::run(npm(JS, &["run", "--silent", "build"]).env("BEEKEEPR_WASM_PKG", package()))
        })
    })
}

/// The dashboard's folder.
pub(crate) const DASHBOARD: &str = "control/dashboard";

/// Builds the dashboard, as far as something has changed; the control crate embeds it.
pub(crate) fn dashboard() -> Result<()> {
    node_modules(DASHBOARD)?;
    let inputs = [
        "src",
        "public",
        "index.html",
        "package.json",
        "vite.config.mjs",
    ];
    let inputs = inputs.map(|it| format!("{DASHBOARD}/{it}"));
    let inputs = inputs.each_ref().map(String::as_str);
    stamp::when_changed("dashboard", &inputs, &["control/dashboard/dist"], || {
        shell::step("build the dashboard", || {
            shell::run(&mut npm(DASHBOARD, &["run", "--silent", "build"]))
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

/// Core and its parts for the browser: compiled, shrunk.
fn module() -> Result<()> {
    let results = MODULES.map(|package| format!("{PACKAGE}/{}_bg.wasm", file_stem(package)));
    let results = results.each_ref().map(String::as_str);
    stamp::when_changed("wasm", &MODULE_INPUTS, &results, || {
        shell::step(
            "build the WebAssembly modules (minutes the first time)",
            || {
                MODULES
                    .iter()
                    .try_for_each(|package| compile(&["build", "--package", package]))
            },
        )?;
        std::fs::create_dir_all(package())?;
        MODULES
            .iter()
            .zip(results)
            .try_for_each(|(package, result)| shrink(package, result))
    })
}

fn shrink(package: &str, result: &str) -> Result<()> {
    let input = format!("target/wasm/{TARGET}/wasm/{}.wasm", file_stem(package));
    wasm_opt(&SHRINK, &input, result)?;
    let named = format!("{input}.named");
    let module = std::fs::read(shell::root().join(result))?;
    std::fs::write(
        shell::root().join(&named),
        order::with_names_in_order(&module)?,
    )?;
    wasm_opt(&ORDER, &named, result)
}

fn wasm_opt(flags: &[&str], input: &str, result: &str) -> Result<()> {
    let program = format!("{JS}/node_modules/.bin/wasm-opt");
    let files = [input, "-o", result];
    shell::run(&mut shell::command(&program, &[flags, &files].concat()))
}

/// As cargo names what it makes of a package.
fn file_stem(package: &str) -> String {
    package.replace('-', "_")
}

/// wasm-opt's flags. Nothing is ever stored in the first KiB: it is the far end of the stack. The sections say who
/// built the module, and which features it needs; no browser reads them. A module that was taken apart and put together
/// anew shrinks once more (docs/decisions/wasm.md).
const SHRINK: [&str; 10] = [
    "-Oz",
    "--low-memory-unused",
    "--optimize-added-constants-propagate",
    "--converge",
    "--strip-producers",
    "--strip-target-features",
    "--flatten",
    "--rereloop",
    "-Oz",
    "-Oz",
];

/// The flags that put functions in the order of their names, which are left out then, and write them as short as before.
/// What the module needs is no longer written in it.
const ORDER: [&str; 8] = [
    "--reorder-functions-by-name",
    "--optimize-level=2",
    "--shrink-level=2",
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-multivalue",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
];

/// Checks that a package compiles for the browser.
pub(crate) fn check_for_browser(packages: &[String]) -> Result<()> {
    let packages = packages
        .iter()
        .map(|package| format!("--package={package}"));
    let arguments: Vec<String> = std::iter::once("check".to_owned())
        .chain(packages)
        .collect();
    compile(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Runs cargo for the browser.
fn compile(arguments: &[&str]) -> Result<()> {
    let toolchain = Toolchain::find()?;
    let result = shell::run(&mut toolchain.cargo(arguments));
    if result.is_ok() || toolchain != Toolchain::Source || !(has_target()? || add_target()?) {
        return result;
    }
    eprintln!("this compiler knows other unstable flags; building a larger module without them");
    shell::run(&mut Toolchain::Prebuilt.cargo(arguments))
}

/// How this machine compiles for the browser.
#[derive(PartialEq, Eq)]
enum Toolchain {
    /// rustup's compiler, which builds the standard library on the way.
    Source,
    /// rustup's compiler with the standard library that it came with.
    Prebuilt,
    /// Debian's compiler for the web, which builds the standard library on the way.
    Debian,
}

/// The standard library, built along and built small: the module is half as large again without.
const FROM_SOURCE: [&str; 2] = [
    "-Zbuild-std=std,panic_abort",
    "-Zbuild-std-features=optimize_for_size",
];

/// Panics end the module at once and say nothing, which spares their texts and the builder's paths;
/// the shell plays on over HTTP either way. What LLVM does to loops and to loads for speed makes them longer.
const SMALL: &str = "-Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none -Zfmt-debug=none \
    -Cllvm-args=-disable-lsr -Cllvm-args=-enable-load-pre=false -Cllvm-args=-enable-pre=false";

const RUSTFLAGS: &str = "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS";

impl Toolchain {
    fn find() -> Result<Self> {
        if has_source("rustc") || rustup(&["component", "add", "rust-src"]) && has_source("rustc") {
            return Ok(Self::Source);
        }
        if has_target()? || add_target()? {
            return Ok(Self::Prebuilt);
        }
        if !debian_is_complete() {
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

    /// A cargo command for the browser, with a target folder of its own: two compilers would take
    /// turns in throwing away each other's results.
    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = match self {
            Self::Source | Self::Prebuilt => shell::cargo(arguments),
            Self::Debian => shell::command("/usr/bin/cargo", arguments),
        };
        match self {
            Self::Prebuilt => {}
            Self::Source => {
                command.env(RUSTFLAGS, SMALL);
            }
            Self::Debian => {
                command
                    .env("RUSTC", "/usr/bin/rustc")
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld")
                    .env(RUSTFLAGS, format!("-Clinker-flavor=wasm-ld {SMALL}"))
                    .env_remove("CARGO")
                    .env_remove("RUSTUP_TOOLCHAIN");
            }
        }
        if *self != Self::Prebuilt {
            // The released compiler takes -Z flags only under this name.
            command.args(FROM_SOURCE).env("RUSTC_BOOTSTRAP", "1");
        }
        command.args(["--quiet", "--profile=wasm", "--target", TARGET]);
        command.args(["--target-dir", "target/wasm"]);
        command
    }
}

fn debian_is_complete() -> bool {
    shell::succeeds(&mut shell::command("/usr/bin/rustc", &["--version"]))
        && shell::succeeds(&mut shell::command("/usr/bin/cargo", &["--version"]))
        && shell::succeeds(&mut shell::command("wasm-ld", &["--version"]))
        && has_source("/usr/bin/rustc")
}

fn has_target() -> Result<bool> {
    let arguments = ["--print", "target-libdir", "--target", TARGET];
    let folder = shell::output(&mut shell::command("rustc", &arguments))?;
    Ok(PathBuf::from(folder.trim()).is_dir())
}

/// Whether the standard library's source is there for a compiler.
fn has_source(rustc: &str) -> bool {
    let sysroot = shell::output(&mut shell::command(rustc, &["--print", "sysroot"]));
    sysroot.is_ok_and(|sysroot| {
        let library = PathBuf::from(sysroot.trim()).join("lib/rustlib/src/rust/library");
        library.join("std/Cargo.toml").exists()
    })
}

/// Lets rustup fetch the target. False where it cannot, which takes seconds without a network.
fn add_target() -> Result<bool> {
    rustup(&["target", "add", TARGET]);
    has_target()
}

/// Lets rustup fetch something.
fn rustup(arguments: &[&str]) -> bool {
    /// A fetch takes some 30 MB; who is slower than this gets the Debian packages.
    const FETCH_S_MAX: &str = "180";
    eprintln!("to compile for the browser: rustup {}", arguments.join(" "));
    let timed = [&[FETCH_S_MAX, "rustup"], arguments].concat();
    shell::succeeds(&mut shell::command("timeout", &timed))
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
        "control",
        "sim",
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
