//! The opening handshake, RFC 6455 section 4.2.

use data_encoding::BASE64;
use sha1::{Digest, Sha1};

/// The largest handshake that is read. Browsers send 0.5 to 1 KB; the rest is room for cookies.
pub const HANDSHAKE_BYTES_MAX: usize = 8 * 1024;

/// What RFC 6455 section 1.3 has servers append to the key.
const KEY_SUFFIX: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// How many bytes a key stands for, section 4.1.
const KEY_BYTES: usize = 16;

/// What the first bytes of a connection turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Handshake<'a> {
    /// Not whole yet: call again with more.
    Incomplete,
    /// A WebSocket handshake, to be accepted or not.
    Upgrade(Upgrade<'a>),
    /// Something else. Send the response and close.
    Refuse {
        /// What to send.
        response: String,
    },
}

/// A good handshake.
#[derive(Debug, PartialEq, Eq)]
pub struct Upgrade<'a> {
    /// How long the request is. Frames begin after it.
    pub request_bytes: usize,
    /// What was asked for: path and query.
    pub target: &'a str,
    key: &'a str,
    lines: &'a str,
}

/// Looks for a handshake at the start of `bytes`. Any path is good.
#[must_use]
pub fn read_request(bytes: &[u8]) -> Handshake<'_> {
    let Some(head_bytes) = head_bytes(bytes) else {
        return if bytes.len() >= HANDSHAKE_BYTES_MAX {
            refuse(
                "431 Request Header Fields Too Large",
                "",
                "the request has more than 8 KiB",
            )
        } else if is_http(bytes) {
            Handshake::Incomplete
        } else {
            refuse("400 Bad Request", "", "expected an HTTP request")
        };
    };
    let Some(request) = bytes.get(..head_bytes).and_then(Request::parse) else {
        return refuse("400 Bad Request", "", "expected an HTTP/1.1 request");
    };
    match request.fault() {
        Some((status, headers, text)) => refuse(status, headers, text),
        None => Handshake::Upgrade(Upgrade {
            request_bytes: head_bytes,
            target: request.target,
            key: request.key,
            lines: request.lines,
        }),
    }
}

/// A response that is no WebSocket, after which the connection closes. `headers` are whole lines with
/// their ends.
#[must_use]
pub fn refusal(status: &str, headers: &str, text: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}Connection: close\r\nContent-Type: text/plain\r\n\
         Content-Length: {}\r\n\r\n{text}\n",
        text.len() + 1
    )
}

impl<'a> Upgrade<'a> {
    /// The values of a header, in their order: one for each time that it was sent. `name` in any case.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &'a str> {
        headers(self.lines)
            .flatten()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The response that opens the connection, with the chosen one of the subprotocols that the
    /// client asked for.
    #[must_use]
    pub fn response(&self, protocol: Option<&str>) -> String {
        let protocol = protocol.map_or_else(String::new, |it| {
            format!("Sec-WebSocket-Protocol: {it}\r\n")
        });
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n{protocol}\r\n",
            accept(self.key)
        )
    }
}

/// The parts of a request that a handshake is made of.
#[derive(Default)]
struct Request<'a> {
    method: &'a str,
    target: &'a str,
    lines: &'a str,
    is_upgrade: bool,
    connection_upgrades: bool,
    version: &'a str,
    key: &'a str,
}

impl<'a> Request<'a> {
    fn parse(head: &'a [u8]) -> Option<Self> {
        let (first, lines) = std::str::from_utf8(head).ok()?.split_once("\r\n")?;
        let mut words = first.split(' ');
        let (method, target, protocol) = (words.next()?, words.next()?, words.next()?);
        if protocol != "HTTP/1.1" || words.next().is_some() {
            return None;
        }
        let mut request = Self {
            method,
            target,
            lines,
            ..Self::default()
        };
        for header in headers(lines) {
            let (name, value) = header?;
            request.take(name, value);
        }
        Some(request)
    }

    fn take(&mut self, name: &str, value: &'a str) {
        if name.eq_ignore_ascii_case("upgrade") {
            self.is_upgrade |= has_token(value, "websocket");
        } else if name.eq_ignore_ascii_case("connection") {
            self.connection_upgrades |= has_token(value, "upgrade");
        } else if name.eq_ignore_ascii_case("sec-websocket-version") {
            self.version = value;
        } else if name.eq_ignore_ascii_case("sec-websocket-key") {
            self.key = value;
        }
    }

    /// Why this is no handshake: status, more headers, text.
    fn fault(&self) -> Option<(&'static str, &'static str, &'static str)> {
        let key_bytes = BASE64.decode(self.key.as_bytes()).map(|key| key.len());
        if self.method != "GET" {
            Some(("405 Method Not Allowed", "Allow: GET\r\n", "expected GET"))
        } else if !(self.is_upgrade && self.connection_upgrades) {
            Some((
                "426 Upgrade Required",
                "Upgrade: websocket\r\n",
                "this address speaks WebSocket (ws:// or wss://), for WebTorrent clients",
            ))
        } else if self.version != "13" {
            Some((
                "426 Upgrade Required",
                "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
                "expected Sec-WebSocket-Version 13",
            ))
        } else if key_bytes != Ok(KEY_BYTES) {
            Some((
                "400 Bad Request",
                "",
                "expected a Sec-WebSocket-Key of 16 bytes in base64",
            ))
        } else {
            None
        }
    }
}

/// Names and values of header lines, up to the empty line; `None` for a line that is no header.
fn headers(lines: &str) -> impl Iterator<Item = Option<(&str, &str)>> {
    let lines = lines.split("\r\n").take_while(|line| !line.is_empty());
    lines.map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name, value.trim_matches([' ', '\t'])))
    })
}

/// How long the head of the request is, the empty line included, once it is whole.
fn head_bytes(bytes: &[u8]) -> Option<usize> {
    let searched = &bytes[..bytes.len().min(HANDSHAKE_BYTES_MAX)];
    searched
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .map(|place| place + 4)
}

/// Whether this can be the beginning of a request: what cannot, such as a TLS hello, gets its answer
/// at once.
fn is_http(bytes: &[u8]) -> bool {
    let method = bytes.split(|&byte| byte == b' ').next().unwrap_or_default();
    // The longest registered method has 17 letters.
    method.len() <= 17 && method.iter().all(u8::is_ascii_uppercase)
}

fn has_token(list: &str, token: &str) -> bool {
    list.split(',')
        .any(|entry| entry.trim_matches([' ', '\t']).eq_ignore_ascii_case(token))
}

fn accept(key: &str) -> String {
    BASE64.encode(
        &Sha1::new()
            .chain_update(key)
            .chain_update(KEY_SUFFIX)
            .finalize(),
    )
}

fn refuse(status: &str, headers: &str, text: &str) -> Handshake<'static> {
    Handshake::Refuse {
        response: refusal(status, headers, text),
    }
}
