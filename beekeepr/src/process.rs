//! What every role's process has: a way to end, metrics, and somebody to ask whether it is well.

use std::net::SocketAddr;

use beekeepr_service::admin::{Admin, Readiness};
use beekeepr_service::{Shutdown, ready};
use prometheus::Registry;

use crate::config;
use crate::failure::Failure;

/// The common part of a running process.
pub(crate) struct Process {
    /// Asked for by Ctrl-C and SIGTERM.
    pub(crate) shutdown: Shutdown,
    /// Where roles put their metrics.
    pub(crate) registry: Registry,
    admin: Option<Admin>,
}

impl Process {
    /// Listens for signals and opens the admin listener. Its default address may be taken, by
    /// another role on the machine: then there is none. A configured one must be had, unless
    /// `is_admin_optional`.
    pub(crate) async fn start(
        config: &config::Admin,
        is_admin_optional: bool,
    ) -> Result<Self, Failure> {
        let shutdown = Shutdown::on_signals()
            .map_err(|error| Failure::Other(format!("cannot listen for signals: {error}")))?;
        let admin = match Admin::start(config.address(), shutdown.clone()).await {
            Ok(admin) => Some(admin),
            Err(error) if is_admin_optional || config.listen.is_none() => {
                tracing::warn!("no health and metrics (admin.listen): {error}");
                None
            }
            Err(error) => return Err(Failure::Other(format!("admin.listen: {error}"))),
        };
        let registry = admin.as_ref().map_or_else(Registry::new, Admin::registry);
        Ok(Self {
            shutdown,
            registry,
            admin,
        })
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

/// Addresses as the URLs that clients use.
pub(crate) fn urls(scheme: &str, addresses: &[SocketAddr]) -> Vec<String> {
    addresses
        .iter()
        .map(|address| format!("{scheme}{address}"))
        .collect()
}
