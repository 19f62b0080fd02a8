//! The thread of a worker: a runtime of its own, and in it a task for each socket and connection.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use beekeepr_service::Shutdown;
use tokio::runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::task::LocalSet;

use crate::stream::{self, Accepted};
use crate::worker::Worker;

/// What ends a worker.
#[derive(Clone, Debug)]
pub(crate) struct End {
    /// Asked for by the process.
    pub(crate) shutdown: Shutdown,
    /// Asked for by whoever dropped the server; it does not wait.
    pub(crate) dropped: Shutdown,
    /// How long requests are still answered after the shutdown.
    pub(crate) drain: Duration,
}

/// A started worker.
#[derive(Debug)]
pub(crate) struct Started {
    /// Says whether it has set up its sockets.
    pub(crate) ready: oneshot::Receiver<io::Result<()>>,
    /// Closed when it has ended.
    pub(crate) ended: oneshot::Receiver<()>,
}

/// Starts a worker, made in its own thread.
pub(crate) fn start(
    number: usize,
    make: impl FnOnce() -> io::Result<Worker> + Send + 'static,
    connections: mpsc::Receiver<Accepted>,
    end: Arc<End>,
) -> io::Result<Started> {
    let (tell_ready, ready) = oneshot::channel();
    let (tell_ended, ended) = oneshot::channel();
    let live = move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        // Nobody waits any more if these cannot be told.
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => return drop(tell_ready.send(Err(error))),
        };
        LocalSet::new().block_on(&runtime, async {
            match make() {
                Ok(worker) => {
                    let worker = Rc::new(worker);
                    spawn_tasks(&worker, connections);
                    let _ = tell_ready.send(Ok(()));
                    end.come().await;
                    answer_the_last(&worker);
                }
                Err(error) => drop(tell_ready.send(Err(error))),
            }
        });
        drop(tell_ended);
    };
    thread::Builder::new()
        .name(format!("stun-{number}"))
        .spawn(live)?;
    Ok(Started { ready, ended })
}

fn spawn_tasks(worker: &Rc<Worker>, mut connections: mpsc::Receiver<Accepted>) {
    for index in 0..worker.socket_count() {
        tokio::task::spawn_local(Rc::clone(worker).serve(index));
    }
    let worker = Rc::clone(worker);
    tokio::task::spawn_local(async move {
        while let Some(accepted) = connections.recv().await {
            tokio::task::spawn_local(stream::serve(Rc::clone(&worker), accepted));
        }
    });
}

/// What had come before the end, one batch for each socket.
fn answer_the_last(worker: &Worker) {
    for index in 0..worker.socket_count() {
        // Nothing there is the ordinary case.
        let _ = worker.answer_batch(index);
    }
}

impl End {
    async fn come(&self) {
        let drained = async {
            self.shutdown.requested().await;
            tokio::time::sleep(self.drain).await;
        };
        tokio::select! {
            () = drained => {}
            () = self.dropped.requested() => {}
        }
    }
}
