//! Puts the page, the browser client, hls.js and the demo clip into the binary.
//!
//! Whatever was not built is left out: the crate compiles without Node, and the page then says what
//! is missing.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Folder or file below the workspace, and the path under which its content is served.
const SOURCES: [(&str, &str); 5] = [
    ("client-wasm/examples/demo", ""),
    ("client-wasm/js/dist", "client"),
    (
        "client-wasm/js/node_modules/hls.js/dist/hls.min.js",
        "vendor/hls.min.js",
    ),
    // hls.js is Apache-2.0: whoever passes it on passes on its licence.
    (
        "client-wasm/js/node_modules/hls.js/LICENSE",
        "vendor/hls.js-LICENSE.txt",
    ),
    ("beekeepr/demo", "demo/vod"),
];

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("..");
    let mut files = Vec::new();
    for (source, served) in SOURCES {
        let source = root.join(source);
        println!("cargo::rerun-if-changed={}", source.display());
        collect(&source, served, &mut files)?;
    }
    files.sort();
    let mut table = String::from("&[\n");
    for (served, file) in files {
        let file = file.canonicalize()?;
        writeln!(
            table,
            "    ({served:?}, include_bytes!({file:?}) as &[u8]),"
        )
        .map_err(io::Error::other)?;
    }
    table.push_str("]\n");
    let out = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?);
    fs::write(out.join("assets.rs"), table)
}

fn collect(path: &Path, served: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    if path.is_file() {
        files.push((served.to_owned(), path.to_owned()));
        return Ok(());
    }
    if !path.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let below = if served.is_empty() {
            name
        } else {
            format!("{served}/{name}")
        };
        collect(&entry.path(), &below, files)?;
    }
    Ok(())
}
