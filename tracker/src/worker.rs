//! One thread that serves connections: waits for sockets and the clock, and tells the [`Hub`].
//!
//! Each connection has a small task that waits for its socket. All of them share one read buffer.
//! What is to be sent piles up until the tasks that are ready have run; then one write goes to each
//! connection that has something.

use std::cell::RefCell;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use beekeepr_model::Time;
use beekeepr_model::limits::TRACKER_MESSAGE_BYTES_MAX;
use beekeepr_service::Shutdown;
use beekeepr_swarm::ConnKey;
use beekeepr_websocket::FRAME_HEADER_BYTES_MAX;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::Config;
use crate::connection::{Connection, Socket};
use crate::hub::Hub;
use crate::metrics::{Metrics, Reason};

/// The read buffer: an unfinished frame that was kept, and as much again.
const INPUT_BYTES: usize = 2 * (TRACKER_MESSAGE_BYTES_MAX + FRAME_HEADER_BYTES_MAX);

/// How often the clock is looked at. Everything it is needed for is counted in seconds.
const TICK: Duration = Duration::from_millis(250);

/// How long to wait when no connection can be accepted, usually because there are too many open
/// files. Without it the loop would spin, and fill the log.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// Serves until the shutdown is asked for and all connections are closed.
pub(crate) fn run(
    config: Config,
    metrics: Metrics,
    listener: std::net::TcpListener,
    shutdown: &Shutdown,
) -> io::Result<()> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())?;
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        let worker = Rc::new(Worker::new(config, metrics));
        let flusher = tokio::task::spawn_local(Rc::clone(&worker).flush_always());
        let clock = tokio::task::spawn_local(Rc::clone(&worker).tick_always());
        let accepting = tokio::task::spawn_local(Rc::clone(&worker).accept_always(listener));
        shutdown.requested().await;
        accepting.abort();
        worker.drain().await;
        clock.abort();
        flusher.abort();
        Ok(())
    })
}

struct Worker {
    hub: RefCell<Hub>,
    input: RefCell<Box<[u8]>>,
    started: Instant,
    /// Something is to be sent.
    to_flush: Notify,
    /// The last connection may be gone.
    gone: Notify,
}

impl Worker {
    fn new(config: Config, metrics: Metrics) -> Self {
        // The one source of randomness in the standard library; it only has to differ from run to run.
        let seed = RandomState::new().build_hasher().finish();
        Self {
            hub: RefCell::new(Hub::new(config, metrics, seed, Time::ZERO)),
            input: RefCell::new(vec![0; INPUT_BYTES].into_boxed_slice()),
            started: Instant::now(),
            to_flush: Notify::new(),
            gone: Notify::new(),
        }
    }

    fn now(&self) -> Time {
        Time::from_ms(self.started.elapsed().as_millis() as u64)
    }

    /// Does something with the hub, and has what it wants to send sent soon.
    fn with_hub<T>(&self, act: impl FnOnce(&mut Hub, Time) -> T) -> T {
        let mut hub = self.hub.borrow_mut();
        let result = act(&mut hub, self.now());
        if hub.is_dirty() {
            self.to_flush.notify_one();
        }
        if hub.is_empty() {
            self.gone.notify_one();
        }
        result
    }

    async fn accept_always(self: Rc<Self>, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => self.admit(stream),
                // The client was gone before its turn came, which says nothing about the next one.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot accept connections; raise the limit of open files");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn admit(self: &Rc<Self>, stream: TcpStream) {
        if let Some((key, socket)) = self.with_hub(|hub, now| hub.accept(now, stream)) {
            tokio::task::spawn_local(Rc::clone(self).serve(key, socket));
        }
    }

    async fn serve(self: Rc<Self>, key: ConnKey, socket: Rc<Socket>) {
        loop {
            let Some(interest) = self.hub.borrow().get(key).map(Connection::interest) else {
                return;
            };
            let ready = tokio::select! {
                ready = socket.stream.ready(interest) => ready,
                () = socket.changed.notified() => continue,
            };
            let mut input = self.input.borrow_mut();
            self.with_hub(|hub, now| match ready {
                Ok(ready) => {
                    if ready.is_writable() {
                        hub.write(key);
                    }
                    if ready.is_readable() {
                        hub.read(now, key, &mut input);
                    }
                }
                Err(_) => hub.remove(key, Reason::Network),
            });
        }
    }

    /// Tasks run in the order in which they became ready. So the first connection that has something
    /// to send wakes this one, and it runs after all those that were ready then.
    async fn flush_always(self: Rc<Self>) {
        loop {
            self.to_flush.notified().await;
            self.with_hub(|hub, _| hub.flush());
        }
    }

    async fn tick_always(self: Rc<Self>) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.with_hub(Hub::tick);
        }
    }

    async fn drain(&self) {
        tracing::info!("tracker closes its connections");
        self.with_hub(Hub::drain);
        // The clock ends those that do not go by themselves.
        while !self.hub.borrow().is_empty() {
            self.gone.notified().await;
        }
    }
}
