//! Lists of info_hashes, from the configuration and from files.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;

use beekeepr_model::InfoHash;
use data_encoding::HEXLOWER_PERMISSIVE;

use crate::Config;

/// Notes a fault, or gives what there is without one.
pub(super) fn note<T>(faults: &mut Vec<String>, result: Result<T, String>) -> Option<T> {
    result.map_err(|fault| faults.push(fault)).ok()
}

/// The info_hashes of a list in the configuration.
pub(super) fn hashes(faults: &mut Vec<String>, key: &str, list: &[String]) -> HashSet<InfoHash> {
    let read = |text: &String| {
        let fault = format!("tracker.{key} has {text:?}: {EXPECTED}");
        note(faults, info_hash(text).ok_or(fault))
    };
    list.iter().filter_map(read).collect()
}

/// The only swarms there may be, when the configuration says so.
pub(super) fn allow_list(faults: &mut Vec<String>, config: &Config) -> Option<HashSet<InfoHash>> {
    let (list, file) = (&config.info_hashes, &config.info_hashes_file);
    if list.is_empty() && file.is_none() {
        return None;
    }
    let mut allowed = hashes(faults, "info_hashes", list);
    if let Some(file) = file {
        match fs::read_to_string(file) {
            Ok(text) => allowed.extend(read_lines(faults, &text)),
            Err(error) => faults.push(format!(
                "tracker.info_hashes_file is {}: {error}; expected a file with an info_hash in each line",
                file.display()
            )),
        }
    }
    Some(allowed)
}

/// Whom each info_hash belongs to.
pub(super) fn swarm_ids(
    faults: &mut Vec<String>,
    lists: &BTreeMap<String, Vec<String>>,
) -> HashMap<InfoHash, String> {
    let mut ids = HashMap::new();
    for (swarm_id, list) in lists {
        let key = format!("tokens.swarm_ids.{swarm_id:?}");
        let hashes = hashes(faults, &key, list).into_iter();
        ids.extend(hashes.map(|hash| (hash, swarm_id.clone())));
    }
    ids
}

const EXPECTED: &str = "expected an info_hash: 20 characters, or 40 hexadecimal digits";

/// One info_hash in each line; empty ones and those that begin with `#` are passed over.
fn read_lines(faults: &mut Vec<String>, text: &str) -> Vec<InfoHash> {
    let lines = text.lines().map(str::trim).enumerate();
    let filled = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let read = |(number, line): (usize, &str)| {
        let fault = || format!("tracker.info_hashes_file, line {}: {EXPECTED}", number + 1);
        note(faults, info_hash(line).ok_or_else(fault))
    };
    filled.filter_map(read).collect()
}

fn info_hash(text: &str) -> Option<InfoHash> {
    if let Ok(hash) = InfoHash::from_chars(text) {
        return Some(hash);
    }
    let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?;
    bytes.try_into().ok().map(InfoHash)
}
