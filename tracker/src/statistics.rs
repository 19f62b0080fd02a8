//! What is in the tracker, for its operator.

use std::fmt::Write;

use tokio::sync::oneshot;

use crate::post::{Mail, Post, SwarmSize};

/// Swarms listed at most, whatever is asked for.
const SWARMS_LISTED_MAX: usize = 1_000;

/// Looks into a running tracker.
#[derive(Clone, Debug)]
pub struct Statistics {
    post: Post,
}

impl Statistics {
    pub(crate) fn new(post: Post) -> Self {
        Self { post }
    }

    /// The swarms with the most peers, at most so many (and at most 1,000), as JSON:
    /// `{"swarms":[{"info_hash":"…","complete":1,"incomplete":2}]}`. Hashes are in hexadecimal, as
    /// they need not be text. No addresses, no peer ids.
    pub async fn largest_swarms(&self, swarms: usize) -> String {
        let swarms = swarms.min(SWARMS_LISTED_MAX);
        let mut found = Vec::new();
        for letter_box in self.post.all() {
            let (reply, answer) = oneshot::channel();
            // A worker that ended has no swarms.
            if letter_box
                .send(Mail::Largest { swarms, reply })
                .await
                .is_ok()
            {
                found.extend(answer.await.unwrap_or_default());
            }
        }
        found.sort_unstable_by_key(|it: &SwarmSize| std::cmp::Reverse(it.peers()));
        found.truncate(swarms);
        json(&found)
    }
}

fn json(swarms: &[SwarmSize]) -> String {
    let mut text = "{\"swarms\":[".to_owned();
    for (place, swarm) in swarms.iter().enumerate() {
        text.push_str(if place == 0 { "{" } else { ",{" });
        text.push_str("\"info_hash\":\"");
        for byte in swarm.info_hash.0 {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        let _ = write!(
            text,
            "\",\"complete\":{},\"incomplete\":{}}}",
            swarm.complete, swarm.incomplete
        );
    }
    text.push_str("]}\n");
    text
}
