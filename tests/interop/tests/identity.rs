//! Names of streams and swarms: ours and those of p2p-media-loader from npm, for thousands of odd properties.

#![expect(clippy::panic, reason = "a test ends at what it does not expect")]

use beekeepr_interop::node;
use beekeepr_model::{
    Generation, Random, StreamKind, StreamProperties, identity, info_hash, swarm_string,
};
use serde_json::{Value, json};

const STREAMS: usize = 8_000;
const SWARMS: usize = 1_000;
const SEED: u64 = 23;

/// What texts are made of. Left out is what docs/decisions/identity.md lists as an exception: frame rates of more than
/// 15 digits, and video ranges beyond ASCII.
const CODECS: &[&str] = &[
    "avc1",
    "AVC1",
    "avc",
    "hvc1",
    ".",
    ".",
    ".",
    "66",
    "077",
    "30",
    "-5",
    "300",
    ",",
    ",",
    " ",
    "\u{feff}",
    "\u{85}",
    "K",
    "İ",
    "Σ",
    "ß",
    "mp4a.40.2",
    "\u{1f600}",
    "\u{ffee}",
    "9007199254740991",
];
const LANGUAGES: &[&str] = &[
    "en",
    "EN",
    "-US",
    "und",
    "U",
    "d",
    " ",
    "ΑΣ",
    "\u{1f600}",
    "İ",
    "\u{fb00}",
];
const CHANNELS: &[&str] = &["2", "6", "/", "JOC", " ", "-"];
const NAMES: &[&str] = &[
    "Deutsch",
    "ΚΑΛΗΜΕΡΑΣ",
    "İ",
    "ẞ",
    " ",
    "\t",
    "\u{feff}",
    "\u{85}",
    "\u{a0}",
    "\u{180e}",
    "-",
    "Ⅷ",
    "𐐀",
    "Ա",
];
const FRAME_RATES: &[&str] = &[
    "30", "29.97", "0", "00", ".", "5", "e", "E", "+", "-", "1", "24", "0x", "0b", "0o", " ", "\n",
    "Infinity", "NaN", "_", "000", "\u{a0}",
];
const VIDEO_RANGES: &[&str] = &["SDR", "pq", "Hlg", " ", "\u{feff}", "x"];

#[test]
fn streams_have_the_names_that_the_foreign_clients_give_them() {
    let mut random = Random::new(SEED);
    let streams: Vec<_> = (0..STREAMS).map(|_| stream(&mut random)).collect();
    let properties: Vec<_> = streams.iter().map(to_json).collect();
    let answer = ask(&json!({ "properties": properties, "swarms": [] }));
    for (name, generation) in [("v2", Generation::V2), ("v3", Generation::V3)] {
        for (place, stream) in streams.iter().enumerate() {
            let ours = identity(generation, 0, stream);
            assert_eq!(answer[name][place], ours, "{name} of {stream:?}");
        }
    }
}

#[test]
fn swarms_have_the_names_that_the_foreign_clients_announce() {
    let mut random = Random::new(SEED);
    let names = [
        ("v2_index", Generation::V2Index),
        ("v2", Generation::V2),
        ("v3", Generation::V3),
    ];
    let swarm = |random: &mut Random| {
        let kind = if random.below(2) == 0 {
            StreamKind::Main
        } else {
            StreamKind::Secondary
        };
        (text(random, NAMES, 6), kind, text(random, CHANNELS, 3))
    };
    let swarms: Vec<_> = (0..SWARMS).map(|_| swarm(&mut random)).collect();
    let asked: Vec<_> = swarms
        .iter()
        .map(|(id, kind, index)| json!({ "swarm_id": id, "kind": kind.as_str(), "index": index }))
        .collect();
    let answer = ask(&json!({ "properties": [], "swarms": asked }));
    for (place, (id, kind, index)) in swarms.iter().enumerate() {
        for (name, generation) in names {
            let ours = info_hash(generation, &swarm_string(generation, id, *kind, index));
            assert_eq!(
                answer["swarms"][place][name],
                ours.to_string(),
                "{name} of {id:?}"
            );
        }
    }
}

fn ask(question: &Value) -> Value {
    match node("golden/identity.mjs", &[], question) {
        Ok(answer) => answer,
        Err(error) => panic!("{error:#}"),
    }
}

fn stream(random: &mut Random) -> StreamProperties {
    let bitrate = match random.below(8) {
        0 => 0,
        1 => StreamProperties::BITRATE_MISSING,
        _ => random.below(1 << 40) as u64,
    };
    StreamProperties {
        bitrate,
        codecs: text(random, CODECS, 8),
        width: pixels(random, 640),
        height: pixels(random, 360),
        language: text(random, LANGUAGES, 3),
        channels: text(random, CHANNELS, 3),
        name: text(random, NAMES, 4),
        frame_rate: frame_rate(random),
        video_range: text(random, VIDEO_RANGES, 3),
    }
}

fn pixels(random: &mut Random, step: u32) -> u32 {
    [0, step, 2 * step, 3 * step][random.below(4)]
}

fn frame_rate(random: &mut Random) -> String {
    loop {
        let text = text(random, FRAME_RATES, 5);
        // Exponents of three digits end where doubles do, which is not at a digit.
        let exponent = text.rsplit(['e', 'E']).next().unwrap_or_default();
        if text.bytes().filter(u8::is_ascii_digit).count() <= 12 && exponent.len() <= 3 {
            return text;
        }
    }
}

fn text(random: &mut Random, pieces: &[&str], most: usize) -> String {
    let count = random.below(most + 1);
    let piece = |_| pieces[random.below(pieces.len())];
    (0..count).map(piece).collect()
}

/// As an adapter of p2p-media-loader has them: what is not given is not there.
fn to_json(stream: &StreamProperties) -> Value {
    let given = |number: u32| (number > 0).then_some(number);
    let bitrate = (stream.bitrate != StreamProperties::BITRATE_MISSING).then_some(stream.bitrate);
    json!({
        "bitrate": bitrate,
        "codecs": stream.codecs,
        "width": given(stream.width),
        "height": given(stream.height),
        "language": stream.language,
        "channels": stream.channels,
        "name": stream.name,
        "frameRate": stream.frame_rate,
        "videoRange": stream.video_range,
    })
}
