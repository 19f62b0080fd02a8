//! The answer to one message, from the message and its source alone.

use core::net::{IpAddr, SocketAddr};

use crate::behaviour::Behaviour;
use crate::outcome::{DropReason, Outcome, ReplyKind, Route};
use crate::reply::Reply;
use crate::request::{Request, Wishes};
use crate::wire::attribute;
use crate::{PORT_ASKED_FOR_MIN, REPLY_BYTES_MAX};

/// Reads a message that came from `source` and writes the answer, if it gets one, to `out`.
///
/// This is the whole of a server without RFC 5780, and of every server over TCP and TLS, where an
/// answer can only come back on the same connection.
pub fn respond(datagram: &[u8], source: SocketAddr, out: &mut [u8; REPLY_BYTES_MAX]) -> Outcome {
    respond_at(None, datagram, source, out)
}

/// As [`respond`], at one of the four addresses of a server with RFC 5780.
pub fn respond_at(
    behaviour: Option<&Behaviour>,
    datagram: &[u8],
    source: SocketAddr,
    out: &mut [u8; REPLY_BYTES_MAX],
) -> Outcome {
    if !is_answerable(source) {
        return Outcome::Dropped(DropReason::Source);
    }
    let request = match Request::read(datagram, behaviour.is_some()) {
        Ok(request) => request,
        Err(reason) => return Outcome::Dropped(reason),
    };
    let kind = kind_of(&request);
    let route = route(kind, &request.wishes, source);
    let mut reply = Reply::new(out, &request.cookie_and_id);
    match kind {
        ReplyKind::Mapped | ReplyKind::MappedRfc3489 | ReplyKind::Behaviour => {
            reply.success();
            tell_addresses(&mut reply, &request, behaviour, source);
            if request.wishes.has_padding {
                reply.padding(datagram.len(), request.has_fingerprint);
            }
        }
        ReplyKind::UnknownAttributes => {
            reply.unknown_attributes(request.unknown.as_slice(), request.has_cookie());
        }
        ReplyKind::BadRequest => reply.bad_request(),
    }
    if request.has_fingerprint {
        reply.fingerprint();
    }
    Outcome::Reply {
        bytes: reply.finish(),
        kind,
        route,
    }
}

fn kind_of(request: &Request) -> ReplyKind {
    let wishes = &request.wishes;
    let is_port_refused = wishes.response_port.is_some_and(|port| {
        // RFC 5780 section 6.1 forbids padding to a port that somebody else may have.
        port < PORT_ASKED_FOR_MIN || wishes.has_padding
    });
    if !request.unknown.is_empty() {
        ReplyKind::UnknownAttributes
    } else if is_port_refused {
        ReplyKind::BadRequest
    } else if wishes.are_any() {
        ReplyKind::Behaviour
    } else if request.has_cookie() {
        ReplyKind::Mapped
    } else {
        ReplyKind::MappedRfc3489
    }
}

/// Only who is granted its wishes gets an answer from or to elsewhere.
fn route(kind: ReplyKind, wishes: &Wishes, source: SocketAddr) -> Route {
    let mut route = Route {
        to: source,
        from: Default::default(),
    };
    if kind == ReplyKind::Behaviour {
        route.from = wishes.change();
        route
            .to
            .set_port(wishes.response_port.unwrap_or(source.port()));
    }
    route
}

/// The addresses of a success: the source's, and with RFC 5780 the server's.
fn tell_addresses(
    reply: &mut Reply<'_>,
    request: &Request,
    behaviour: Option<&Behaviour>,
    source: SocketAddr,
) {
    if request.has_cookie() {
        reply.mapped_xored(source);
    }
    if !request.has_cookie() || behaviour.is_some() {
        reply.address(attribute::MAPPED_ADDRESS, source);
    }
    let Some(behaviour) = behaviour else { return };
    let (origin, other) = if request.has_cookie() {
        (attribute::RESPONSE_ORIGIN, attribute::OTHER_ADDRESS)
    } else {
        (attribute::SOURCE_ADDRESS, attribute::CHANGED_ADDRESS)
    };
    reply.address(origin, behaviour.origin(request.wishes.change()));
    reply.address(other, behaviour.other());
}

/// An answer to any other source would reach nobody, or many.
fn is_answerable(source: SocketAddr) -> bool {
    is_one_host(source.ip()) && source.port() != 0
}

/// Neither nobody's address nor that of many.
pub(crate) fn is_one_host(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => !ip.is_unspecified() && !ip.is_multicast() && !ip.is_broadcast(),
        IpAddr::V6(ip) => !ip.is_unspecified() && !ip.is_multicast(),
    }
}
