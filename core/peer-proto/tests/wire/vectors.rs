//! What p2p-media-loader 2.3.1 wrote and read, in `peer-wire.json`: every entry of it.

use beekeepr_model::SegmentId;
use beekeepr_peer_proto::{Command, Fault, is_command_chunk};
use data_encoding::HEXLOWER;
use serde_json::Value;

use crate::{MAX, announcement, body, hex, join, messages, read, request};

fn vectors() -> Value {
    serde_json::from_str(include_str!("peer-wire.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<i64> {
    let values = value.as_array().map(Vec::as_slice).unwrap_or_default();
    values.iter().map(|it| it.as_i64().unwrap()).collect()
}

fn command(value: &Value) -> Command {
    let number = |name: &str| value[name].as_i64().unwrap();
    let bytes = |name: &str| value[name].as_u64().unwrap();
    let about = || (SegmentId(number("i")), number("r"));
    match value["c"].as_u64() {
        Some(0) => announcement(numbers(&value["l"]), numbers(&value["p"])),
        Some(1) => request(number("i"), number("r"), value["b"].as_u64().unwrap_or(0)),
        Some(2) => {
            let ((segment, request), size) = (about(), bytes("s"));
            Command::SegmentData {
                segment,
                request,
                size,
            }
        }
        Some(3) => {
            let (segment, request) = about();
            Command::SegmentDataSendingCompleted { segment, request }
        }
        Some(4) => {
            let (segment, request) = about();
            Command::SegmentAbsent { segment, request }
        }
        Some(5) => {
            let (segment, request) = about();
            Command::CancelSegmentRequest { segment, request }
        }
        other => panic!("command {other:?}"),
    }
}

#[test]
fn commands_are_theirs() {
    for vector in vectors()["cmd"].as_array().unwrap() {
        let (name, written) = (&vector["name"], command(&vector["cmd"]));
        let seen = messages(&written, MAX);
        let digits: Vec<String> = seen.iter().map(|it| HEXLOWER.encode(it)).collect();
        assert_eq!(
            serde_json::to_value(digits).unwrap(),
            vector["hex"],
            "{name}"
        );
        let lengths: Vec<usize> = seen.iter().map(Vec::len).collect();
        assert_eq!(
            serde_json::to_value(lengths).unwrap(),
            vector["len"],
            "{name}"
        );
        assert_eq!(join(&seen), Ok(Some(command(&vector["decoded"]))), "{name}");
        assert_eq!(written, command(&vector["decoded"]), "{name}");
    }
}

#[test]
fn integers_are_theirs() {
    for (number, vector) in vectors()["int"].as_object().unwrap() {
        let number: i64 = number.parse().unwrap();
        let digits = vector["hex"].as_str().unwrap();
        let expected = hex(&format!("01 69 {digits} 72 0100"));
        assert_eq!(body(&request(number, 0, 0)), expected, "{number}");
        let decoded: i64 = vector["decoded"].as_str().unwrap().parse().unwrap();
        assert_eq!(read(&expected), Ok(request(decoded, 0, 0)), "{number}");
    }
}

/// The lists whose ids the vectors do not name.
fn listed(name: &str, decoded: &Value) -> Vec<i64> {
    match name {
        "a255" => (0..255).collect(),
        "a256" => (0..256).collect(),
        _ => numbers(decoded),
    }
}

#[test]
fn lists_are_theirs_save_for_full_pages() {
    for (name, vector) in vectors()["arr"].as_object().unwrap() {
        let list = listed(name, &vector["decoded"]);
        assert_eq!(vector["n"], list.len(), "{name}");
        let command = announcement(list.iter().copied(), []);
        // Long ones end with a remark in place of their bytes.
        let digits = vector["hex"].as_str().unwrap();
        let shown = hex(digits.split('…').next().unwrap());
        match name.as_str() {
            // A list without ids is never written; it can be read.
            "empty" => assert_eq!(body(&command), [0], "{name}"),
            // Their decoder makes nothing of their own bytes.
            "a256" => {
                assert_eq!(vector["decodedCount"], 0);
                assert!(body(&command).starts_with(&hex("00 6c 1002 0200ff 0001")));
            }
            _ => {
                assert_eq!(vector["decodedCount"], list.len(), "{name}");
                let value = &body(&command)[2..];
                assert!(value.starts_with(&shown), "{name}");
                assert_eq!(vector["byteLength"], value.len(), "{name}");
            }
        }
        let lows: Vec<u8> = list.iter().map(|&id| id as u8).collect();
        let theirs = match name.as_str() {
            "a255" => [&hex("1001 0200ff")[..], &lows].concat(),
            "a256" => [&hex("1001 0100")[..], &lows].concat(),
            _ => shown.clone(),
        };
        assert!(theirs.starts_with(&shown), "{name}");
        assert_eq!(read(&[b"\0l", &theirs[..]].concat()), Ok(command), "{name}");
    }
}

/// No command uses a text; one is passed over. Theirs counts UTF-16 units but writes UTF-8.
#[test]
fn texts_are_passed_over() {
    for (text, vector) in vectors()["str"].as_object().unwrap() {
        let digits = vector["hex"].as_str().unwrap();
        let seen = read(&hex(&format!("01 69 012a 72 0101 74 {digits}")));
        if text.is_ascii() {
            assert_eq!(seen, Ok(request(42, 1, 0)), "{text:?}");
        } else {
            assert_ne!(vector["decoded"], text.as_str());
            let fault = seen.map_err(|error| error.fault);
            assert!(
                matches!(fault, Err(Fault::Truncated { .. } | Fault::ValueType(_))),
                "{text:?}: {fault:?}"
            );
        }
    }
}

/// Theirs are the lengths of ids 1000 to 1299, of which 1024 to 1279 are a full page. A list of as
/// many bytes that has none takes their place.
#[test]
fn long_commands_are_cut_as_theirs() {
    let command = announcement((1000..1279).chain(1280..1301), []);
    for vector in vectors()["chunked"].as_array().unwrap() {
        let max = vector["max"].as_u64().unwrap() as usize;
        let seen = messages(&command, max);
        let lengths: Vec<usize> = seen.iter().map(Vec::len).collect();
        assert_eq!(
            serde_json::to_value(lengths).unwrap(),
            vector["lens"],
            "{max}"
        );
        assert_eq!(vector["count"], seen.len(), "{max}");
        assert!(seen.iter().all(|message| is_command_chunk(message)));
        let mark = |name: &str| hex(vector[name].as_str().unwrap());
        let [first, middle @ .., last] = &seen[..] else {
            panic!("several messages expected");
        };
        assert!(first.starts_with(&mark("first")) && first.ends_with(&mark("firstEnd")));
        for message in middle {
            assert!(message.starts_with(&mark("midStart")));
            assert!(message.ends_with(&mark("firstEnd")));
        }
        assert!(last.starts_with(&mark("midStart")) && last.ends_with(&mark("lastEnd")));
        assert_eq!(join(&seen), Ok(Some(command.clone())));
    }
}
