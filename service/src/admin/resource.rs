//! Things that an operator may change: `GET`, `PUT` and `DELETE` of what a role has, by name.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio::time::timeout;

/// A channel with every setting has 2 KiB; credentials may be long.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// For a body of that size over the worst of connections that an operator may have.
const BODY_TIME: Duration = Duration::from_secs(5);

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// To be shown.
    Get,
    /// To be as in the body from now on.
    Put,
    /// To be no more.
    Delete,
}

/// A request that has passed the guard.
#[derive(Clone, Debug)]
pub struct Request {
    /// What is wanted.
    pub verb: Verb,
    /// Of which thing; `None` for all of them.
    pub name: Option<String>,
    /// Only if it is in the state with this `ETag` (`If-Match`), `*` for any.
    pub if_match: Option<String>,
    /// Only if it is not in this state (`If-None-Match`), `*` for not there at all.
    pub if_none_match: Option<String>,
    /// Empty unless it is a `PUT`.
    pub body: Vec<u8>,
}

/// An answer, in JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    status: u16,
    media_type: &'static str,
    etag: Option<String>,
    body: String,
}

impl Reply {
    /// JSON; `status` is an HTTP status.
    #[must_use]
    pub fn json(status: u16, body: String) -> Self {
        Self {
            status,
            media_type: "application/json",
            etag: None,
            body,
        }
    }

    /// Done, with nothing to say.
    #[must_use]
    pub fn empty() -> Self {
        Self::json(204, String::new())
    }

    /// Why it was not done (RFC 9457): what was seen, what was expected, what to try.
    #[must_use]
    pub fn problem(status: u16, detail: &str) -> Self {
        let title = StatusCode::from_u16(status).ok();
        let title = title.and_then(|it| it.canonical_reason()).unwrap_or("");
        let body = json!({ "title": title, "status": status, "detail": detail });
        Self {
            media_type: "application/problem+json",
            ..Self::json(status, body.to_string())
        }
    }

    /// The same with the state that it shows, for `If-Match`.
    #[must_use]
    pub fn with_etag(mut self, etag: String) -> Self {
        self.etag = Some(etag);
        self
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The JSON.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, self.body).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::NO_CONTENT {
            headers.remove(CONTENT_TYPE);
        } else {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        }
        headers.extend(
            self.etag
                .and_then(|etag| HeaderValue::try_from(etag).ok())
                .map(|etag| (ETAG, etag)),
        );
        response
    }
}

/// What answers the requests of one resource.
pub(super) type Handler =
    Arc<dyn Fn(Request) -> Pin<Box<dyn Future<Output = Reply> + Send>> + Send + Sync>;

/// The name that a path has below a resource's own; `None` when it is not below it.
pub(super) fn name_in(path: &str, resource: &str) -> Option<Result<Option<String>, Reply>> {
    let rest = path.strip_prefix(resource)?;
    if rest.is_empty() {
        return Some(Ok(None));
    }
    let name = rest.strip_prefix('/')?;
    Some(decoded(name).map(Some).ok_or_else(|| {
        let detail = "the path is no percent-encoded UTF-8 text, expected /NAME; encode the name";
        Reply::problem(400, detail)
    }))
}

/// Percent-decoding (RFC 3986, 2.1).
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |it: Option<u8>| char::from(it?).to_digit(16);
        let (high, low) = (digit(rest.next())?, digit(rest.next())?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// The request for the handler, or why there is none.
pub(super) async fn read(
    method: &Method,
    name: Option<String>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Request, Reply> {
    let verb = match *method {
        Method::GET => Verb::Get,
        Method::PUT => Verb::Put,
        Method::DELETE => Verb::Delete,
        _ => {
            let detail = format!("{method} is not known here, expected GET, PUT or DELETE");
            return Err(Reply::problem(405, &detail));
        }
    };
    let body = match verb {
        Verb::Put => {
            let read = timeout(BODY_TIME, to_bytes(body, BODY_BYTES_MAX)).await;
            let read = read.map_err(|_| Reply::problem(408, "the body took longer than 5 s"))?;
            let too_long = "the body cannot be read, expected at most 64 KiB of JSON";
            read.map_err(|_| Reply::problem(413, too_long))?.to_vec()
        }
        Verb::Get | Verb::Delete => Vec::new(),
    };
    let text = |name| headers.get(name)?.to_str().ok().map(str::to_owned);
    Ok(Request {
        verb,
        name,
        if_match: text(IF_MATCH),
        if_none_match: text(IF_NONE_MATCH),
        body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_follows_the_resource() {
        let name = |path| name_in(path, "/v1/things").map(Result::ok);
        assert_eq!(name("/v1/things"), Some(Some(None)));
        assert_eq!(
            name("/v1/things/a%20b%C3%A9"),
            Some(Some(Some("a b\u{e9}".to_owned())))
        );
        assert_eq!(name("/v1/thingsbeside"), None);
        for wrong in [
            "/v1/things/%",
            "/v1/things/%4",
            "/v1/things/%zz",
            "/v1/things/%ff",
        ] {
            assert_eq!(name(wrong), Some(None), "{wrong}");
        }
    }

    #[test]
    fn a_problem_says_what_it_is() {
        let problem = Reply::problem(409, "taken");
        assert_eq!(
            problem.body(),
            r#"{"detail":"taken","status":409,"title":"Conflict"}"#
        );
    }
}
