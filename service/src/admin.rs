//! The operator's listener: is the process alive, is it ready, what are its figures.
//!
//! It has a socket of its own, so it answers while the public listeners are full, and visitors that
//! say nothing are sent away.

mod serve;

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus::{Registry, TextEncoder};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::Shutdown;
use crate::net::{self, BindError};

/// The running listener. It ends when this is dropped, not when the shutdown is asked for: during
/// the drain somebody wants to read the figures.
#[derive(Debug)]
#[must_use = "the listener ends when this is dropped"]
pub struct Admin {
    address: SocketAddr,
    listener: std::net::TcpListener,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

/// A page of a role: the query of the request to JSON.
type Page = Arc<dyn Fn(&str) -> Pin<Box<dyn Future<Output = String> + Send>> + Send + Sync>;

struct Shared {
    registry: Registry,
    shutdown: Shutdown,
    /// What roles show, by path.
    pages: Mutex<BTreeMap<&'static str, Page>>,
    /// Whether each role of the process is ready.
    roles: Mutex<BTreeMap<&'static str, bool>>,
}

/// Where one role says whether it is ready.
#[derive(Clone, Debug)]
pub struct Readiness {
    role: &'static str,
    shared: Arc<Shared>,
}

impl Admin {
    /// Listens and serves `/livez`, `/readyz` and `/metrics`. Once the shutdown is asked for,
    /// `/readyz` says no, so that load balancers send nobody new while the roles drain.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(listen: SocketAddr, shutdown: Shutdown) -> Result<Self, BindError> {
        Self::start_on(net::tcp_listener(listen, false)?, shutdown).map_err(|source| BindError {
            address: listen,
            source,
        })
    }

    /// Serves on a listener of a process that this one takes over from. Needs a tokio runtime.
    ///
    /// # Errors
    /// The listener does not work.
    pub fn start_on(listener: std::net::TcpListener, shutdown: Shutdown) -> io::Result<Self> {
        let kept = listener.try_clone()?;
        let listener = TcpListener::from_std(listener)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            registry: Registry::new(),
            shutdown,
            pages: Mutex::default(),
            roles: Mutex::default(),
        });
        let task = tokio::spawn(serve::always(listener, router(Arc::clone(&shared))));
        Ok(Self {
            address,
            listener: kept,
            shared,
            task,
        })
    }

    /// The address really bound.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The listening socket, for a process that replaces this one.
    ///
    /// # Errors
    /// The system has no more open files.
    pub fn listener(&self) -> io::Result<std::net::TcpListener> {
        self.listener.try_clone()
    }

    /// Where roles register the metrics that `/metrics` shows.
    #[must_use]
    pub fn registry(&self) -> Registry {
        self.shared.registry.clone()
    }

    /// Shows JSON at a path, made anew for each request from its query (`top=10`, or nothing).
    pub fn page<F>(&self, path: &'static str, page: impl Fn(&str) -> F + Send + Sync + 'static)
    where
        F: Future<Output = String> + Send + 'static,
    {
        let page: Page = Arc::new(move |query| Box::pin(page(query)));
        let mut pages = self
            .shared
            .pages
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        pages.insert(path, page);
    }

    /// Makes the readiness of the process depend on a role, which is not ready at first.
    #[must_use]
    pub fn readiness(&self, role: &'static str) -> Readiness {
        let readiness = Readiness {
            role,
            shared: Arc::clone(&self.shared),
        };
        readiness.not_ready();
        readiness
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Readiness {
    /// The role does its work.
    pub fn ready(&self) {
        self.set(true);
    }

    /// The role does not do its work, not yet or not any more.
    pub fn not_ready(&self) {
        self.set(false);
    }

    fn set(&self, ready: bool) {
        // A panic elsewhere cannot leave a half-written map: an insert is all that happens under it.
        let mut roles = self
            .shared
            .roles
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        roles.insert(self.role, ready);
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/livez", get(async || "alive\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .fallback(get(page))
        .with_state(shared)
}

/// A page of a role, if there is one.
async fn page(State(shared): State<Arc<Shared>>, uri: Uri) -> Response {
    let page = {
        let pages = shared.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.get(uri.path()).map(Arc::clone)
    };
    match page {
        Some(page) => {
            let json = page(uri.query().unwrap_or_default()).await;
            ([(header::CONTENT_TYPE, "application/json")], json).into_response()
        }
        None => (StatusCode::NOT_FOUND, "no such page\n").into_response(),
    }
}

/// 200 when every role is ready, else 503; the text names the roles either way.
async fn readyz(State(shared): State<Arc<Shared>>) -> (StatusCode, String) {
    let draining = shared.shutdown.is_requested();
    let roles = shared.roles.lock().unwrap_or_else(PoisonError::into_inner);
    let all_ready = !draining && !roles.is_empty() && roles.values().all(|ready| *ready);
    let mut text = String::new();
    for (role, ready) in roles.iter() {
        let state = match (draining, ready) {
            (true, _) => "draining",
            (false, true) => "ready",
            (false, false) => "not ready",
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{role}: {state}");
    }
    if roles.is_empty() {
        text.push_str("no role has started\n");
    }
    (
        if all_ready {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        },
        text,
    )
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let mut text = String::new();
    match TextEncoder::new().encode_utf8(&shared.registry.gather(), &mut text) {
        Ok(()) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use prometheus::IntCounter;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    /// Status and whole response text of one GET.
    async fn get(admin: &Admin, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(admin.address()).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        (
            response.split(' ').nth(1).unwrap().parse().unwrap(),
            response,
        )
    }

    async fn start() -> (crate::Trigger, Admin) {
        let (trigger, shutdown) = Shutdown::new();
        let admin = Admin::start("127.0.0.1:0".parse().unwrap(), shutdown)
            .await
            .unwrap();
        (trigger, admin)
    }

    #[tokio::test]
    async fn the_process_is_alive_before_any_role_is_ready() {
        let (_trigger, admin) = start().await;
        assert_eq!(get(&admin, "/livez").await.0, 200);
        assert_eq!(get(&admin, "/readyz").await.0, 503);
    }

    #[tokio::test]
    async fn readiness_takes_every_role() {
        let (_trigger, admin) = start().await;
        let (tracker, stun) = (admin.readiness("tracker"), admin.readiness("stun"));
        tracker.ready();
        let (status, text) = get(&admin, "/readyz").await;
        assert_eq!(status, 503);
        assert!(text.contains("stun: not ready\ntracker: ready\n"), "{text}");
        stun.ready();
        assert_eq!(get(&admin, "/readyz").await.0, 200);
        tracker.not_ready();
        assert_eq!(get(&admin, "/readyz").await.0, 503);
    }

    #[tokio::test]
    async fn readiness_ends_with_the_shutdown_while_metrics_stay() {
        let (trigger, admin) = start().await;
        admin.readiness("tracker").ready();
        trigger.request();
        let (status, text) = get(&admin, "/readyz").await;
        assert_eq!(status, 503);
        assert!(text.contains("tracker: draining\n"), "{text}");
        assert_eq!(get(&admin, "/metrics").await.0, 200);
    }

    #[tokio::test]
    async fn registered_metrics_are_shown_as_prometheus_text() {
        let (_trigger, admin) = start().await;
        let counter = IntCounter::new("beekeepr_test_things_total", "things").unwrap();
        admin
            .registry()
            .register(Box::new(counter.clone()))
            .unwrap();
        counter.inc_by(7);
        let (status, text) = get(&admin, "/metrics").await;
        assert_eq!(status, 200);
        assert!(
            text.contains("content-type: text/plain; version=0.0.4"),
            "{text}"
        );
        assert!(text.contains("\nbeekeepr_test_things_total 7\n"), "{text}");
    }

    #[tokio::test]
    async fn roles_show_pages() {
        let (_trigger, admin) = start().await;
        admin.page("/v1/things", |query| {
            let json = format!("{query:?}");
            async { json }
        });
        let (status, text) = get(&admin, "/v1/things?top=3").await;
        assert_eq!(status, 200);
        assert!(text.contains("content-type: application/json"), "{text}");
        assert!(text.ends_with("\r\n\r\n\"top=3\""), "{text}");
        assert_eq!(get(&admin, "/v1/others").await.0, 404);
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_is_sent_away() {
        let (_trigger, admin) = start().await;
        let mut stream = TcpStream::connect(admin.address()).await.unwrap();
        stream.write_all(b"GET /livez HTTP/1.1\r\n").await.unwrap();
        let mut response = String::new();
        // The clock of the test jumps to the timeout, as nothing else is to be done.
        stream.read_to_string(&mut response).await.unwrap();
        assert_eq!(get(&admin, "/livez").await.0, 200);
    }

    #[tokio::test]
    async fn a_taken_port_is_an_error_that_names_it() {
        let (_trigger, admin) = start().await;
        let (_other, shutdown) = Shutdown::new();
        let error = Admin::start(admin.address(), shutdown).await.unwrap_err();
        assert!(
            error.to_string().contains(&admin.address().to_string()),
            "{error}"
        );
    }
}
