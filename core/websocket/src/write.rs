//! Frames of a server, which are never masked or fragmented.

/// Close code: the server or the page goes away.
pub const CLOSE_GOING_AWAY: u16 = 1001;
/// Close code: a frame broke the protocol.
pub const CLOSE_PROTOCOL_ERROR: u16 = 1002;
/// Close code: text was not UTF-8.
pub const CLOSE_NO_TEXT: u16 = 1007;
/// Close code: the client does what is not allowed here.
pub const CLOSE_POLICY: u16 = 1008;
/// Close code: a message was too large.
pub const CLOSE_TOO_LARGE: u16 = 1009;
/// Close code: the server is overloaded, later may be better (IANA's registry).
pub const CLOSE_TRY_AGAIN_LATER: u16 = 1013;

/// Every frame here is the last, and only, one of its message.
const LAST: u8 = 0x80;
const TEXT: u8 = LAST | 1;
const CLOSE: u8 = LAST | 8;
const PING: u8 = LAST | 9;
const PONG: u8 = LAST | 10;

/// Room left for the header while the payload is written: that of 126 to 65,535 bytes, by far the
/// most common; other sizes are moved.
const HEADER_BYTES_USUAL: usize = 4;

/// A text frame with what `payload` appends.
pub fn text(out: &mut Vec<u8>, payload: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER_BYTES_USUAL]);
    payload(out);
    let bytes = out.len() - start - HEADER_BYTES_USUAL;
    let (header, header_bytes) = header(TEXT, bytes);
    out.splice(
        start..start + HEADER_BYTES_USUAL,
        header.into_iter().take(header_bytes),
    );
}

/// A close frame without a reason.
pub fn close(out: &mut Vec<u8>, code: u16) {
    control(out, CLOSE, &code.to_be_bytes());
}

/// A close frame that repeats the client's code, which is how its close is answered.
pub fn close_reply(out: &mut Vec<u8>, code: Option<u16>) {
    match code {
        Some(code) => close(out, code),
        None => control(out, CLOSE, &[]),
    }
}

/// A ping without payload.
pub fn ping(out: &mut Vec<u8>) {
    control(out, PING, &[]);
}

/// The pong for a ping, with its payload.
pub fn pong(out: &mut Vec<u8>, payload: &[u8]) {
    control(out, PONG, payload);
}

fn control(out: &mut Vec<u8>, first: u8, payload: &[u8]) {
    let (header, header_bytes) = header(first, payload.len());
    out.extend_from_slice(&header[..header_bytes]);
    out.extend_from_slice(payload);
}

/// The shortest header, which RFC 6455 section 5.2 demands, and how long it is.
fn header(first: u8, payload_bytes: usize) -> ([u8; 10], usize) {
    let mut header = [0; 10];
    header[0] = first;
    match payload_bytes {
        0..=125 => {
            header[1] = payload_bytes as u8;
            (header, 2)
        }
        126..=0xffff => {
            header[1] = 126;
            header[2..4].copy_from_slice(&(payload_bytes as u16).to_be_bytes());
            (header, 4)
        }
        _ => {
            header[1] = 127;
            header[2..].copy_from_slice(&(payload_bytes as u64).to_be_bytes());
            (header, 10)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(bytes: usize) -> Vec<u8> {
        let mut out = b"before".to_vec();
        text(&mut out, |out| out.resize(out.len() + bytes, b'x'));
        assert!(out.ends_with(&vec![b'x'; bytes]));
        assert!(out.starts_with(b"before"));
        out[6..out.len() - bytes].to_vec()
    }

    #[test]
    fn lengths_are_written_in_their_shortest_form() {
        assert_eq!(text_of(0), [0x81, 0]);
        assert_eq!(text_of(125), [0x81, 125]);
        assert_eq!(text_of(126), [0x81, 126, 0, 126]);
        assert_eq!(text_of(65_535), [0x81, 126, 0xff, 0xff]);
        assert_eq!(text_of(65_536), [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn control_frames_are_as_in_the_rfc() {
        let mut out = Vec::new();
        ping(&mut out);
        pong(&mut out, b"Hello");
        close(&mut out, CLOSE_GOING_AWAY);
        close_reply(&mut out, None);
        assert_eq!(out, b"\x89\x00\x8a\x05Hello\x88\x02\x03\xe9\x88\x00");
    }
}
