//! The client's end against the server's, and against the samples of RFC 5769.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers as well"
)]

use std::net::SocketAddr;

use beekeepr_stun_core::client::{NotTheResponse, Response, TransactionId, request};
use beekeepr_stun_core::{Behaviour, Change, Outcome, Place, REPLY_BYTES_MAX, respond, respond_at};
use proptest::prelude::*;

const ID: TransactionId = *b"transactions";

/// RFC 5769 sections 2.2 and 2.3, the id of both, and the addresses that they tell.
const SAMPLE_ID: &str = "b7e7a701bc34d686fa87dfae";
const SAMPLES: [(&str, &str); 2] = [
    (
        "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147\
         e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96",
        "192.0.2.1:32853",
    ),
    (
        "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a147\
         0113a9faa5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004\
         c8fb0b4c",
        "[2001:db8:1234:5678:11:2233:4455:6677]:32853",
    ),
];

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<char> = hex.chars().filter(|char| !char.is_whitespace()).collect();
    let pairs = digits.chunks(2).map(String::from_iter);
    { pairs }
        .map(|pair| u8::from_str_radix(&pair, 16).unwrap())
        .collect()
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[test]
fn the_samples_tell_their_addresses() {
    let id: TransactionId = bytes(SAMPLE_ID).try_into().unwrap();
    for (sample, mapped) in SAMPLES {
        let response = Response::read(&bytes(sample), &id).unwrap();
        assert_eq!(response.mapped, Some(address(mapped)));
        assert_eq!((response.other, response.error), (None, None));
    }
}

#[test]
fn a_plain_request_is_a_browsers() {
    let (bytes, length) = request(ID, Change::NONE);
    assert_eq!(
        bytes[..length],
        *b"\x00\x01\x00\x00\x21\x12\xa4\x42transactions"
    );
}

#[test]
fn what_the_server_writes_the_client_reads() {
    let told = [
        "192.0.2.1:1",
        "192.0.2.1:2",
        "[2001:db8::2]:1",
        "192.0.2.2:2",
    ]
    .map(address);
    let behaviour = Behaviour {
        told,
        here: Place::ALL[0],
    };
    for source in ["203.0.113.9:40000", "[2001:db8::9]:1"].map(address) {
        let (message, length) = request(ID, Change::NONE);
        let mut out = [0; REPLY_BYTES_MAX];
        let outcome = respond_at(Some(&behaviour), &message[..length], source, &mut out);
        let Outcome::Reply { bytes, .. } = outcome else {
            panic!("{outcome:?}")
        };
        let response = Response::read(&out[..bytes], &ID).unwrap();
        assert_eq!(response.mapped, Some(source));
        assert_eq!(response.other, Some(told[3]));
    }
}

#[test]
fn a_refused_change_is_an_error() {
    let change = Change {
        address: true,
        port: true,
    };
    let (message, length) = request(ID, change);
    let mut out = [0; REPLY_BYTES_MAX];
    let outcome = respond(&message[..length], address("203.0.113.9:1"), &mut out);
    let Outcome::Reply { bytes, .. } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(Response::read(&out[..bytes], &ID).unwrap().error, Some(420));
}

#[test]
fn another_requests_response_is_not_ours() {
    let (sample, _) = SAMPLES[0];
    assert_eq!(Response::read(&bytes(sample), &ID), Err(NotTheResponse));
    let (message, length) = request(ID, Change::NONE);
    assert_eq!(Response::read(&message[..length], &ID), Err(NotTheResponse));
}

proptest! {
    #[test]
    fn nothing_that_comes_makes_it_panic(
        mut bytes in prop::collection::vec(any::<u8>(), 0..120),
        is_error in any::<bool>(),
    ) {
        if let Some(header) = bytes.first_chunk_mut::<20>() {
            header[..2].copy_from_slice(&[1, if is_error { 0x11 } else { 1 }]);
            header[4..].copy_from_slice(b"\x21\x12\xa4\x42transactions");
        }
        let whole = bytes.len() / 4 * 4;
        bytes.truncate(whole);
        if whole >= 20 {
            bytes[2..4].copy_from_slice(&u16::try_from(whole - 20).unwrap().to_be_bytes());
        }
        let _ = Response::read(&bytes, &ID);
    }
}
