//! All six commands, cut at any size: the same bytes, and each side reads the other's.

use std::collections::HashMap;

use beekeepr_model::SegmentId;
use beekeepr_peer_proto::{Command, Joiner, encode};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use crate::random::Random;
use crate::{Batch, PACKAGES};

const COMMANDS: usize = 4000;
const SEED: u64 = 3;

/// Ids in a page from which on upstream's count of them wraps.
const PAGE_IDS_WRAP: usize = 256;
/// Pages in a list from which on upstream's count of them wraps. Ours names the highest ones, up to
/// one less.
const PAGES_WRAP: usize = 256;

/// One command with what we write for it.
struct Case {
    command: Command,
    max: usize,
    messages: Vec<String>,
}

fn cases() -> Vec<Case> {
    let mut random = Random(SEED);
    let mut case = || {
        let (command, max) = (random.command(), random.message_bytes_max());
        let messages = encode(&command, max).unwrap();
        let messages = messages.map(|it| HEXLOWER.encode(&it)).collect();
        Case {
            command,
            max,
            messages,
        }
    };
    (0..COMMANDS).map(|_| case()).collect()
}

fn to_json(command: &Command) -> Value {
    let numbers = |ids: &[SegmentId]| ids.iter().map(|id| id.0).collect::<Vec<_>>();
    match command {
        Command::SegmentsAnnouncement { loaded, loading } => {
            json!({ "c": 0, "l": numbers(loaded), "p": numbers(loading) })
        }
        Command::SegmentRequest {
            segment,
            request,
            offset,
        } => json!({ "c": 1, "i": segment.0, "r": request, "b": offset }),
        Command::SegmentData {
            segment,
            request,
            size,
        } => json!({ "c": 2, "i": segment.0, "s": size, "r": request }),
        Command::SegmentDataSendingCompleted { segment, request } => {
            json!({ "c": 3, "i": segment.0, "r": request })
        }
        Command::SegmentAbsent { segment, request } => {
            json!({ "c": 4, "i": segment.0, "r": request })
        }
        Command::CancelSegmentRequest { segment, request } => {
            json!({ "c": 5, "i": segment.0, "r": request })
        }
    }
}

/// A command as upstream shows it, in a form of which there is one: what it leaves out is named, and
/// ids, whose order has no meaning, are sorted.
fn canonical(mut command: Value) -> Value {
    for name in ["l", "p"] {
        if command["c"] == 0 {
            let mut ids: Vec<Value> = command[name].as_array().cloned().unwrap_or_default();
            ids.sort_by_key(Value::as_i64);
            command[name] = Value::from(ids);
        }
    }
    if command["c"] == 1 && command["b"].is_null() {
        command["b"] = json!(0);
    }
    command
}

/// What our joiner makes of messages; `None` if it refuses one.
fn read(messages: &[String]) -> Option<Command> {
    let mut joiner = Joiner::new();
    let mut command = None;
    for message in messages {
        assert_eq!(command, None);
        command = joiner
            .push(&HEXLOWER.decode(message.as_bytes()).unwrap())
            .ok()?;
    }
    command
}

fn hex_messages(value: &Value) -> Vec<String> {
    let messages = value.as_array().unwrap().iter();
    messages.map(|it| it.as_str().unwrap().to_owned()).collect()
}

/// All bodies of messages in one.
fn joined(messages: &[String]) -> String {
    let marks = 8;
    messages
        .iter()
        .map(|it| &it[marks..it.len() - marks])
        .collect()
}

/// The largest page of a list, and how many there are.
fn pages(ids: &[SegmentId]) -> (usize, usize) {
    let mut counts: HashMap<i64, usize> = HashMap::new();
    for id in ids {
        *counts.entry(id.0 & !0xff).or_default() += 1;
    }
    (counts.values().copied().max().unwrap_or(0), counts.len())
}

/// In what our bytes must differ from theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Exception {
    None,
    /// A page of exactly 256 distinct ids: theirs counts 0 of them, which we understand.
    FullPage,
    /// More ids in a page than there are, with doubles: nobody can tell what they mean.
    Overfull,
    /// More pages than a list can count.
    Pages,
}

fn exception(command: &Command) -> Exception {
    let Command::SegmentsAnnouncement { loaded, loading } = command else {
        return Exception::None;
    };
    let lists = [pages(loaded), pages(loading)];
    let (ids, pages) = (lists.map(|it| it.0), lists.map(|it| it.1));
    if pages.iter().any(|&it| it >= PAGES_WRAP) {
        Exception::Pages
    } else if ids.iter().any(|&it| it > PAGE_IDS_WRAP) {
        Exception::Overfull
    } else if ids.contains(&PAGE_IDS_WRAP) {
        Exception::FullPage
    } else {
        Exception::None
    }
}

/// Of a list with too many pages, what we write of it: the highest ids.
fn highest(ids: &[SegmentId]) -> Vec<SegmentId> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    let groups: Vec<&[SegmentId]> = ids.chunk_by(|a, b| a.0 & !0xff == b.0 & !0xff).collect();
    groups[groups.len().saturating_sub(PAGES_WRAP - 1)..].concat()
}

fn check(case: &Case, theirs: &Value, package: &str) -> Exception {
    let Case {
        command,
        max,
        messages,
    } = case;
    let context = format!("{package}, limit {max}, {command:?}");
    let exception = exception(command);
    let expected = canonical(match (exception, command) {
        (Exception::Pages, Command::SegmentsAnnouncement { loaded, loading }) => {
            to_json(&Command::SegmentsAnnouncement {
                loaded: highest(loaded),
                loading: highest(loading),
            })
        }
        _ => to_json(command),
    });
    assert!(messages.iter().all(|it| it.len() / 2 <= *max), "{context}");
    // They read ours, also where theirs cannot be read.
    assert_eq!(canonical(theirs["read"].clone()), expected, "{context}");
    let written = hex_messages(&theirs["written"]);
    match exception {
        Exception::None => {
            check_same(case, &written, &context);
            assert_eq!(
                read(&written).map(|it| canonical(to_json(&it))),
                Some(expected),
                "{context}"
            );
        }
        Exception::FullPage => {
            assert_ne!(joined(messages), joined(&written), "{context}");
            assert_ne!(canonical(theirs["own"].clone()), expected, "{context}");
            assert_eq!(
                read(&written).map(|it| canonical(to_json(&it))),
                Some(expected),
                "{context}"
            );
        }
        Exception::Overfull | Exception::Pages => {
            assert_ne!(joined(messages), joined(&written), "{context}");
            assert_ne!(canonical(theirs["own"].clone()), expected, "{context}");
            // Whatever it is taken for: the next command is read.
            let _nonsense = read(&written);
        }
    }
    exception
}

/// The same bytes; cut in the same places unless theirs are longer than they may be.
fn check_same(case: &Case, written: &[String], context: &str) {
    let too_long = |message: &String| message.len() / 2 > case.max;
    if written.iter().any(too_long) {
        assert_eq!(joined(&case.messages), joined(written), "{context}");
    } else {
        assert_eq!(case.messages, written, "{context}");
    }
}

fn check_all(package: &str) {
    let cases = cases();
    let entry = |case: &Case| {
        json!({
            "command": to_json(&case.command), "max": case.max, "messages": case.messages,
        })
    };
    let batch = Batch {
        commands: cases.iter().map(entry).collect(),
        chunks: Vec::new(),
        bodies: Vec::new(),
    };
    let answer = batch.ask(package);
    let answers = answer["commands"].as_array().unwrap();
    assert_eq!(answers.len(), cases.len());
    let mut seen: HashMap<Exception, usize> = HashMap::new();
    for (case, theirs) in cases.iter().zip(answers) {
        *seen.entry(check(case, theirs, package)).or_default() += 1;
    }
    // The seed must bring some of everything.
    for exception in [Exception::FullPage, Exception::Overfull, Exception::Pages] {
        assert!(seen.get(&exception) >= Some(&10), "{seen:?}");
    }
    assert!(
        seen.get(&Exception::None) >= Some(&(COMMANDS / 2)),
        "{seen:?}"
    );
}

#[test]
fn commands_of_2_3_are_ours() {
    check_all(PACKAGES[0]);
}

#[test]
fn commands_of_2_2_are_ours() {
    check_all(PACKAGES[1]);
}
