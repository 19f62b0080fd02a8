//! A configuration as a tree in which every value knows where it was written.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml::Spanned;
use toml::Value;
use toml::de::{DeTable, DeValue};

use super::fault::Fault;
use super::origin::Origin;

/// One step from a node to a node below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

/// A value, its origin and its full name.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) origin: Origin,
    /// `seeder.channels[0].name`; empty for the root. Kept here because an index in a list no longer
    /// tells it once an earlier element was taken out.
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Other ways to read a value from the environment, to be tried from the back.
    pub(super) rereadings: Vec<Value>,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Table {
        entries: BTreeMap<String, Node>,
        /// Keys that were taken out because they were faulty.
        taken_out: BTreeSet<String>,
    },
    List(Vec<Node>),
    Leaf(Value),
}

/// Reads a file's text, with all its faults.
pub(super) fn parse(path: &Path, text: &str, faults: &mut Vec<Fault>) -> Node {
    let (table, errors) = DeTable::parse_recoverable(text);
    let reader = Reader { path, text };
    faults.extend(errors.iter().map(|error| reader.fault(error)));
    reader.table(
        reader.origin(table.span().start),
        String::new(),
        table.get_ref(),
    )
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Reader<'_> {
    fn origin(&self, offset: usize) -> Origin {
        let before = self.text.as_bytes().get(..offset).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        Origin::File {
            path: self.path.to_owned(),
            line,
        }
    }

    fn fault(&self, error: &toml::de::Error) -> Fault {
        let span = error.span().unwrap_or_default();
        let text = match self.text.get(span.clone()) {
            Some(key) if error.message() == "duplicate key" => {
                format!("`{key}` is there twice; keep one of the two")
            }
            _ => format!(
                "{}; expected TOML (key = value, [section])",
                error.message()
            ),
        };
        Fault {
            origin: self.origin(span.start),
            key: String::new(),
            value: None,
            text,
        }
    }

    fn table(&self, origin: Origin, name: String, table: &DeTable<'_>) -> Node {
        let entry = |(key, value): (&Spanned<Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
            let origin = self.origin(key.span().start);
            (
                key.get_ref().to_string(),
                self.value(origin, join(&name, key.get_ref()), value),
            )
        };
        let entries = table.iter().map(entry).collect();
        Node::new(
            origin,
            name,
            Kind::Table {
                entries,
                taken_out: BTreeSet::new(),
            },
        )
    }

    fn value(&self, origin: Origin, name: String, value: &Spanned<DeValue<'_>>) -> Node {
        let kind = match value.get_ref() {
            DeValue::Table(table) => return self.table(origin, name, table),
            DeValue::Array(list) => Kind::List(
                list.iter()
                    .enumerate()
                    .map(|(index, element)| {
                        let origin = self.origin(element.span().start);
                        self.value(origin, format!("{name}[{index}]"), element)
                    })
                    .collect(),
            ),
            DeValue::String(text) => Kind::Leaf(Value::String(text.to_string())),
            DeValue::Integer(number) => Kind::Leaf(integer(&number.to_string(), number)),
            DeValue::Float(number) => Kind::Leaf(match number.as_str().parse() {
                Ok(number) => Value::Float(number),
                Err(_) => Value::String(number.as_str().to_owned()),
            }),
            DeValue::Boolean(truth) => Kind::Leaf(Value::Boolean(*truth)),
            DeValue::Datetime(time) => Kind::Leaf(Value::Datetime(*time)),
        };
        Node::new(origin, name, kind)
    }
}

/// A number above 2^63 - 1 stays text; it is then reported as such by whoever wants a number.
fn integer(text: &str, number: &toml::de::DeInteger<'_>) -> Value {
    i64::from_str_radix(number.as_str(), number.radix())
        .map_or_else(|_| Value::String(text.to_owned()), Value::Integer)
}

/// The full name of `key` in the table `name`.
pub(super) fn join(name: &str, key: &str) -> String {
    if name.is_empty() {
        key.to_owned()
    } else {
        format!("{name}.{key}")
    }
}

impl Node {
    pub(super) fn new(origin: Origin, name: String, kind: Kind) -> Self {
        Self {
            origin,
            name,
            kind,
            rereadings: Vec::new(),
        }
    }

    /// An empty tree.
    pub(super) fn root() -> Self {
        Self::empty_table(Origin::Defaults, String::new())
    }

    pub(super) fn empty_table(origin: Origin, name: String) -> Self {
        let kind = Kind::Table {
            entries: BTreeMap::new(),
            taken_out: BTreeSet::new(),
        };
        Self::new(origin, name, kind)
    }

    /// A node for a value all of whose parts have one origin.
    pub(super) fn from_value(origin: &Origin, name: String, value: Value) -> Self {
        let kind = match value {
            Value::Table(table) => {
                let entry = |(key, value): (String, Value)| {
                    let name = join(&name, &key);
                    (key, Self::from_value(origin, name, value))
                };
                let entries = table.into_iter().map(entry).collect();
                Kind::Table {
                    entries,
                    taken_out: BTreeSet::new(),
                }
            }
            Value::Array(list) => Kind::List(
                list.into_iter()
                    .enumerate()
                    .map(|(index, value)| {
                        Self::from_value(origin, format!("{name}[{index}]"), value)
                    })
                    .collect(),
            ),
            leaf => Kind::Leaf(leaf),
        };
        Self::new(origin.clone(), name, kind)
    }

    /// The bare value, for serde.
    pub(super) fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Table { entries, .. } => Value::Table(
                entries
                    .iter()
                    .map(|(key, node)| (key.clone(), node.to_value()))
                    .collect(),
            ),
            Kind::List(list) => Value::Array(list.iter().map(Self::to_value).collect()),
            Kind::Leaf(value) => value.clone(),
        }
    }

    /// The node at the end of the steps, or the last one on the way.
    pub(super) fn find(&self, steps: &[Step]) -> &Self {
        let Some((first, rest)) = steps.split_first() else {
            return self;
        };
        self.child(first).map_or(self, |child| child.find(rest))
    }

    fn child(&self, step: &Step) -> Option<&Self> {
        match (&self.kind, step) {
            (Kind::Table { entries, .. }, Step::Key(key)) => entries.get(key),
            (Kind::List(list), Step::Index(index)) => list.get(*index),
            _ => None,
        }
    }

    fn child_mut(&mut self, step: &Step) -> Option<&mut Self> {
        match (&mut self.kind, step) {
            (Kind::Table { entries, .. }, Step::Key(key)) => entries.get_mut(key),
            (Kind::List(list), Step::Index(index)) => list.get_mut(*index),
            _ => None,
        }
    }

    /// Reads a value from the environment in its next possible way, if it is on the way to the
    /// fault. False when there is none, or no other way.
    pub(super) fn reread_env(&mut self, steps: &[Step]) -> bool {
        if let Some(value) = self.rereadings.pop() {
            let rereadings = std::mem::take(&mut self.rereadings);
            *self = Self::from_value(&self.origin.clone(), self.name.clone(), value);
            self.rereadings = rereadings;
            return true;
        }
        let Some((first, rest)) = steps.split_first() else {
            return false;
        };
        self.child_mut(first)
            .is_some_and(|child| child.reread_env(rest))
    }

    /// Takes out what is at the end of the steps, or the last thing on the way. False when that is
    /// the root.
    pub(super) fn take_out(&mut self, steps: &mut Vec<Step>) -> bool {
        while let Some(last) = steps.pop() {
            if self
                .find_mut(steps)
                .is_some_and(|parent| parent.remove(&last))
            {
                return true;
            }
        }
        false
    }

    fn find_mut(&mut self, steps: &[Step]) -> Option<&mut Self> {
        match steps.split_first() {
            None => Some(self),
            Some((first, rest)) => self.child_mut(first)?.find_mut(rest),
        }
    }

    fn remove(&mut self, step: &Step) -> bool {
        match (&mut self.kind, step) {
            (Kind::Table { entries, taken_out }, Step::Key(key)) => {
                let found = entries.remove(key).is_some();
                if found {
                    taken_out.insert(key.clone());
                }
                found
            }
            (Kind::List(list), Step::Index(index)) if *index < list.len() => {
                list.remove(*index);
                true
            }
            _ => false,
        }
    }
}
