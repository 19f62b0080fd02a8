//! Responses: types, caching, byte ranges (RFC 9110, 9111).

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use beekeepr_model::ByteRange;
use beekeepr_service::range::{Part, part};
use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use ring::digest::{SHA256, digest};

use crate::origin::OriginError;

/// For caches in front of us and in browsers. A second lets a cache answer many viewers with one request, and delays a
/// segment of two seconds by half of it at most.
const LIVE_MANIFEST: &str = "public, max-age=1";
/// What does not change any more may still be published anew.
const FINAL_MANIFEST: &str = "public, max-age=60";
/// Long enough for all viewers of a window; a live origin that starts over may use an address again.
const LIVE_SEGMENT: &str = "public, max-age=600, immutable";
const SEGMENT: &str = "public, max-age=86400, immutable";
const NEVER: &str = "no-store";

/// Everything served is the same for everybody, hence readable from any page.
const EVERYWHERE: [(HeaderName, &str); 4] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        "content-length, content-range, date, etag",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "cross-origin",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// Preflights are sent for Range headers; a day is the longest that a browser remembers.
const PREFLIGHT: [(HeaderName, &str); 3] = [
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD"),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        "range, if-range, if-none-match",
    ),
    (header::ACCESS_CONTROL_MAX_AGE, "86400"),
];

pub(super) fn for_pages(mut response: Response) -> Response {
    for (name, value) in EVERYWHERE {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

pub(super) fn preflight() -> Response {
    (StatusCode::NO_CONTENT, PREFLIGHT).into_response()
}

pub(super) fn manifest(text: Bytes, is_dash: bool, is_live: bool) -> Response {
    let kind = if is_dash {
        "application/dash+xml"
    } else {
        "application/vnd.apple.mpegurl"
    };
    let caching = if is_live {
        LIVE_MANIFEST
    } else {
        FINAL_MANIFEST
    };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, caching),
    ];
    (headers, text).into_response()
}

/// A whole file, of which the request may want a part, or nothing if it has it.
pub(super) fn segment(path: &str, bytes: &Bytes, is_live: bool, request: &HeaderMap) -> Response {
    let tag = tag(bytes);
    let headers = [
        (header::CONTENT_TYPE, content_type(path)),
        (
            header::CACHE_CONTROL,
            if is_live { LIVE_SEGMENT } else { SEGMENT },
        ),
        (header::ACCEPT_RANGES, "bytes"),
        (header::ETAG, tag.as_str()),
    ];
    let known = asked(request, header::IF_NONE_MATCH);
    if known.is_some_and(|known| known.contains(&tag)) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    // Who has a part of something else gets the whole.
    let is_same = asked(request, header::IF_RANGE).is_none_or(|known| known == tag);
    let range = asked(request, header::RANGE).filter(|_| is_same);
    match range.map_or(Part::Whole, |range| part(range, bytes.len())) {
        Part::Whole => (headers, Body::from(bytes.clone())).into_response(),
        Part::Range(range) => {
            let content = format!("bytes {}-{}/{}", range.start, range.end - 1, bytes.len());
            let range = ([(header::CONTENT_RANGE, content)], bytes.slice(range));
            (StatusCode::PARTIAL_CONTENT, headers, range).into_response()
        }
        Part::Outside => {
            let range = [(header::CONTENT_RANGE, format!("bytes */{}", bytes.len()))];
            (StatusCode::RANGE_NOT_SATISFIABLE, range).into_response()
        }
    }
}

/// A part of a file that is not here as a whole, nor is its length.
pub(super) fn range(path: &str, range: ByteRange, bytes: Bytes, is_live: bool) -> Response {
    let content = format!("bytes {}-{}/*", range.start, range.end - 1);
    let headers = [
        (header::CONTENT_TYPE, content_type(path)),
        (
            header::CACHE_CONTROL,
            if is_live { LIVE_SEGMENT } else { SEGMENT },
        ),
        (header::ACCEPT_RANGES, "bytes"),
        (header::CONTENT_RANGE, content.as_str()),
    ];
    (StatusCode::PARTIAL_CONTENT, headers, bytes).into_response()
}

/// There is no such thing here. Players learn nothing of what there is elsewhere.
pub(super) fn not_found() -> Response {
    short(StatusCode::NOT_FOUND, "there is no such file")
}

/// Why the origin did not give what was asked for, without saying where it is.
pub(super) fn failure(error: &OriginError) -> Response {
    match error {
        OriginError::Status(status @ (404 | 410)) => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::NOT_FOUND);
            short(status, "the origin has no such file")
        }
        OriginError::Status(status) => {
            let reason = format!("the origin answered {status}");
            short(StatusCode::BAD_GATEWAY, &reason)
        }
        OriginError::Timeout => short(StatusCode::GATEWAY_TIMEOUT, "the origin took too long"),
        OriginError::Network(_) => short(StatusCode::BAD_GATEWAY, "the origin cannot be reached"),
        OriginError::Refused(_) => short(
            StatusCode::BAD_GATEWAY,
            "the address is not one of the channel's",
        ),
        OriginError::TooLong(bytes) => {
            let reason = format!("the file has more than {bytes} bytes; ask for ranges");
            short(StatusCode::BAD_GATEWAY, &reason)
        }
        OriginError::Empty | OriginError::Range(_) => short(
            StatusCode::BAD_GATEWAY,
            "the origin sent less than it should",
        ),
        OriginError::Manifest(_)
        | OriginError::NotMedia
        | OriginError::Index(_)
        | OriginError::NoDate
        | OriginError::NoRendition { .. } => short(
            StatusCode::BAD_GATEWAY,
            "what the origin sent cannot be read",
        ),
    }
}

pub(super) fn short(status: StatusCode, reason: &str) -> Response {
    let headers = [(header::CACHE_CONTROL, NEVER)];
    (status, headers, format!("{reason}\n")).into_response()
}

pub(super) fn asked(request: &HeaderMap, name: HeaderName) -> Option<&str> {
    request.get(name).and_then(|value| value.to_str().ok())
}

/// The range with both ends, as players ask for segments in larger files.
pub(super) fn closed_range(request: &HeaderMap) -> Option<ByteRange> {
    let range = asked(request, header::RANGE)?.strip_prefix("bytes=")?;
    let (first, last) = range.split_once('-')?;
    let (start, last) = (first.parse().ok()?, last.parse::<u64>().ok()?);
    let end = last.checked_add(1)?;
    (start < end).then_some(ByteRange { start, end })
}

/// The same for the same bytes, on every machine.
fn tag(bytes: &[u8]) -> String {
    let digest = digest(&SHA256, bytes);
    let half = digest.as_ref().get(..16).unwrap_or_default();
    format!("\"{}\"", BASE64URL_NOPAD.encode(half))
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("ts") => "video/mp2t",
        Some("m4s" | "cmfv" | "cmfa") => "video/iso.segment",
        Some("mp4" | "m4v" | "mp4v") => "video/mp4",
        Some("m4a") => "audio/mp4",
        Some("aac") => "audio/aac",
        Some("webm") => "video/webm",
        Some("vtt" | "webvtt") => "text/vtt",
        Some("ttml" | "xml") => "application/ttml+xml",
        Some("json") => "application/json",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some(_) | None => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_name_no_address() {
        let error = OriginError::Network("connection refused by 10.0.0.1".into());
        assert_eq!(failure(&error).status(), StatusCode::BAD_GATEWAY);
        assert_eq!(
            failure(&OriginError::Timeout).status(),
            StatusCode::GATEWAY_TIMEOUT
        );
        assert_eq!(
            failure(&OriginError::Status(410)).status(),
            StatusCode::GONE
        );
        assert_eq!(
            failure(&OriginError::Status(503)).status(),
            StatusCode::BAD_GATEWAY
        );
    }
}
