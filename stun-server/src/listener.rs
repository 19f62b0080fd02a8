//! Accepting TCP connections and handing them to the workers in turn.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_rustls::rustls::ServerConfig;

use crate::connections::Connections;
use crate::counters::Transport;
use crate::metrics::Accepts;
use crate::stream::{Accepted, Timeouts};

/// Connections that wait for one worker. It takes them between two batches of datagrams, so few ever
/// wait; the kernel's own queue holds those after them.
pub(crate) const WAITING_MAX: usize = 64;

/// Rest after a failed accept. With no open files left it would fail again at once.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// What every listener has.
#[derive(Clone, Debug)]
pub(crate) struct Acceptor {
    pub(crate) workers: Vec<mpsc::Sender<Accepted>>,
    pub(crate) connections: Connections,
    pub(crate) metrics: Arc<Accepts>,
    pub(crate) timeouts: Timeouts,
}

impl Acceptor {
    /// Accepts connections until the workers are gone.
    pub(crate) async fn accept(
        self,
        listener: tokio::net::TcpListener,
        tls: Option<Arc<ServerConfig>>,
    ) {
        for worker in self.workers.iter().cycle() {
            let Some(accepted) = self.next(&listener, tls.as_ref()).await else {
                continue;
            };
            if worker.send(accepted).await.is_err() {
                return;
            }
        }
    }

    /// The next connection; nothing when it was refused or lost.
    async fn next(
        &self,
        listener: &tokio::net::TcpListener,
        tls: Option<&Arc<ServerConfig>>,
    ) -> Option<Accepted> {
        let accepted = listener.accept().await;
        let accepted = accepted.and_then(|(stream, peer)| Ok((stream.into_std()?, peer)));
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                self.metrics.errors.inc();
                tracing::debug!(%error, "accept failed");
                tokio::time::sleep(ACCEPT_REST).await;
                return None;
            }
        };
        let transport = if tls.is_some() {
            Transport::Tls
        } else {
            Transport::Tcp
        };
        match self.connections.seat(peer.ip()) {
            Ok(seat) => {
                self.metrics.accepted(transport);
                Some(Accepted {
                    stream,
                    peer,
                    tls: tls.cloned(),
                    timeouts: self.timeouts,
                    seat,
                })
            }
            Err(refusal) => {
                self.metrics.refused(refusal);
                None
            }
        }
    }
}

/// Hands a bound listener to the runtime.
pub(crate) fn register(listener: TcpListener) -> io::Result<tokio::net::TcpListener> {
    tokio::net::TcpListener::from_std(listener)
}
