//! A multivariant playlist, and what it hands down to its media playlists.

use crate::{Address, Encryption, Start, Stream};

/// An HLS multivariant playlist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Multivariant {
    /// The streams in the order of the manifest, main ones first.
    pub streams: Vec<Stream>,
    /// EXT-X-DEFINE: media playlists may import them, so hand them to [`crate::read_with`].
    pub variables: Variables,
    /// EXT-X-SESSION-KEY: how media is encrypted, as far as it is said beforehand.
    pub session_keys: Vec<Encryption>,
    /// EXT-X-CONTENT-STEERING.
    pub steering: Option<Steering>,
    /// EXT-X-INDEPENDENT-SEGMENTS.
    pub independent_segments: bool,
    /// EXT-X-START.
    pub start: Option<Start>,
}

/// EXT-X-CONTENT-STEERING: another server says which of several origins to use. All pathways carry the same bytes and
/// describe them alike, so their viewers share swarms whatever the steering says, and nothing here asks that server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steering {
    /// SERVER-URI.
    pub server: Address,
    /// PATHWAY-ID: which pathway to begin with.
    pub pathway: Option<String>,
}

/// Variables of EXT-X-DEFINE by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables(pub(crate) Vec<(String, String)>);

impl Variables {
    /// What a name stands for.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}
