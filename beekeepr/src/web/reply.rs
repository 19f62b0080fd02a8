//! Responses with files: types, caching and byte ranges (RFC 9110, 9111).

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use beekeepr_service::range::{Part, part};

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

#[cfg(test)]
mod tests {
    use super::*;

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
