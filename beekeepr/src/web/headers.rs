//! Headers of every response: what a browser may do with it.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// The page runs only its own scripts and WebAssembly. It may connect anywhere, since channels,
/// trackers and peers are wherever the operator says; hls.js uses `blob:` for its worker and for
/// what it feeds the video element with.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src blob:; \
    style-src 'self'; img-src 'self' data:; media-src blob:; connect-src *; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// Everything served is public and the same for everybody, hence readable from any page.
const EVERYWHERE: [(HeaderName, &str); 6] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        "content-length, content-range, date, etag",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "cross-origin",
    ),
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// Preflights are sent for Range headers; a day is the longest that a browser remembers.
const PREFLIGHT: [(HeaderName, &str); 3] = [
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD"),
    (header::ACCESS_CONTROL_ALLOW_HEADERS, "range, if-none-match"),
    (header::ACCESS_CONTROL_MAX_AGE, "86400"),
];

/// Answers preflights and adds the headers to all other responses.
pub(super) async fn add(request: Request, next: Next) -> Response {
    let mut response = if request.method() == Method::OPTIONS {
        (StatusCode::NO_CONTENT, PREFLIGHT).into_response()
    } else {
        next.run(request).await
    };
    for (name, value) in EVERYWHERE {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}
