//! Every committed input, through its target, without a fuzzer.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers as well"
)]

use std::collections::BTreeSet;
use std::fs;
use std::panic;
use std::path::{Path, PathBuf};

use beekeepr_fuzz::TARGETS;

/// What the corpora may weigh together: inputs are minimised, not collected.
const CORPORA_BYTES_MAX: u64 = 1_000_000;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn stems(folder: &Path) -> BTreeSet<String> {
    let files = files(folder);
    let stems = files.iter().map(|file| file.file_stem().unwrap());
    stems
        .map(|stem| stem.to_string_lossy().into_owned())
        .collect()
}

#[test]
fn all_committed_inputs_hold() {
    for (name, target) in TARGETS {
        let inputs = files(&folder("corpus").join(name));
        assert!(!inputs.is_empty(), "{name} has no inputs");
        for input in inputs {
            let data = fs::read(&input).unwrap();
            let held = panic::catch_unwind(|| target(&data));
            assert!(held.is_ok(), "does not hold for {}", input.display());
        }
    }
}

#[test]
fn every_target_has_inputs_and_a_fuzzer_and_nothing_else_does() {
    let names: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(stems(&folder("corpus")), names);
    assert_eq!(stems(&folder("cargo-fuzz/fuzz_targets")), names);
}

#[test]
fn the_corpora_are_small() {
    let folders = files(&folder("corpus"));
    let inputs = folders.iter().flat_map(|folder| files(folder));
    let bytes: u64 = inputs.map(|input| input.metadata().unwrap().len()).sum();
    assert!(bytes <= CORPORA_BYTES_MAX, "{bytes} bytes");
}
