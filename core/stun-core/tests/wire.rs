//! What is answered, what is not, and to the byte how.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers as well"
)]

use std::net::SocketAddr;

use beekeepr_stun_core::{
    DropReason, Outcome, REPLY_BYTES_MAX, ReplyKind, UNKNOWN_LISTED_MAX, respond,
};

const SOURCE: &str = "203.0.113.9:40000";
const COOKIE_AND_ID: [u8; 16] = *b"\x21\x12\xa4\x42twelve bytes";
const RFC3489_ID: [u8; 16] = *b"sixteen bytes id";

const CHANGE_REQUEST: u16 = 0x0003;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const FINGERPRINT: u16 = 0x8028;

/// A message with attributes. The padding is not zero: nobody may look at it.
fn message(kind: u16, id: [u8; 16], attributes: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (kind, value) in attributes {
        body.extend(kind.to_be_bytes());
        body.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        body.extend(*value);
        body.resize(body.len().next_multiple_of(4), 0xaa);
    }
    let length = u16::try_from(body.len()).unwrap();
    [&kind.to_be_bytes()[..], &length.to_be_bytes(), &id, &body].concat()
}

fn request(attributes: &[(u16, &[u8])]) -> Vec<u8> {
    message(0x0001, COOKIE_AND_ID, attributes)
}

/// The request with a right fingerprint. The CRC is spelled out bit by bit, unlike the crate's.
fn with_fingerprint(attributes: &[(u16, &[u8])]) -> Vec<u8> {
    let mut all = attributes.to_vec();
    all.push((FINGERPRINT, &[0; 4]));
    let mut message = request(&all);
    let value_at = message.len() - 4;
    let value = fingerprint(&message[..value_at - 4]);
    message[value_at..].copy_from_slice(&value);
    message
}

fn fingerprint(before: &[u8]) -> [u8; 4] {
    let mut crc = u32::MAX;
    for byte in before {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0xedb8_8320
            } else {
                crc >> 1
            };
        }
    }
    (!crc ^ 0x5354_554e).to_be_bytes()
}

fn try_from_source(datagram: &[u8], source: &str) -> Result<(ReplyKind, Vec<u8>), DropReason> {
    let source: SocketAddr = source.parse().unwrap();
    // What was in the output before must not be seen in a reply.
    let mut out = [0xee; REPLY_BYTES_MAX];
    match respond(datagram, source, &mut out) {
        Outcome::Reply { bytes, kind, .. } => Ok((kind, out[..bytes].to_vec())),
        Outcome::Dropped(reason) => Err(reason),
    }
}

fn reply_to(datagram: &[u8]) -> (ReplyKind, Vec<u8>) {
    try_from_source(datagram, SOURCE).unwrap()
}

fn drop_of(datagram: &[u8]) -> DropReason {
    try_from_source(datagram, SOURCE).unwrap_err()
}

#[test]
fn a_browsers_request_over_ipv4_is_answered_in_32_bytes() {
    let (kind, reply) = reply_to(&request(&[]));
    // 40000 ^ 0x2112 and 203.0.113.9 ^ 0x2112a442.
    let address = [0, 1, 0xbd, 0x52, 0xea, 0x12, 0xd5, 0x4b];
    assert_eq!(kind, ReplyKind::Mapped);
    assert_eq!(reply, message(0x0101, COOKIE_AND_ID, &[(0x0020, &address)]));
    assert_eq!(reply.len(), 32);
}

#[test]
fn a_browsers_request_over_ipv6_is_answered_in_44_bytes() {
    let (kind, reply) = try_from_source(&request(&[]), "[2001:db8::1]:1").unwrap();
    assert_eq!((kind, reply.len()), (ReplyKind::Mapped, 44));
    assert_eq!(reply[20..26], [0, 0x20, 0, 20, 0, 2]);
}

#[test]
fn an_ipv4_client_on_an_ipv6_socket_learns_its_ipv4_address() {
    let (_, reply) = try_from_source(&request(&[]), "[::ffff:203.0.113.9]:40000").unwrap();
    assert_eq!(reply, reply_to(&request(&[])).1);
}

#[test]
fn without_the_cookie_the_address_is_in_the_clear() {
    let (kind, reply) = reply_to(&message(0x0001, RFC3489_ID, &[]));
    let address = [0, 1, 0x9c, 0x40, 203, 0, 113, 9];
    assert_eq!(kind, ReplyKind::MappedRfc3489);
    assert_eq!(reply, message(0x0101, RFC3489_ID, &[(0x0001, &address)]));
}

#[test]
fn rfc3489s_request_for_no_change_is_answered() {
    let (kind, _) = reply_to(&message(0x0001, RFC3489_ID, &[(CHANGE_REQUEST, &[0; 4])]));
    assert_eq!(kind, ReplyKind::MappedRfc3489);
}

#[test]
fn a_request_for_change_is_refused() {
    let change_port = [0, 0, 0, 2];
    let (kind, reply) = reply_to(&request(&[(CHANGE_REQUEST, &change_port)]));
    assert_eq!(kind, ReplyKind::UnknownAttributes);
    // Error 420 without words, and the list, padded.
    let parts: [(u16, &[u8]); 2] = [(0x0009, &[0, 0, 4, 20]), (0x000a, &[0, 3])];
    let mut expected = message(0x0111, COOKIE_AND_ID, &parts);
    let end = expected.len();
    expected[end - 2..].fill(0);
    assert_eq!(reply, expected);
}

#[test]
fn rfc3489s_list_repeats_a_type_instead_of_padding() {
    let (_, reply) = reply_to(&message(
        0x0001,
        RFC3489_ID,
        &[(CHANGE_REQUEST, &[0, 0, 0, 4])],
    ));
    assert_eq!(reply[28..], [0, 0x0a, 0, 4, 0, 3, 0, 3]);
}

#[test]
fn unknown_attributes_are_listed_once_and_in_order() {
    let (_, reply) = reply_to(&request(&[
        (0x0024, &[0; 4]),
        (0x7fff, &[]),
        (0x0024, &[0; 4]),
    ]));
    assert_eq!(reply[28..], [0, 0x0a, 0, 4, 0, 0x24, 0x7f, 0xff]);
}

#[test]
fn the_list_of_unknown_attributes_has_an_end() {
    let attributes: Vec<(u16, &[u8])> = (0x4000..0x4100).map(|kind| (kind, &[][..])).collect();
    let (_, reply) = reply_to(&with_fingerprint(&attributes));
    assert_eq!(reply.len(), 20 + 8 + (4 + 2 * UNKNOWN_LISTED_MAX) + 8);
    assert_eq!(usize::from(reply[31]), 2 * UNKNOWN_LISTED_MAX);
}

#[test]
fn optional_attributes_are_ignored() {
    let (kind, reply) = reply_to(&request(&[(0x8022, b"a browser"), (0xc057, &[0; 4])]));
    assert_eq!((kind, reply.len()), (ReplyKind::Mapped, 32));
}

#[test]
fn what_follows_the_integrity_does_not_count() {
    let (kind, _) = reply_to(&request(&[
        (MESSAGE_INTEGRITY, &[0; 20]),
        (0x0024, &[0; 4]),
    ]));
    assert_eq!(kind, ReplyKind::Mapped);
}

#[test]
fn a_fingerprint_is_answered_with_a_fingerprint() {
    let (_, reply) = reply_to(&with_fingerprint(&[(0x8022, b"x")]));
    assert_eq!(reply.len(), 40);
    assert_eq!(reply[32..36], [0x80, 0x28, 0, 4]);
    assert_eq!(reply[36..], fingerprint(&reply[..32]));
}

#[test]
fn a_wrong_fingerprint_drops_the_request() {
    let mut message = with_fingerprint(&[]);
    message[8] ^= 1;
    assert_eq!(drop_of(&message), DropReason::Fingerprint);
}

#[test]
fn a_fingerprint_that_is_not_last_or_not_four_bytes_drops_the_request() {
    assert_eq!(
        drop_of(&request(&[(FINGERPRINT, &[0; 4]), (0x8022, b"")])),
        DropReason::Attribute
    );
    assert_eq!(
        drop_of(&request(&[(FINGERPRINT, &[0; 8])])),
        DropReason::Attribute
    );
}

#[test]
fn no_reply_exceeds_its_request_by_more_than_an_address() {
    for count in 0..40 {
        let attributes: Vec<(u16, &[u8])> = (0..count)
            .map(|number| (0x4000 + number, &[][..]))
            .collect();
        for datagram in [
            request(&attributes),
            with_fingerprint(&attributes),
            message(0x0001, RFC3489_ID, &attributes),
        ] {
            let (_, reply) = reply_to(&datagram);
            assert!(reply.len() <= datagram.len() + 12, "{count} attributes");
        }
    }
}

#[test]
fn only_requests_are_answered() {
    for (kind, reason) in [
        (0x0101, DropReason::Response),
        (0x0111, DropReason::Response),
        (0x0011, DropReason::Indication),
        (0x0003, DropReason::Method),
        (0x0002, DropReason::Method),
    ] {
        assert_eq!(
            drop_of(&message(kind, COOKIE_AND_ID, &[])),
            reason,
            "{kind:#06x}"
        );
    }
}

#[test]
fn other_protocols_are_not_answered() {
    assert_eq!(drop_of(b""), DropReason::NotStun);
    assert_eq!(drop_of(&request(&[])[..19]), DropReason::NotStun);
    assert_eq!(
        drop_of(&message(0x4001, COOKIE_AND_ID, &[])),
        DropReason::NotStun
    );
    assert_eq!(
        drop_of(&message(0x8001, COOKIE_AND_ID, &[])),
        DropReason::NotStun
    );
}

#[test]
fn a_length_that_is_not_the_datagrams_is_not_answered() {
    let mut message = request(&[(0x8022, b"abcd")]);
    for length in [0, 4, 7, 12, 255] {
        message[3] = length;
        assert_eq!(drop_of(&message), DropReason::Length, "{length}");
    }
}

#[test]
fn an_attribute_that_does_not_end_is_not_answered() {
    let mut message = request(&[(0x8022, b"abcd")]);
    message[23] = 5;
    assert_eq!(drop_of(&message), DropReason::Attribute);
    message[22] = 0xff;
    assert_eq!(drop_of(&message), DropReason::Attribute);
}

#[test]
fn a_source_that_is_not_one_host_is_not_answered() {
    for source in [
        "203.0.113.9:0",
        "0.0.0.0:1",
        "224.0.0.1:1",
        "255.255.255.255:1",
        "[::]:1",
        "[ff02::1]:1",
        "[::ffff:224.0.0.1]:1",
    ] {
        let outcome = try_from_source(&request(&[]), source);
        assert_eq!(outcome, Err(DropReason::Source), "{source}");
    }
}
