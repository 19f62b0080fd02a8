//! What is wrong with a configuration, in words that tell where and what to write instead.

use std::fmt;

use super::origin::Origin;
use super::tree::{Kind, Node, Step, join};

/// Characters of a value shown at most.
const VALUE_CHARS_MAX: usize = 60;

/// Known keys listed at most when none is near.
const KEYS_LISTED_MAX: usize = 24;

/// Parts of key names whose values are not for logs and screens.
const SECRET_NAMES: [&str; 4] = ["key", "password", "secret", "token"];

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it was written.
    pub origin: Origin,
    /// The key with its sections, `tracker.listen`; empty when it is about none.
    pub key: String,
    /// The value as TOML, unless it is absent, a whole section or a secret.
    pub value: Option<String>,
    /// What is wrong and what to write instead.
    pub text: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            origin,
            key,
            value,
            text,
        } = self;
        match value {
            Some(value) => write!(formatter, "{origin}: {key} = {value}: {text}"),
            None if key.is_empty() => write!(formatter, "{origin}: {text}"),
            None => write!(formatter, "{origin}: {key}: {text}"),
        }
    }
}

/// What serde found, taken out of its words: it has no error type with fields.
pub(super) enum Finding {
    UnknownKey { key: String, known: Vec<String> },
    MissingKey { key: String },
    UnknownWord { known: Vec<String> },
    WrongValue { expected: String },
    Other { text: String },
}

impl Finding {
    pub(super) fn new(error: &toml::de::Error) -> Self {
        let message = error.message();
        let mut quoted = message.split('`').skip(1).step_by(2).map(str::to_owned);
        if message.starts_with("unknown field") {
            Self::UnknownKey {
                key: quoted.next().unwrap_or_default(),
                known: quoted.collect(),
            }
        } else if message.starts_with("missing field") {
            Self::MissingKey {
                key: quoted.next().unwrap_or_default(),
            }
        } else if message.starts_with("unknown variant") {
            Self::UnknownWord {
                known: quoted.skip(1).collect(),
            }
        } else if let (true, Some((_, expected))) = (
            message.starts_with("invalid "),
            message.rsplit_once(", expected "),
        ) {
            Self::WrongValue {
                expected: expectation(expected),
            }
        } else if message == "invalid socket address syntax" {
            Self::WrongValue {
                expected: SOCKET_ADDRESS.to_owned(),
            }
        } else if message == "invalid IP address syntax" {
            Self::WrongValue {
                expected: "an IP address, for example 127.0.0.1".to_owned(),
            }
        } else {
            Self::Other {
                text: message.trim_end().to_owned(),
            }
        }
    }

    /// Whether a required key is missing only because it was taken out.
    pub(super) fn is_missing_among(&self, root: &Node, steps: &[Step]) -> bool {
        let Self::MissingKey { key } = self else {
            return false;
        };
        match &root.find(steps).kind {
            Kind::Table { taken_out, .. } => taken_out.contains(key),
            Kind::List(_) | Kind::Leaf(_) => false,
        }
    }

    pub(super) fn into_fault(self, root: &Node, steps: &[Step]) -> Fault {
        let node = root.find(steps);
        let origin = node.origin.clone();
        let key = node.name.clone();
        match self {
            Self::UnknownKey {
                key: written,
                known,
            } => {
                let text = format!("no such key; {}", suggestion(&written, &known));
                Fault {
                    origin,
                    key,
                    value: None,
                    text,
                }
            }
            Self::MissingKey { key: missing } => {
                let text = "required, but not there; add it".to_owned();
                Fault {
                    origin,
                    key: join(&key, &missing),
                    value: None,
                    text,
                }
            }
            Self::UnknownWord { known } => {
                let written = leaf_text(node);
                let text = format!("no such choice; {}", suggestion(&written, &known));
                Fault {
                    origin,
                    value: shown(node),
                    key,
                    text,
                }
            }
            Self::WrongValue { expected } => Fault {
                origin,
                value: shown(node),
                key,
                text: format!("expected {expected}"),
            },
            Self::Other { text } => Fault {
                origin,
                value: shown(node),
                key,
                text,
            },
        }
    }
}

const SOCKET_ADDRESS: &str = "IP:PORT, for example 127.0.0.1:8000 or [::1]:8000";

/// Serde names Rust's types; an operator need not know them.
fn expectation(expected: &str) -> String {
    let text = match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" | "u64" | "usize" => "a whole number, not negative",
        "a nonzero u16" => "a whole number from 1 to 65535",
        "a nonzero u32" | "a nonzero u64" | "a nonzero usize" => "a whole number from 1 on",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a string" => "a text in quotes",
        "a sequence" => "a list: [a, b]",
        "a map" => "a section or { key = value }",
        "socket address" => SOCKET_ADDRESS,
        other => match other.strip_prefix("struct ") {
            Some(_) => "a section or { key = value }",
            None => other,
        },
    };
    text.to_owned()
}

fn suggestion(written: &str, known: &[String]) -> String {
    let nearest = known.iter().min_by_key(|word| distance(written, word));
    // Two letters exchanged, or a third of them wrong, is a slip; more is another word.
    let letters = written.chars().count();
    let slips_max = 2.max(letters / 3).min(letters.saturating_sub(1));
    let is_near = |word: &String| distance(written, word) <= slips_max;
    match nearest {
        None => "remove it".to_owned(),
        Some(word) if is_near(word) => format!("did you mean `{word}`?"),
        Some(_) => {
            let listed = &known[..known.len().min(KEYS_LISTED_MAX)];
            format!("there are: {}", listed.join(", "))
        }
    }
}

/// Letters to insert, remove or replace to make one word of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (above, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = above + 1;
        for (column, other_letter) in other.chars().enumerate() {
            let replaced = diagonal + usize::from(letter != other_letter);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

fn leaf_text(node: &Node) -> String {
    match &node.kind {
        Kind::Leaf(toml::Value::String(text)) => text.clone(),
        Kind::Leaf(value) => value.to_string(),
        Kind::List(_) | Kind::Table { .. } => String::new(),
    }
}

/// The value as an operator wrote it, unless it must not or need not be seen.
fn shown(node: &Node) -> Option<String> {
    if matches!(node.kind, Kind::Table { .. }) || is_secret(&node.name) {
        return None;
    }
    let text = node.to_value().to_string();
    if text.chars().count() <= VALUE_CHARS_MAX {
        return Some(text);
    }
    Some(
        text.chars()
            .take(VALUE_CHARS_MAX)
            .chain("...".chars())
            .collect(),
    )
}

fn is_secret(name: &str) -> bool {
    let key = name.rsplit('.').next().unwrap_or_default();
    SECRET_NAMES.iter().any(|secret| key.contains(secret))
}
