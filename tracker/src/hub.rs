//! What a worker does with what comes: bytes become messages, messages go to signalling here or to
//! the worker that has their content.
//!
//! Everything here is plain calls on one thread: bytes that came go in, bytes to be sent pile up at
//! the connections, and [`Hub::flush`] writes once to each connection that has any.

mod arrival;
mod pace;
mod reading;
mod renewal;
mod routing;
mod scrapes;

use std::mem;
use std::rc::Rc;
use std::sync::Arc;

use beekeepr_model::Time;
use beekeepr_swarm::ConnKey;
use beekeepr_websocket::write;
use rustls::ServerConfig;
use tokio::sync::mpsc;

use crate::Config;
use crate::access::Access;
use crate::connection::{Connection, Patience, Socket, Stage};
use crate::connections::{Connections, Entry};
use crate::directory::{Directory, WorkerId};
use crate::gate::Gate;
use crate::metrics::{Metrics, Reason};
use crate::outbox::Outbox;
use crate::post::{Mail, Post};
use crate::signalling::Signalling;
use routing::Claims;
use scrapes::Scrapes;

/// How long a client gets to close its end after the tracker has closed its own, in milliseconds:
/// the way to the other side of the world and back, with one packet lost. So a shutdown takes no
/// longer either.
const CLOSE_MS_MAX: u64 = 2_000;

/// What all workers share.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) access: Arc<Access>,
    pub(crate) metrics: Metrics,
    pub(crate) gate: Arc<Gate>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) post: Post,
    pub(crate) tls: Option<Arc<ServerConfig>>,
}

/// The state of one worker.
#[derive(Debug)]
pub(crate) struct Hub {
    here: WorkerId,
    shared: Shared,
    connections: Connections,
    signalling: Signalling,
    claims: Claims,
    scrapes: Scrapes,
    /// What TLS records said; kept only for its memory.
    plain: Vec<u8>,
    /// What the gauges were told of this worker.
    sizes: [usize; 3],
}

/// What becomes of a connection that was read from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// It stays.
    Stay,
    /// It belongs to another worker, which has to be told this message.
    Move { to: WorkerId, text: Vec<u8> },
}

impl Hub {
    pub(crate) fn new(here: WorkerId, shared: Shared, seed: u64, now: Time) -> Self {
        let Shared {
            config,
            metrics,
            post,
            access,
            ..
        } = &shared;
        Self {
            here,
            connections: Connections::new(
                here,
                post.clone(),
                metrics.clone(),
                config.limits.connection_output_bytes_max,
            ),
            signalling: Signalling::new(config, Arc::clone(access), metrics.clone(), seed, now),
            claims: Claims::default(),
            scrapes: Scrapes::default(),
            shared,
            plain: Vec::new(),
            sizes: [0; 3],
        }
    }

    pub(crate) fn get(&self, key: ConnKey) -> Option<&Connection> {
        self.connections.get(key)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.len()
    }

    /// Whether [`Self::flush`] has something to do.
    pub(crate) fn is_dirty(&self) -> bool {
        self.connections.is_dirty()
    }

    /// What time it is, for what follows.
    pub(crate) fn set_now(&mut self, now: Time) {
        self.connections.set_now(now);
    }

    /// Tells signalling of connections that are gone.
    pub(crate) fn settle(&mut self) {
        while let Some(key) = self.connections.pop_gone() {
            self.signalling.gone(key);
        }
    }

    pub(crate) fn flush(&mut self) {
        self.connections.flush();
    }

    pub(crate) fn write(&mut self, key: ConnKey) {
        self.connections.write(key);
    }

    pub(crate) fn fail(&mut self, key: ConnKey) {
        self.connections.remove(key, Reason::Network);
    }

    /// Gives a connection away, to live elsewhere.
    pub(crate) fn give(&mut self, key: ConnKey) -> Option<Box<Entry>> {
        self.shared.metrics.moved.inc();
        self.connections.take(key)
    }

    /// Where another worker takes mail.
    pub(crate) fn letter_box(&self, worker: WorkerId) -> Option<mpsc::Sender<Mail>> {
        self.shared.post.to(worker)
    }

    /// Does what is due by the clock.
    pub(crate) fn tick(&mut self, now: Time) {
        let config = &self.shared.config;
        self.connections.tick(Patience {
            handshake_ms: u64::from(config.handshake_timeout_s) * 1000,
            ping_ms: u64::from(config.ping_interval_s) * 1000,
            pong_ms: u64::from(config.pong_timeout_s) * 1000,
            close_ms: CLOSE_MS_MAX,
        });
        self.signalling.tick(now);
        self.give_up_claims(now);
        self.end_overdue_scrapes(now);
        let metrics = &self.shared.metrics;
        let sizes = self.signalling.sizes();
        let gauges = [&metrics.swarms, &metrics.peers, &metrics.offers_pending];
        for ((gauge, new), old) in gauges.into_iter().zip(sizes).zip(self.sizes) {
            gauge.add(new as i64 - old as i64);
        }
        self.sizes = sizes;
    }

    /// Asks connections to go until so many are left. Those in a handshake may finish it until
    /// `is_over`.
    pub(crate) fn shrink(&mut self, left: usize, is_over: bool) {
        let keys = self.connections.keys();
        let (open, others): (Vec<ConnKey>, Vec<ConnKey>) = keys
            .into_iter()
            .partition(|&key| self.connections.is_open(key));
        let going = open.len().saturating_sub(left);
        for key in open.into_iter().take(going) {
            self.connections.finish(key, Reason::Shutdown, |out| {
                write::close(out, write::CLOSE_GOING_AWAY);
            });
        }
        if is_over {
            for key in others {
                if !matches!(self.connections.stage(key), Some(Stage::Closing { .. })) {
                    self.connections.remove(key, Reason::Shutdown);
                }
            }
        }
    }

    /// Takes mail from another worker. A connection that came gets its number here.
    pub(crate) fn mail(&mut self, now: Time, mail: Mail) {
        match mail {
            Mail::Message { from, text } => self.foreign_message(now, &from, &text),
            Mail::Gone(key) => self.signalling.gone(key),
            Mail::Frames { to, frames } => {
                self.connections
                    .send(to, |out| out.extend_from_slice(&frames));
            }
            Mail::Count {
                asked,
                number,
                back,
            } => self.count(&asked, number, back),
            Mail::Counted { number, sizes } => self.counted(number, sizes),
            Mail::Probe(key) => self.connections.probe(key),
            Mail::Close { key, code } => self.connections.close(key, code),
            Mail::Largest { swarms, reply } => {
                // Who asked may be gone.
                let _ = reply.send(self.signalling.largest(swarms));
            }
            // The worker makes a socket of it first.
            Mail::Connection(_) => {}
        }
    }

    /// Takes over a connection from another worker, with the message that brought it here.
    pub(crate) fn receive(
        &mut self,
        now: Time,
        socket: Rc<Socket>,
        mut connection: Connection,
        text: &[u8],
    ) -> ConnKey {
        connection.unblock();
        let mut rest = mem::take(&mut connection.partial);
        let key = self.connections.insert(socket, connection);
        self.connections.mark_dirty(key);
        // It has its place now, so it stays.
        self.message(now, key, text);
        self.frames(now, key, &mut rest);
        key
    }
}
