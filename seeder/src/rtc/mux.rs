//! All connections of the hub: datagrams and deadlines in, datagrams and events out. What clients
//! ask for is in [`requests`].

mod requests;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
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
use super::wire::Wire;

/// The shortest time between two visits of a connection by the clock; the timer's own step.
const TICK: Duration = Duration::from_millis(1);

/// Open connections driven in one turn. Each may send a window of 64 KiB, which takes about 0.1 ms:
/// whoever wants to be connected waits no longer than a few turns.
const BUSY_PER_TURN_MAX: usize = 16;

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
    /// Whether it stands in line to be driven.
    is_touched: bool,
}

/// One caller.
struct Caller {
    outlet: Outlet,
    keys: HashMap<u32, Key>,
}

/// The state of the hub.
pub(super) struct Mux {
    config: HubConfig,
    identity: Arc<Identity>,
    reach: Reach,
    advertised: Vec<SocketAddr>,
    callers: HashMap<u32, Caller>,
    offers: HashMap<Key, Offer>,
    peers: HashMap<Key, Peer>,
    routes: Routes,
    due: BTreeSet<(Instant, Key)>,
    /// Connections to drive that are being set up: signalling does not wait for segments.
    urgent: VecDeque<Key>,
    /// Connections to drive that are open, in the order in which they were touched.
    busy: VecDeque<Key>,
    next_key: Key,
}

impl Mux {
    pub(super) fn new(
        config: HubConfig,
        identity: Arc<Identity>,
        advertised: Vec<SocketAddr>,
    ) -> Self {
        Self {
            config,
            identity,
            reach: Reach::of(&advertised),
            advertised,
            callers: HashMap::new(),
            offers: HashMap::new(),
            peers: HashMap::new(),
            routes: Routes::default(),
            due: BTreeSet::new(),
            urgent: VecDeque::new(),
            busy: VecDeque::new(),
            next_key: 0,
        }
    }

    /// When the clock next has something to do.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Takes datagrams, or drops those that are nobody's.
    pub(super) fn datagrams(&mut self, now: Instant, received: &Received<'_>) {
        let Received { from, to, .. } = *received;
        let mut rest = received.bytes;
        while let Some(first) = rest.get(..received.stride.min(rest.len()))
            && !first.is_empty()
        {
            if is_stun(first) {
                self.check(now, from, to, first);
                rest = &rest[first.len()..];
                continue;
            }
            // The kernel puts datagrams of one sender together: they have one owner.
            let run_bytes: usize = rest
                .chunks(received.stride)
                .take_while(|datagram| !is_stun(datagram))
                .map(<[u8]>::len)
                .sum();
            let (run, after) = rest.split_at(run_bytes);
            rest = after;
            if let Some(key) = self.routes.at(from) {
                let mut run = BytesMut::from(run);
                self.guarded(key, |peer| {
                    while !run.is_empty() {
                        let datagram = run.split_to(received.stride.min(run.len()));
                        peer.datagram(now, from, datagram);
                    }
                });
            }
        }
    }

    fn check(&mut self, now: Instant, from: SocketAddr, to: Option<IpAddr>, datagram: &[u8]) {
        let Some(mut check) = Check::read(datagram) else {
            return;
        };
        let owner = if check.is_request() {
            self.signer(&mut check)
                .filter(|key| self.routes.prove(from, to, *key))
        } else {
            self.routes.at(from)
        };
        if let Some(key) = owner {
            self.guarded(key, |peer| peer.check(now, from, &mut check));
        }
    }

    /// Whether somebody waits to be driven.
    pub(super) fn has_work(&self) -> bool {
        !self.urgent.is_empty() || !self.busy.is_empty()
    }

    /// Drives who was touched or is due, and sends what they give: all that are being set up, and of
    /// the others as many as a turn has room for, each in its turn.
    pub(super) fn drive(&mut self, now: Instant, socket: &mut Socket) {
        while let Some((due, key)) = self.due.first().copied()
            && due <= now
        {
            self.due.remove(&(due, key));
            self.come_due(now, key, socket);
        }
        while let Some(key) = self.urgent.pop_front() {
            self.drive_peer(now, key, socket);
        }
        for _ in 0..BUSY_PER_TURN_MAX {
            let Some(key) = self.busy.pop_front() else {
                break;
            };
            self.drive_peer(now, key, socket);
        }
    }

    fn come_due(&mut self, now: Instant, key: Key, socket: &mut Socket) {
        if let Some(offer) = self.offers.get(&key) {
            tracing::debug!(
                conn = offer.name.number,
                "offer given up: no answer in time"
            );
            self.end(now, key, socket);
        } else {
            self.touch(key);
        }
    }

    /// Puts a connection in line to be driven.
    fn touch(&mut self, key: Key) {
        if let Some(peer) = self.peers.get_mut(&key)
            && !peer.is_touched
        {
            peer.is_touched = true;
            if peer.connection.is_open() {
                self.busy.push_back(key);
            } else {
                self.urgent.push_back(key);
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
            self.touch(key);
        }
    }

    fn drive_peer(&mut self, now: Instant, key: Key, socket: &mut Socket) {
        // It may have ended meanwhile.
        let Some(peer) = self.peers.get_mut(&key) else {
            return;
        };
        peer.is_touched = false;
        if peer.has_crashed {
            self.end(now, key, socket);
            return;
        }
        let connection = &mut peer.connection;
        let mut wire = Wire {
            socket,
            routes: &mut self.routes,
            key,
        };
        let driven = catch_unwind(AssertUnwindSafe(|| connection.drive(now, &mut wire)));
        // What was just sealed is still in the processor's cache.
        socket.flush();
        let Ok(due) = driven else {
            peer.has_crashed = true;
            self.end(now, key, socket);
            return;
        };
        let is_over = peer.connection.is_over();
        let due = due.max(now + TICK);
        if due != peer.due {
            self.due.remove(&(peer.due, key));
            peer.due = due;
        }
        self.due.insert((due, key));
        if is_over {
            self.end(now, key, socket);
        }
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
                let routes = &mut self.routes;
                let mut wire = Wire {
                    socket,
                    routes,
                    key,
                };
                // It is going anyway; a panic takes nothing more with it.
                let _ = catch_unwind(AssertUnwindSafe(|| {
                    peer.connection.close(now, &mut wire);
                }));
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
