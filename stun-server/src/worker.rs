//! What one socket's task does.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use beekeepr_service::Shutdown;
use beekeepr_stun_core::{Outcome, REPLY_BYTES_MAX, respond};

use crate::metrics::Metrics;
use crate::socket::{Batch, Datagram, Socket};

/// Rest after a failed receive. Such errors are the system's (out of memory); without a rest the
/// task would turn as fast as it can until they end.
const RECEIVE_REST: Duration = Duration::from_millis(10);

/// Answers what comes until the shutdown is asked for.
pub(crate) async fn serve(socket: Socket, metrics: Arc<Metrics>, shutdown: Shutdown) {
    let mut batch = Batch::new();
    let mut stop = pin!(shutdown.requested());
    loop {
        let received = tokio::select! {
            () = &mut stop => return,
            received = socket.receive(&mut batch) => received,
        };
        match received {
            Ok(()) => batch
                .datagrams()
                .for_each(|datagram| answer(&socket, &metrics, &datagram)),
            Err(error) => {
                metrics.receive_errors.inc();
                tracing::debug!(%error, "receive failed");
                tokio::time::sleep(RECEIVE_REST).await;
            }
        }
    }
}

fn answer(socket: &Socket, metrics: &Metrics, datagram: &Datagram<'_>) {
    let mut out = [0; REPLY_BYTES_MAX];
    match respond(datagram.bytes, datagram.source, &mut out) {
        Outcome::Dropped(reason) => {
            metrics.dropped(reason);
            tracing::trace!(source = %datagram.source, reason = reason.as_str(), "dropped");
        }
        Outcome::Reply { bytes, kind } => match socket.send(&out[..bytes], datagram) {
            Ok(()) => metrics.replied(kind),
            Err(error) => {
                metrics.unsent.inc();
                tracing::debug!(%error, "answer not sent");
            }
        },
    }
}
