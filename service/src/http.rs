//! HTTP with limits. `axum::serve` has none: whoever opens connections and says nothing holds them for
//! ever, and with enough of them the process has no files left to open.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::Shutdown;

/// How long to wait when no connection can be accepted, for want of open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// What visitors may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Visitors at a time; others wait to be accepted.
    pub connections_max: usize,
    /// How long a request's head may take, and how long a connection may wait for its next request.
    pub head_time: Duration,
    /// How long a connection may live.
    pub connection_time: Duration,
    /// The largest head of a request.
    pub head_bytes_max: usize,
    /// How long answers under way may take once the shutdown is asked for.
    pub drain_time: Duration,
}

/// Who a request comes from; in the extensions of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Serves until the shutdown and what is under way by then. Without a shutdown, until the task is aborted.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    shutdown: Option<Shutdown>,
) {
    let seats = Arc::new(Semaphore::new(limits.connections_max));
    let accepting = async {
        // Nobody closes the semaphore.
        while let Ok(seat) = Arc::clone(&seats).acquire_owned().await {
            match listener.accept().await {
                Ok((stream, address)) => {
                    let (router, shutdown) = (router.clone(), shutdown.clone());
                    tokio::spawn(async move {
                        connection(stream, address, router, limits, shutdown).await;
                        drop(seat);
                    });
                }
                Err(error) => {
                    tracing::debug!(%error, "cannot accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    };
    tokio::select! {
        () = accepting => (),
        () = requested(shutdown.as_ref()) => (),
    }
    let all = u32::try_from(limits.connections_max).unwrap_or(u32::MAX);
    // Whoever is not done by then is cut off with the process.
    let _ = timeout(limits.drain_time, seats.acquire_many(all)).await;
}

async fn requested(shutdown: Option<&Shutdown>) {
    match shutdown {
        Some(shutdown) => shutdown.requested().await,
        None => std::future::pending().await,
    }
}

async fn connection(
    stream: TcpStream,
    address: SocketAddr,
    router: Router,
    limits: Limits,
    shutdown: Option<Shutdown>,
) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<_>| {
        request.extensions_mut().insert(Peer(address));
        hyper::service::Service::call(&router, request)
    });
    let mut served = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head_time)
            .max_buf_size(limits.head_bytes_max)
            .serve_connection(TokioIo::new(stream), service)
    );
    let life = async {
        tokio::select! {
            _ = served.as_mut() => return,
            () = requested(shutdown.as_ref()) => (),
        }
        served.as_mut().graceful_shutdown();
        let _ = served.await;
    };
    // Whatever went wrong, the visitor knows.
    let _ = timeout(limits.connection_time, life).await;
}
