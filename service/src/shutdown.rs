//! One wish, seen by everybody: please come to an end.

use std::io;
use std::process;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// Exit code of a process that a second signal ends in the middle of its drain: 128 + SIGINT.
const INTERRUPTED: i32 = 130;

/// Asks for the shutdown, at the latest when it is dropped: whoever could have asked is gone then.
#[derive(Debug)]
#[must_use = "dropping the trigger asks for the shutdown"]
pub struct Trigger(watch::Sender<bool>);

impl Trigger {
    /// Asks for the shutdown. Asking again changes nothing.
    pub fn request(&self) {
        self.0.send_replace(true);
    }
}

impl Drop for Trigger {
    fn drop(&mut self) {
        self.request();
    }
}

/// Tells whether the process should come to an end. Clones see the same wish.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// A shutdown that is asked for through the trigger.
    pub fn new() -> (Trigger, Self) {
        let (sender, receiver) = watch::channel(false);
        (Trigger(sender), Self(receiver))
    }

    /// A shutdown that SIGINT or SIGTERM asks for. A second signal does not wait for the drain: it
    /// ends the process. Needs a tokio runtime.
    ///
    /// # Errors
    /// When the signals cannot be listened for.
    pub fn on_signals() -> io::Result<Self> {
        Self::on_signals_or(std::future::pending())
    }

    /// A shutdown that SIGINT, SIGTERM or the end of `wish` asks for. Needs a tokio runtime.
    ///
    /// # Errors
    /// When the signals cannot be listened for.
    pub fn on_signals_or(wish: impl Future<Output = ()> + Send + 'static) -> io::Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let (trigger, shutdown) = Self::new();
        tokio::spawn(async move {
            tokio::select! {
                name = either(&mut interrupt, &mut terminate) => tracing::info!(
                    signal = name,
                    "shutting down; a second signal does not wait"
                ),
                () = wish => tracing::info!("another process serves now; shutting down"),
            }
            trigger.request();
            either(&mut interrupt, &mut terminate).await;
            process::exit(INTERRUPTED);
        });
        Ok(shutdown)
    }

    /// Returns once the shutdown is asked for; at once when it was asked for already.
    pub async fn requested(&self) {
        // An error means that the trigger is gone, which asks for the shutdown as well.
        let _ = self.0.clone().wait_for(|requested| *requested).await;
    }

    /// Whether the shutdown is asked for.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) -> &'static str {
    tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_clone_sees_the_request() {
        let (trigger, shutdown) = Shutdown::new();
        let other = shutdown.clone();
        assert!(!other.is_requested());
        trigger.request();
        other.requested().await;
        assert!(shutdown.is_requested() && other.is_requested());
    }

    #[tokio::test]
    async fn a_dropped_trigger_asks_for_the_shutdown() {
        let (trigger, shutdown) = Shutdown::new();
        drop(trigger);
        shutdown.requested().await;
        assert!(shutdown.is_requested());
    }
}
