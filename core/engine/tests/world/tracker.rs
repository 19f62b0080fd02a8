//! Enough of a tracker to introduce engines to each other: it relays offers to some of the others.

use std::collections::BTreeMap;

use beekeepr_model::Random;
use serde_json::{Value, json};

#[derive(Default)]
pub(crate) struct Tracker {
    /// Of each swarm, peer id to node.
    swarms: BTreeMap<String, BTreeMap<String, usize>>,
    /// Announces so far, and the offers in them.
    pub(crate) announces: u64,
    pub(crate) offers: u64,
}

impl Tracker {
    /// What to send to whom after a message of node `from`.
    pub(crate) fn handle(
        &mut self,
        from: usize,
        text: &str,
        random: &mut Random,
    ) -> Vec<(usize, String)> {
        let message: Value = serde_json::from_str(text).expect("the engine writes JSON");
        let text_of = |key: &str| message[key].as_str().unwrap_or_default().to_owned();
        let (hash, peer) = (text_of("info_hash"), text_of("peer_id"));
        let members = self.swarms.entry(hash.clone()).or_default();
        if let Some(to) = message["to_peer_id"].as_str() {
            let reply = json!({"action": "announce", "info_hash": hash, "peer_id": peer,
                "offer_id": message["offer_id"], "answer": message["answer"]});
            return members
                .get(to)
                .map(|&to| (to, reply.to_string()))
                .into_iter()
                .collect();
        }
        if message["event"] == "stopped" {
            members.remove(&peer);
            return Vec::new();
        }
        members.insert(peer.clone(), from);
        let count = members.len();
        let reply = json!({"action": "announce", "info_hash": hash, "interval": 20,
            "complete": 0, "incomplete": count});
        let mut replies = vec![(from, reply.to_string())];
        let others = members.iter().filter(|(id, _)| **id != peer);
        let mut others: Vec<_> = others.collect();
        let first = random.below(others.len());
        others.rotate_left(first);
        let offers = message["offers"].as_array().cloned().unwrap_or_default();
        self.announces += 1;
        self.offers += offers.len() as u64;
        for ((_, &to), offer) in others.into_iter().zip(offers) {
            let relay = json!({"action": "announce", "info_hash": hash, "peer_id": peer,
                "offer_id": offer["offer_id"], "offer": offer["offer"]});
            replies.push((to, relay.to_string()));
        }
        replies
    }
}
