//! All connections of a worker and the swarms behind them.
//!
//! Everything here is plain calls on one thread: bytes that came go in, bytes to be sent pile up at
//! the connections, and [`Hub::flush`] writes once to each connection that has any.

use std::collections::HashMap;
use std::io;
use std::mem;
use std::rc::Rc;

use beekeepr_model::{OfferId, Time};
use beekeepr_swarm::{ConnKey, Swarms};
use beekeepr_websocket::{Decoder, Event, Handshake, read_request, write};
use tokio::net::TcpStream;

use crate::Config;
use crate::connection::{Connection, Due, Patience, Socket, Stage};
use crate::metrics::{Metrics, Reason};

/// How long a client gets to close its end after the tracker has closed its own, in milliseconds:
/// the way to the other side of the world and back, with one packet lost. So a shutdown takes no
/// longer either.
const CLOSE_MS_MAX: u64 = 2_000;

/// What is sent instead of taking one connection too many.
const FULL_RESPONSE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\
    Content-Type: text/plain\r\nContent-Length: 55\r\n\r\n\
    the tracker is full; try again later or use another one";

/// The state of one worker.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) config: Config,
    pub(crate) metrics: Metrics,
    pub(crate) swarms: Swarms,
    connections: HashMap<ConnKey, Connection>,
    keys: u64,
    /// Connections with something to be sent.
    dirty: Vec<ConnKey>,
    /// Kept only for their memory.
    pub(crate) targets: Vec<ConnKey>,
    pub(crate) offer_ids: Vec<OfferId>,
}

impl Hub {
    pub(crate) fn new(config: Config, metrics: Metrics, seed: u64, now: Time) -> Self {
        Self {
            swarms: Swarms::new(config.swarm(), seed, now),
            config,
            metrics,
            connections: HashMap::new(),
            keys: 0,
            dirty: Vec::new(),
            targets: Vec::new(),
            offer_ids: Vec::new(),
        }
    }

    /// Takes a new connection, or sends it away when there are too many.
    pub(crate) fn accept(&mut self, now: Time, stream: TcpStream) -> Option<(ConnKey, Rc<Socket>)> {
        self.metrics.accepted.inc();
        if self.connections.len() >= self.config.limits.connections_max {
            self.metrics.closed(Reason::Full);
            // Whether the client gets to read it is up to the system.
            let _ = stream.try_write(FULL_RESPONSE);
            return None;
        }
        // Without it the connection works as well, only slower.
        let _ = stream.set_nodelay(true);
        self.keys += 1;
        let (key, connection) = (ConnKey(self.keys), Connection::new(stream, now));
        let socket = Rc::clone(&connection.socket);
        self.connections.insert(key, connection);
        self.metrics.connections.set(self.connections.len() as i64);
        Some((key, socket))
    }

    pub(crate) fn get(&self, key: ConnKey) -> Option<&Connection> {
        self.connections.get(&key)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    /// Whether [`Self::flush`] has something to do.
    pub(crate) fn is_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// Ends a connection at once.
    pub(crate) fn remove(&mut self, key: ConnKey, reason: Reason) {
        let Some(connection) = self.connections.remove(&key) else {
            return;
        };
        connection.socket.changed.notify_one();
        let reason = match connection.stage {
            Stage::Closing { reason, .. } => reason,
            Stage::Handshake | Stage::Open => reason,
        };
        self.swarms.close(key);
        self.metrics.closed(reason);
        self.metrics.connections.set(self.connections.len() as i64);
        tracing::debug!(
            connection = key.0,
            reason = reason.as_str(),
            "connection closed"
        );
    }

    /// Appends to what an open connection is sent. One that is not there any more misses it.
    pub(crate) fn send(&mut self, key: ConnKey, write: impl FnOnce(&mut Vec<u8>)) {
        let Some(connection) = self.connections.get_mut(&key) else {
            return;
        };
        if connection.stage != Stage::Open {
            return;
        }
        connection.queue(write);
        self.mark_dirty(key);
        self.relieve(key);
    }

    /// Writes to every connection that has something to be sent.
    pub(crate) fn flush(&mut self) {
        let mut dirty = mem::take(&mut self.dirty);
        for key in dirty.drain(..) {
            if let Some(connection) = self.connections.get_mut(&key) {
                connection.is_dirty = false;
                // A blocked one is written to when its socket says so.
                if !connection.is_blocked() {
                    self.write(key);
                }
            }
        }
        self.dirty = dirty;
    }

    /// Writes to one connection as much as the system takes.
    pub(crate) fn write(&mut self, key: ConnKey) {
        let Some(connection) = self.connections.get_mut(&key) else {
            return;
        };
        match connection.flush() {
            Ok(bytes) => self.metrics.sent_bytes.inc_by(bytes as u64),
            Err(_) => self.remove(key, Reason::Network),
        }
    }

    /// Reads once from a connection. `input` is the worker's buffer; it has room for an unfinished
    /// frame and more.
    pub(crate) fn read(&mut self, now: Time, key: ConnKey, input: &mut [u8]) {
        let Some(connection) = self.connections.get_mut(&key) else {
            return;
        };
        let kept = connection.partial.len();
        input[..kept].copy_from_slice(&connection.partial);
        match connection.socket.read(&mut input[kept..]) {
            Ok(0) => self.remove(key, Reason::Client),
            Ok(bytes) => {
                connection.heard(now);
                connection.partial = Vec::new();
                self.metrics.received_bytes.inc_by(bytes as u64);
                self.take(now, key, &mut input[..kept + bytes]);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => self.remove(key, Reason::Network),
        }
    }

    /// Does what is due by the clock.
    pub(crate) fn tick(&mut self, now: Time) {
        let patience = Patience {
            handshake_ms: u64::from(self.config.handshake_timeout_s) * 1000,
            ping_ms: u64::from(self.config.ping_interval_s) * 1000,
            pong_ms: u64::from(self.config.pong_timeout_s) * 1000,
            close_ms: CLOSE_MS_MAX,
        };
        let due: Vec<(ConnKey, Due)> = self
            .connections
            .iter()
            .map(|(&key, connection)| (key, connection.due(now, patience)))
            .filter(|(_, due)| *due != Due::Nothing)
            .collect();
        for (key, due) in due {
            match due {
                Due::Ping => self.ping(now, key),
                Due::End(reason) => self.remove(key, reason),
                Due::Nothing => {}
            }
        }
        if now >= self.swarms.deadline() {
            self.metrics.expired.inc_by(self.swarms.expire(now) as u64);
        }
        self.metrics.swarms.set(self.swarms.swarms() as i64);
        self.metrics.peers.set(self.swarms.peers() as i64);
        self.metrics
            .offers_pending
            .set(self.swarms.offers_pending() as i64);
    }

    /// Finds out whether a connection is alive, unless that is going on already.
    pub(crate) fn ping(&mut self, now: Time, key: ConnKey) {
        if self
            .connections
            .get_mut(&key)
            .is_some_and(|connection| connection.begin_ping(now))
        {
            self.send(key, write::ping);
        }
    }

    /// Asks everybody to go.
    pub(crate) fn drain(&mut self, now: Time) {
        let keys: Vec<ConnKey> = self.connections.keys().copied().collect();
        for key in keys {
            match self
                .connections
                .get(&key)
                .map(|connection| connection.stage)
            {
                Some(Stage::Open) => {
                    self.close(now, key, Reason::Shutdown, |out| {
                        write::close(out, write::CLOSE_GOING_AWAY);
                    });
                }
                Some(Stage::Handshake) => self.remove(key, Reason::Shutdown),
                Some(Stage::Closing { .. }) | None => {}
            }
        }
    }

    /// Understands what came, in the order it came.
    fn take(&mut self, now: Time, key: ConnKey, input: &mut [u8]) {
        let stage = self
            .connections
            .get(&key)
            .map(|connection| connection.stage);
        let input = match stage {
            Some(Stage::Handshake) => match self.handshake(now, key, input) {
                Some(request_bytes) => &mut input[request_bytes..],
                None => return,
            },
            Some(Stage::Open) => input,
            Some(Stage::Closing { .. }) | None => return,
        };
        self.frames(now, key, input);
    }

    /// Returns the length of the request once it is accepted.
    fn handshake(&mut self, now: Time, key: ConnKey, input: &[u8]) -> Option<usize> {
        match read_request(input) {
            Handshake::Incomplete => {
                self.connections.get_mut(&key)?.partial = input.to_vec();
                None
            }
            Handshake::Upgrade {
                request_bytes,
                response,
            } => {
                self.connections.get_mut(&key)?.stage = Stage::Open;
                self.send(key, |out| out.extend_from_slice(response.as_bytes()));
                Some(request_bytes)
            }
            Handshake::Refuse { response } => {
                self.close(now, key, Reason::NoHandshake, |out| {
                    out.extend_from_slice(response.as_bytes());
                });
                None
            }
        }
    }

    fn frames(&mut self, now: Time, key: ConnKey, mut input: &mut [u8]) {
        let Some(connection) = self.connections.get_mut(&key) else {
            return;
        };
        // Messages may be relayed to the very connection they came from, so it stays reachable while
        // its decoder lends them out.
        let mut decoder = mem::replace(&mut connection.decoder, Decoder::new(0));
        while self.is_open(key) {
            match decoder.next(input) {
                Ok(Some((bytes, event))) => {
                    self.event(now, key, &event);
                    input = &mut input[bytes..];
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::debug!(connection = key.0, %error, "bad frame");
                    let code = error.close_code();
                    self.close(now, key, Reason::Protocol, |out| write::close(out, code));
                }
            }
        }
        if let Some(connection) = self.connections.get_mut(&key)
            && connection.stage == Stage::Open
        {
            connection.decoder = decoder;
            connection.partial = input.to_vec();
        }
    }

    fn event(&mut self, now: Time, key: ConnKey, event: &Event<'_>) {
        match *event {
            Event::Message(text) => self.message(now, key, text),
            Event::Ping(payload) => self.send(key, |out| write::pong(out, payload)),
            Event::Close(code) => {
                self.close(now, key, Reason::Client, |out| {
                    write::close_reply(out, code);
                });
            }
            Event::Pong | Event::Fragment => {}
        }
    }

    /// Sends the last bytes and begins to close. The peers of the connection are gone at once.
    fn close(&mut self, now: Time, key: ConnKey, reason: Reason, write: impl FnOnce(&mut Vec<u8>)) {
        let Some(connection) = self.connections.get_mut(&key) else {
            return;
        };
        connection.queue(write);
        connection.stage = Stage::Closing { since: now, reason };
        self.swarms.close(key);
        self.mark_dirty(key);
    }

    fn is_open(&self, key: ConnKey) -> bool {
        self.connections
            .get(&key)
            .is_some_and(|connection| connection.stage == Stage::Open)
    }

    fn mark_dirty(&mut self, key: ConnKey) {
        if let Some(connection) = self.connections.get_mut(&key)
            && !mem::replace(&mut connection.is_dirty, true)
        {
            self.dirty.push(key);
        }
    }

    /// Keeps what waits for a connection within its limit: writes early, and drops a client that
    /// does not read.
    fn relieve(&mut self, key: ConnKey) {
        let max = self.config.limits.connection_output_bytes_max;
        let is_over = |hub: &Self| hub.get(key).is_some_and(|c| c.output_bytes() > max);
        if is_over(self) {
            self.write(key);
            if is_over(self) {
                self.remove(key, Reason::Slow);
            }
        }
    }
}
