//! Against a real HTTP server on a free port.

use std::future::ready;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_ENCODING, LOCATION, RANGE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

mod ways;

use super::*;
use crate::tls;

/// `#EXTM3U\n`, packed by gzip.
const PACKED: [u8; 28] = [
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 83, 118, 141, 8, 241, 53, 14, 229, 2, 0, 181, 152, 236, 65, 8,
    0, 0, 0,
];

async fn serve(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn origin(any: bool) -> Origin {
    Origin::new(
        Guard::new(any, &[]),
        &tls::client_config().unwrap(),
        Deadlines::default(),
    )
    .unwrap()
}

fn url(address: SocketAddr, path: &str) -> Url {
    Url::parse(&format!("http://{address}{path}")).unwrap()
}

/// What comes of fetching `/` as a segment.
async fn segment(router: Router, range: Option<ByteRange>) -> Result<Bytes, OriginError> {
    let source = Arc::new(Source::new(url(serve(router).await, "/"), range));
    let (_, outcome) = origin(true)
        .segment(&source, Backoff::new(1), ready(None))
        .await;
    outcome.map(|fetched| fetched.bytes)
}

fn always(answer: impl IntoResponse + Clone + Send + Sync + 'static) -> Router {
    Router::new().fallback(get(async move || answer.clone()))
}

#[tokio::test]
async fn a_segment_arrives_byte_for_byte() {
    assert_eq!(segment(always("media"), None).await.unwrap(), "media");
}

/// Unpacked here, it would have other bytes than what a browser's peers have.
#[tokio::test]
async fn a_packed_segment_is_not_asked_for_but_a_packed_manifest_is_unpacked() {
    let packed = async |headers: HeaderMap| -> Response {
        if !headers.contains_key("accept-encoding") {
            return "plain".into_response();
        }
        ([(CONTENT_ENCODING, "gzip")], PACKED.to_vec()).into_response()
    };
    let address = serve(Router::new().fallback(get(packed))).await;
    let origin = origin(true);
    let source = Arc::new(Source::new(url(address, "/"), None));
    let (_, outcome) = origin.segment(&source, Backoff::new(1), ready(None)).await;
    assert_eq!(outcome.ok().unwrap().bytes, "plain");
    let manifest = origin
        .manifest(&url(address, "/"), Duration::ZERO)
        .await
        .map(|text| text.bytes);
    assert_eq!(manifest.unwrap(), "#EXTM3U\n");
}

#[tokio::test]
async fn a_segment_that_comes_late_to_the_edge_is_tried_again() {
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    let answer = async move || match counted.fetch_add(1, Ordering::Relaxed) {
        0 => Err(StatusCode::NOT_FOUND),
        _ => Ok("media"),
    };
    let outcome = segment(Router::new().fallback(get(answer)), None).await;
    assert_eq!(outcome.unwrap(), "media");
    assert_eq!(requests.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_refused_segment_is_not_tried_again() {
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    let answer = async move || {
        counted.fetch_add(1, Ordering::Relaxed);
        StatusCode::FORBIDDEN
    };
    let outcome = segment(Router::new().fallback(get(answer)), None).await;
    assert_eq!(outcome, Err(OriginError::Status(403)));
    assert_eq!(requests.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn an_empty_segment_is_none() {
    assert_eq!(segment(always(""), None).await, Err(OriginError::Empty));
}

#[tokio::test]
async fn a_range_is_asked_for_and_checked() {
    let answer = async |headers: HeaderMap| {
        assert_eq!(headers[RANGE], "bytes=2-4");
        (StatusCode::PARTIAL_CONTENT, "cde")
    };
    let range = Some(ByteRange { start: 2, end: 5 });
    let router = Router::new().fallback(get(answer));
    assert_eq!(segment(router.clone(), range).await.unwrap(), "cde");
    assert_eq!(
        segment(always("abcdefgh"), range).await,
        Err(OriginError::Range(200))
    );
    let short = always((StatusCode::PARTIAL_CONTENT, "cd"));
    assert_eq!(segment(short, range).await, Err(OriginError::Range(206)));
    let empty = Some(ByteRange { start: 5, end: 5 });
    assert_eq!(segment(router, empty).await, Err(OriginError::Empty));
}

#[tokio::test]
async fn too_much_is_given_up_whether_or_not_it_is_announced() {
    let chunk = Bytes::from(vec![0u8; 1024 * 1024]);
    let endless = async move || {
        let chunks = futures_util::stream::repeat(Ok::<_, std::fmt::Error>(chunk.clone()));
        Body::from_stream(chunks)
    };
    let router = Router::new().fallback(get(endless));
    let too_long = OriginError::TooLong(MANIFEST_BYTES_MAX as u64);
    let address = serve(router).await;
    let outcome = origin(true)
        .manifest(&url(address, "/"), Duration::ZERO)
        .await;
    assert_eq!(outcome.err(), Some(too_long.clone()));
    let address = serve(always(vec![b' '; MANIFEST_BYTES_MAX + 1])).await;
    let outcome = origin(true)
        .manifest(&url(address, "/"), Duration::ZERO)
        .await;
    assert_eq!(outcome.err(), Some(too_long));
}

#[tokio::test]
async fn a_manifest_tells_where_it_came_from_after_redirects() {
    let router = Router::new()
        .route(
            "/old",
            get(async || (StatusCode::FOUND, [(LOCATION, "/deep/new.m3u8")])),
        )
        .route("/deep/new.m3u8", get(async || "#EXTM3U"));
    let address = serve(router).await;
    let text = origin(true)
        .manifest(&url(address, "/old"), Duration::ZERO)
        .await
        .ok()
        .unwrap();
    assert_eq!(text.url, url(address, "/deep/new.m3u8"));
}

#[tokio::test]
async fn endless_redirects_end() {
    let router = always((StatusCode::FOUND, [(LOCATION, "/")]));
    let outcome = origin(true)
        .manifest(&url(serve(router).await, "/"), Duration::ZERO)
        .await;
    assert_eq!(outcome.err(), Some(OriginError::Status(302)));
}

#[tokio::test]
async fn a_redirect_to_a_private_address_is_refused() {
    // The first host is listed, as a public one would pass; the second is not.
    let inner = serve(always("secret")).await;
    let target = format!("http://127.0.0.2:{}/", inner.port());
    let outer = serve(always((StatusCode::FOUND, [(LOCATION, target)]))).await;
    let guard = Guard::new(false, &["127.0.0.1".into()]);
    let origin = Origin::new(guard, &tls::client_config().unwrap(), Deadlines::default()).unwrap();
    let error = origin
        .manifest(&url(outer, "/"), Duration::ZERO)
        .await
        .err()
        .unwrap();
    assert!(matches!(error, OriginError::Refused(_)), "{error}");
    assert!(
        error
            .to_string()
            .contains("host 127.0.0.2 has the private address"),
        "{error}"
    );
}

#[tokio::test]
async fn a_name_for_a_private_address_is_refused() {
    let address = serve(always("secret")).await;
    let url = Url::parse(&format!("http://localhost:{}/", address.port())).unwrap();
    let error = origin(false)
        .manifest(&url, Duration::ZERO)
        .await
        .err()
        .unwrap();
    assert!(matches!(error, OriginError::Refused(_)), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_as_such() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = origin(true)
        .manifest(&url(address, "/"), Duration::ZERO)
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.starts_with("the server cannot be reached: "),
        "{error}"
    );
    assert!(error.contains("refused"), "{error}");
}

/// What a channel of a server's sees, with deadlines that a test can wait for.
fn hurried(manifest: &Url) -> Origin {
    let deadlines = Deadlines {
        silence: Duration::from_millis(50),
        ..Deadlines::default()
    };
    let tls = tls::client_config().unwrap();
    let origin = Origin::new(Guard::new(true, &[]), &tls, deadlines).unwrap();
    origin.of_channel(&secret_channel(manifest))
}

fn secret_channel(manifest: &Url) -> Channel {
    let manifest = manifest.as_str().parse().unwrap();
    let mut channel = Channel::new("tv".into(), manifest);
    let secret = crate::config::Secret("1".into());
    channel.headers.insert("x-key".into(), secret);
    channel
}

/// The first answer begins and stalls, the next one is whole.
#[tokio::test]
async fn a_stalled_connection_is_given_up_and_the_segment_tried_again() {
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    let answer = async move || match counted.fetch_add(1, Ordering::Relaxed) {
        0 => {
            let begin = futures_util::stream::iter([Ok::<_, std::fmt::Error>("me")]);
            let stalled = futures_util::StreamExt::chain(begin, futures_util::stream::pending());
            Body::from_stream(stalled)
        }
        _ => Body::from("media"),
    };
    let address = serve(Router::new().fallback(get(answer))).await;
    let source = Arc::new(Source::new(url(address, "/"), None));
    let origin = hurried(&url(address, "/tv.m3u8"));
    let (_, outcome) = origin.segment(&source, Backoff::new(1), ready(None)).await;
    assert_eq!(outcome.ok().unwrap().bytes, "media");
    assert_eq!(requests.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let router = Router::new().fallback(get(async || std::future::pending::<String>().await));
    let address = serve(router).await;
    let origin = hurried(&url(address, "/tv.m3u8"));
    let outcome = origin.manifest(&url(address, "/"), Duration::ZERO).await;
    assert_eq!(outcome.err(), Some(OriginError::Timeout));
    // Unless it was asked to wait.
    let url = url(address, "/");
    let held = origin.manifest(&url, Duration::from_secs(60));
    let outcome = tokio::time::timeout(Duration::from_millis(150), held).await;
    assert!(outcome.is_err());
}

#[tokio::test]
async fn credentials_do_not_follow_a_redirect_to_another_host() {
    let told = async |headers: HeaderMap| format!("{:?}", headers.get("x-key"));
    let foreign = serve(Router::new().fallback(get(told))).await;
    let target = format!("http://localhost:{}/", foreign.port());
    let address = serve(
        Router::new()
            .route("/tv.m3u8", get(told))
            .fallback(get(async move || (StatusCode::FOUND, [(LOCATION, target)]))),
    )
    .await;
    let origin = hurried(&url(address, "/tv.m3u8"));
    let seen = async |path| origin.manifest(&url(address, path), Duration::ZERO).await;
    assert_eq!(seen("/away").await.ok().unwrap().bytes, "None");
    assert_eq!(seen("/tv.m3u8").await.ok().unwrap().bytes, "Some(\"1\")");
}

#[tokio::test]
async fn a_redirect_to_a_host_that_is_not_the_channels_is_refused() {
    let foreign = serve(always("secret")).await;
    let target = format!("http://localhost:{}/", foreign.port());
    let address = serve(always((StatusCode::FOUND, [(LOCATION, target)]))).await;
    let channel = Channel {
        allowed_hosts: vec!["cdn.example".into()],
        ..secret_channel(&url(address, "/"))
    };
    let origin = origin(true).of_channel(&channel);
    let outcome = origin.manifest(&url(address, "/"), Duration::ZERO).await;
    let error = outcome.err().unwrap().to_string();
    assert!(
        error.contains("localhost is not one of the channel's"),
        "{error}"
    );
}

#[tokio::test]
async fn a_manifest_that_has_not_changed_is_not_sent_again() {
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let answer = async move |headers: HeaderMap| {
        if headers.get("if-none-match").is_some_and(|it| it == "\"1\"") {
            return StatusCode::NOT_MODIFIED.into_response();
        }
        counted.fetch_add(1, Ordering::Relaxed);
        ([("etag", "\"1\"")], "#EXTM3U").into_response()
    };
    let address = serve(Router::new().fallback(get(answer))).await;
    let origin = origin(true);
    for _ in 0..3 {
        let text = origin.manifest(&url(address, "/"), Duration::ZERO).await;
        assert_eq!(text.ok().unwrap().bytes, "#EXTM3U");
    }
    assert_eq!(sent.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_servers_clock_is_read_from_its_date() {
    let dated = always([("date", "Sun, 06 Nov 1994 08:49:37 GMT")]);
    let address = serve(dated).await;
    let date = origin(true).date_ms(&url(address, "/")).await;
    assert_eq!(date, Ok(784_111_777_000));
}
