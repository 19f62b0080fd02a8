//! The reference of all keys: docs/configuration.md and deploy/config/beekeepr.toml say what the code says.
//!
//! Descriptions are the doc comments of the types that read the file, defaults are those of the types. What a key without
//! a default may look like is in `examples.toml`.

mod file;
mod page;
mod source;

use toml::{Table, Value};

use super::Config;
use crate::documents;
use source::{Key, Section};

const EXAMPLES: &str = include_str!("reference/examples.toml");

/// What is known of the keys beside their descriptions.
struct Values {
    /// The configuration with nothing but the examples in it.
    read: Table,
    examples: Table,
}

/// What to show of a key.
enum Shown {
    Default(Value),
    Example(Value),
}

impl Values {
    fn new() -> Self {
        let config: Config = toml::from_str(EXAMPLES).unwrap();
        Self {
            read: Table::try_from(config).unwrap(),
            examples: toml::from_str(EXAMPLES).unwrap(),
        }
    }

    fn of(&self, section: &Section, key: &Key) -> Shown {
        let name = format!("{}.{}", section.name, key.name);
        match (find(&self.examples, &name), find(&self.read, &name)) {
            (Some(example), _) => Shown::Example(example),
            (None, Some(default)) => Shown::Default(default),
            (None, None) => unreachable!("{name} has no default; give it a value in examples.toml"),
        }
    }
}

/// `seeder.channels.name` is of the first channel.
fn find(table: &Table, name: &str) -> Option<Value> {
    let mut keys = name.split('.');
    let first = table.get(keys.next()?)?;
    let found = keys.try_fold(first, |value, key| match value {
        Value::Array(list) => list.first()?.get(key),
        other => other.get(key),
    });
    found.cloned()
}

#[test]
fn the_page_of_all_keys_is_that_of_the_code() {
    documents::agree(
        "docs/configuration.md",
        &page::page(&source::sections(), &Values::new()),
    )
    .unwrap();
}

#[test]
fn the_commented_file_is_that_of_the_code() {
    documents::agree(
        "deploy/config/beekeepr.toml",
        &file::file(&source::sections(), &Values::new()),
    )
    .unwrap();
}

#[test]
fn the_commented_file_changes_nothing() {
    let text = file::file(&source::sections(), &Values::new());
    let config: Config = toml::from_str(&text).unwrap();
    assert_eq!(
        toml::to_string(&config).unwrap(),
        toml::to_string(&Config::default()).unwrap()
    );
}

/// With all comment marks before keys removed every line counts, and nothing that the types know is left out.
#[test]
fn the_commented_file_has_every_key() {
    let text = file::uncommented(&file::file(&source::sections(), &Values::new()));
    let config: Config = toml::from_str(&text).unwrap();
    let examples: Config = toml::from_str(EXAMPLES).unwrap();
    assert_eq!(
        toml::to_string(&config).unwrap(),
        toml::to_string(&examples).unwrap()
    );
}

#[test]
fn examples_are_of_keys_without_a_default() {
    let sections = source::sections();
    let (defaults, values) = (Table::try_from(Config::default()).unwrap(), Values::new());
    for section in &sections {
        for key in &section.keys {
            let default = find(&defaults, &format!("{}.{}", section.name, key.name));
            let is_empty = |value: &Value| match value {
                Value::Array(list) => list.is_empty(),
                Value::Table(table) => table.is_empty(),
                _ => false,
            };
            let is_example = matches!(values.of(section, key), Shown::Example(_));
            let is_needed = default.as_ref().is_none_or(is_empty);
            assert!(
                !is_example || is_needed,
                "{}.{} has a default",
                section.name,
                key.name
            );
        }
    }
}

/// A default in a description would have to be changed in two places.
#[test]
fn descriptions_repeat_no_default() {
    for section in source::sections() {
        for key in section.keys {
            let words: Vec<&str> = key
                .doc
                .split([' ', '`', '"'])
                .filter(|it| !it.is_empty())
                .collect();
            let repeats = words.windows(2).any(|it| {
                it[0].trim_end_matches(':').eq_ignore_ascii_case("default")
                    && it[1].starts_with(|it: char| it.is_ascii_digit())
            });
            let (name, doc) = (format!("{}.{}", section.name, key.name), &key.doc);
            assert!(
                !repeats,
                "{name}: the reference shows the default anyway: {doc}"
            );
        }
    }
}
