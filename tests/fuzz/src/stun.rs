//! STUN datagrams, and what two foreign implementations make of them.
//!
//! Where the three may differ, and why:
//!
//! - A request without the cookie is one of RFC 3489: both foreign crates refuse it, we answer.
//! - A header whose length is not the datagram's, or no multiple of four: they read what they can, we
//!   drop it.
//! - First bits of the type that are not zero: the `stun` crate does not look at them.
//! - A FINGERPRINT that is not last, has not four bytes or does not fit: `stun` checks none until it
//!   is asked, `stun-types` checks none behind an attribute that follows the integrity.
//! - Attributes of RFC 5780 with lengths that their types do not have: they do not know those.
//! - A source that cannot be answered: they are not told the source.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use beekeepr_stun_core::client::Response;
use beekeepr_stun_core::{
    Behaviour, Change, DropReason, Frame, Outcome, PORT_ASKED_FOR_MIN, Place, REPLY_BYTES_MAX,
    ReplyKind, Route, STREAM_MESSAGE_BYTES_MAX, UNKNOWN_LISTED_MAX, frame, respond_at,
};
use stun::addr::MappedAddress;
use stun::attributes::{ATTR_FINGERPRINT, AttrType};
use stun::error_code::{CODE_BAD_REQUEST, CODE_UNKNOWN_ATTRIBUTE, ErrorCodeAttribute};
use stun::fingerprint::{FINGERPRINT, fingerprint_value};
use stun::message::{
    BINDING_ERROR, BINDING_REQUEST, BINDING_SUCCESS, CLASS_INDICATION, CLASS_REQUEST, Getter as _,
    METHOD_BINDING, Message,
};
use stun::uattrs::UnknownAttributes;
use stun::xoraddr::XorMappedAddress;
use stun_types::attribute::{AttributeType, XorMappedAddress as XorMappedAddressTypes};
use stun_types::message::Message as MessageTypes;

const HEADER_BYTES: usize = 20;
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// MESSAGE-INTEGRITY and MESSAGE-INTEGRITY-SHA256; what follows them does not count.
const INTEGRITY: [u16; 2] = [0x0008, 0x001c];

/// Attributes that must be understood, and are, besides those with the integrity: what belongs to
/// credentials, and answers' own.
const UNDERSTOOD: [u16; 9] = [
    0x0001, 0x0006, 0x0009, 0x000a, 0x0014, 0x0015, 0x001d, 0x001e, 0x0020,
];

/// CHANGE-REQUEST, PADDING and RESPONSE-PORT, understood by who offers RFC 5780.
const BEHAVIOUR: [u16; 3] = [0x0003, 0x0026, 0x0027];

/// How much longer than its request an answer may be: XOR-MAPPED-ADDRESS with IPv6, and with RFC 5780
/// three more addresses.
const LONGER_BYTES_MAX: usize = 24;
const LONGER_BYTES_MAX_BEHAVIOUR: usize = 4 * LONGER_BYTES_MAX;

/// What the fuzzer chooses before the datagram: how to mend it, who asks, and whom.
struct Setting {
    /// Set the header's length to the datagram's.
    mends_length: bool,
    /// Append a FINGERPRINT that fits.
    appends_fingerprint: bool,
    /// What a server with RFC 5780 knows.
    behaviour: Option<Behaviour>,
    source: SocketAddr,
}

const SETTING_BYTES: usize = 1 + 2 + 16;

/// One byte of flags, two of port, 16 of address (4 when the first flag is not set), the datagram.
///
/// What we answer and what we drop agrees with what the foreign implementations read, and they
/// understand the answer.
pub fn stun(data: &[u8]) {
    let Some((setting, datagram)) = data.split_first_chunk::<SETTING_BYTES>() else {
        return;
    };
    let setting = Setting::read(setting);
    let datagram = mended(&setting, datagram);
    // Left over from an earlier answer; it must not show in the next.
    let mut out = [0xaa; REPLY_BYTES_MAX];
    let behaviour = setting.behaviour.as_ref();
    match respond_at(behaviour, &datagram, setting.source, &mut out) {
        Outcome::Reply { bytes, kind, route } => {
            check_route(kind, route, &setting);
            check_frame(&datagram);
            check_reply(&datagram, &out[..bytes], kind, &setting);
        }
        Outcome::Dropped(reason) => check_drop(&datagram, reason, &setting),
    }
    // The client's end takes anything.
    let _ = Response::read(&datagram, &[0; 12]);
}

impl Setting {
    fn read(bytes: &[u8; SETTING_BYTES]) -> Self {
        let [flags, port_high, port_low, address @ ..] = *bytes;
        let ip = if flags & 1 == 0 {
            IpAddr::from([address[0], address[1], address[2], address[3]])
        } else {
            IpAddr::from(address)
        };
        let behaviour = Behaviour {
            told: [(1, 1), (1, 2), (2, 1), (2, 2)].map(|(ip, port)| ([192, 0, 2, ip], port).into()),
            here: Place::ALL[usize::from(flags >> 4) % Place::ALL.len()],
        };
        Self {
            mends_length: flags & 2 != 0,
            appends_fingerprint: flags & 4 != 0,
            behaviour: (flags & 8 != 0).then_some(behaviour),
            source: SocketAddr::new(ip, u16::from_be_bytes([port_high, port_low])),
        }
    }
}

fn mended(setting: &Setting, datagram: &[u8]) -> Vec<u8> {
    let mut datagram = datagram.to_vec();
    let body_bytes = datagram.len().checked_sub(HEADER_BYTES);
    let Some(body_bytes) = body_bytes.and_then(|bytes| u16::try_from(bytes).ok()) else {
        return datagram;
    };
    if setting.appends_fingerprint && body_bytes < u16::MAX - 8 {
        datagram[2..4].copy_from_slice(&(body_bytes + 8).to_be_bytes());
        let value = fingerprint_value(&datagram);
        datagram.extend(ATTR_FINGERPRINT.value().to_be_bytes());
        datagram.extend(4_u16.to_be_bytes());
        datagram.extend(value.to_be_bytes());
    } else if setting.mends_length {
        datagram[2..4].copy_from_slice(&body_bytes.to_be_bytes());
    }
    datagram
}

/// What the `stun` crate reads.
fn read(datagram: &[u8]) -> Option<Message> {
    let mut message = Message::default();
    message.unmarshal_binary(datagram).ok()?;
    Some(message)
}

/// Nobody's address but the source's is answered, and a port of its choice only with RFC 5780.
fn check_route(kind: ReplyKind, route: Route, setting: &Setting) {
    assert_eq!(route.to.ip(), setting.source.ip());
    if kind == ReplyKind::Behaviour {
        assert!(setting.behaviour.is_some());
        let is_allowed = route.to.port() >= PORT_ASKED_FOR_MIN;
        assert!(is_allowed || route.to.port() == setting.source.port());
    } else {
        assert_eq!(route.to, setting.source);
        assert_eq!(route.from, Change::NONE);
    }
}

/// A stream finds the end of every message that is answered.
fn check_frame(datagram: &[u8]) {
    let bytes = datagram.len();
    if bytes <= STREAM_MESSAGE_BYTES_MAX {
        assert_eq!(frame(datagram), Frame::Message(bytes));
        assert_eq!(frame(&datagram[..bytes - 1]), Frame::Partial);
    } else {
        assert_eq!(frame(datagram), Frame::Broken);
    }
}

fn check_reply(datagram: &[u8], reply: &[u8], kind: ReplyKind, setting: &Setting) {
    let longer_max = match setting.behaviour {
        None => LONGER_BYTES_MAX,
        Some(_) => LONGER_BYTES_MAX_BEHAVIOUR,
    };
    assert!(reply.len() <= datagram.len() + longer_max, "{kind:?}");
    if datagram[4..8] != COOKIE {
        return check_reply_rfc3489(datagram, reply, kind, setting);
    }
    let request = read(datagram).expect("the stun crate reads what we answer");
    assert_eq!(request.typ, BINDING_REQUEST);
    MessageTypes::from_bytes(datagram).expect("stun-types reads what we answer");
    let answer = read(reply).expect("the stun crate reads our answer");
    let answer_types = MessageTypes::from_bytes(reply).expect("stun-types reads our answer");
    assert_eq!(answer.transaction_id, request.transaction_id);
    let has_fingerprint = request.contains(ATTR_FINGERPRINT);
    assert_eq!(answer.contains(ATTR_FINGERPRINT), has_fingerprint);
    if has_fingerprint {
        FINGERPRINT.check(&answer).expect("our fingerprint fits");
    }
    let unknown = unknown(&request, setting);
    let own = Response::read(reply, &request.transaction_id.0).expect("our client's end reads it");
    match kind {
        ReplyKind::Mapped | ReplyKind::Behaviour => {
            assert!(unknown.is_empty(), "{unknown:?}");
            assert_eq!(answer.typ, BINDING_SUCCESS);
            assert_eq!(own.mapped, Some(canonical(setting.source)));
            check_address(&answer, &answer_types, setting.source);
        }
        ReplyKind::UnknownAttributes => check_unknown(&answer, &unknown),
        ReplyKind::BadRequest => assert_eq!(error_code(&answer), CODE_BAD_REQUEST.0),
        ReplyKind::MappedRfc3489 => panic!("MAPPED-ADDRESS alone to who knows the cookie"),
    }
}

/// The source, as an IPv4 address where that is what it is.
fn canonical(source: SocketAddr) -> SocketAddr {
    SocketAddr::new(source.ip().to_canonical(), source.port())
}

fn check_address(answer: &Message, answer_types: &MessageTypes<'_>, source: SocketAddr) {
    let mut address = XorMappedAddress::default();
    address.get_from(answer).expect("an address");
    let expected = canonical(source);
    assert_eq!(SocketAddr::new(address.ip, address.port), expected);
    let address = answer_types.attribute::<XorMappedAddressTypes>();
    let address = address.map(|it| it.addr(answer_types.transaction_id()));
    assert_eq!(address.ok(), Some(expected));
}

fn error_code(answer: &Message) -> u16 {
    assert_eq!(answer.typ, BINDING_ERROR);
    let mut code = ErrorCodeAttribute::default();
    code.get_from(answer).expect("an error code");
    code.code.0
}

fn check_unknown(answer: &Message, unknown: &BTreeSet<u16>) {
    assert_eq!(error_code(answer), CODE_UNKNOWN_ATTRIBUTE.0);
    let mut listed = UnknownAttributes(Vec::new());
    listed.get_from(answer).expect("a list");
    let seen: BTreeSet<u16> = listed.0.iter().map(AttrType::value).collect();
    assert_eq!(seen.len(), listed.0.len(), "repetitions in the list");
    assert!(!seen.is_empty() && seen.is_subset(unknown));
    assert_eq!(seen.len(), unknown.len().min(UNKNOWN_LISTED_MAX));
}

/// An RFC 3489 reader has no cookie; with one put in, the foreign reader takes the rest.
fn check_reply_rfc3489(datagram: &[u8], reply: &[u8], kind: ReplyKind, setting: &Setting) {
    assert_eq!(datagram[4..HEADER_BYTES], reply[4..HEADER_BYTES]);
    let mut with_cookie = reply.to_vec();
    with_cookie[4..8].copy_from_slice(&COOKIE);
    let answer = read(&with_cookie).expect("the stun crate reads our answer");
    assert!(!answer.contains(ATTR_FINGERPRINT));
    match kind {
        ReplyKind::MappedRfc3489 | ReplyKind::Behaviour => {
            let mut address = MappedAddress::default();
            address.get_from(&answer).expect("an address");
            let address = SocketAddr::new(address.ip, address.port);
            assert_eq!(address, canonical(setting.source));
        }
        ReplyKind::UnknownAttributes | ReplyKind::BadRequest => {
            assert_eq!(answer.typ, BINDING_ERROR);
        }
        ReplyKind::Mapped => panic!("XOR-MAPPED-ADDRESS to who does not know the cookie"),
    }
}

/// What the `stun` crate reads and we must find unknown.
fn unknown(request: &Message, setting: &Setting) -> BTreeSet<u16> {
    let offered: &[u16] = match setting.behaviour {
        Some(_) => &BEHAVIOUR,
        None => &[],
    };
    let kinds = request.attributes.0.iter().map(|it| it.typ.value());
    kinds
        .take_while(|kind| !INTEGRITY.contains(kind))
        .filter(|kind| *kind < 0x8000 && !UNDERSTOOD.contains(kind) && !offered.contains(kind))
        .collect()
}

fn check_drop(datagram: &[u8], reason: DropReason, setting: &Setting) {
    let foreign = || read(datagram);
    let length = datagram
        .get(2..4)
        .map(|it| u16::from_be_bytes([it[0], it[1]]));
    let agrees = match reason {
        DropReason::Source => {
            let ip = setting.source.ip().to_canonical();
            let is_many = ip.is_multicast() || ip == IpAddr::from([255; 4]);
            ip.is_unspecified() || is_many || setting.source.port() == 0
        }
        DropReason::NotStun => datagram.len() < HEADER_BYTES || datagram[0] & 0xc0 != 0,
        DropReason::Length => length.is_none_or(|length| {
            usize::from(length) + HEADER_BYTES != datagram.len() || length % 4 != 0
        }),
        DropReason::Response => foreign()
            .is_none_or(|it| it.typ.class != CLASS_REQUEST && it.typ.class != CLASS_INDICATION),
        DropReason::Indication => foreign().is_none_or(|it| it.typ.class == CLASS_INDICATION),
        DropReason::Method => foreign().is_none_or(|it| it.typ.method != METHOD_BINDING),
        DropReason::Attribute => foreign().is_none_or(|it| has_odd_attribute(&it, setting)),
        DropReason::Fingerprint => foreign().is_some_and(|it| FINGERPRINT.check(&it).is_err()),
        DropReason::OwnAddress
        | DropReason::Broadcast
        | DropReason::SourceLimit
        | DropReason::TotalLimit => false,
    };
    assert!(agrees, "dropped for {reason:?}");
    if matches!(reason, DropReason::Fingerprint) && !has_integrity(datagram) {
        assert!(MessageTypes::from_bytes(datagram).is_err());
    }
}

/// Whether a FINGERPRINT stands elsewhere than at the end, or a length is not its type's.
fn has_odd_attribute(message: &Message, setting: &Setting) -> bool {
    let attributes = &message.attributes.0;
    attributes.iter().enumerate().any(|(index, attribute)| {
        let is_last = index + 1 == attributes.len();
        match (attribute.typ.value(), attribute.length) {
            (0x8028, length) => !(is_last && length == 4),
            (0x0003, length) => setting.behaviour.is_some() && length != 4,
            (0x0027, length) => setting.behaviour.is_some() && ![2, 4].contains(&length),
            _ => false,
        }
    })
}

fn has_integrity(datagram: &[u8]) -> bool {
    MessageTypes::from_bytes(datagram).is_ok_and(|message| {
        INTEGRITY
            .iter()
            .any(|kind| message.has_attribute(AttributeType::new(*kind)))
    })
}
