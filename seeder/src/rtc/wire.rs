//! Where a connection puts its datagrams.

use std::net::SocketAddr;

use super::routes::{Key, Routes};
use super::socket::{Lane, Socket};

/// The socket as one connection sees it.
pub(super) struct Wire<'a> {
    pub(super) socket: &'a mut Socket,
    pub(super) routes: &'a mut Routes,
    pub(super) key: Key,
}

impl Wire<'_> {
    /// Puts one datagram in line.
    pub(super) fn send(&mut self, to: SocketAddr, datagram: &[u8]) {
        if let Some(buffer) = self.toward(to).room(datagram.len()) {
            buffer.extend_from_slice(datagram);
        }
    }

    /// For many datagrams to one address. What comes back from there is this connection's.
    pub(super) fn toward(&mut self, to: SocketAddr) -> Lane<'_> {
        self.routes.expect(to, self.key);
        self.socket.lane(self.routes.own(to), to)
    }
}
