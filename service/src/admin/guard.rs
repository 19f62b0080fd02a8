//! Who may ask below `/v1/`, and who may change something there.
//!
//! The listener is for the operator and for programs. A page in a browser on the same machine could reach it too, and the
//! operator would not notice. Browsers say where a request comes from (`Origin`, `Sec-Fetch-Site`), so requests of pages are
//! refused; the listener has none of its own. A body must be `application/json`, which a page cannot send elsewhere without
//! being asked first (CORS), for browsers too old to say it.

use std::hint::black_box;

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, ORIGIN};
use axum::http::{HeaderMap, Method};

use super::resource::Reply;

/// Shorter tokens can be tried out.
pub const TOKEN_CHARS_MIN: usize = 16;

/// Why a request below `/v1/` is not answered, if so.
pub(super) fn refusal(method: &Method, headers: &HeaderMap, token: Option<&str>) -> Option<Reply> {
    let site = headers.get("sec-fetch-site");
    // `none` is what somebody typed into the address bar.
    let is_of_page = headers.contains_key(ORIGIN) || site.is_some_and(|site| site != "none");
    if is_of_page {
        let detail = "the request comes from a web page, expected a program; use curl or the like";
        return Some(Reply::problem(403, detail));
    }
    if token.is_some_and(|token| !bears(headers, token)) {
        let detail = "expected `Authorization: Bearer` with the token of admin.token_file";
        return Some(Reply::problem(401, detail));
    }
    if *method == Method::PUT && !is_json(headers) {
        let detail = "expected `Content-Type: application/json`";
        return Some(Reply::problem(415, detail));
    }
    None
}

fn bears(headers: &HeaderMap, token: &str) -> bool {
    let given = headers.get(AUTHORIZATION).and_then(|it| it.to_str().ok());
    let given = given.and_then(|it| it.split_once(' '));
    given.is_some_and(|(scheme, given)| {
        scheme.eq_ignore_ascii_case("bearer") && is_same(given.trim(), token)
    })
}

/// In a time that does not tell where they differ.
fn is_same(one: &str, other: &str) -> bool {
    let pairs = one.bytes().zip(other.bytes());
    let differences = pairs.fold(0, |seen, (a, b)| black_box(seen | (a ^ b)));
    one.len() == other.len() && differences == 0
}

fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let media_type = media_type.and_then(|it| it.split(';').next());
    media_type.is_some_and(|it| it.trim().eq_ignore_ascii_case("application/json"))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn status(
        method: &Method,
        headers: &[(&'static str, &'static str)],
        token: Option<&str>,
    ) -> u16 {
        let headers = headers.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        refusal(method, &headers.collect(), token).map_or(200, |reply| reply.status())
    }

    const JSON: (&str, &str) = ("content-type", "application/json; charset=utf-8");

    #[test]
    fn pages_are_refused_whatever_they_ask() {
        for page in [
            ("origin", "http://127.0.0.1:9000"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-origin"),
        ] {
            for method in [Method::GET, Method::PUT, Method::DELETE] {
                assert_eq!(status(&method, &[JSON, page], None), 403, "{page:?}");
            }
        }
        assert_eq!(
            status(&Method::GET, &[("sec-fetch-site", "none")], None),
            200
        );
    }

    #[test]
    fn what_a_page_could_send_without_being_asked_first_changes_nothing() {
        for form in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
        ] {
            assert_eq!(status(&Method::PUT, &[("content-type", form)], None), 415);
        }
        assert_eq!(status(&Method::PUT, &[], None), 415);
        assert_eq!(status(&Method::PUT, &[JSON], None), 200);
    }

    #[test]
    fn with_a_token_nobody_gets_in_without_it() {
        let token = Some("0123456789abcdef");
        for wrong in [
            "Bearer 0123456789abcdeF",
            "Bearer 0123456789abcde",
            "Bearer 0123456789abcdef0",
            "Basic 0123456789abcdef",
            "0123456789abcdef",
            "",
        ] {
            let headers = [("authorization", wrong)];
            assert_eq!(status(&Method::GET, &headers, token), 401, "{wrong}");
        }
        assert_eq!(status(&Method::GET, &[], token), 401);
        let headers = [("authorization", "bearer 0123456789abcdef")];
        assert_eq!(status(&Method::GET, &headers, token), 200);
    }
}
