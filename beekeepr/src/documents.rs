//! Pages that are made from the code: a test fails when they differ from it, `cargo xtask docs` writes them anew.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Set by `cargo xtask docs`: pages are written instead of compared.
const WRITE: &str = "BEEKEEPR_DOCS_WRITE";

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The page at `path`, relative to the workspace, says `text`.
pub(crate) fn agree(path: &str, text: &str) -> io::Result<()> {
    let file = root().join(path);
    if std::env::var_os(WRITE).is_some() {
        fs::create_dir_all(file.parent().unwrap_or(&file))?;
        return fs::write(&file, text);
    }
    let found = fs::read_to_string(&file)?;
    let (found, made): (Vec<_>, Vec<_>) = (found.lines().collect(), text.lines().collect());
    let same = found
        .iter()
        .zip(&made)
        .take_while(|(found, made)| found == made);
    let line = 1 + same.count();
    assert!(
        found == made,
        "{path}:{line} is not what the code says; run `cargo xtask docs`"
    );
    Ok(())
}
