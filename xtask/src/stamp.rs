//! Doing slow things only when what they depend on has changed.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::shell;

/// Folders that are results, never inputs.
const RESULTS: [&str; 4] = ["target", "node_modules", "dist", ".git"];

/// Does `work` unless it succeeded before with the same inputs and its results are still there.
/// Inputs and results are files or folders, relative to the workspace.
pub(crate) fn when_changed(
    name: &str,
    inputs: &[&str],
    results: &[&str],
    work: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let stamp = shell::root().join("target/xtask").join(name);
    let now = fingerprint(inputs)?;
    let complete = results
        .iter()
        .all(|result| shell::root().join(result).exists());
    if complete && fs::read_to_string(&stamp).is_ok_and(|before| before == now) {
        return Ok(());
    }
    work()?;
    fs::create_dir_all(stamp.parent().context("a stamp is in a folder")?)?;
    // Taken anew: some work writes its own inputs, npm its lock file for example.
    fs::write(&stamp, fingerprint(inputs)?)?;
    Ok(())
}

/// Changes with any file's path, size or time of change.
fn fingerprint(inputs: &[&str]) -> Result<String> {
    let mut files = Vec::new();
    for input in inputs {
        collect(&shell::root().join(input), &mut files)?;
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        let metadata = fs::metadata(&file)?;
        (&file, metadata.len(), metadata.modified()?).hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// All files at or below a path; none when it does not exist.
pub(crate) fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            if !RESULTS.iter().any(|result| entry.file_name() == *result) {
                collect(&entry.path(), files)?;
            }
        }
    } else if path.exists() {
        files.push(path.to_owned());
    }
    Ok(())
}
