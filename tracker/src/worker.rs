//! One thread that serves connections: waits for sockets, other workers and the clock, and tells the
//! [`Hub`].
//!
//! Each connection has a small task that waits for its socket. All of them share one read buffer.
//! What is to be sent piles up until the tasks that are ready have run; then one write goes to each
//! connection that has something.

mod accept;

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
use tokio::sync::{Notify, mpsc};
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::{MissedTickBehavior, interval};

use crate::connection::{Connection, Socket};
use crate::connections::Entry;
use crate::directory::WorkerId;
use crate::hub::{Hub, Shared, Then};
use crate::post::{Mail, Parcel};

/// The read buffer: an unfinished frame that was kept, and as much again.
const INPUT_BYTES: usize = 2 * (TRACKER_MESSAGE_BYTES_MAX + FRAME_HEADER_BYTES_MAX);

/// How often the clock is looked at. Everything it is needed for is counted in seconds.
const TICK: Duration = Duration::from_millis(250);

/// How long those that the system has accepted last may take for their handshake, whatever the time to
/// drain: who is cut off in it counts the tracker as broken and waits for minutes.
const HANDSHAKE_GRACE: Duration = Duration::from_secs(2);

/// Mail taken before connections get their turn.
const MAIL_AT_ONCE: usize = 64;

/// What one worker is made of.
pub(crate) struct Parts {
    pub(crate) number: WorkerId,
    pub(crate) shared: Shared,
    /// The clock of all workers: connections carry times from one to another.
    pub(crate) started: Instant,
    pub(crate) listeners: Vec<std::net::TcpListener>,
    pub(crate) mail: mpsc::Receiver<Mail>,
}

/// Serves until the shutdown is asked for and all connections are closed.
pub(crate) fn run(parts: Parts, shutdown: &Shutdown) -> io::Result<()> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())?;
    runtime.block_on(async {
        let Parts {
            number,
            shared,
            started,
            listeners,
            mail,
        } = parts;
        let drain = Duration::from_secs(shared.config.drain_s.unwrap_or_default().into());
        let worker = Rc::new(Worker::new(number, shared, started));
        let mut tasks = vec![
            spawn_local(Rc::clone(&worker).flush_always()),
            spawn_local(Rc::clone(&worker).tick_always()),
            spawn_local(Rc::clone(&worker).take_mail_always(mail)),
        ];
        let mut accepting = Vec::new();
        for listener in listeners {
            let listener = TcpListener::from_std(listener)?;
            accepting.push(spawn_local(
                Rc::clone(&worker).accept_until(listener, shutdown.clone()),
            ));
        }
        join(accepting).await;
        worker.drain(drain).await;
        tasks.drain(..).for_each(|task| task.abort());
        Ok(())
    })
}

async fn join(tasks: Vec<JoinHandle<()>>) {
    for task in tasks {
        // An error means that it panicked, which was reported when it happened.
        let _ = task.await;
    }
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
    fn new(number: WorkerId, shared: Shared, started: Instant) -> Self {
        // The one source of randomness in the standard library; it only has to differ from run to run.
        let seed = RandomState::new().build_hasher().finish();
        let now = since(started);
        Self {
            hub: RefCell::new(Hub::new(number, shared, seed, now)),
            input: RefCell::new(vec![0; INPUT_BYTES].into_boxed_slice()),
            started,
            to_flush: Notify::new(),
            gone: Notify::new(),
        }
    }

    /// Does something with the hub, and has what it wants to send sent soon.
    fn with_hub<T>(&self, act: impl FnOnce(&mut Hub, Time) -> T) -> T {
        let mut hub = self.hub.borrow_mut();
        let now = since(self.started);
        hub.set_now(now);
        let result = act(&mut hub, now);
        hub.settle();
        if hub.is_dirty() {
            self.to_flush.notify_one();
        }
        if hub.connections() == 0 {
            self.gone.notify_one();
        }
        result
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
            let then = self.with_hub(|hub, now| match ready {
                Ok(ready) => {
                    if ready.is_writable() {
                        hub.write(key);
                    }
                    if ready.is_readable() {
                        hub.read(now, key, &mut self.input.borrow_mut())
                    } else {
                        Then::Stay
                    }
                }
                Err(_) => {
                    hub.fail(key);
                    Then::Stay
                }
            });
            if let Then::Move { to, text } = then {
                // On its own: a connection moves at most once, and its task lives as long as it does.
                spawn_local(self.send_off(key, socket, to, text));
                return;
            }
        }
    }

    /// Moves a connection to another worker, when that has time for it.
    async fn send_off(
        self: Rc<Self>,
        key: ConnKey,
        socket: Rc<Socket>,
        to: WorkerId,
        text: Vec<u8>,
    ) {
        let Some(entry) = self.with_hub(|hub, _| hub.give(key)) else {
            return;
        };
        let Entry {
            socket: other,
            connection,
        } = *entry;
        drop(other);
        // Without another owner it is unwrapped; the connection ends if the system does not let go.
        let Some(socket) = Rc::into_inner(socket) else {
            return;
        };
        let Ok(stream) = socket.stream.into_std() else {
            return;
        };
        let letter_box = self.hub.borrow().letter_box(to);
        if let Some(letter_box) = letter_box {
            let parcel = Parcel {
                stream,
                connection,
                text,
            };
            // A worker that is gone already is closing its connections anyway.
            let _ = letter_box.send(Mail::Connection(Box::new(parcel))).await;
        }
    }

    async fn take_mail_always(self: Rc<Self>, mut mail: mpsc::Receiver<Mail>) {
        let mut letters = Vec::with_capacity(MAIL_AT_ONCE);
        while mail.recv_many(&mut letters, MAIL_AT_ONCE).await > 0 {
            for letter in letters.drain(..) {
                match letter {
                    Mail::Connection(parcel) => self.receive(*parcel),
                    letter => self.with_hub(|hub, now| hub.mail(now, letter)),
                }
            }
            // Otherwise a flood of mail would keep sockets waiting.
            tokio::task::yield_now().await;
        }
    }

    fn receive(self: &Rc<Self>, parcel: Parcel) {
        let Parcel {
            stream,
            connection,
            text,
        } = parcel;
        let Ok(stream) = TcpStream::from_std(stream) else {
            return;
        };
        let socket = Socket::new(stream);
        let key = self.with_hub(|hub, now| hub.receive(now, Rc::clone(&socket), connection, &text));
        spawn_local(Rc::clone(self).serve(key, socket));
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

    /// Asks connections to go, evenly over the time that there is, and waits until they are gone.
    async fn drain(&self, time: Duration) {
        let (began, all) = (Instant::now(), self.hub.borrow().connections());
        let mut steps = interval(TICK);
        loop {
            let left = time.saturating_sub(began.elapsed()).as_millis() as usize;
            // Rounded up: the last one goes when the time is over, not at once.
            let keep = (all * left).div_ceil((time.as_millis() as usize).max(1));
            let is_over = began.elapsed() >= time.max(HANDSHAKE_GRACE);
            self.with_hub(|hub, _| hub.shrink(keep, is_over));
            // The clock ends those that do not go by themselves.
            if self.hub.borrow().connections() == 0 {
                return;
            }
            tokio::select! {
                _ = steps.tick() => {}
                () = self.gone.notified() => {}
            }
        }
    }
}

fn since(started: Instant) -> Time {
    Time::from_ms(started.elapsed().as_millis() as u64)
}
