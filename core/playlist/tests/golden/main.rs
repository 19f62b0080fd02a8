//! Our reading of manifests beside that of p2p-media-loader's clients.
//!
//! tests/fixtures/golden has manifests and, for each generation of clients, the streams and segments it sees in them
//! (tests/interop/golden writes them down). What we see must be the same, save for what `differences.txt` names: each
//! line there has its reason, and one that is no longer true fails too.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that got something else has failed"
)]

mod dash;
mod file;
mod hls;

use std::collections::BTreeSet;

use beekeepr_model::{Generation, InfoHash, swarm_id};
use serde_json::Value;

use file::{Case, View};

const DIFFERENCES: &str = include_str!("differences.txt");
const SWARM_IDS: &str = include_str!("../../../../tests/fixtures/swarm-ids.json");

/// A stream as we see it.
struct Seen {
    /// Its playlist's address, or its Representation's id.
    key: String,
    info_hash: InfoHash,
    /// Number and address, with the first and last byte of a part.
    segments: Vec<(i64, String)>,
}

#[test]
fn we_see_what_the_foreign_clients_see() {
    let cases = file::cases();
    let seen: BTreeSet<String> = cases.iter().flat_map(differences).collect();
    let named: BTreeSet<String> = DIFFERENCES
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(str::to_owned)
        .collect();
    let new: Vec<_> = seen.difference(&named).map(String::as_str).collect();
    let gone: Vec<_> = named.difference(&seen).map(String::as_str).collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "differences without a reason:\n{}\n\nreasons without a difference:\n{}",
        new.join("\n"),
        gone.join("\n")
    );
}

/// Up to 4.x clients name a swarm by where the manifest came from, 5.x by what was asked for.
#[test]
fn swarm_ids_are_those_of_the_foreign_clients() {
    const NONE: &[&str] = &[];
    for case in file::cases() {
        for (generation, view) in &case.views {
            let address = match generation {
                Generation::V2Index | Generation::V2 => &case.answered,
                Generation::V3 => &case.requested,
            };
            assert_eq!(swarm_id(address, NONE), view.swarm_id, "{}", case.name);
        }
    }
}

/// The browser client's tests read the same file.
#[test]
fn swarm_ids_are_those_of_the_browser_client() {
    let vectors: Vec<Value> = serde_json::from_str(SWARM_IDS).unwrap();
    for vector in &vectors {
        let keep: Vec<_> = vector["keep"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let address = vector["address"].as_str().unwrap();
        assert_eq!(swarm_id(address, &keep), vector["id"], "{address}");
    }
}

fn differences(case: &Case) -> Vec<String> {
    let of_view = |(generation, view): &(Generation, View)| {
        let seen = if case.is_dash() {
            dash::streams(case, *generation, &view.swarm_id)
        } else {
            hls::streams(case, *generation, &view.swarm_id)
        };
        let lines = compare(&seen, view);
        lines
            .into_iter()
            .map(|line| format!("{} {generation:?} {line}", case.name))
            .collect::<Vec<_>>()
    };
    case.views.iter().flat_map(of_view).collect()
}

fn compare(ours: &[Seen], theirs: &View) -> Vec<String> {
    let mut lines = Vec::new();
    for stream in &theirs.streams {
        let key = short(&stream.key);
        match ours.iter().find(|it| it.key == stream.key) {
            None => lines.push(format!("{key}: only they see it")),
            Some(it) if it.info_hash.to_string() != stream.info_hash => {
                lines.push(format!(
                    "{key}: their swarm is {} of {}",
                    stream.info_hash, stream.swarm
                ));
            }
            Some(it) => lines.extend(compare_segments(key, &it.segments, &stream.segments)),
        }
    }
    let unknown = |it: &&Seen| theirs.streams.iter().all(|stream| stream.key != it.key);
    lines.extend(
        ours.iter()
            .filter(unknown)
            .map(|it| format!("{}: only we see it", short(&it.key))),
    );
    lines
}

/// A Representation's id, or the last two parts of an address.
fn short(key: &str) -> &str {
    let slash = key.rmatch_indices('/').nth(1);
    slash.map_or(key, |(at, _)| &key[at + 1..])
}

fn compare_segments(key: &str, ours: &[(i64, String)], theirs: &[(i64, String)]) -> Vec<String> {
    let only = |ones: &[(i64, String)], others: &[(i64, String)]| {
        let ids = ones
            .iter()
            .filter(|it| !others.contains(it))
            .map(|(id, _)| id.to_string());
        ids.collect::<Vec<_>>().join(" ")
    };
    match (only(theirs, ours), only(ours, theirs)) {
        (a, b) if a.is_empty() && b.is_empty() && ours == theirs => Vec::new(),
        (a, b) => vec![format!("{key}: segments only they see: {a}; only we: {b}")],
    }
}
