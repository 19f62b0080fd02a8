//! What can be told of a manifest before it is parsed.

use crate::{MANIFEST_BYTES_MAX, ManifestError};

/// Characters of foreign text that are quoted in an error.
const QUOTED_CHARS_MAX: usize = 40;

pub(crate) const BYTE_ORDER_MARK: char = '\u{feff}';

/// The text, if it looks like HLS or DASH.
pub(crate) fn check(text: &[u8]) -> Result<&str, ManifestError> {
    if text.len() > MANIFEST_BYTES_MAX {
        return Err(ManifestError::TooLong(text.len()));
    }
    let utf8 = std::str::from_utf8(text);
    // Media is often given for its manifest by mistake; say what it is rather than that it is no text.
    if !text.trim_ascii_start().starts_with(b"#EXTM3U") && utf8.is_err() {
        return Err(ManifestError::NotAManifest(quote(
            &String::from_utf8_lossy(text),
        )));
    }
    let text = utf8.map_err(|error| ManifestError::NotUtf8(error.valid_up_to()))?;
    let start = trimmed(text);
    if start.starts_with("#EXTM3U") || is_dash(start) {
        Ok(text)
    } else {
        Err(ManifestError::NotAManifest(quote(start)))
    }
}

/// Without what may stand before a manifest.
pub(crate) fn trimmed(text: &str) -> &str {
    text.trim_start_matches(BYTE_ORDER_MARK).trim_start()
}

/// Whether it looks like an MPD, which may have a prefix before its name.
pub(crate) fn is_dash(text: &str) -> bool {
    text.starts_with('<') && (text.contains("<MPD") || text.contains(":MPD"))
}

/// Whether it is a media playlist; the same test as hls.js 1.7 makes.
pub(crate) fn is_media(text: &str) -> bool {
    let tells =
        |line: &str| line.starts_with("#EXTINF:") || line.starts_with("#EXT-X-TARGETDURATION:");
    text.split('\n').any(|line| tells(line.trim_ascii_start()))
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
