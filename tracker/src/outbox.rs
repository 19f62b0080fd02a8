//! The seam between what a message means ([`crate::signalling`]) and the connections that carry it.

use std::sync::Arc;

use beekeepr_swarm::ConnKey;

use crate::access::Session;

/// What is known of the connection that a message came from.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    /// Its number, unique in the process.
    pub(crate) key: ConnKey,
    /// Who the client is and what it may do.
    pub(crate) session: Arc<Session>,
}

/// What signalling may have done with connections, wherever in the process they live.
pub(crate) trait Outbox {
    /// Appends frames to what a connection is sent. One that is gone misses them.
    fn send(&mut self, to: ConnKey, write: impl FnOnce(&mut Vec<u8>));

    /// Finds out soon whether a connection is alive: a ping, and the end when nothing comes back.
    fn probe(&mut self, key: ConnKey);

    /// Says goodbye to a connection with this close code, after what was sent to it before.
    fn close(&mut self, key: ConnKey, code: u16);
}
