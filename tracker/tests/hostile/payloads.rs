//! What hostile messages say: real ones, odd ones, and what mutation makes of both.

use beekeepr_model::Random;

use crate::witness;

/// Texts that have broken other trackers, or might.
const ODD: &[&str] = &[
    "null",
    "[]",
    "{}",
    "",
    "0",
    "\"announce\"",
    "{\"action\":null}",
    "{\"action\":\"announce\",\"offers\":[null]}",
    "{\"action\":\"announce\",\"info_hash\":\"hhhhhhhhhhhhhhhhhhhh\",\"peer_id\":\"pppppppppppppppppppp\",\"offers\":[null]}",
    "{\"action\":\"announce\",\"info_hash\":\"hhhhhhhhhhhhhhhhhhhh\",\"peer_id\":\"pppppppppppppppppppp\",\"offers\":{\"length\":1}}",
    "{\"action\":\"announce\",\"info_hash\":\"hhhhhhhhhhhhhhhhhhhh\",\"peer_id\":\"pppppppppppppppppppp\",\"numwant\":1e999}",
    "{\"action\":\"announce\",\"info_hash\":[[]],\"peer_id\":{}}",
    "{\"action\":\"scrape\",\"info_hash\":[null]}",
    "{\"action\":\"scrape\",\"info_hash\":[[[[\"\"]]]]}",
    "{\"action\":\"scrape\"}",
    "{\"__proto__\":{\"action\":\"announce\"}}",
    "{\"action\":\"announce\",\"action\":\"scrape\"}",
];

/// What is put into messages.
const DICTIONARY: &[&str] = &[
    "null",
    "[null]",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "\\udfff\\ud800",
    "\u{feff}",
    "\0",
    "\u{ff}",
    "\u{1f4a9}",
    "-1",
    "1e999",
    "-0",
    "99999999999999999999999999",
    "0.1e-400",
    "true",
    ",",
    ":",
    "\"offers\":[null]",
    "\"offer_id\":null",
    "\"peer_id\":\"\"",
    "\"event\":\"stopped\"",
    "\"left\":0",
    "\"numwant\":-1",
    "\"jwt\":\"a.b.c\"",
    "\"answer\":{}",
    "a=candidate:1 1 udp 1 224.0.0.1 9 typ host\\r\\n",
];

/// Levels of the deepest nesting: as many as fit into a message.
const DEPTH: usize = 60_000;

/// The longest message made here, below what the tracker takes.
const BYTES_MAX: usize = 64_000;

/// The next payload.
pub(crate) fn next(random: &mut Random) -> Vec<u8> {
    match random.below(64) {
        0 => "[".repeat(random.below(DEPTH)).into_bytes(),
        1 => "{\"a\":".repeat(random.below(DEPTH / 5)).into_bytes(),
        2 => (0..random.below(500))
            .map(|_| random.below(256) as u8)
            .collect(),
        3..12 => pick(random, ODD).as_bytes().to_vec(),
        // Aimed at those who must not notice, and so as they are.
        12..20 => against_witnesses(random).into_bytes(),
        20..28 => real(random).into_bytes(),
        _ => {
            let mut text = real(random).into_bytes();
            for _ in 0..=random.below(4) {
                mutate(random, &mut text);
            }
            text.truncate(BYTES_MAX);
            text
        }
    }
}

fn pick<'a>(random: &mut Random, list: &[&'a str]) -> &'a str {
    list[random.below(list.len())]
}

/// One of a few, so that attackers meet each other.
fn id(random: &mut Random, letter: char) -> String {
    format!("{letter}{:019}", random.below(40))
}

fn real(random: &mut Random) -> String {
    let (hash, peer) = (id(random, 'h'), id(random, 'p'));
    let lines_max = if random.one_in(20) { 600 } else { 20 };
    let sdp = "a=x\\r\\n".repeat(random.below(lines_max));
    let head = format!(r#"{{"action":"announce","info_hash":"{hash}","peer_id":"{peer}""#);
    match random.below(8) {
        0 => format!(
            r#"{{"action":"scrape","info_hash":["{hash}","{}"]}}"#,
            id(random, 'h')
        ),
        1 => format!(r#"{head},"event":"stopped"}}"#),
        2 | 3 => format!(
            r#"{head},"to_peer_id":"{}","offer_id":"{}","answer":{{"type":"answer","sdp":"v=0\r\n{sdp}"}}}}"#,
            id(random, 'p'),
            id(random, 'o')
        ),
        _ => {
            let offers: Vec<String> = (0..random.below(6))
                .map(|_| {
                    format!(
                        r#"{{"offer_id":"{}","offer":{{"type":"offer","sdp":"v=0\r\n{sdp}"}}}}"#,
                        id(random, 'o')
                    )
                })
                .collect();
            format!(
                r#"{head},"numwant":{},"left":{},"offers":[{}]}}"#,
                random.below(9),
                random.below(2),
                offers.join(",")
            )
        }
    }
}

/// Tries to evict a witness, to take its place, to answer in its name.
fn against_witnesses(random: &mut Random) -> String {
    let hash = pick(random, &witness::HASHES);
    let (me, other) = (pick(random, &witness::PEERS), pick(random, &witness::PEERS));
    let head = format!(r#"{{"action":"announce","info_hash":"{hash}","peer_id":"{me}""#);
    match random.below(4) {
        0 => format!(r#"{head},"event":"stopped"}}"#),
        1 => format!(r#"{head},"event":"started","offers":[]}}"#),
        2 => format!(r#"{{"action":"scrape","info_hash":"{hash}"}}"#),
        _ => format!(
            r#"{head},"to_peer_id":"{other}","offer_id":"{:020}","answer":{{"type":"answer","sdp":"v=0\r\n"}}}}"#,
            random.below(2_000)
        ),
    }
}

fn mutate(random: &mut Random, text: &mut Vec<u8>) {
    let at = random.below(text.len() + 1);
    let end = (at + random.below(30)).min(text.len());
    match random.below(6) {
        0 => {
            if let Some(byte) = text.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        1 => drop(text.drain(at..end)),
        2 => {
            let copy = text[at..end].to_vec();
            text.splice(at..at, copy);
        }
        3 => text.truncate(at),
        _ => {
            let word = pick(random, DICTIONARY);
            text.splice(at..at, word.bytes());
        }
    }
}
