//! Why a text cannot be used as a manifest.

use std::fmt;

use crate::MANIFEST_BYTES_MAX;

/// Why a text cannot be used as a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ManifestError {
    /// Longer than [`MANIFEST_BYTES_MAX`].
    TooLong(usize),
    /// It begins as no manifest does; here is how it begins.
    NotAManifest(String),
    /// A DASH manifest that makes no sense at one place.
    Dash(Fault),
    /// It is no UTF-8 from this byte on.
    NotUtf8(usize),
    /// The address that it came from is none of the web.
    Address(String),
    /// An HLS manifest that makes no sense at one place.
    Hls(Fault),
}

/// What is wrong at one place of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// The byte at which the line begins.
    pub offset: usize,
    /// What stands there, cut to a length that fits a log line.
    pub seen: String,
    /// What should stand there.
    pub expected: &'static str,
    /// What to try.
    pub remedy: &'static str,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(bytes) => write!(
                f,
                "manifest has {bytes} bytes, expected at most {MANIFEST_BYTES_MAX}; shorten the packager's window"
            ),
            Self::NotAManifest(seen) => write!(
                f,
                "not a manifest: it begins with {seen:?}, expected #EXTM3U of HLS or <MPD> of DASH; check the address"
            ),
            Self::Dash(fault) => write!(f, "DASH manifest, {fault}"),
            Self::NotUtf8(at) => write!(
                f,
                "manifest is no UTF-8 text at byte {at}; have the packager write UTF-8"
            ),
            Self::Address(seen) => write!(
                f,
                "manifest came from {seen:?}, expected an absolute http or https address"
            ),
            Self::Hls(fault) => write!(f, "HLS manifest, {fault}"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            line,
            offset,
            seen,
            expected,
            remedy,
        } = self;
        write!(
            f,
            "line {line} (byte {offset}): seen {seen:?}, expected {expected}; {remedy}"
        )
    }
}

impl std::error::Error for ManifestError {}
