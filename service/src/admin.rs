//! The operator's listener: is the process alive, is it ready, what are its figures.
//!
//! It has a socket of its own, so it answers while the public listeners are full, and visitors that
//! say nothing are sent away.

mod guard;
mod pages;
mod resource;
mod serve;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus::Registry;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::Shutdown;
use crate::net::{self, BindError};

pub use guard::TOKEN_CHARS_MIN;
pub use resource::{Reply, Request, Verb};

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
    /// What roles let the operator change, by path.
    resources: Mutex<BTreeMap<&'static str, resource::Handler>>,
    /// What requests below `/v1/` must bring, if anything.
    token: Mutex<Option<String>>,
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
            resources: Mutex::default(),
            token: Mutex::default(),
            roles: Mutex::default(),
        });
        let task = tokio::spawn(serve::always(listener, pages::router(Arc::clone(&shared))));
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

    /// From now on everything below `/v1/` needs `Authorization: Bearer TOKEN`.
    pub fn protect(&self, token: String) {
        let mut known = self
            .shared
            .token
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *known = Some(token);
    }

    /// Lets programs look at and change things by name, at `path` and `path/NAME`. Pages in browsers are refused.
    pub fn resource<F>(
        &self,
        path: &'static str,
        handler: impl Fn(Request) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = Reply> + Send + 'static,
    {
        let handler: resource::Handler = Arc::new(move |request| Box::pin(handler(request)));
        let mut resources = self
            .shared
            .resources
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        resources.insert(path, handler);
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

#[cfg(test)]
mod tests;
