//! Why the origin did not give what was asked for.

use std::error::Error;

use beekeepr_playlist::ManifestError;
use beekeepr_playlist::dash::sidx::SidxError;

use super::guard::Refusal;

/// Text: what was seen, what was expected, what to try.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OriginError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the server answered {0}, expected 200; check the address and its access rules")]
    Status(u16),
    #[error("the server cannot be reached: {0}; check the address and that the server runs")]
    Network(String),
    #[error("the server took too long; check its load and the network")]
    Timeout,
    #[error("it has more than {0} bytes; check the address")]
    TooLong(u64),
    #[error("it is empty; check the origin's packager")]
    Empty,
    #[error(
        "the server answered {0}, expected 206 and the bytes asked for; serve byte ranges or list \
         whole files"
    )]
    Range(u16),
    #[error("{0}; check the address in a player")]
    Manifest(#[from] ManifestError),
    #[error(
        "a manifest of manifests, expected a playlist of segments; check the origin's packager"
    )]
    NotMedia,
    #[error("{0}")]
    Index(#[from] SidxError),
    #[error("the server's answer has no Date, expected one; check the manifest's UTCTiming")]
    NoDate,
    #[error(
        "no rendition is one of {wanted}, the manifest has {listed}; check the channel's renditions"
    )]
    NoRendition { wanted: String, listed: String },
}

impl OriginError {
    /// The HTTP status, 0 when there was none.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Status(status) | Self::Range(status) => *status,
            Self::Refused(_)
            | Self::Network(_)
            | Self::Timeout
            | Self::TooLong(_)
            | Self::Empty
            | Self::Manifest(_)
            | Self::NotMedia
            | Self::Index(_)
            | Self::NoDate
            | Self::NoRendition { .. } => 0,
        }
    }

    /// Whether the address may have run out, as those with tokens do: a newer manifest may have another one.
    pub(crate) fn may_be_stale(&self) -> bool {
        matches!(self, Self::Status(401 | 403 | 404 | 410))
    }

    /// Whether another try could end otherwise. A missing segment may just not have reached the
    /// CDN's edge yet, so 404 is one.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Status(status) => *status >= 500 || matches!(status, 404 | 408 | 425 | 429),
            Self::Network(_) | Self::Timeout | Self::Empty => true,
            Self::Refused(_)
            | Self::TooLong(_)
            | Self::Range(_)
            | Self::Manifest(_)
            | Self::NotMedia
            | Self::Index(_)
            | Self::NoDate
            | Self::NoRendition { .. } => false,
        }
    }
}

impl From<reqwest::Error> for OriginError {
    fn from(error: reqwest::Error) -> Self {
        let mut cause: &(dyn Error + 'static) = &error;
        loop {
            if let Some(refusal) = cause.downcast_ref::<Refusal>() {
                return Self::Refused(refusal.clone());
            }
            match cause.source() {
                Some(source) => cause = source,
                None if error.is_timeout() => return Self::Timeout,
                // The innermost cause says most: "connection refused", "certificate expired".
                None => return Self::Network(cause.to_string()),
            }
        }
    }
}
