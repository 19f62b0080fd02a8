//! What requests bring, with refusals that say what is wrong.

use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::problem::{Answer, Problem};
use crate::store::{Expected, Page};

/// A channel with every setting has 8 KiB.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// A file of 10,000 networks with names has 400 KB.
const FILE_BYTES_MAX: usize = 1024 * 1024;

/// For a body of that size over the worst of connections that an operator may have.
const BODY_TIME: Duration = Duration::from_secs(10);

/// Things in one answer: the most, and without a wish.
const LIMIT_MAX: i64 = 500;
const LIMIT: i64 = 100;

/// A body of JSON.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Answer<Self> {
        let media_type = request.headers().get(header::CONTENT_TYPE);
        let media_type = media_type
            .and_then(|it| it.to_str().ok())
            .unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Problem::new(
                status,
                "expected `Content-Type: application/json`",
            ));
        }
        let bytes = read(request, BODY_BYTES_MAX).await?;
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let status = if error.inner().is_data() {
                StatusCode::UNPROCESSABLE_ENTITY
            } else {
                StatusCode::BAD_REQUEST
            };
            Problem::new(status, format!("the body: {error}"))
        })?;
        json.end()
            .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error.to_string()))?;
        Ok(Self(value))
    }
}

/// A body of text.
pub(crate) struct Text(pub(crate) String);

impl<S: Send + Sync> FromRequest<S> for Text {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Answer<Self> {
        let bytes = read(request, FILE_BYTES_MAX).await?;
        let text = String::from_utf8(bytes);
        text.map(Self)
            .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "the body is no UTF-8 text"))
    }
}

async fn read(request: Request, bytes_max: usize) -> Answer<Vec<u8>> {
    let read = tokio::time::timeout(BODY_TIME, to_bytes(request.into_body(), bytes_max)).await;
    let read =
        read.map_err(|_| Problem::new(StatusCode::REQUEST_TIMEOUT, "the body took too long"))?;
    let bytes = read.map_err(|_| {
        let detail = format!("the body cannot be read, expected at most {bytes_max} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    })?;
    Ok(bytes.to_vec())
}

/// The query of a request.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        let read = Query::<T>::from_request_parts(parts, state).await;
        let Query(params) =
            read.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error.body_text()))?;
        Ok(Self(params))
    }
}

/// The name in the path.
pub(crate) struct Name(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        let read = axum::extract::Path::<String>::from_request_parts(parts, state).await;
        let axum::extract::Path(name) =
            read.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error.body_text()))?;
        // PostgreSQL has no text with a zero in it.
        if name.contains('\0') || name.len() > 256 {
            let status = StatusCode::BAD_REQUEST;
            return Err(Problem::new(status, "the name in the path is none"));
        }
        Ok(Self(name))
    }
}

/// Which part of a list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// Those after this name: `next` of the answer before.
    after: Option<String>,
    /// At most so many, 1 to 500; 100 without it.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
}

impl Paging {
    /// For the store: one more than asked for, which tells whether there is more.
    pub(crate) fn page(&self, tenant: Option<String>) -> Answer<Page> {
        let after = self.after.clone().unwrap_or_default();
        if after.contains('\0') {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "`after` is no name"));
        }
        Ok(Page {
            tenant,
            after,
            limit: limit(self.limit)? + 1,
        })
    }
}

/// How many things to show.
pub(crate) fn limit(asked: Option<i64>) -> Answer<i64> {
    let limit = asked.unwrap_or(LIMIT);
    if (1..=LIMIT_MAX).contains(&limit) {
        return Ok(limit);
    }
    let detail = format!("limit is {limit}, expected 1 to {LIMIT_MAX}");
    Err(Problem::new(StatusCode::BAD_REQUEST, detail))
}

/// A part of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Listing<T: ToSchema> {
    /// The things.
    pub(crate) items: Vec<T>,
    /// What to send as `after` (`before` for the audit log) to get more; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

impl<T: ToSchema> Listing<T> {
    /// Of what the store gave for a page, which may be one too many.
    pub(crate) fn new(mut items: Vec<T>, page_limit: i64, name: impl Fn(&T) -> String) -> Self {
        let shown = usize::try_from(page_limit - 1).unwrap_or_default();
        let has_more = items.len() > shown;
        items.truncate(shown);
        let next = items.last().filter(|_| has_more).map(name);
        Self { items, next }
    }
}

/// The state that a change is for, by `If-Match` and `If-None-Match` (RFC 9110, 13.1).
pub(crate) fn expected(headers: &HeaderMap) -> Answer<Expected> {
    let value = |name| {
        let value = headers.get(name);
        value.map(|value| value.to_str().unwrap_or("?").trim().to_owned())
    };
    let failed = || Err(Problem::from(crate::store::StoreError::Conflict));
    match (value(header::IF_MATCH), value(header::IF_NONE_MATCH)) {
        (Some(tag), _) if tag == "*" => Ok(Expected::Present),
        (Some(tag), _) => match revision(&tag) {
            Some(revision) => Ok(Expected::Revision(revision)),
            // Another's, or a list of states of which one at most is ours.
            None => failed(),
        },
        (None, Some(tag)) if tag == "*" => Ok(Expected::Absent),
        (None, Some(_)) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "expected `If-None-Match: *` to make something new, or `If-Match` with its ETag",
        )),
        (None, None) => Ok(Expected::Any),
    }
}

fn revision(tag: &str) -> Option<i64> {
    tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

/// The `ETag` of a revision.
pub(crate) fn etag(revision: i64) -> String {
    format!("\"{revision}\"")
}
