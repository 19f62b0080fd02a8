//! The hub's loop.

use std::time::{Duration, Instant};

use beekeepr_service::Shutdown;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time;

use super::client::Request;
use super::mux::Mux;
use super::socket::Socket;

/// Requests taken in one turn, so that a busy caller leaves the socket its share. The dearest, an
/// accepted offer, costs about a tenth of a millisecond.
const REQUESTS_PER_TURN_MAX: usize = 64;

/// Socket reads in one turn; each brings up to 8 batches that the kernel put together.
const READS_PER_TURN_MAX: usize = 4;

/// How long the farewells may take when the socket's buffer is full.
const FAREWELL_MAX: Duration = Duration::from_millis(200);

/// Runs until the shutdown is requested or every handle is gone.
pub(super) async fn run(
    mut mux: Mux,
    mut socket: Socket,
    mut requests: UnboundedReceiver<Request>,
    shutdown: Shutdown,
) {
    let shutdown = shutdown.requested();
    tokio::pin!(shutdown);
    let mut taken = Vec::with_capacity(REQUESTS_PER_TURN_MAX);
    loop {
        let due = mux.next_due();
        tokio::select! {
            () = &mut shutdown => break,
            count = requests.recv_many(&mut taken, REQUESTS_PER_TURN_MAX) => {
                if count == 0 {
                    break;
                }
            }
            () = socket.readable() => {}
            () = socket.writable(), if socket.has_backlog() => {}
            () = time::sleep_until(due.unwrap_or_else(far).into()), if due.is_some() => {}
            // Lets the runtime look at the socket before the next turn.
            () = tokio::task::yield_now(), if mux.has_work() => {}
        }
        let now = Instant::now();
        for request in taken.drain(..) {
            mux.request(now, request, &mut socket);
        }
        for _ in 0..READS_PER_TURN_MAX {
            if !socket.receive(|received| mux.datagrams(now, &received)) {
                break;
            }
        }
        mux.drive(now, &mut socket);
        socket.flush();
    }
    mux.close_all(Instant::now(), &mut socket);
    // Whoever does not get the farewell notices the silence.
    let _ = time::timeout(FAREWELL_MAX, socket.drain()).await;
}

/// The branch that waits is off when nothing is due; it still wants a time.
fn far() -> Instant {
    Instant::now() + Duration::from_secs(3_600)
}
