//! The dashboard's files, which are part of the program. The page asks the API for everything, and no other server for
//! anything.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// Paths and contents, sorted.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/dashboard.rs"));

/// What the page may do: its own script and style, its own server, nothing else; nobody may frame it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

/// Beside what every answer of the listener says.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// A build's files have its digest in their names, so a copy is good for as long as anybody wants.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// The page names the files: asked for each time.
const CHECK: &str = "no-cache";

/// In the place of the page when it was not built.
const MISSING: &str = "the dashboard was not built into this binary; run `cargo xtask up`\n";

/// The page at `/` and its files.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/", get(file))
        .route("/favicon.svg", get(file))
        .route("/assets/{name}", get(file))
        .layer(middleware::from_fn(harden))
}

async fn file(uri: Uri) -> Response {
    let path = match uri.path() {
        "/" => "/index.html",
        other => other,
    };
    let Some(bytes) = find(FILES, path) else {
        let text = match FILES.is_empty() {
            true => MISSING,
            false => "there is no such file\n",
        };
        return (StatusCode::NOT_FOUND, text).into_response();
    };
    let is_named_by_content = path.starts_with("/assets/");
    let caching = if is_named_by_content { FOREVER } else { CHECK };
    let headers = [
        (header::CONTENT_TYPE, content_type(path)),
        (header::CACHE_CONTROL, caching),
    ];
    (headers, Body::from(bytes)).into_response()
}

fn find(files: &'static [(&str, &[u8])], path: &str) -> Option<&'static [u8]> {
    let index = files.binary_search_by_key(&path, |(path, _)| path).ok()?;
    files.get(index).map(|(_, bytes)| *bytes)
}

async fn harden(request: axum::extract::Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
