//! What nobody should send: who takes it for what.

use beekeepr_model::SegmentId;
use beekeepr_peer_proto::{Command, Joiner, data_chunk_len, is_command_chunk};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use crate::random::Random;
use crate::{Batch, PACKAGES};

const SEED: u64 = 7;
const CHUNKS: usize = 3000;

/// Messages and segment bytes made of marks, so that many of them look like commands.
fn marks(random: &mut Random) -> Vec<u8> {
    const WORDS: [&str; 6] = ["cstr", "dstr", "cend", "dend", "x", "GG@"];
    let word = |random: &mut Random| WORDS[random.below(6) as usize];
    let count = random.below(7);
    (0..count).flat_map(|_| word(random).bytes()).collect()
}

fn cut(mut bytes: &[u8], message_bytes_max: usize) -> Vec<&[u8]> {
    let mut messages = Vec::new();
    while !bytes.is_empty() {
        let (message, rest) = bytes.split_at(data_chunk_len(bytes, message_bytes_max));
        messages.push(message);
        bytes = rest;
    }
    messages
}

fn ask(chunks: &[Vec<u8>], bodies: &[&str], package: &str) -> Value {
    let batch = Batch {
        commands: Vec::new(),
        chunks: chunks.iter().map(|it| HEXLOWER.encode(it)).collect(),
        bodies: bodies.iter().map(|it| it.replace(' ', "")).collect(),
    };
    batch.ask(package)
}

#[test]
fn commands_and_segment_bytes_are_told_apart_as_they_do() {
    let mut random = Random(SEED);
    let chunks: Vec<Vec<u8>> = (0..CHUNKS).map(|_| marks(&mut random)).collect();
    let ours: Vec<bool> = chunks.iter().map(|it| is_command_chunk(it)).collect();
    assert!(ours.iter().filter(|it| **it).count() > CHUNKS / 20);
    for package in PACKAGES {
        assert_eq!(
            ask(&chunks, &[], package)["chunks"],
            json!(ours),
            "{package}"
        );
    }
}

#[test]
fn segment_bytes_that_we_cut_are_never_commands_to_them() {
    let mut random = Random(SEED);
    let mut messages = Vec::new();
    for _ in 0..CHUNKS {
        let (bytes, max) = (marks(&mut random), 1 + random.below(30) as usize);
        messages.extend(cut(&bytes, max).into_iter().map(<[u8]>::to_vec));
    }
    for package in PACKAGES {
        let answer = ask(&messages, &[], package);
        assert_eq!(
            answer["chunks"],
            json!(vec![false; messages.len()]),
            "{package}"
        );
    }
}

fn read(body: &str) -> Option<Command> {
    let body = HEXLOWER.decode(body.replace(' ', "").as_bytes()).unwrap();
    let message = [b"cstr", &body[..], b"cend"].concat();
    Joiner::new().push(&message).ok().flatten()
}

/// `(body, what they read beside command 1 for segment 42 and request 1)`.
const UNDERSTOOD: [(&str, &str); 6] = [
    ("01 69 012a 72 0101", "{}"),
    ("01 72 0101 69 012a", "{}"),
    ("01 69 0107 72 0101 69 012a", "{}"),
    ("01 7a 2002 6162 69 012a 72 0101", r#"{"z": "ab"}"#),
    ("01 79 1001 0101 07 69 012a 72 0101", r#"{"y": [7]}"#),
    ("01 69 03 00002a 72 0101", "{}"),
];

#[test]
fn odd_fields_are_read_as_they_do() {
    let bodies = UNDERSTOOD.map(|it| it.0);
    let ours = Command::SegmentRequest {
        segment: SegmentId(42),
        request: 1,
        offset: 0,
    };
    for package in PACKAGES {
        let answer = ask(&[], &bodies, package);
        for (index, (body, more)) in UNDERSTOOD.iter().enumerate() {
            let mut expected: Value = serde_json::from_str(more).unwrap();
            for (name, value) in [("c", 1), ("i", 42), ("r", 1)] {
                expected[name] = json!(value);
            }
            assert_eq!(answer["bodies"][index], expected, "{package}: {body}");
            assert_eq!(read(body), Some(ours.clone()), "{body}");
        }
    }
}

/// `(body, what they read)`: JavaScript reads on past an end and gives 0. Nobody writes such a thing.
const REFUSED_BY_US: [(&str, &str); 4] = [
    ("01 69 012a 72", r#"{"c": 1, "i": 42, "r": 0}"#),
    ("01 69 012a 72 00", r#"{"c": 1, "i": 42, "r": 0}"#),
    ("01 69 012a 72 02 07", r#"{"c": 1, "i": 42, "r": 7}"#),
    (
        "01 69 012a 72 0101 7a 2005 6162",
        r#"{"c": 1, "i": 42, "r": 1, "z": "ab"}"#,
    ),
];

/// They throw, as they do at a list that ends early: the command is lost, the peer is not.
const REFUSED_BY_BOTH: [&str; 4] = [
    "01 69 f0",
    "01 69 30",
    "00 6c 1001 1000",
    "00 6c 1001 0103 aabb",
];

#[test]
fn broken_fields_are_refused_where_they_read_nothing_into_something() {
    let bodies = REFUSED_BY_US.map(|it| it.0);
    for package in PACKAGES {
        let answer = ask(&[], &bodies, package);
        for (index, (body, expected)) in REFUSED_BY_US.iter().enumerate() {
            let expected: Value = serde_json::from_str(expected).unwrap();
            assert_eq!(answer["bodies"][index], expected, "{package}: {body}");
            assert_eq!(read(body), None, "{body}");
        }
        let answer = ask(&[], &REFUSED_BY_BOTH, package);
        for (index, body) in REFUSED_BY_BOTH.iter().enumerate() {
            assert_eq!(answer["bodies"][index], Value::Null, "{package}: {body}");
            assert_eq!(read(body), None, "{body}");
        }
    }
}
