//! The sample messages of RFC 5769. This server has no credentials, so of the four messages it is
//! the fingerprints, the mapped addresses and the list of unknown attributes that apply to it.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers as well"
)]

use std::net::SocketAddr;

use beekeepr_stun_core::{Change, DropReason, Outcome, REPLY_BYTES_MAX, ReplyKind, Route, respond};

/// Section 2.1: a request of an ICE agent.
const REQUEST: &str = "
    00010058 2112a442 b7e7a701 bc34d686 fa87dfae
    80220010 5354554e 20746573 7420636c 69656e74
    00240004 6e0001ff
    80290008 932ff9b1 51263b36
    00060009 6576746a 3a683676 59202020
    00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249 c1b571a2
    80280004 e57a3bcf";

/// Section 2.2: a response over IPv4.
const RESPONSE_IPV4: &str = "
    0101003c 2112a442 b7e7a701 bc34d686 fa87dfae
    8022000b 74657374 20766563 746f7220
    00200008 0001a147 e112a643
    00080014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7
    80280004 c07d4c96";

/// Section 2.3: a response over IPv6.
const RESPONSE_IPV6: &str = "
    01010048 2112a442 b7e7a701 bc34d686 fa87dfae
    8022000b 74657374 20766563 746f7220
    00200014 0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9
    00080014 a382954e 4be67bf1 1784c97c 8292c275 bfe3ed41
    80280004 c8fb0b4c";

/// Section 2.4: a request with long-term credentials.
const REQUEST_LONG_TERM: &str = "
    00010060 2112a442 78ad3433 c6ad72c0 29da412e
    00060012 e3839ee3 8388e383 aae38383 e382afe3 82b90000
    0015001c 662f2f34 39396b39 35346436 4f4c3334 6f4c3946 53547679 36347341
    0014000b 6578616d 706c652e 6f726700
    00080014 f6702465 6dd64a3e 02b8e071 2e85c9a2 8ca89666";

/// The mapped addresses of the two responses.
const MAPPED_IPV4: &str = "192.0.2.1:32853";
const MAPPED_IPV6: &str = "[2001:db8:1234:5678:11:2233:4455:6677]:32853";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<char> = hex.chars().filter(|char| !char.is_whitespace()).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(&String::from_iter(pair), 16).unwrap())
        .collect()
}

fn respond_to(request: &[u8], source: &str) -> (Outcome, Vec<u8>) {
    let source: SocketAddr = source.parse().unwrap();
    let mut out = [0; REPLY_BYTES_MAX];
    let outcome = respond(request, source, &mut out);
    let length = match outcome {
        Outcome::Reply { bytes, .. } => bytes,
        Outcome::Dropped(_) => 0,
    };
    (outcome, out[..length].to_vec())
}

/// A reply from where it was asked to [`MAPPED_IPV4`].
fn reply_of(bytes: usize, kind: ReplyKind) -> Outcome {
    let route = Route {
        to: MAPPED_IPV4.parse().unwrap(),
        from: Change::NONE,
    };
    Outcome::Reply { bytes, kind, route }
}

/// The reply to a plain request with the samples' transaction id.
fn mapped(source: &str) -> Vec<u8> {
    let mut request = bytes(REQUEST)[..20].to_vec();
    request[2..4].fill(0);
    respond_to(&request, source).1
}

#[test]
fn the_ipv4_response_has_our_mapped_address() {
    assert_eq!(mapped(MAPPED_IPV4)[20..], bytes(RESPONSE_IPV4)[36..48]);
}

#[test]
fn the_ipv6_response_has_our_mapped_address() {
    assert_eq!(mapped(MAPPED_IPV6)[20..], bytes(RESPONSE_IPV6)[36..60]);
}

#[test]
fn the_requests_fingerprint_is_accepted_and_ices_priority_is_not_ours() {
    let (outcome, reply) = respond_to(&bytes(REQUEST), MAPPED_IPV4);
    assert_eq!(outcome, reply_of(44, ReplyKind::UnknownAttributes));
    assert_eq!(reply[28..36], bytes("000a 0002 0024 0000"));
    assert_eq!(reply[36..40], bytes("8028 0004"));
}

#[test]
fn a_changed_request_no_longer_fits_its_fingerprint() {
    let mut request = bytes(REQUEST);
    request[30] ^= 1;
    let (outcome, _) = respond_to(&request, MAPPED_IPV4);
    assert_eq!(outcome, Outcome::Dropped(DropReason::Fingerprint));
}

#[test]
fn credentials_are_ignored_by_a_server_that_asks_for_none() {
    let (outcome, reply) = respond_to(&bytes(REQUEST_LONG_TERM), MAPPED_IPV4);
    assert_eq!(outcome, reply_of(32, ReplyKind::Mapped));
    assert_eq!(reply[4..20], bytes(REQUEST_LONG_TERM)[4..20]);
}

#[test]
fn the_responses_get_no_response() {
    for response in [RESPONSE_IPV4, RESPONSE_IPV6] {
        let (outcome, _) = respond_to(&bytes(response), MAPPED_IPV4);
        assert_eq!(outcome, Outcome::Dropped(DropReason::Response));
    }
}
