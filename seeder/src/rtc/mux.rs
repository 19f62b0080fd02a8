//! All connections of the hub: datagrams and deadlines in, datagrams and events out. What clients
//! ask for is in [`requests`].

mod requests;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use bytes::BytesMut;

use super::candidates::Reach;
use super::client::{HubEvent, Outlet};
use super::connection::Connection;
use super::hub::{HubConfig, Identity};
use super::routes::{Key, Routes};
use super::sdp::Description;
use super::socket::{Received, Socket};
use super::stun::{Check, is_stun};

/// The shortest time between two visits of a connection by the clock; the timer's own step.
const TICK: Duration = Duration::from_millis(1);

/// What the outside calls a connection: whose, and which of theirs.
#[derive(Clone, Copy)]
struct Name {
    client: u32,
    number: u32,
}

/// An offer that nobody has answered. It costs no connection before that.
struct Offer {
    name: Name,
    local: Description,
    due: Instant,
}

/// A connection and what the hub knows about it.
struct Peer {
    name: Name,
    /// What its checks are addressed to.
    ufrag: String,
    due: Instant,
    connection: Box<Connection>,
    has_crashed: bool,
}

/// One caller.
struct Caller {
    outlet: Outlet,
    keys: HashMap<u32, Key>,
}

/// The state of the hub.
pub(super) struct Mux {
    config: HubConfig,
    identity: Identity,
    reach: Reach,
    advertised: Vec<SocketAddr>,
    /// The one of them that the stack takes for its own.
    own: SocketAddr,
    callers: HashMap<u32, Caller>,
    offers: HashMap<Key, Offer>,
    peers: HashMap<Key, Peer>,
    routes: Routes,
    due: BTreeSet<(Instant, Key)>,
    touched: HashSet<Key>,
    next_key: Key,
}

impl Mux {
    pub(super) fn new(
        config: HubConfig,
        identity: Identity,
        own: SocketAddr,
        advertised: Vec<SocketAddr>,
    ) -> Self {
        Self {
            config,
            identity,
            reach: Reach::of(&advertised),
            advertised,
            own,
            callers: HashMap::new(),
            offers: HashMap::new(),
            peers: HashMap::new(),
            routes: Routes::default(),
            due: BTreeSet::new(),
            touched: HashSet::new(),
            next_key: 0,
        }
    }

    /// When the clock next has something to do.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Takes a datagram, or drops it when it is nobody's.
    pub(super) fn datagram(&mut self, now: Instant, received: &Received<'_>) {
        let Received { from, to, bytes } = *received;
        if !is_stun(bytes) {
            if let Some(key) = self.routes.at(from) {
                let bytes = BytesMut::from(bytes);
                self.guarded(key, |peer| peer.datagram(now, from, bytes));
            }
            return;
        }
        let Some(mut check) = Check::read(bytes) else {
            return;
        };
        let owner = if check.is_request() {
            self.signer(&mut check)
                .filter(|key| self.routes.prove(from, to, *key))
        } else {
            self.routes.at(from)
        };
        if let Some(key) = owner {
            let bytes = BytesMut::from(bytes);
            self.guarded(key, |peer| peer.check(now, from, &check, bytes));
        }
    }

    /// Drives what was touched or is due, and puts its datagrams in line.
    pub(super) fn drive(&mut self, now: Instant, socket: &mut Socket) {
        while let Some((due, key)) = self.due.first().copied()
            && due <= now
        {
            self.due.remove(&(due, key));
            self.touched.insert(key);
        }
        for key in std::mem::take(&mut self.touched) {
            if let Some(offer) = self.offers.get(&key) {
                if offer.due <= now {
                    tracing::debug!(
                        conn = offer.name.number,
                        "offer given up: no answer in time"
                    );
                    self.end(now, key, socket);
                }
            } else if !self.drive_peer(now, key, socket) {
                self.end(now, key, socket);
            }
        }
    }

    /// Whose password signed this request, among those it can be addressed to.
    fn signer(&self, check: &mut Check) -> Option<Key> {
        let key = self.routes.named(&check.addressee()?)?;
        let password = self.peers.get(&key)?.connection.password();
        check
            .is_signed_with(password, self.identity.crypto.as_ref())
            .then_some(key)
    }

    /// Lets a connection work; a panic in the stack ends it alone.
    fn guarded(&mut self, key: Key, work: impl FnOnce(&mut Connection)) {
        if let Some(peer) = self.peers.get_mut(&key) {
            let worked = catch_unwind(AssertUnwindSafe(|| work(&mut peer.connection)));
            peer.has_crashed |= worked.is_err();
            self.touched.insert(key);
        }
    }

    /// Returns whether the connection lives on.
    fn drive_peer(&mut self, now: Instant, key: Key, socket: &mut Socket) -> bool {
        let Some(peer) = self.peers.get_mut(&key) else {
            return true; // ended meanwhile
        };
        if peer.has_crashed {
            return false;
        }
        let routes = &mut self.routes;
        let connection = &mut peer.connection;
        let driven = catch_unwind(AssertUnwindSafe(|| {
            connection.drive(now, |to, datagram| {
                routes.expect(to, key);
                socket.send(routes.own(to), to, datagram);
            })
        }));
        let Ok(due) = driven else {
            peer.has_crashed = true;
            return false;
        };
        self.due.remove(&(peer.due, key));
        peer.due = due.max(now + TICK);
        self.due.insert((peer.due, key));
        !peer.connection.is_over()
    }

    /// Ends an offer or a connection and tells both sides.
    fn end(&mut self, now: Instant, key: Key, socket: &mut Socket) {
        let name = if let Some(offer) = self.offers.remove(&key) {
            self.due.remove(&(offer.due, key));
            offer.name
        } else if let Some(mut peer) = self.peers.remove(&key) {
            self.due.remove(&(peer.due, key));
            if peer.has_crashed {
                tracing::error!(
                    conn = peer.name.number,
                    "connection closed: its stack panicked"
                );
            } else {
                say_farewell(now, &mut peer.connection, &self.routes, socket);
            }
            self.routes.remove(&peer.ufrag, key);
            peer.name
        } else {
            return;
        };
        self.emit(name, HubEvent::Closed { conn: name.number });
        self.forget(name);
    }

    fn emit(&self, name: Name, event: HubEvent) {
        if let Some(caller) = self.callers.get(&name.client) {
            caller.outlet.emit(event);
        }
    }

    fn key(&self, name: Name) -> Option<Key> {
        let caller = self.callers.get(&name.client)?;
        caller.keys.get(&name.number).copied()
    }

    fn forget(&mut self, name: Name) {
        if let Some(caller) = self.callers.get_mut(&name.client) {
            caller.keys.remove(&name.number);
        }
    }
}

fn say_farewell(now: Instant, connection: &mut Connection, routes: &Routes, socket: &mut Socket) {
    // It is going anyway; a panic takes nothing more with it.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        connection.close(now, |to, datagram| {
            socket.send(routes.own(to), to, datagram);
        });
    }));
}
