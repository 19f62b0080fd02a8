//! The generations of clients, and how each names swarms and numbers segments.
//!
//! p2p-media-loader changed its rules twice. Clients of different generations never meet, so whoever wants to
//! reach all of them joins three swarms for each stream.

use md5::Md5;
use sha1::{Digest, Sha1};

/// A family of clients that name swarms and number segments in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Generation {
    /// p2p-media-loader 1.x to 2.2.x.
    V2Index,
    /// p2p-media-loader 2.3.x to 4.x, and Beekeepr's own client.
    V2,
    /// p2p-media-loader 5.x.
    V3,
}

/// What a stream's part of the swarm's name is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityRule {
    /// The stream's place among those of its kind, as the player lists them.
    Index,
    /// What the manifest says of it, brought into one form whichever player read it.
    Normalised,
    /// What the manifest says of it, as written.
    AsWritten,
}

/// What a segment's number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbering {
    /// HLS: the media sequence while live, the place in the playlist on demand. DASH: half seconds, cut off.
    OfPlayers,
    /// HLS: the media sequence. DASH: tenths of seconds on the presentation timeline, rounded.
    OfManifests,
}

/// All that differs from generation to generation.
struct Rules {
    /// How the swarm's string begins.
    prefix: &'static str,
    /// The 15 bytes that become the 20 characters of the info hash.
    digest: fn(&str) -> [u8; 15],
    identity: IdentityRule,
    numbering: Numbering,
}

/// p2p-media-loader 2.2.2 and 2.3.1: `utils/peer.ts`, `utils/stream.ts`, the adapters' `segment-manager.ts`;
/// 5.0: `stream-identity.ts`, specs/segment-identity.md. The files in tests/fixtures/golden hold each to it.
const RULES: [Rules; Generation::ALL.len()] = [
    Rules {
        prefix: "v2",
        digest: md5_tail,
        identity: IdentityRule::Index,
        numbering: Numbering::OfPlayers,
    },
    Rules {
        prefix: "v2",
        digest: sha1_head,
        identity: IdentityRule::Normalised,
        numbering: Numbering::OfPlayers,
    },
    Rules {
        prefix: "v3",
        digest: sha1_head,
        identity: IdentityRule::AsWritten,
        numbering: Numbering::OfManifests,
    },
];

impl Generation {
    /// Every generation, newest last.
    pub const ALL: [Self; 3] = [Self::V2Index, Self::V2, Self::V3];

    const fn rules(self) -> &'static Rules {
        &RULES[self as usize]
    }

    /// How the swarm's string begins.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        self.rules().prefix
    }

    /// What names its streams.
    #[must_use]
    pub const fn identity_rule(self) -> IdentityRule {
        self.rules().identity
    }

    /// What numbers its segments.
    #[must_use]
    pub const fn numbering(self) -> Numbering {
        self.rules().numbering
    }

    pub(crate) fn digest(self, text: &str) -> [u8; 15] {
        (self.rules().digest)(text)
    }
}

/// MD5 without its first byte.
fn md5_tail(text: &str) -> [u8; 15] {
    let mut tail = [0; 15];
    tail.copy_from_slice(&Md5::digest(text)[1..]);
    tail
}

/// The beginning of SHA-1.
fn sha1_head(text: &str) -> [u8; 15] {
    let mut head = [0; 15];
    head.copy_from_slice(&Sha1::digest(text)[..15]);
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_generations_order() {
        let prefixes = Generation::ALL.map(Generation::prefix);
        assert_eq!(prefixes, ["v2", "v2", "v3"]);
        let rules = Generation::ALL.map(Generation::identity_rule);
        assert_eq!(
            rules,
            [
                IdentityRule::Index,
                IdentityRule::Normalised,
                IdentityRule::AsWritten
            ]
        );
    }
}
