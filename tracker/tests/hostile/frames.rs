//! Frames around payloads (RFC 6455 section 5.2), right and wrong.

use beekeepr_model::Random;

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;

/// A message in one frame or in several, now and then with a ping between them.
pub(crate) fn message(random: &mut Random, out: &mut Vec<u8>, payload: &[u8]) {
    let is_text = std::str::from_utf8(payload).is_ok();
    let mut opcode = if is_text && !random.one_in(4) {
        TEXT
    } else {
        BINARY
    };
    let mut rest = payload;
    while random.one_in(6) {
        let (part, after) = rest.split_at(random.below(rest.len() + 1));
        frame(random, out, opcode, part);
        (opcode, rest) = (CONTINUATION, after);
        if random.one_in(2) {
            let control = if random.one_in(2) { PING } else { PONG };
            frame(random, out, FIN | control, b"are you there");
        }
    }
    frame(random, out, FIN | opcode, rest);
}

/// Something that no server goes on after.
pub(crate) fn last(random: &mut Random, out: &mut Vec<u8>) {
    let some: Vec<u8> = (0..random.below(200))
        .map(|_| random.below(256) as u8)
        .collect();
    match random.below(12) {
        // Text that is none.
        0 => frame(random, out, FIN | TEXT, b"{\"action\":\"\xff\xfe\"}"),
        1 => frame(random, out, FIN | TEXT, b"\xed\xa0\x80"),
        // Nothing to continue, a reserved opcode, reserved bits.
        2 => frame(random, out, FIN | CONTINUATION, b"{}"),
        3 => frame(random, out, FIN | 3, &some),
        4 => frame(random, out, FIN | 0x70 | TEXT, b"{}"),
        // A ping in parts, and one that is too long.
        5 => frame(random, out, PING, b""),
        6 => frame(random, out, FIN | PING, &[7; 126]),
        // No mask; more than there may be; a length with its highest bit set.
        7 => out.extend_from_slice(&[FIN | TEXT, 2, b'{', b'}']),
        8 => out.extend_from_slice(&[FIN | TEXT, MASKED | 127, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
        9 => out.extend_from_slice(&[FIN | BINARY, MASKED | 127, 0xff, 0, 0, 0, 0, 0, 0, 0]),
        // A code that does not exist.
        10 => frame(random, out, FIN | CLOSE, &[0, 1]),
        _ => out.extend_from_slice(&some),
    }
}

fn frame(random: &mut Random, out: &mut Vec<u8>, first: u8, payload: &[u8]) {
    out.push(first);
    match payload.len() {
        bytes @ 0..126 => out.push(MASKED | bytes as u8),
        bytes @ 126..65_536 => {
            out.push(MASKED | 126);
            out.extend_from_slice(&(bytes as u16).to_be_bytes());
        }
        bytes => {
            out.push(MASKED | 127);
            out.extend_from_slice(&(bytes as u64).to_be_bytes());
        }
    }
    let mask = (random.next_u64() as u32).to_be_bytes();
    out.extend_from_slice(&mask);
    out.extend(
        payload
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
}
