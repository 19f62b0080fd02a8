//! Which first bytes of a connection are a handshake.

#![cfg(test)]

use beekeepr_websocket::{HANDSHAKE_BYTES_MAX, Handshake, read_request};
use proptest::prelude::*;

/// The example of RFC 6455 section 1.2, with what proxies and browsers do to it.
const REQUEST: &str = "GET /any/path?jwt=x HTTP/1.1\r\nHost: server.example.com\r\n\
    upgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://example.com\r\n\
    Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Version: 13\r\n\r\n";

fn status(request: &str) -> String {
    match read_request(request.as_bytes()) {
        Handshake::Refuse { response } => response[9..12].to_owned(),
        other => panic!("expected a refusal of {request:?}, got {other:?}"),
    }
}

#[test]
fn the_example_of_the_rfc_is_accepted() {
    let with_a_frame = format!("{REQUEST}frame");
    let Handshake::Upgrade(upgrade) = read_request(with_a_frame.as_bytes()) else {
        panic!("expected an upgrade");
    };
    assert_eq!(upgrade.request_bytes, REQUEST.len());
    assert_eq!(upgrade.target, "/any/path?jwt=x");
    let response = upgrade.response(None);
    assert!(response.starts_with("HTTP/1.1 101 "));
    assert!(response.contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    assert!(response.ends_with("\r\n\r\n"));
}

#[test]
fn headers_are_found_in_any_case_and_as_often_as_they_came() {
    let request = REQUEST.replace(
        "Origin:",
        "X-Forwarded-For: a, b\r\nx-forwarded-for: c\r\nOrigin:",
    );
    let Handshake::Upgrade(upgrade) = read_request(request.as_bytes()) else {
        panic!("expected an upgrade");
    };
    let values: Vec<&str> = upgrade.values("X-FORWARDED-FOR").collect();
    assert_eq!(values, ["a, b", "c"]);
    assert_eq!(upgrade.values("origin").next(), Some("http://example.com"));
    assert_eq!(upgrade.values("cookie").next(), None);
    let response = upgrade.response(Some("jwt"));
    assert!(
        response.contains("\r\nSec-WebSocket-Protocol: jwt\r\n"),
        "{response}"
    );
}

#[test]
fn it_may_come_byte_by_byte() {
    for end in 0..REQUEST.len() {
        assert_eq!(
            read_request(&REQUEST.as_bytes()[..end]),
            Handshake::Incomplete,
            "{end}"
        );
    }
}

#[test]
fn an_ordinary_request_is_told_what_this_address_is() {
    let request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let Handshake::Refuse { response } = read_request(request.as_bytes()) else {
        panic!("expected a refusal");
    };
    let (head, text) = response.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\n"),
        "{head}"
    );
    assert!(
        head.contains(&format!("\r\nContent-Length: {}", text.len())),
        "{head}"
    );
    assert!(text.contains("WebSocket"));
}

#[test]
fn every_fault_has_its_status() {
    assert_eq!(status(&REQUEST.replace("Version: 13", "Version: 8")), "426");
    assert_eq!(
        status(&REQUEST.replace("dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ=")),
        "400"
    );
    assert_eq!(
        status(&REQUEST.replace("dGhlIHNhbXBsZSBub25jZQ==", "")),
        "400"
    );
    assert_eq!(status(&REQUEST.replace("GET", "POST")), "405");
    assert_eq!(status(&REQUEST.replace("HTTP/1.1", "HTTP/1.0")), "400");
    assert_eq!(status(&REQUEST.replace("Host: ", "Host")), "400");
    assert_eq!(status("\u{16}\u{3}\u{1}\u{2}\u{0}"), "400", "a TLS hello");
    let long = REQUEST.replace("Origin", &"x".repeat(HANDSHAKE_BYTES_MAX));
    assert_eq!(status(&long), "431");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes: Vec<u8>, at: prop::sample::Index) {
        let _ = read_request(&bytes);
        let mut request = REQUEST.as_bytes().to_vec();
        let at = at.index(request.len());
        request.splice(at..at, bytes);
        let _ = read_request(&request);
    }
}
