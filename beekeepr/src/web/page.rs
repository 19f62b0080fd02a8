//! What the page needs to know, served as `/config.json`.

use serde::Serialize;

use super::assets;

/// The page's configuration. Addresses are those really bound; the page puts its own host name in
/// place of loopback and unspecified ones, so that it works from another machine too.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page {
    /// Of this binary.
    pub(crate) version: &'static str,
    /// Whether the browser client is part of this binary; without it the page plays by HTTP alone.
    pub(crate) client_built: bool,
    /// Whether hls.js is part of this binary; without it nothing plays.
    pub(crate) player_built: bool,
    /// WebSocket addresses; empty when no tracker runs.
    pub(crate) trackers: Vec<String>,
    /// `stun:` addresses; empty when no STUN server runs.
    pub(crate) stun: Vec<String>,
    /// Whether the tracker lets in only who has a token.
    pub(crate) wants_tokens: bool,
    /// What can be watched; the first is played at once.
    pub(crate) channels: Vec<Channel>,
}

/// Something to watch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Channel {
    /// For people.
    pub(crate) name: String,
    /// The master playlist, relative to the page or absolute.
    pub(crate) manifest: String,
    /// The swarm's name, the same for all viewers and the seeder.
    pub(crate) swarm_id: String,
}

impl Page {
    /// The page for these servers and channels.
    pub(crate) fn new(trackers: Vec<String>, stun: Vec<String>, channels: Vec<Channel>) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            client_built: assets::has_client(),
            player_built: assets::has_hls_js(),
            trackers,
            stun,
            wants_tokens: false,
            channels,
        }
    }
}
