//! What can be told of a manifest before it is parsed.

use crate::{MANIFEST_BYTES_MAX, ManifestError};

/// Characters of foreign text that are quoted in an error.
const QUOTED_CHARS_MAX: usize = 40;

const BYTE_ORDER_MARK: char = '\u{feff}';

/// The text, if it looks like HLS.
pub(crate) fn check(text: &[u8]) -> Result<&str, ManifestError> {
    if text.len() > MANIFEST_BYTES_MAX {
        return Err(ManifestError::TooLong(text.len()));
    }
    let utf8 = std::str::from_utf8(text);
    // Media is often given for its manifest by mistake; say what it is rather than that it is no text.
    if !text.trim_ascii_start().starts_with(b"#EXTM3U") && utf8.is_err() {
        return Err(ManifestError::NotHls(quote(&String::from_utf8_lossy(text))));
    }
    let text = utf8.map_err(|error| ManifestError::NotUtf8(error.valid_up_to()))?;
    let text = text.trim_start_matches(BYTE_ORDER_MARK).trim_start();
    if text.starts_with("#EXTM3U") {
        Ok(text)
    } else if text.contains("<MPD") {
        Err(ManifestError::Dash)
    } else {
        Err(ManifestError::NotHls(quote(text)))
    }
}

/// Whether it is a media playlist; the same test as hls.js 1.7 makes.
pub(crate) fn is_media(text: &str) -> bool {
    text.contains("#EXTINF:") || text.contains("#EXT-X-TARGETDURATION:")
}

/// The text without the titles of its segments: m3u8-rs 6.0.1 takes what follows a comma in a title
/// for one more segment.
pub(crate) fn without_titles(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 1);
    for line in text.lines() {
        let title = line
            .starts_with("#EXTINF:")
            .then(|| line.split_once(','))
            .flatten();
        out.push_str(title.map_or(line, |(duration, _)| duration));
        out.push_str(if title.is_some() { ",\n" } else { "\n" });
    }
    out
}

/// The first line, cut to a length that fits a log line.
pub(crate) fn quote(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let mut quoted: String = line.chars().take(QUOTED_CHARS_MAX).collect();
    if quoted.len() < line.len() {
        quoted.push('…');
    }
    quoted
}
