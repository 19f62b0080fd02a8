//! New connections.

use std::io;
use std::net::{IpAddr, TcpStream as StdStream};
use std::rc::Rc;
use std::time::Duration;

use beekeepr_service::Shutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::spawn_local;
use tokio::time::sleep;

use super::Worker;

/// How long to wait when no connection can be accepted, usually because there are too many open
/// files. Without it the loop would spin, and fill the log.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

impl Worker {
    /// Accepts until the shutdown is asked for, and then those that the system has accepted already:
    /// closing the listener would break their connections.
    pub(super) async fn accept_until(self: Rc<Self>, listener: TcpListener, shutdown: Shutdown) {
        tokio::select! {
            () = self.accept_always(&listener) => {}
            () = shutdown.requested() => {}
        }
        let Ok(listener) = listener.into_std() else {
            return;
        };
        while let Ok((stream, _)) = listener.accept() {
            self.admit_std(stream);
        }
    }

    async fn accept_always(self: &Rc<Self>, listener: &TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, from)) => self.admit(stream, from.ip()),
                // The client was gone before its turn came, which says nothing about the next one.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot accept connections; raise the limit of open files");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn admit_std(self: &Rc<Self>, stream: StdStream) {
        if let Ok(from) = stream.peer_addr()
            && stream.set_nonblocking(true).is_ok()
            && let Ok(stream) = TcpStream::from_std(stream)
        {
            self.admit(stream, from.ip());
        }
    }

    fn admit(self: &Rc<Self>, stream: TcpStream, from: IpAddr) {
        if let Some((key, socket)) = self.with_hub(|hub, now| hub.accept(now, stream, from)) {
            spawn_local(Rc::clone(self).serve(key, socket));
        }
    }
}
