//! HTTP with limits. `axum::serve` has none: whoever opens connections and says nothing holds them for
//! ever, and with enough of them the process has no files left to open.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// Visitors at a time: a few collectors of metrics, probes, and the operator.
const CONNECTIONS_MAX: usize = 64;

/// How long a request's head may take, and how long a connection may wait for its next request. Longer
/// than collectors take between sending and sending, shorter than probes wait before they give up twice.
const HEAD_TIME: Duration = Duration::from_secs(5);

/// How long a connection may live. Collectors open another one.
const CONNECTION_TIME: Duration = Duration::from_secs(600);

/// The largest head of a request.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// How long to wait when no connection can be accepted, for want of open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// Serves until the task is aborted.
pub(super) async fn always(listener: TcpListener, router: Router) {
    let seats = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    // Nobody closes the semaphore.
    while let Ok(seat) = Arc::clone(&seats).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                let router = router.clone();
                tokio::spawn(async move {
                    connection(stream, router).await;
                    drop(seat);
                });
            }
            Err(error) => {
                tracing::debug!(%error, "cannot accept a connection to the admin listener");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, router: Router) {
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    // Whatever went wrong, the visitor knows.
    let _ = timeout(CONNECTION_TIME, served).await;
}
