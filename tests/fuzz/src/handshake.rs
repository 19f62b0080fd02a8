//! Opening handshakes, read by us and by tungstenite.
//!
//! Where the two may differ, and why:
//!
//! - tungstenite wants `Upgrade: websocket` and nothing beside it, looks at the first of several equal
//!   headers only, and takes at most 124 headers; we take lists, as RFC 6455 section 4.2.1 has it.
//! - tungstenite checks each character of the path and of headers' names and values; we only look for
//!   those headers that we know, and refuse what is not UTF-8.
//! - tungstenite takes spaces for commas in `Connection`: `close upgrade` upgrades.
//! - tungstenite takes lines that end without a carriage return, and empty lines before the first.

use beekeepr_websocket::{HANDSHAKE_BYTES_MAX, Handshake, read_request};
use tungstenite::handshake::derive_accept_key;
use tungstenite::handshake::machine::TryParse as _;
use tungstenite::handshake::server::{Request, create_response};

/// The first bytes of a connection.
///
/// What is taken for a handshake is one however its bytes arrive, and what tungstenite takes we take
/// with the same answer.
pub fn handshake(data: &[u8]) {
    match read_request(data) {
        Handshake::Incomplete => assert!(data.len() < HANDSHAKE_BYTES_MAX),
        Handshake::Upgrade(upgrade) => {
            let (head, _) = data.split_at(upgrade.request_bytes);
            assert!(head.len() <= HANDSHAKE_BYTES_MAX && head.ends_with(b"\r\n\r\n"));
            let response = upgrade.response(None);
            check_pieces(head, &response);
            let key = upgrade.values("Sec-WebSocket-Key").last();
            let accept = derive_accept_key(key.expect("a key").as_bytes());
            assert!(response.contains(&format!("\r\nSec-WebSocket-Accept: {accept}\r\n")));
        }
        Handshake::Refuse { response } => {
            assert!(response.starts_with("HTTP/1.1 4") && response.contains("\r\n\r\n"));
            assert!(!is_taken_by_tungstenite(data), "{response}");
        }
    }
}

/// As long as a handshake is not whole, it is nothing else either.
fn check_pieces(head: &[u8], response: &str) {
    for bytes in [1, 3, head.len() / 2, head.len() - 1] {
        assert_eq!(read_request(&head[..bytes]), Handshake::Incomplete);
    }
    let Handshake::Upgrade(upgrade) = read_request(head) else {
        panic!("no handshake without what follows it");
    };
    assert_eq!(upgrade.response(None), response);
}

/// Whether tungstenite takes it, for reasons that are ours, too.
fn is_taken_by_tungstenite(data: &[u8]) -> bool {
    let Ok(Some((bytes, request))) = Request::try_parse(data) else {
        return false;
    };
    let head = &data[..bytes];
    let mut lines = head.split_inclusive(|&byte| byte == b'\n');
    let ends_with_returns = lines.all(|line| line.ends_with(b"\r\n"));
    let is_ours = bytes <= HANDSHAKE_BYTES_MAX
        && std::str::from_utf8(head).is_ok()
        && head.starts_with(b"GET ")
        && ends_with_returns
        && has_comma_before_upgrade(&request)
        && !has_repeated(&request);
    is_ours && create_response(&request).is_ok()
}

/// Of several versions or keys tungstenite takes the first, we the last.
fn has_repeated(request: &Request) -> bool {
    ["Sec-WebSocket-Version", "Sec-WebSocket-Key"]
        .iter()
        .any(|name| request.headers().get_all(*name).iter().count() > 1)
}

/// tungstenite takes spaces for commas.
fn has_comma_before_upgrade(request: &Request) -> bool {
    let value = request.headers().get("Connection");
    let value = value.and_then(|it| it.to_str().ok()).unwrap_or_default();
    let mut tokens = value.split(',');
    tokens.any(|token| token.trim().eq_ignore_ascii_case("upgrade"))
}
