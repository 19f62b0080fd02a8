//! The public listener: `POST /v1/beacons`.

use std::net::IpAddr;
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use beekeepr_service::Shutdown;
use beekeepr_service::cidr::{Cidr, any_contains};
use beekeepr_service::http::{self, Limits, Peer};
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::{Beacons, Refusal};
use crate::clock::now_ms;

/// A report has 300 bytes, and 2 KiB of swarm id at most.
const BODY_BYTES_MAX: usize = 4_096;

/// For a body of that size.
const BODY_TIME: Duration = Duration::from_secs(5);

/// Browsers keep connections for the next report; 8 KiB each.
const LIMITS: Limits = Limits {
    connections_max: 10_000,
    head_time: Duration::from_secs(15),
    connection_time: Duration::from_secs(3_600),
    head_bytes_max: 8 * 1024,
    drain_time: Duration::from_secs(1),
};

#[derive(Clone)]
struct Door {
    beacons: Beacons,
    trusted: Vec<Cidr>,
}

/// Takes reports until the shutdown.
pub(crate) async fn start(
    listener: TcpListener,
    beacons: Beacons,
    trusted: Vec<Cidr>,
    shutdown: Shutdown,
) {
    let router = Router::new()
        .route("/v1/beacons", post(take).options(preflight))
        .with_state(Door { beacons, trusted });
    http::serve(listener, router, LIMITS, Some(shutdown)).await;
}

/// Any page may report; nothing is told in return.
const CORS: [(HeaderName, HeaderValue); 3] = [
    (
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    ),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("content-type"),
    ),
    (
        header::ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static("86400"),
    ),
];

async fn preflight() -> Response {
    (StatusCode::NO_CONTENT, CORS).into_response()
}

async fn take(State(door): State<Door>, request: Request) -> Response {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
    let from = client(peer, request.headers(), &door.trusted);
    let body = timeout(BODY_TIME, to_bytes(request.into_body(), BODY_BYTES_MAX)).await;
    let Ok(Ok(body)) = body else {
        return (StatusCode::PAYLOAD_TOO_LARGE, CORS).into_response();
    };
    let status = match door.beacons.take(&body, from, now_ms()) {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(Refusal::TooOften) => StatusCode::TOO_MANY_REQUESTS,
        Err(Refusal::Full) => StatusCode::SERVICE_UNAVAILABLE,
        Err(refusal) => {
            let text = refusal.as_str();
            return (StatusCode::BAD_REQUEST, CORS, text).into_response();
        }
    };
    (status, CORS).into_response()
}

/// Who reports: the last address in `X-Forwarded-For` that is no proxy of ours, if the connection comes from one.
fn client(peer: Option<IpAddr>, headers: &HeaderMap, trusted: &[Cidr]) -> IpAddr {
    let mut from = peer.unwrap_or(IpAddr::from([0, 0, 0, 0]));
    let lines = headers
        .get_all("x-forwarded-for")
        .into_iter()
        .filter_map(|it| it.to_str().ok());
    let addresses: Vec<&str> = lines.flat_map(|it| it.split(',')).collect();
    for text in addresses.into_iter().rev() {
        let next = text.trim().parse::<IpAddr>();
        match next {
            Ok(next) if any_contains(trusted, from) => from = next.to_canonical(),
            Ok(_) | Err(_) => break,
        }
    }
    from
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_proxies_say_who_somebody_is() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let of = |peer: &str, forwarded: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", forwarded.parse().unwrap());
            client(peer.parse().ok(), &headers, &trusted).to_string()
        };
        assert_eq!(of("192.0.2.1", "6.6.6.6"), "192.0.2.1");
        assert_eq!(of("10.0.0.1", "6.6.6.6, 192.0.2.7"), "192.0.2.7");
        assert_eq!(of("10.0.0.1", "192.0.2.7, 10.0.0.2"), "192.0.2.7");
        assert_eq!(of("10.0.0.1", "nonsense"), "10.0.0.1");
    }
}
