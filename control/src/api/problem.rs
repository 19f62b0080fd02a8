//! Errors as the API tells them (RFC 9457).

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::documents::RegistryError;
use crate::store::StoreError;
use crate::vault::VaultError;

/// Why a request was not done: `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// The HTTP status.
    status: u16,
    /// What the status means.
    title: &'static str,
    /// What was seen, what was expected, what to try.
    detail: String,
}

/// What a handler gives.
pub(crate) type Answer<T> = Result<T, Problem>;

impl Problem {
    /// With this status and text.
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status: status.as_u16(),
            title: status.canonical_reason().unwrap_or_default(),
            detail: detail.into(),
        }
    }

    /// Nobody is known by what the request brought.
    pub(crate) fn unknown() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "no good API key or session; expected `Authorization: Bearer bk_...` or the dashboard's cookie",
        )
    }

    /// Somebody is known, and may not.
    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    /// There is no such thing, or it is somebody else's.
    pub(crate) fn absent(what: &str, name: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            format!("there is no {what} {name:?}"),
        )
    }

    /// The request is understood, and cannot be done as it is.
    pub(crate) fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// It comes too often.
    pub(crate) fn too_often() -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too many requests; wait some seconds",
        )
    }

    /// The HTTP status.
    pub(crate) fn status(&self) -> u16 {
        self.status
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => Self::new(StatusCode::PRECONDITION_FAILED, error.to_string()),
            StoreError::Full(_) => Self::new(StatusCode::CONFLICT, error.to_string()),
            StoreError::Unusable(_) | StoreError::Failed(_) => {
                // The text may have addresses in it, which are for the log.
                tracing::error!(%error, "the store cannot answer");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "the database does not answer; see the log of control and try again",
                )
            }
        }
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        tracing::error!(%error, "a record cannot be sealed or opened");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "a record cannot be sealed or opened; see the log of control",
        )
    }
}

impl From<RegistryError> for Problem {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Store(error) => error.into(),
            RegistryError::Vault(error) => error.into(),
            RegistryError::Damaged(error) => {
                tracing::error!(%error, "a record cannot be read");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "a record cannot be read; see the log of control",
                )
            }
        }
    }
}
