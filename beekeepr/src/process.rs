//! What every role's process has: a way to end, metrics, and somebody to ask whether it is well.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use beekeepr_service::admin::{Admin, Readiness, Reply, Request, TOKEN_CHARS_MIN};
use beekeepr_service::{Shutdown, ready};
use prometheus::Registry;
use tokio::sync::Notify;

use crate::config;
use crate::failure::Failure;

/// The common part of a running process.
pub(crate) struct Process {
    /// Asked for by Ctrl-C and SIGTERM.
    pub(crate) shutdown: Shutdown,
    /// Where roles put their metrics.
    pub(crate) registry: Registry,
    admin: Option<Admin>,
    replaced: Arc<Notify>,
}

impl Process {
    /// Listens for signals and opens the admin listener. Its default address may be taken, by
    /// another role on the machine: then there is none. A configured one must be had, unless
    /// `is_admin_optional`.
    pub(crate) async fn start(
        config: &config::Admin,
        is_admin_optional: bool,
    ) -> Result<Self, Failure> {
        Self::start_on(None, config, is_admin_optional).await
    }

    /// Takes over the admin listener of a process that this one replaces.
    pub(crate) async fn start_on(
        inherited: Option<TcpListener>,
        config: &config::Admin,
        is_admin_optional: bool,
    ) -> Result<Self, Failure> {
        let token = config.token_file.as_deref().map(token).transpose()?;
        let replaced = Arc::new(Notify::new());
        let wish = Arc::clone(&replaced);
        let shutdown = Shutdown::on_signals_or(async move { wish.notified().await })
            .map_err(|error| Failure::Other(format!("cannot listen for signals: {error}")))?;
        if let Some(listener) = inherited {
            let admin = Admin::start_on(listener, shutdown.clone())
                .map_err(|error| Failure::Other(format!("admin.listen: {error}")))?;
            return Ok(Self::new(shutdown, Some(admin), replaced, token));
        }
        let admin = match Admin::start(config.address(), shutdown.clone()).await {
            Ok(admin) => Some(admin),
            Err(error) if is_admin_optional || config.listen.is_none() => {
                tracing::warn!("no health and metrics (admin.listen): {error}");
                None
            }
            Err(error) => return Err(Failure::Other(format!("admin.listen: {error}"))),
        };
        Ok(Self::new(shutdown, admin, replaced, token))
    }

    fn new(
        shutdown: Shutdown,
        admin: Option<Admin>,
        replaced: Arc<Notify>,
        token: Option<String>,
    ) -> Self {
        if let (Some(admin), Some(token)) = (&admin, token) {
            admin.protect(token);
        }
        let registry = admin.as_ref().map_or_else(Registry::new, Admin::registry);
        Self {
            shutdown,
            registry,
            admin,
            replaced,
        }
    }

    /// A copy of the admin listener for a process that replaces this one.
    pub(crate) fn admin_listener(&self) -> io::Result<Option<TcpListener>> {
        self.admin.as_ref().map(Admin::listener).transpose()
    }

    /// Shows a page on the admin listener.
    pub(crate) fn page<F>(
        &self,
        path: &'static str,
        page: impl Fn(&str) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = String> + Send + 'static,
    {
        if let Some(admin) = &self.admin {
            admin.page(path, page);
        }
    }

    /// Lets things be changed by name on the admin listener.
    pub(crate) fn resource<F>(
        &self,
        path: &'static str,
        handler: impl Fn(Request) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = Reply> + Send + 'static,
    {
        if let Some(admin) = &self.admin {
            admin.resource(path, handler);
        }
    }

    /// Another process does the work from now on, and answers on the admin listener.
    pub(crate) fn is_replaced(&mut self) {
        self.admin = None;
        self.replaced.notify_one();
    }

    /// The admin listener's address.
    pub(crate) fn admin(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(Admin::address)
    }

    /// Announces a role: from now on `/readyz` depends on it.
    pub(crate) fn readiness(&self, role: &'static str) -> Option<Readiness> {
        self.admin.as_ref().map(|admin| admin.readiness(role))
    }

    /// Tells everybody that the role works: `/readyz`, and whoever reads standard output.
    pub(crate) fn ready(&self, role: &'static str, listen: &[String]) {
        if let Some(readiness) = self.readiness(role) {
            readiness.ready();
        }
        if let Err(error) = ready::announce(role, listen, self.admin()) {
            tracing::debug!(%error, "nobody reads the ready line");
        }
    }
}

/// What requests to the admin listener must bring.
fn token(file: &Path) -> Result<String, Failure> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| {
        Failure::Config(format!("admin.token_file: cannot read {shown}: {error}"))
    })?;
    let token = text.trim();
    if token.len() < TOKEN_CHARS_MIN || !token.chars().all(|it| it.is_ascii_graphic()) {
        return Err(Failure::Config(format!(
            "admin.token_file: {shown} has {} characters, expected {TOKEN_CHARS_MIN} or more, without spaces; make one \
             with: openssl rand -hex 32",
            token.len()
        )));
    }
    Ok(token.to_owned())
}

/// Addresses as the URLs that clients use.
pub(crate) fn urls(scheme: &str, addresses: &[SocketAddr]) -> Vec<String> {
    addresses
        .iter()
        .map(|address| format!("{scheme}{address}"))
        .collect()
}
