//! Commands of the peer protocol, written by one side and read by the other: ours and the code of
//! p2p-media-loader from npm, thousands of them from a seed.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends at what it does not expect"
)]

mod commands;
mod odd;
mod random;

use beekeepr_interop::node;
use serde_json::{Value, json};

/// The generations of the protocol's code that npm serves.
const PACKAGES: [&str; 2] = ["p2p-media-loader-core", "p2p-media-loader-core-2-2"];

/// What a package makes of each entry of a batch; see `wire/commands.mjs`.
struct Batch {
    commands: Vec<Value>,
    chunks: Vec<String>,
    bodies: Vec<String>,
}

impl Batch {
    fn ask(&self, package: &str) -> Value {
        let Self {
            commands,
            chunks,
            bodies,
        } = self;
        let batch = json!({ "commands": commands, "chunks": chunks, "bodies": bodies });
        match node("wire/commands.mjs", &[package], &batch) {
            Ok(answer) => answer,
            Err(error) => panic!("{error:#}"),
        }
    }
}
