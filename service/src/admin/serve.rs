//! What visitors of the operator's listener may take.

use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;

use crate::http::{self, Limits};

/// A few collectors of metrics, probes, and the operator.
const LIMITS: Limits = Limits {
    connections_max: 64,
    // Longer than collectors take between sending and sending, shorter than probes wait before they give up twice.
    head_time: Duration::from_secs(5),
    // Collectors open another one.
    connection_time: Duration::from_secs(600),
    head_bytes_max: 16 * 1024,
    drain_time: Duration::ZERO,
};

/// Serves until the task is aborted.
pub(super) async fn always(listener: TcpListener, router: Router) {
    http::serve(listener, router, LIMITS, None).await;
}
