//! The environment's part of the configuration.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::fault::Fault;
use super::origin::Origin;
use super::tree::{Kind, Node, join};

/// What our variables begin with.
const PREFIX: &str = "BEEKEEPR_";

/// What stands between a section and a key. Names without it are not configuration:
/// `BEEKEEPR_CONFIG` is a flag's, and Kubernetes sets `BEEKEEPR_TRACKER_PORT` by itself for a
/// service of the name `beekeepr-tracker`.
const SEPARATOR: &str = "__";

/// Lays the variables over the tree.
pub(super) fn overlay(
    root: &mut Node,
    env: impl Iterator<Item = (String, String)>,
    faults: &mut Vec<Fault>,
) {
    // In the order of names, so that the outcome does not depend on the environment's.
    let ours: BTreeSet<_> = env
        .filter(|(name, text)| {
            name.starts_with(PREFIX) && name.contains(SEPARATOR) && !text.is_empty()
        })
        .collect();
    for (name, text) in ours {
        let keys: Vec<String> = name[PREFIX.len()..]
            .split(SEPARATOR)
            .map(str::to_lowercase)
            .collect();
        if keys.iter().any(String::is_empty) {
            faults.push(Fault {
                origin: Origin::Env { name },
                key: String::new(),
                value: None,
                text: "not the name of a key; expected BEEKEEPR_SECTION__KEY".to_owned(),
            });
            continue;
        }
        set(root, &keys, &Origin::Env { name }, &text);
    }
}

fn set(node: &mut Node, keys: &[String], origin: &Origin, text: &str) {
    let Some((first, rest)) = keys.split_first() else {
        *node = read(origin, std::mem::take(&mut node.name), text);
        return;
    };
    if !matches!(node.kind, Kind::Table { .. }) {
        *node = Node::empty_table(origin.clone(), std::mem::take(&mut node.name));
    }
    let name = join(&node.name, first);
    if let Kind::Table { entries, .. } = &mut node.kind {
        let child = entries
            .entry(first.clone())
            .or_insert_with(|| Node::empty_table(origin.clone(), name));
        set(child, rest, origin, text);
    }
}

/// A variable has no type. It is read as TOML, then as text, then as a list of texts, until the key
/// takes it; when it takes none of them, the fault is told for the first reading.
fn read(origin: &Origin, name: String, text: &str) -> Node {
    let plain = Value::String(text.to_owned());
    let list = text
        .split(',')
        .map(|part| Value::String(part.trim().to_owned()))
        .collect();
    let first = as_toml(text).unwrap_or_else(|| plain.clone());
    let mut node = Node::from_value(origin, name, first.clone());
    node.rereadings = vec![first, Value::Array(list), plain];
    node
}

fn as_toml(text: &str) -> Option<Value> {
    let mut table: Table = toml::from_str(&format!("value = {text}")).ok()?;
    let value = table.remove("value")?;
    // A text with line breaks could bring further keys along.
    table.is_empty().then_some(value)
}
