//! Streams: what viewers choose among.

/// Which role a stream has in its presentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StreamKind {
    /// Video, muxed media, or the audio of an audio-only presentation.
    Main,
    /// An alternate audio rendition.
    Secondary,
}

impl StreamKind {
    /// As written in the swarm's string.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Secondary => "secondary",
        }
    }
}
