//! Responses with files: types, caching and byte ranges (RFC 9110, 9111).

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Range;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// How long a copy may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caching {
    /// Ask each time whether it has changed: another version of the binary has other files.
    Check,
    /// What this address names never changes. A day: live segments are of no use after that.
    Forever,
}

impl Caching {
    fn header(self) -> &'static str {
        match self {
            Self::Check => "no-cache",
            Self::Forever => "public, max-age=86400, immutable",
        }
    }
}

/// A file, whole or the part that was asked for, or the news that it has not changed.
pub(super) fn file(
    path: &str,
    bytes: &'static [u8],
    caching: Caching,
    request: &HeaderMap,
) -> Response {
    let tag = tag(bytes);
    let headers = [
        (header::CONTENT_TYPE, content_type(path)),
        (header::CACHE_CONTROL, caching.header()),
        (header::ACCEPT_RANGES, "bytes"),
        (header::ETAG, tag.as_str()),
    ];
    let asked = |name: HeaderName| request.get(name).and_then(|value| value.to_str().ok());
    if asked(header::IF_NONE_MATCH).is_some_and(|known| known.contains(&tag)) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    // A range of what the client has an older part of is answered with the whole.
    let is_same = asked(header::IF_RANGE).is_none_or(|known| known == tag);
    let range = asked(header::RANGE).filter(|_| is_same);
    match range.map_or(Part::Whole, |range| part(range, bytes.len())) {
        Part::Whole => (headers, Body::from(bytes)).into_response(),
        Part::Range(range) => {
            let content = format!("bytes {}-{}/{}", range.start, range.end - 1, bytes.len());
            let body = Body::from(bytes.get(range).unwrap_or_default());
            let range = [(header::CONTENT_RANGE, content)];
            (StatusCode::PARTIAL_CONTENT, headers, range, body).into_response()
        }
        Part::Outside => {
            let range = [(header::CONTENT_RANGE, format!("bytes */{}", bytes.len()))];
            (StatusCode::RANGE_NOT_SATISFIABLE, range).into_response()
        }
    }
}

/// A live playlist. A second of caching lets a cache in front answer many viewers with one request
/// and delays a segment of two seconds by half of it at most.
pub(super) fn playlist(text: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type("index.m3u8")),
        (header::CACHE_CONTROL, "public, max-age=1"),
    ];
    (headers, text).into_response()
}

/// There is no such file.
pub(super) fn not_found(path: &str) -> Response {
    // Not the path itself: it is the client's text.
    let hint = if path.starts_with("client/") || path.starts_with("vendor/") {
        "the browser client was not built into this binary; run `cargo xtask up`\n"
    } else {
        "there is no such file\n"
    };
    let headers = [(header::CACHE_CONTROL, "no-store")];
    (StatusCode::NOT_FOUND, headers, hint).into_response()
}

/// Changes with the content; need not be the same on another machine.
fn tag(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json" | "map") => "application/json",
        Some("wasm") => "application/wasm",
        Some("m3u8") => "application/vnd.apple.mpegurl",
        Some("ts") if path.ends_with(".d.ts") => "text/plain; charset=utf-8",
        Some("ts") => "video/mp2t",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// What a Range header asks for.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// No range, several ranges or nonsense: a server may always send the whole.
    Whole,
    Range(Range<usize>),
    Outside,
}

fn part(header: &str, length: usize) -> Part {
    let Some((from, to)) = header
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
    else {
        return Part::Whole;
    };
    let range = match (from.parse::<usize>().ok(), to.parse::<usize>().ok()) {
        (Some(from), Some(to)) if from <= to => from..to.saturating_add(1).min(length),
        (Some(from), None) if to.is_empty() => from..length,
        // The last bytes; more than there are means all.
        (None, Some(last)) if from.is_empty() => length.saturating_sub(last)..length,
        _ => return Part::Whole,
    };
    if range.is_empty() {
        Part::Outside
    } else {
        Part::Range(range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_the_file() {
        assert_eq!(part("bytes=0-3", 10), Part::Range(0..4));
        assert_eq!(part("bytes=4-", 10), Part::Range(4..10));
        assert_eq!(part("bytes=-3", 10), Part::Range(7..10));
        assert_eq!(part("bytes=-30", 10), Part::Range(0..10));
        assert_eq!(part("bytes=8-18446744073709551615", 10), Part::Range(8..10));
    }

    #[test]
    fn a_range_outside_is_refused() {
        for header in ["bytes=10-", "bytes=10-12", "bytes=-0"] {
            assert_eq!(part(header, 10), Part::Outside, "{header}");
        }
    }

    #[test]
    fn what_is_no_single_range_gets_the_whole() {
        for header in [
            "bytes=",
            "bytes=-",
            "bytes=3-1",
            "bytes=0-1,3-4",
            "lines=0-1",
            "bytes=a-b",
        ] {
            assert_eq!(part(header, 10), Part::Whole, "{header}");
        }
    }

    #[test]
    fn the_client_gets_the_types_browsers_insist_on() {
        assert_eq!(content_type("client/engine_bg.wasm"), "application/wasm");
        assert_eq!(
            content_type("client/index.js"),
            "text/javascript; charset=utf-8"
        );
        assert_eq!(content_type("demo/live/360p/1.ts"), "video/mp2t");
    }
}
