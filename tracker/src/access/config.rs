//! The sections of the configuration about who may do what, and who is introduced to whom.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use beekeepr_tracker_proto::{CANDIDATES_MAX, SdpRules};
use beekeepr_trust::Key;
use serde::{Deserialize, Serialize};

use beekeepr_service::cidr::Cidr;

/// The section `tracker.tokens`: JWT access. Clients bring tokens as `?jwt=` in the tracker's URL, or as
/// the second of the WebSocket subprotocols `jwt, <token>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tokens {
    /// File with the keys that sign tokens, a JWK set: Ed25519 (EdDSA), P-256 (ES256), RSA (RS256) or
    /// secret (HS256). Several keys with a `kid` each let one follow another. Without it there are no
    /// tokens, and everybody may do everything.
    pub keys: Option<PathBuf>,
    /// Keys beside the file's: those of the process that the tracker runs in, which no file has.
    #[serde(skip)]
    pub own_keys: Vec<Key>,
    /// Whether clients without a token are refused.
    pub required: bool,
    /// What a token's `iss` may be; any when empty.
    pub issuers: Vec<String>,
    /// What a token's `aud` may be. When empty, only tokens without `aud` count.
    pub audiences: Vec<String>,
    /// How far the issuer's clock may be ahead, in seconds. It makes no token live longer.
    pub clock_skew_s: u32,
    /// The longest that a token may still count when it comes, in seconds; 0 for any time.
    pub lifetime_s_max: u32,
    /// Which keys, by `kid`, may sign tokens with the role `superpeer`; all when empty.
    pub super_peer_kids: Vec<String>,
    /// For tokens that name swarm ids: the info_hashes of each swarm id. A tracker cannot tell a swarm
    /// id from its info_hashes.
    pub swarm_ids: BTreeMap<String, Vec<String>>,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            keys: None,
            own_keys: Vec::new(),
            required: true,
            issuers: Vec::new(),
            audiences: Vec::new(),
            clock_skew_s: 30,
            lifetime_s_max: 0,
            super_peer_kids: Vec::new(),
            swarm_ids: BTreeMap::new(),
        }
    }
}

/// Whom viewers may be introduced to. Who is introduced sees the other's address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PrivacyMode {
    /// To viewers and super-peers.
    #[default]
    Mesh,
    /// To super-peers only.
    SuperpeerOnly,
}

/// The section `tracker.sdp`: which session descriptions are relayed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SdpLimits {
    /// Candidates in one description.
    pub candidates_max: usize,
    /// Whether candidates in private networks are relayed. Peers behind one router need them where their
    /// browsers do not hide them behind mDNS names. With `false` only clients that are in a private
    /// network themselves, as seen from the tracker, may send them.
    pub private_candidates: bool,
    /// Whether loopback candidates are relayed; by default when the tracker listens on loopback.
    pub loopback_candidates: Option<bool>,
}

impl Default for SdpLimits {
    fn default() -> Self {
        Self {
            candidates_max: CANDIDATES_MAX,
            private_candidates: true,
            loopback_candidates: None,
        }
    }
}

impl SdpLimits {
    pub(super) fn rules(&self, listen: IpAddr) -> SdpRules {
        SdpRules {
            candidates_max: self.candidates_max,
            allows_private: self.private_candidates,
            allows_loopback: self.loopback_candidates.unwrap_or(listen.is_loopback()),
        }
    }
}

/// The section `tracker.matching`: who is introduced to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Matching {
    /// How many of a viewer's introductions are kept for super-peers, as far as there are any.
    pub super_peer_places: usize,
    /// How many of a viewer's introductions may be to peers of one /24 (IPv6: /64) or one group, in
    /// percent, 1 to 100, as long as there are others. 100 turns this guard off.
    pub crowd_percent_max: u8,
    /// File in MaxMind's format with the autonomous systems of addresses (GeoLite2-ASN, DB-IP). With
    /// it viewers of one system are introduced to each other first.
    pub asn_file: Option<PathBuf>,
    /// File in MaxMind's format with the countries of addresses. With it viewers of one country are
    /// introduced to each other before others.
    pub country_file: Option<PathBuf>,
    /// Groups of viewers; a viewer is in the first that fits. Viewers of one group are introduced to
    /// each other first of all.
    pub groups: Vec<Group>,
}

impl Default for Matching {
    fn default() -> Self {
        let swarm = beekeepr_swarm::Config::default();
        Self {
            super_peer_places: swarm.super_peer_places,
            crowd_percent_max: swarm.crowd_percent_max,
            asn_file: None,
            country_file: None,
            groups: Vec::new(),
        }
    }
}

/// A section `tracker.matching.groups`. A viewer is in the group when one of its networks, systems or
/// countries is the viewer's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Group {
    /// What the operator calls it.
    pub name: String,
    /// Networks: `10.0.0.0/8`, `2001:db8::/32`.
    pub networks: Vec<Cidr>,
    /// Numbers of autonomous systems; needs `asn_file`.
    pub asns: Vec<u32>,
    /// Countries, two letters each; needs `country_file`.
    pub countries: Vec<String>,
    /// What its viewers do: `on` (take and give), `off` (they are introduced to nobody and play over HTTP
    /// alone) or `leech` (take only).
    pub mode: GroupMode,
}

/// What the viewers of a group do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupMode {
    /// They take and give.
    #[default]
    On,
    /// They are introduced to nobody and play over HTTP alone.
    Off,
    /// They take only.
    Leech,
}
