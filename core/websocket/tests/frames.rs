//! Frames of clients, good and bad.

use beekeepr_websocket::{Decoder, Event, ProtocolError};
use proptest::prelude::*;

const MAX: usize = 70_000;

/// A client's frame: first byte, payload.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let key = [0x37, 0xfa, 0x21, 0x3d];
    let mut out = vec![first];
    match payload.len() {
        short @ 0..=125 => out.push(0x80 | short as u8),
        medium @ 126..=0xffff => {
            out.push(0xfe);
            out.extend_from_slice(&(medium as u16).to_be_bytes());
        }
        long => {
            out.push(0xff);
            out.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&key);
    out.extend(
        payload
            .iter()
            .zip(key.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    out
}

/// What comes out of a stream of bytes that arrives in pieces of this size.
fn decode(stream: &[u8], piece: usize) -> Result<Vec<String>, ProtocolError> {
    let mut decoder = Decoder::new(MAX);
    let (mut buffer, mut events) = (Vec::new(), Vec::new());
    for piece in stream.chunks(piece) {
        buffer.extend_from_slice(piece);
        let mut at = 0;
        while let Some((taken, event)) = decoder.next(&mut buffer[at..])? {
            at += taken;
            if event != Event::Fragment {
                events.push(match event {
                    Event::Text(text) => text.to_owned(),
                    Event::Binary(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                    other => format!("{other:?}"),
                });
            }
        }
        buffer.drain(..at);
    }
    Ok(events)
}

fn decode_whole(stream: &[u8]) -> Result<Vec<String>, ProtocolError> {
    decode(stream, stream.len().max(1))
}

#[test]
fn the_masked_example_of_the_rfc_is_read() {
    let stream = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    assert_eq!(decode_whole(stream), Ok(vec!["Hello".to_owned()]));
}

#[test]
fn messages_of_every_size_arrive_in_any_pieces() {
    for bytes in [0, 1, 7, 8, 9, 125, 126, 65_535, 65_536, MAX] {
        let text = "x".repeat(bytes);
        let stream = frame(0x81, text.as_bytes());
        assert_eq!(decode_whole(&stream), Ok(vec![text.clone()]), "{bytes}");
        assert_eq!(decode(&stream, 1_000), Ok(vec![text]), "{bytes}");
    }
}

#[test]
fn several_frames_in_one_read_come_one_by_one() {
    let stream = [frame(0x81, b"one"), frame(0x82, b"two"), frame(0x8a, b"x")].concat();
    assert_eq!(decode_whole(&stream).unwrap(), ["one", "two", "Pong"]);
}

#[test]
fn fragments_make_one_message_around_control_frames() {
    let stream = [
        frame(0x01, b"fra"),
        frame(0x89, b"hi"),
        frame(0x00, b"gme"),
        frame(0x80, b"nt"),
    ]
    .concat();
    let expected = ["Ping([104, 105])", "fragment"];
    assert_eq!(decode_whole(&stream).unwrap(), expected);
    assert_eq!(decode(&stream, 1).unwrap(), expected);
}

#[test]
fn closes_carry_a_code_or_none() {
    assert_eq!(decode_whole(&frame(0x88, b"")).unwrap(), ["Close(None)"]);
    assert_eq!(
        decode_whole(&frame(0x88, b"\x03\xe9bye")).unwrap(),
        ["Close(Some(1001))"]
    );
    for bad in [&b"\x03"[..], b"\x03\xed", b"\x00\x00"] {
        assert_eq!(
            decode_whole(&frame(0x88, bad)),
            Err(ProtocolError::ClosePayload)
        );
    }
}

#[test]
fn what_breaks_the_protocol_is_refused() {
    use ProtocolError::{ControlFrame, Fragmentation, Opcode, ReservedBits, Unmasked};
    for (stream, error) in [
        (b"\x81\x05Hello".to_vec(), Unmasked),
        (frame(0xc1, b""), ReservedBits),
        (frame(0x83, b""), Opcode(3)),
        (frame(0x80, b""), Fragmentation),
        ([frame(0x01, b""), frame(0x81, b"")].concat(), Fragmentation),
        (frame(0x09, b""), ControlFrame),
        (frame(0x89, &[0; 126]), ControlFrame),
    ] {
        assert_eq!(decode_whole(&stream), Err(error));
    }
}

#[test]
fn a_large_message_is_refused_by_its_header_alone() {
    let whole = frame(0x81, &vec![0; MAX + 1]);
    let error = decode_whole(&whole[..10]).unwrap_err();
    assert_eq!(
        error,
        ProtocolError::TooLarge {
            seen: MAX as u64 + 1,
            max: MAX
        }
    );
    assert_eq!(error.close_code(), 1009);
    let endless = b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff";
    assert!(decode_whole(endless).is_err());
    let fragments = [frame(0x01, &vec![0; MAX]), frame(0x00, b"x")].concat();
    assert!(decode_whole(&fragments).is_err());
}

#[test]
fn a_message_leaves_no_memory_behind() {
    let mut decoder = Decoder::new(MAX);
    let mut stream = [frame(0x01, &[0; 1000]), frame(0x80, b""), frame(0x8a, b"")].concat();
    let mut at = 0;
    while let Some((taken, _)) = decoder.next(&mut stream[at..]).unwrap() {
        at += taken;
    }
    assert!(
        format!("{decoder:?}").contains("fragments: []"),
        "{decoder:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes: Vec<u8>, piece in 1..40usize) {
        prop_assert_eq!(decode_whole(&bytes).is_ok(), decode(&bytes, piece).is_ok());
    }

    #[test]
    fn pieces_change_nothing(
        texts in prop::collection::vec("[a-z]{0,200}", 1..5),
        piece in 1..300usize,
    ) {
        let stream: Vec<u8> = texts.iter().flat_map(|text| frame(0x81, text.as_bytes())).collect();
        prop_assert_eq!(decode(&stream, piece), Ok(texts));
    }
}
