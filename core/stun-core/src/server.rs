//! One worker of a server: who may be answered, and what.

use alloc::boxed::Box;
use core::net::{IpAddr, SocketAddr};

use crate::behaviour::Behaviour;
use crate::limit::{Limiter, Limits};
use crate::outcome::{DropReason, Outcome, ReplyKind};
use crate::respond::{is_one_host, respond_at};
use crate::siphash::Key;
use crate::{BEHAVIOUR_COST, REPLY_BYTES_MAX, REQUEST_BYTES_MAX};

/// The state of a server, which one thread has to itself: limits, and the addresses that it answers
/// on. Its size does not change after it is made.
#[derive(Debug)]
pub struct Server {
    own: Box<[SocketAddr]>,
    limiter: Limiter,
}

/// Where a message came from and where it went.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// Who sent it.
    pub source: SocketAddr,
    /// The address that it was sent to, when the system tells it.
    pub asked: Option<IpAddr>,
    /// What the socket knows of RFC 5780, when that is offered there.
    pub behaviour: Option<&'a Behaviour>,
}

impl Server {
    /// `own` are the addresses that it answers on, and those by which they are known outside.
    #[must_use]
    pub fn new(own: &[SocketAddr], limits: Limits, key: Key) -> Self {
        Self {
            own: own.into(),
            limiter: Limiter::new(limits, key),
        }
    }

    /// Reads a message and writes the answer, if it gets one, to `out`. `now_ns` counts from any
    /// beginning and never goes back.
    pub fn handle(
        &mut self,
        now_ns: u64,
        message: &[u8],
        arrival: &Arrival<'_>,
        out: &mut [u8; REPLY_BYTES_MAX],
    ) -> Outcome {
        let Arrival {
            source,
            asked,
            behaviour,
        } = *arrival;
        if message.len() > REQUEST_BYTES_MAX {
            return Outcome::Dropped(DropReason::Length);
        }
        if asked.is_some_and(|ip| !is_one_host(ip)) {
            return Outcome::Dropped(DropReason::Broadcast);
        }
        if self.is_own(source, asked) {
            return Outcome::Dropped(DropReason::OwnAddress);
        }
        let outcome = respond_at(behaviour, message, source, out);
        let Outcome::Reply { kind, route, .. } = outcome else {
            return outcome;
        };
        if route.to != source && self.is_own(route.to, asked) {
            return Outcome::Dropped(DropReason::OwnAddress);
        }
        match self.limiter.take(now_ns, source.ip(), cost(kind)) {
            Ok(()) => outcome,
            Err(reason) => Outcome::Dropped(reason),
        }
    }

    /// Whether it is an address of ours. One that listens on all addresses has the one asked, too.
    fn is_own(&self, address: SocketAddr, asked: Option<IpAddr>) -> bool {
        self.own.iter().any(|own| {
            // Hardly any client has the same port, so most are told from their ports alone.
            own.port() == address.port()
                && (own.ip() == address.ip()
                    || own.ip().is_unspecified() && asked == Some(address.ip()))
        })
    }
}

/// How much of its source's share an answer takes.
fn cost(kind: ReplyKind) -> u32 {
    match kind {
        ReplyKind::Behaviour => BEHAVIOUR_COST,
        ReplyKind::Mapped
        | ReplyKind::MappedRfc3489
        | ReplyKind::UnknownAttributes
        | ReplyKind::BadRequest => 1,
    }
}
