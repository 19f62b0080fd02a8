//! Replacing a running tracker by a new process, for an update without a refused handshake.

use std::io;
use std::net::TcpListener;
use std::path::Path;

use beekeepr_service::handover::{self, Offer, Taken};

use crate::failure::Failure;
use crate::process::Process;

/// What the sockets are called.
const TRACKER: &str = "tracker";
const ADMIN: &str = "admin";

/// What there is of a process that this one replaces.
pub(crate) struct Predecessor(Option<Taken>);

impl Predecessor {
    /// Asks whoever waits at the path.
    pub(crate) fn find(path: Option<&Path>) -> Result<Self, Failure> {
        let taken = path.map(handover::take).transpose();
        taken
            .map(|taken| Self(taken.flatten()))
            .map_err(|error| fault(path, &error))
    }

    /// The tracker's listeners.
    pub(crate) fn tracker(&mut self) -> Vec<TcpListener> {
        self.0
            .as_mut()
            .map_or_else(Vec::new, |taken| taken.listeners(TRACKER))
    }

    /// The admin listener.
    pub(crate) fn admin(&mut self) -> Option<TcpListener> {
        self.0
            .as_mut()
            .and_then(|taken| taken.listeners(ADMIN).pop())
    }

    /// Tells it that this process serves.
    pub(crate) fn dismiss(self) {
        if let Some(Err(error)) = self.0.map(Taken::ready) {
            tracing::warn!(%error, "the process that this one replaces was gone already");
        }
    }
}

/// Waits for a process that replaces this one, for ever without a path.
pub(crate) async fn successor(
    path: Option<&Path>,
    listeners: Vec<TcpListener>,
    process: &mut Process,
) -> Result<(), Failure> {
    let Some(path) = path else {
        drop(listeners);
        return std::future::pending().await;
    };
    let sockets = sockets(listeners, process).map_err(|error| fault(Some(path), &error))?;
    let offer = Offer::new(path, sockets).map_err(|error| fault(Some(path), &error))?;
    offer.replaced(|| process.is_replaced()).await;
    Ok(())
}

fn sockets(
    listeners: Vec<TcpListener>,
    process: &Process,
) -> io::Result<Vec<(String, TcpListener)>> {
    let admin = process.admin_listener()?;
    let tracker = listeners.into_iter().map(|it| (TRACKER.to_owned(), it));
    Ok(tracker
        .chain(admin.map(|it| (ADMIN.to_owned(), it)))
        .collect())
}

fn fault(path: Option<&Path>, error: &io::Error) -> Failure {
    let path = path.unwrap_or(Path::new("")).display();
    Failure::Other(format!(
        "tracker.handover is {path}: {error}; expected a path in a folder where this user may write"
    ))
}
