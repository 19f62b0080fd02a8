//! The cases of RFC 6455 that a server must get right, in tables. The sections follow those of the
//! Autobahn test suite, so that one can look up what a case is about; 8, 10, 12 and 13 are not about
//! what is here (there is no section 8, clients' frames, and compression).

#![cfg(test)]

use beekeepr_websocket::ProtocolError::{
    self, ClosePayload, ControlFrame, Fragmentation, Opcode, ReservedBits, TooLarge, Unmasked, Utf8,
};
use beekeepr_websocket::{Decoder, Event};

/// The limit in these tests.
const MESSAGE_BYTES_MAX: usize = 1 << 20;

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
const LAST: u8 = 0x80;

/// What came out.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong,
    Close(Option<u16>),
    Fault(ProtocolError),
}

fn text(text: &str) -> Seen {
    Seen::Text(text.to_owned())
}

/// A client's frame.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let key = [0x9a, 0x03, 0xfe, 0x55];
    let mut out = vec![first];
    match payload.len() {
        short @ 0..=125 => out.push(0x80 | short as u8),
        medium @ 126..=0xffff => {
            out.push(0xfe);
            out.extend((medium as u16).to_be_bytes());
        }
        long => {
            out.push(0xff);
            out.extend((long as u64).to_be_bytes());
        }
    }
    out.extend(key);
    out.extend(
        payload
            .iter()
            .zip(key.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    out
}

/// What comes of frames that arrive in pieces of this size.
fn run(frames: &[(u8, &[u8])], piece_bytes: usize) -> Vec<Seen> {
    let stream: Vec<u8> = frames
        .iter()
        .flat_map(|(first, payload)| frame(*first, payload))
        .collect();
    let mut decoder = Decoder::new(MESSAGE_BYTES_MAX);
    let (mut buffer, mut seen) = (Vec::new(), Vec::new());
    for piece in stream.chunks(piece_bytes.max(1)) {
        buffer.extend_from_slice(piece);
        loop {
            let (taken, event) = match decoder.next(&mut buffer) {
                Ok(Some((taken, event))) => (taken, event),
                Ok(None) => break,
                Err(fault) => {
                    seen.push(Seen::Fault(fault));
                    return seen;
                }
            };
            let event = match event {
                Event::Text(text) => Some(self::text(text)),
                Event::Binary(bytes) => Some(Seen::Binary(bytes.to_vec())),
                Event::Ping(payload) => Some(Seen::Ping(payload.to_vec())),
                Event::Pong => Some(Seen::Pong),
                Event::Close(code) => Some(Seen::Close(code)),
                Event::Fragment => None,
            };
            buffer.drain(..taken);
            seen.extend(event);
        }
    }
    seen
}

/// Runs a case whole, in small pieces and byte by byte (the large ones in pieces of 997 bytes).
fn check(case: &str, frames: &[(u8, &[u8])], expected: &[Seen]) {
    let bytes: usize = frames.iter().map(|(_, payload)| payload.len()).sum();
    let pieces = if bytes > 10_000 {
        [usize::MAX, 997]
    } else {
        [usize::MAX, 1]
    };
    for piece_bytes in pieces {
        let seen = run(frames, piece_bytes);
        assert!(
            seen == expected,
            "case {case} in pieces of {piece_bytes}: {:.500}",
            format!("{seen:?}")
        );
    }
}

#[test]
fn section_1_sizes_of_messages() {
    for bytes in [0, 125, 126, 127, 128, 65_535, 65_536] {
        let payload = vec![b'*'; bytes];
        let expected = text(&"*".repeat(bytes));
        check("1.1", &[(LAST | TEXT, &payload)], &[expected]);
        let payload = vec![0xfe; bytes];
        check(
            "1.2",
            &[(LAST | BINARY, &payload)],
            &[Seen::Binary(payload.clone())],
        );
    }
}

#[test]
fn section_2_pings_and_pongs() {
    check("2.1", &[(LAST | PING, b"")], &[Seen::Ping(vec![])]);
    check(
        "2.2",
        &[(LAST | PING, b"Hello")],
        &[Seen::Ping(b"Hello".to_vec())],
    );
    let binary = [0, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0, 0xff];
    check(
        "2.3",
        &[(LAST | PING, &binary)],
        &[Seen::Ping(binary.to_vec())],
    );
    check(
        "2.4",
        &[(LAST | PING, &[0xfe; 125])],
        &[Seen::Ping(vec![0xfe; 125])],
    );
    check(
        "2.5",
        &[(LAST | PING, &[0xfe; 126])],
        &[Seen::Fault(ControlFrame)],
    );
    check("2.7", &[(LAST | PONG, b"")], &[Seen::Pong]);
    check("2.8", &[(LAST | PONG, b"unsolicited")], &[Seen::Pong]);
    check(
        "2.9",
        &[(LAST | PONG, b"x"), (LAST | PING, b"y")],
        &[Seen::Pong, Seen::Ping(b"y".to_vec())],
    );
    let pings = vec![(LAST | PING, &b"p"[..]); 10];
    check("2.10", &pings, &vec![Seen::Ping(b"p".to_vec()); 10]);
}

#[test]
fn section_3_reserved_bits() {
    for (case, bits) in [
        ("3.1", 0x10),
        ("3.2", 0x20),
        ("3.3", 0x30),
        ("3.4", 0x40),
        ("3.5", 0x50),
        ("3.6", 0x60),
        ("3.7", 0x70),
    ] {
        for opcode in [TEXT, BINARY, CLOSE, PING, PONG] {
            let frames = [
                (LAST | TEXT, &b"good"[..]),
                (LAST | bits | opcode, b""),
                (LAST | PING, b""),
            ];
            check(case, &frames, &[text("good"), Seen::Fault(ReservedBits)]);
        }
    }
}

#[test]
fn section_4_opcodes_that_stand_for_nothing() {
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        for payload in [&b""[..], b"reserved"] {
            let frames = [
                (LAST | TEXT, &b"good"[..]),
                (LAST | opcode, payload),
                (LAST | PING, b""),
            ];
            check("4", &frames, &[text("good"), Seen::Fault(Opcode(opcode))]);
        }
    }
}

#[test]
fn section_5_fragments() {
    let fault = |fault| [Seen::Fault(fault)];
    check(
        "5.1",
        &[(PING, b"a"), (LAST | CONTINUATION, b"b")],
        &fault(ControlFrame),
    );
    check(
        "5.2",
        &[(PONG, b"a"), (LAST | CONTINUATION, b"b")],
        &fault(ControlFrame),
    );
    check(
        "5.3",
        &[(TEXT, b"a"), (LAST | CONTINUATION, b"b")],
        &[text("ab")],
    );
    check(
        "5.3 binary",
        &[(BINARY, b"a"), (LAST | CONTINUATION, b"\xff")],
        &[Seen::Binary(b"a\xff".to_vec())],
    );
    let around = [Seen::Ping(b"p".to_vec()), text("ab")];
    check(
        "5.6",
        &[
            (TEXT, b"a"),
            (LAST | PING, b"p"),
            (LAST | CONTINUATION, b"b"),
        ],
        &around,
    );
    check(
        "5.9",
        &[(LAST | CONTINUATION, b"a"), (LAST | TEXT, b"b")],
        &fault(Fragmentation),
    );
    check(
        "5.12",
        &[(CONTINUATION, b"a"), (LAST | TEXT, b"b")],
        &fault(Fragmentation),
    );
    check(
        "5.15",
        &[
            (TEXT, b"a"),
            (LAST | CONTINUATION, b"b"),
            (CONTINUATION, b"c"),
            (LAST | TEXT, b"d"),
        ],
        &[text("ab"), Seen::Fault(Fragmentation)],
    );
    check(
        "5.18",
        &[(TEXT, b"a"), (LAST | TEXT, b"b")],
        &fault(Fragmentation),
    );
    check(
        "5.18 binary",
        &[(TEXT, b"a"), (BINARY, b"b")],
        &fault(Fragmentation),
    );
    let pings = [
        (TEXT, &b"a"[..]),
        (CONTINUATION, b"b"),
        (LAST | PING, b"1"),
        (CONTINUATION, b"c"),
        (CONTINUATION, b"d"),
        (LAST | PING, b"2"),
        (LAST | CONTINUATION, b"e"),
    ];
    check(
        "5.19",
        &pings,
        &[
            Seen::Ping(b"1".to_vec()),
            Seen::Ping(b"2".to_vec()),
            text("abcde"),
        ],
    );
    check(
        "empty fragments",
        &[(TEXT, b""), (CONTINUATION, b""), (LAST | CONTINUATION, b"")],
        &[text("")],
    );
    check(
        "close inside",
        &[(TEXT, b"a"), (LAST | CLOSE, b"\x03\xe8")],
        &[Seen::Close(Some(1000))],
    );
}

#[test]
fn section_6_good_text() {
    for good in [
        "",
        "Hello-\u{b5}@\u{df}\u{f6}\u{e4}\u{fc}\u{e0}\u{e1}-UTF-8!!",
        "\u{3ba}\u{1f79}\u{3c3}\u{3bc}\u{3b5}", // 6.2
        "\0",
        "\u{80}",
        "\u{800}",
        "\u{10000}",
        "\u{7f}",
        "\u{7ff}",
        "\u{ffff}",
        "\u{10ffff}", // 6.7, 6.9
        "\u{d7ff}",
        "\u{e000}",
        "\u{fffd}", // 6.11
        "\u{fffe}",
        "\u{1fffe}",
        "\u{10fffe}", // 6.21 and on: noncharacters are characters here
    ] {
        check("6 whole", &[(LAST | TEXT, good.as_bytes())], &[text(good)]);
        let bytes: Vec<(u8, &[u8])> = good
            .as_bytes()
            .chunks(1)
            .map(|byte| (CONTINUATION, byte))
            .collect();
        let frames: Vec<(u8, &[u8])> = [(TEXT, &b""[..])]
            .into_iter()
            .chain(bytes)
            .chain([(LAST | CONTINUATION, &b""[..])])
            .collect();
        check("6 in fragments of a byte", &frames, &[text(good)]);
    }
}

#[test]
fn section_6_bad_text() {
    for bad in [
        &b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited"[..], // 6.3
        b"\xf8\x88\x80\x80\x80",
        b"\xfc\x84\x80\x80\x80\x80", // 6.8: five and six bytes
        b"\xf4\x90\x80\x80",
        b"\xf7\xbf\xbf\xbf", // 6.10: beyond the last character
        b"\x80",
        b"\xbf",
        b"\x80\xbf\x80", // 6.12: continuations alone
        b"\xc0 ",
        b"\xe0 ",
        b"\xf0 ",
        b"\xf8 ", // 6.13: beginnings alone
        b"\xfe",
        b"\xff",
        b"\xfe\xfe\xff\xff", // 6.15, 6.16
        b"\xc0\xaf",
        b"\xe0\x80\xaf",
        b"\xf0\x80\x80\xaf", // 6.17: overlong
        b"\xc1\xbf",
        b"\xe0\x9f\xbf",
        b"\xf0\x8f\xbf\xbf", // 6.18
        b"\xc0\x80",         // 6.19
        b"\xed\xa0\x80",
        b"\xed\xbf\xbf",
        b"\xed\xa0\x80\xed\xb0\x80", // 6.20: surrogates
    ] {
        check("6 whole", &[(LAST | TEXT, bad)], &[Seen::Fault(Utf8)]);
        check(
            "6 binary",
            &[(LAST | BINARY, bad)],
            &[Seen::Binary(bad.to_vec())],
        );
        // Refused with the fragment that makes it impossible, before the last one has come.
        check(
            "6 in a fragment",
            &[(TEXT, b"good"), (CONTINUATION, bad), (LAST | PING, b"")],
            &[Seen::Fault(Utf8)],
        );
    }
    for unfinished in [&b"\xce"[..], b"\xe1\xbd", b"\xf0\x90\x80"] {
        check("6.14", &[(LAST | TEXT, unfinished)], &[Seen::Fault(Utf8)]);
        check(
            "6.14 in fragments",
            &[(TEXT, unfinished), (LAST | CONTINUATION, b"")],
            &[Seen::Fault(Utf8)],
        );
        check(
            "6.14 may go on",
            &[(TEXT, unfinished), (LAST | PING, b"")],
            &[Seen::Ping(vec![])],
        );
    }
    assert_eq!(Utf8.close_code(), 1007);
}

#[test]
fn section_7_closes() {
    check(
        "7.1",
        &[(LAST | TEXT, b"a"), (LAST | CLOSE, b"")],
        &[text("a"), Seen::Close(None)],
    );
    check(
        "7.3.2",
        &[(LAST | CLOSE, b"\x03")],
        &[Seen::Fault(ClosePayload)],
    );
    check(
        "7.3.3",
        &[(LAST | CLOSE, b"\x03\xe8")],
        &[Seen::Close(Some(1000))],
    );
    check(
        "7.3.4",
        &[(LAST | CLOSE, b"\x03\xe8bye")],
        &[Seen::Close(Some(1000))],
    );
    let long = [b"\x03\xe8".to_vec(), vec![b'*'; 123]].concat();
    check(
        "7.3.5",
        &[(LAST | CLOSE, &long)],
        &[Seen::Close(Some(1000))],
    );
    let too_long = [b"\x03\xe8".to_vec(), vec![b'*'; 124]].concat();
    check(
        "7.3.6",
        &[(LAST | CLOSE, &too_long)],
        &[Seen::Fault(ControlFrame)],
    );
    check(
        "7.5.1",
        &[(LAST | CLOSE, b"\x03\xe8\xce\xba\xed\xa0\x80")],
        &[Seen::Fault(Utf8)],
    );
    for good in [
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999_u16,
    ] {
        check(
            "7.7",
            &[(LAST | CLOSE, &good.to_be_bytes())],
            &[Seen::Close(Some(good))],
        );
    }
    for bad in [
        0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535_u16,
    ] {
        check(
            "7.9",
            &[(LAST | CLOSE, &bad.to_be_bytes())],
            &[Seen::Fault(ClosePayload)],
        );
    }
}

#[test]
fn section_9_large_messages_up_to_the_limit() {
    let most = vec![b'*'; MESSAGE_BYTES_MAX];
    let expected = text(&"*".repeat(MESSAGE_BYTES_MAX));
    check(
        "9.1",
        &[(LAST | TEXT, &most)],
        std::slice::from_ref(&expected),
    );
    check(
        "9.2",
        &[(LAST | BINARY, &most)],
        &[Seen::Binary(most.clone())],
    );
    for fragment_bytes in [64, 4096, 65_536] {
        let mut frames: Vec<(u8, &[u8])> = most
            .chunks(fragment_bytes)
            .map(|fragment| (CONTINUATION, fragment))
            .collect();
        frames.first_mut().unwrap().0 = TEXT;
        frames.last_mut().unwrap().0 |= LAST;
        check("9.3", &frames, std::slice::from_ref(&expected));
    }
    let (seen, max) = (MESSAGE_BYTES_MAX as u64 + 1, MESSAGE_BYTES_MAX);
    let too_large = [Seen::Fault(TooLarge { seen, max })];
    check(
        "one byte too many",
        &[(TEXT, &most), (LAST | CONTINUATION, b"*")],
        &too_large,
    );
}

#[test]
fn clients_mask_every_frame() {
    for first in [
        LAST | TEXT,
        LAST | BINARY,
        LAST | PING,
        LAST | PONG,
        LAST | CLOSE,
    ] {
        let mut bytes = vec![first, 0];
        assert_eq!(
            Decoder::new(MESSAGE_BYTES_MAX).next(&mut bytes),
            Err(Unmasked)
        );
    }
}
