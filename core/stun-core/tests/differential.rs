//! The same datagrams for us and for the `stun-types` crate: we answer what it takes for a Binding
//! request, it understands what we answer, and both find the same attributes unknown.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers as well"
)]

use std::net::{IpAddr, SocketAddr};

use beekeepr_stun_core::{
    DropReason, Outcome, REPLY_BYTES_MAX, ReplyKind, UNKNOWN_LISTED_MAX, respond,
};
use proptest::prelude::*;
use stun_types::attribute::{
    Attribute, AttributeType, ErrorCode, Fingerprint, UnknownAttributes, XorMappedAddress,
};
use stun_types::message::{BINDING, Message, MessageClass};

const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// Comprehension-required attributes that both sides know, besides those with the integrity.
const UNDERSTOOD: [u16; 9] = [
    0x0001, 0x0006, 0x0009, 0x000a, 0x0014, 0x0015, 0x001d, 0x001e, 0x0020,
];

#[derive(Clone, Debug)]
struct Parts {
    kind: u16,
    id: [u8; 12],
    attributes: Vec<(u16, Vec<u8>)>,
    has_fingerprint: bool,
    /// Bytes to change at the end: place and what to combine it with.
    damage: Vec<(usize, u8)>,
}

fn parts() -> impl Strategy<Value = Parts> {
    let kind = prop_oneof![8 => Just(0x0001_u16), 2 => 0_u16..0x4000, 1 => any::<u16>()];
    // Types around the known ones, and anything; none that ends the list of attributes.
    let attribute_kind = prop_oneof![0_u16..0x30, 0x8020_u16..0x8030, any::<u16>()]
        .prop_filter("ends the list", |kind| {
            ![0x0008, 0x001c, 0x8028].contains(kind)
        });
    let attribute = (attribute_kind, prop::collection::vec(any::<u8>(), 0..24));
    let damage = prop_oneof![
        3 => Just(Vec::new()),
        1 => prop::collection::vec((any::<usize>(), any::<u8>()), 1..4)
    ];
    let attributes = prop::collection::vec(attribute, 0..6);
    (kind, any::<[u8; 12]>(), attributes, any::<bool>(), damage).prop_map(
        |(kind, id, attributes, has_fingerprint, damage)| Parts {
            kind,
            id,
            attributes,
            has_fingerprint,
            damage,
        },
    )
}

fn source() -> impl Strategy<Value = SocketAddr> {
    // A mapped address would come back as the IPv4 address that it is.
    let ip = any::<IpAddr>().prop_map(|ip| ip.to_canonical());
    (ip, any::<u16>()).prop_map(SocketAddr::from)
}

fn datagram(parts: &Parts) -> Vec<u8> {
    let mut body = Vec::new();
    for (kind, value) in &parts.attributes {
        body.extend(kind.to_be_bytes());
        body.extend((value.len() as u16).to_be_bytes());
        body.extend(value);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    let length = body.len() + if parts.has_fingerprint { 8 } else { 0 };
    let length = (length as u16).to_be_bytes();
    let head = [&parts.kind.to_be_bytes()[..], &length, &COOKIE, &parts.id].concat();
    let mut message = [head, body].concat();
    if parts.has_fingerprint {
        let value = Fingerprint::compute(&[&message]);
        message.extend([0x80, 0x28, 0, 4]);
        let mask = 0x5354_554e_u32.to_be_bytes();
        // The crate keeps the bare CRC.
        message.extend(value.iter().zip(mask).map(|(byte, mask)| byte ^ mask));
    }
    for (place, change) in &parts.damage {
        let place = place % message.len();
        message[place] ^= change;
    }
    message
}

/// What the oracle finds that we must find, too; `None` when it is no message to be answered.
fn unknown_to_oracle(datagram: &[u8]) -> Option<Vec<u16>> {
    let message = Message::from_bytes(datagram).ok()?;
    if message.class() != MessageClass::Request || message.method() != BINDING {
        return None;
    }
    let mut unknown = Vec::new();
    for (_, attribute) in message.iter_attributes() {
        let kind = attribute.get_type();
        let is_known = UNDERSTOOD.contains(&kind.value())
            || [0x0008, 0x001c].contains(&kind.value())
            || !kind.comprehension_required();
        if !is_known && !unknown.contains(&kind.value()) {
            unknown.push(kind.value());
        }
    }
    unknown.truncate(UNKNOWN_LISTED_MAX);
    Some(unknown)
}

fn check_reply(datagram: &[u8], reply: &[u8], source: SocketAddr) {
    let request = Message::from_bytes(datagram).expect("the oracle takes what we answer");
    let unknown = unknown_to_oracle(datagram).expect("we answer Binding requests only");
    // Checks our fingerprint as well.
    let message = Message::from_bytes(reply).expect("the oracle takes our answer");
    assert_eq!(message.transaction_id(), request.transaction_id());
    assert_eq!(message.method(), BINDING);
    let fingerprint = AttributeType::new(0x8028);
    assert_eq!(
        message.has_attribute(fingerprint),
        request.has_attribute(fingerprint)
    );
    if unknown.is_empty() {
        assert_eq!(message.class(), MessageClass::Success);
        let address = message.attribute::<XorMappedAddress>().unwrap();
        assert_eq!(address.addr(message.transaction_id()), source);
    } else {
        assert_eq!(message.class(), MessageClass::Error);
        assert_eq!(message.attribute::<ErrorCode>().unwrap().code(), 420);
        let listed = message.attribute::<UnknownAttributes>().unwrap();
        for kind in &unknown {
            assert!(
                listed.has_attribute(AttributeType::new(*kind)),
                "{kind:#06x}"
            );
        }
        assert_eq!(usize::from(listed.length()), 2 * unknown.len());
    }
}

/// Where we are stricter: the oracle takes headers whose length is not the datagram's, and believes
/// any fingerprint behind an attribute that follows the integrity.
fn is_stricter(reason: DropReason, datagram: &[u8]) -> bool {
    let has_integrity = |message: Message<'_>| {
        [0x0008, 0x001c]
            .iter()
            .any(|kind| message.has_attribute(AttributeType::new(*kind)))
    };
    match reason {
        DropReason::Source | DropReason::Length | DropReason::Attribute => true,
        DropReason::Fingerprint => Message::from_bytes(datagram).is_ok_and(has_integrity),
        DropReason::NotStun
        | DropReason::OwnAddress
        | DropReason::Broadcast
        | DropReason::SourceLimit
        | DropReason::TotalLimit
        | DropReason::Response
        | DropReason::Indication
        | DropReason::Method => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn both_read_the_same(parts in parts(), source in source()) {
        let datagram = datagram(&parts);
        let mut out = [0; REPLY_BYTES_MAX];
        match respond(&datagram, source, &mut out) {
            // The oracle has no RFC 3489.
            Outcome::Reply { .. } if datagram[4..8] != COOKIE => {}
            Outcome::Reply { bytes, kind, .. } => {
                prop_assert_ne!(kind, ReplyKind::MappedRfc3489);
                check_reply(&datagram, &out[..bytes], source);
            }
            Outcome::Dropped(reason) if is_stricter(reason, &datagram) => {}
            Outcome::Dropped(_) => prop_assert_eq!(unknown_to_oracle(&datagram), None),
        }
    }

    #[test]
    fn undamaged_requests_are_answered(mut parts in parts(), source in source()) {
        parts.kind = 0x0001;
        parts.damage.clear();
        let mut out = [0; REPLY_BYTES_MAX];
        let outcome = respond(&datagram(&parts), source, &mut out);
        prop_assert!(
            matches!(outcome, Outcome::Reply { .. } | Outcome::Dropped(DropReason::Source)),
            "{:?}", outcome
        );
    }

    #[test]
    fn nothing_that_comes_makes_it_panic(
        datagram in prop::collection::vec(any::<u8>(), 0..120),
        source in source(),
    ) {
        respond(&datagram, source, &mut [0; REPLY_BYTES_MAX]);
    }
}
