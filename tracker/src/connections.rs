//! All connections of a worker: what waits to be sent, and to whom.

use std::collections::HashMap;
use std::mem;
use std::rc::Rc;

use beekeepr_model::Time;
use beekeepr_swarm::ConnKey;
use beekeepr_websocket::write;

use crate::connection::{Connection, Due, Patience, Socket, Stage};
use crate::directory::WorkerId;
use crate::metrics::{Metrics, Reason};
use crate::outbox::Outbox;
use crate::post::{self, Mail, Post};

/// A connection and its socket.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) socket: Rc<Socket>,
    pub(crate) connection: Connection,
}

/// The connections of one worker. What they are sent piles up until [`Self::flush`].
#[derive(Debug)]
pub(crate) struct Connections {
    here: WorkerId,
    post: Post,
    metrics: Metrics,
    output_bytes_max: usize,
    entries: HashMap<ConnKey, Box<Entry>>,
    keys: u64,
    /// Connections with something to be sent.
    dirty: Vec<ConnKey>,
    /// Connections that are gone, for whoever else must know.
    gone: Vec<ConnKey>,
    /// What other workers must hear of but had no room for.
    untold: Vec<(WorkerId, ConnKey)>,
    now: Time,
}

impl Connections {
    pub(crate) fn new(
        here: WorkerId,
        post: Post,
        metrics: Metrics,
        output_bytes_max: usize,
    ) -> Self {
        Self {
            here,
            post,
            metrics,
            output_bytes_max,
            entries: HashMap::new(),
            keys: 0,
            dirty: Vec::new(),
            gone: Vec::new(),
            untold: Vec::new(),
            now: Time::ZERO,
        }
    }

    /// What time it is, for what follows.
    pub(crate) fn set_now(&mut self, now: Time) {
        self.now = now;
    }

    /// Takes a connection in.
    pub(crate) fn insert(&mut self, socket: Rc<Socket>, connection: Connection) -> ConnKey {
        self.keys += 1;
        let key = post::key(self.here, self.keys);
        self.entries
            .insert(key, Box::new(Entry { socket, connection }));
        self.metrics.connections.inc();
        key
    }

    /// Gives a connection away, to live elsewhere.
    pub(crate) fn take(&mut self, key: ConnKey) -> Option<Box<Entry>> {
        let entry = self.entries.remove(&key)?;
        self.metrics.connections.dec();
        Some(entry)
    }

    pub(crate) fn get(&self, key: ConnKey) -> Option<&Connection> {
        self.entries.get(&key).map(|entry| &entry.connection)
    }

    pub(crate) fn get_mut(&mut self, key: ConnKey) -> Option<&mut Connection> {
        self.entries
            .get_mut(&key)
            .map(|entry| &mut entry.connection)
    }

    pub(crate) fn entry(&mut self, key: ConnKey) -> Option<&mut Entry> {
        self.entries.get_mut(&key).map(|entry| &mut **entry)
    }

    pub(crate) fn stage(&self, key: ConnKey) -> Option<Stage> {
        self.get(key).map(|connection| connection.stage)
    }

    pub(crate) fn is_open(&self, key: ConnKey) -> bool {
        self.stage(key) == Some(Stage::Open)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn keys(&self) -> Vec<ConnKey> {
        self.entries.keys().copied().collect()
    }

    /// Whether [`Self::flush`] has something to do.
    pub(crate) fn is_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// A connection that is gone, or is not open any more; each is told once.
    pub(crate) fn pop_gone(&mut self) -> Option<ConnKey> {
        self.gone.pop()
    }

    /// Ends a connection at once.
    pub(crate) fn remove(&mut self, key: ConnKey, reason: Reason) {
        let Some(entry) = self.entries.remove(&key) else {
            return;
        };
        let reason = match entry.connection.stage {
            Stage::Closing { reason, .. } => reason,
            Stage::Proxy | Stage::Handshake | Stage::Open => {
                self.tell_gone(key, &entry.connection);
                reason
            }
        };
        entry.socket.changed.notify_one();
        self.metrics.closed(reason);
        self.metrics.connections.dec();
        tracing::debug!(
            connection = key.0,
            reason = reason.as_str(),
            "connection closed"
        );
    }

    /// Sends the last bytes and begins to close. The peers of the connection are gone at once.
    pub(crate) fn finish(
        &mut self,
        key: ConnKey,
        reason: Reason,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        let since = self.now;
        let Some(mut entry) = self.entries.remove(&key) else {
            return;
        };
        if !matches!(entry.connection.stage, Stage::Closing { .. }) {
            self.tell_gone(key, &entry.connection);
            entry.connection.queue(write);
            entry.connection.stage = Stage::Closing { since, reason };
        }
        self.entries.insert(key, entry);
        self.mark_dirty(key);
    }

    /// Writes to every connection that has something to be sent.
    pub(crate) fn flush(&mut self) {
        let mut dirty = mem::take(&mut self.dirty);
        for key in dirty.drain(..) {
            if let Some(connection) = self.get_mut(key) {
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
        let Some(Entry { socket, connection }) = self.entry(key) else {
            return;
        };
        match connection.flush(socket) {
            Ok(bytes) => self.metrics.sent_bytes.inc_by(bytes as u64),
            Err(_) => self.remove(key, Reason::Network),
        }
    }

    pub(crate) fn mark_dirty(&mut self, key: ConnKey) {
        if let Some(connection) = self.get_mut(key)
            && !mem::replace(&mut connection.is_dirty, true)
        {
            self.dirty.push(key);
        }
    }

    fn ping(&mut self, key: ConnKey) {
        let now = self.now;
        if self.get_mut(key).is_some_and(|it| it.begin_ping(now)) {
            self.send(key, write::ping);
        }
    }

    /// Pings the silent and ends those that stay so.
    pub(crate) fn tick(&mut self, patience: Patience) {
        self.tell();
        let now = self.now;
        let due: Vec<(ConnKey, Due)> = self
            .entries
            .iter()
            .map(|(&key, entry)| (key, entry.connection.due(now, patience)))
            .filter(|(_, due)| *due != Due::Nothing)
            .collect();
        for (key, due) in due {
            match due {
                Due::Ping => self.ping(key),
                Due::Leave => self.close(key, write::CLOSE_POLICY),
                Due::End(reason) => self.remove(key, reason),
                Due::Nothing => {}
            }
        }
    }

    /// Who else has heard from the connection would count its peers for minutes.
    fn tell_gone(&mut self, key: ConnKey, connection: &Connection) {
        self.gone.push(key);
        self.untold
            .extend(connection.known_at.iter().map(|&worker| (worker, key)));
        self.tell();
    }

    /// Tells what could not be told before, as far as there is room.
    fn tell(&mut self) {
        let Self { untold, post, .. } = self;
        untold.retain(|&(worker, key)| !post.send(worker, Mail::Gone(key)));
    }

    /// Keeps what waits for a connection within its limit: writes early, and drops a client that
    /// does not read.
    fn relieve(&mut self, key: ConnKey) {
        let max = self.output_bytes_max;
        let is_over = |it: &Self| it.get(key).is_some_and(|it| it.output_bytes() > max);
        if is_over(self) {
            self.write(key);
            if is_over(self) {
                self.remove(key, Reason::Slow);
            }
        }
    }

    fn mail(&self, mail: Mail, to: ConnKey) {
        if !self.post.send(post::home(to), mail) {
            self.metrics.mail_lost.inc();
        }
    }
}

impl Outbox for Connections {
    fn send(&mut self, to: ConnKey, write: impl FnOnce(&mut Vec<u8>)) {
        if post::home(to) != self.here {
            let mut frames = Vec::new();
            write(&mut frames);
            self.mail(Mail::Frames { to, frames }, to);
            return;
        }
        let Some(connection) = self.get_mut(to) else {
            return;
        };
        if connection.stage != Stage::Open {
            return;
        }
        connection.queue(write);
        self.mark_dirty(to);
        self.relieve(to);
    }

    fn probe(&mut self, key: ConnKey) {
        if post::home(key) != self.here {
            self.mail(Mail::Probe(key), key);
            return;
        }
        let now = self.now;
        if self.get_mut(key).is_some_and(|it| it.begin_probe(now)) {
            self.send(key, write::ping);
        }
    }

    fn close(&mut self, key: ConnKey, code: u16) {
        if post::home(key) != self.here {
            self.mail(Mail::Close { key, code }, key);
            return;
        }
        self.finish(key, Reason::Policy, |out| write::close(out, code));
    }
}
