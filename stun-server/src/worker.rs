//! One thread with a socket of its own for every UDP address. It shares nothing with the others but
//! numbers that are read now and then.

use std::cell::RefCell;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use beekeepr_stun_core::{Arrival, Change, DropReason, Mappings, Outcome, REPLY_BYTES_MAX, Server};
use tokio::io::Interest;

use crate::bind::Endpoint;
use crate::counters::{Counters, Traffic, Transport};
use crate::datagrams::{BATCH, Envelope, Inbox, Outbox};
use crate::system::{System, allow_fragments, tell_asked};

/// Rest after a failed receive. Such errors are the system's (out of memory); without a rest the
/// task would turn as fast as it can until they end.
const RECEIVE_REST: Duration = Duration::from_millis(10);

/// Bytes that go over every path in one piece, headers included (RFC 8200 section 5: 1280 for IPv6,
/// and IPv4 paths with less are not seen any more). All answers but padded ones are far shorter.
const WHOLE_BYTES_MAX: usize = 1200;

/// A worker's state; its tasks take turns.
pub(crate) struct Worker {
    sockets: Vec<Socket>,
    endpoints: Arc<[Endpoint]>,
    pub(crate) counters: Arc<Counters>,
    mappings: Option<Arc<Mappings>>,
    started: Instant,
    server: RefCell<Server>,
    buffers: RefCell<Buffers>,
}

/// A socket of one endpoint.
struct Socket {
    io: tokio::net::UdpSocket,
    /// Its address when it has a single one; else the system tells for each datagram.
    ip: Option<IpAddr>,
}

struct Buffers {
    system: System,
    inbox: Inbox,
    outbox: Outbox,
}

impl Worker {
    /// One socket for each endpoint. Needs the runtime of its thread.
    pub(crate) fn new(
        sockets: Vec<UdpSocket>,
        endpoints: Arc<[Endpoint]>,
        server: Server,
        counters: Arc<Counters>,
        mappings: Option<Arc<Mappings>>,
        started: Instant,
    ) -> io::Result<Self> {
        let sockets = sockets
            .into_iter()
            .map(Socket::new)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            sockets,
            endpoints,
            counters,
            mappings,
            started,
            server: RefCell::new(server),
            buffers: RefCell::new(Buffers {
                system: System::new(),
                inbox: Inbox::new(),
                outbox: Outbox::new(),
            }),
        })
    }

    /// How many UDP sockets there are to be served.
    pub(crate) fn socket_count(&self) -> usize {
        self.sockets.len()
    }

    /// Answers what comes to one socket, for ever.
    pub(crate) async fn serve(self: Rc<Self>, index: usize) {
        let io = &self.sockets[index].io;
        let answer = || match self.answer_batch(index) {
            // There was no more. To say so now saves the call that would find it out.
            Ok(count) if count < BATCH => Err(io::ErrorKind::WouldBlock.into()),
            done => done.map(drop),
        };
        loop {
            let readable = io.readable().await;
            match readable.and_then(|()| io.try_io(Interest::READABLE, answer)) {
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                    self.counters.receive_errors.add(1);
                    tracing::debug!(%error, "receive failed");
                    tokio::time::sleep(RECEIVE_REST).await;
                }
                Ok(()) | Err(_) => {}
            }
        }
    }

    /// Answers what has come without waiting, and tells how many datagrams that were.
    pub(crate) fn answer_batch(&self, index: usize) -> io::Result<usize> {
        let socket = &self.sockets[index];
        let Buffers {
            system,
            inbox,
            outbox,
        } = &mut *self.buffers.borrow_mut();
        system.receive(&socket.io, inbox)?;
        let mut batch = Batch {
            worker: self,
            index,
            now: self.started.elapsed(),
            traffic: self.counters.of(Transport::Udp),
            system,
            outbox,
        };
        for (bytes, envelope) in inbox.datagrams() {
            batch.answer(bytes, envelope);
        }
        batch.send_from(index);
        Ok(inbox.envelopes.len())
    }

    /// Answers a message of a stream, or tells why not.
    pub(crate) fn answer_message(
        &self,
        transport: Transport,
        message: &[u8],
        source: SocketAddr,
        out: &mut [u8; REPLY_BYTES_MAX],
    ) -> Result<usize, DropReason> {
        let traffic = self.counters.of(transport);
        traffic.received(message.len());
        let arrival = Arrival {
            source,
            asked: None,
            behaviour: None,
        };
        let now_ns = nanos(self.started.elapsed());
        let outcome = self
            .server
            .borrow_mut()
            .handle(now_ns, message, &arrival, out);
        match outcome {
            Outcome::Reply { bytes, kind, .. } => {
                traffic.replied(kind, bytes);
                Ok(bytes)
            }
            Outcome::Dropped(reason) => {
                traffic.dropped(reason);
                Err(reason)
            }
        }
    }
}

/// The datagrams of one receive call, on their way to be answered.
struct Batch<'a> {
    worker: &'a Worker,
    index: usize,
    now: Duration,
    traffic: &'a Traffic,
    system: &'a mut System,
    outbox: &'a mut Outbox,
}

impl Batch<'_> {
    fn answer(&mut self, bytes: &[u8], envelope: &Envelope) {
        self.traffic.received(bytes.len());
        let asked = self.worker.sockets[self.index].ip.or(envelope.asked);
        let role = self.worker.endpoints[self.index].role.as_ref();
        let arrival = Arrival {
            source: envelope.source,
            asked,
            behaviour: role.map(|role| &role.behaviour),
        };
        if self.outbox.room().is_none() {
            self.send_from(self.index);
        }
        let Some(room) = self.outbox.room() else {
            return;
        };
        let now_ns = nanos(self.now);
        let mut server = self.worker.server.borrow_mut();
        match server.handle(now_ns, bytes, &arrival, room) {
            Outcome::Dropped(reason) => {
                self.traffic.dropped(reason);
                tracing::trace!(source = %envelope.source, reason = reason.as_str(), "dropped");
            }
            Outcome::Reply { bytes, kind, route } => {
                self.traffic.replied(kind, bytes);
                self.note_mapping(envelope.source);
                if route.from == Change::NONE && bytes <= WHOLE_BYTES_MAX {
                    // A socket with one address sends from there in any case.
                    let is_told = self.worker.sockets[self.index].ip.is_none();
                    self.outbox.push(bytes, route.to, asked.filter(|_| is_told));
                } else {
                    self.send_apart(bytes, route.to, route.from);
                }
            }
        }
    }

    /// Sends the reply in the room by itself, as RFC 5780 wants it: maybe from another of the four
    /// addresses, maybe so long that it must be taken apart on the way, which is then its purpose.
    fn send_apart(&mut self, bytes: usize, to: SocketAddr, change: Change) {
        let Some(role) = &self.worker.endpoints[self.index].role else {
            return;
        };
        let sibling = role.siblings[role.behaviour.here.changed(change).index()];
        // The room stays where it is until the letters before it are forgotten.
        self.deliver(self.index);
        self.outbox.letters.clear();
        self.outbox.push(bytes, to, None);
        let is_long = bytes > WHOLE_BYTES_MAX;
        let fragments = |are_allowed| {
            // Where it cannot be said the answer is not sent, or costs more.
            let _ = allow_fragments(&self.worker.sockets[sibling].io, are_allowed);
        };
        if is_long {
            fragments(true);
        }
        self.send_from(sibling);
        if is_long {
            fragments(false);
        }
    }

    fn note_mapping(&self, source: SocketAddr) {
        let role = self.worker.endpoints[self.index].role.as_ref();
        if let (Some(mappings), Some(role)) = (&self.worker.mappings, role) {
            let now_s = u32::try_from(self.now.as_secs()).unwrap_or(u32::MAX);
            mappings.see(now_s, source, role.behaviour.here.is_second_address);
        }
    }

    fn send_from(&mut self, index: usize) {
        self.deliver(index);
        self.outbox.clear();
    }

    fn deliver(&mut self, index: usize) {
        if !self.outbox.letters.is_empty() {
            let socket = &self.worker.sockets[index].io;
            self.traffic
                .unsent
                .add(self.system.send(socket, self.outbox));
        }
    }
}

impl Socket {
    fn new(socket: UdpSocket) -> io::Result<Self> {
        let ip = Some(socket.local_addr()?.ip()).filter(|ip| !ip.is_unspecified());
        if ip.is_none() {
            tell_asked(&socket)?;
        }
        if socket.local_addr()?.is_ipv4() {
            allow_fragments(&socket, false)?;
        }
        Ok(Self {
            io: tokio::net::UdpSocket::from_std(socket)?,
            ip,
        })
    }
}

fn nanos(duration: Duration) -> u64 {
    // Enough for 584 years.
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
