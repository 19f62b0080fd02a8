//! The keys as a page for people.

use toml::Value;

use super::source::{Key, Section};
use super::{Shown, Values};

const HEAD: &str = "\
# Configuration

Every key of every section, made from the code (`cargo xtask docs`). One TOML file configures all roles; a role reads its
own section:

```
beekeepr up --config beekeepr.toml
```

[deploy/config/beekeepr.toml](../deploy/config/beekeepr.toml) is the same as a file to begin with; `beekeepr config print`
shows what counts, with secrets hidden; `beekeepr check` says what is wrong, all faults at once, and ends with 78 if there
is one.

- **Environment.** `BEEKEEPR_SECTION__KEY` beats the file: `BEEKEEPR_TRACKER__LIMITS__SWARMS_MAX=1000` is
  `tracker.limits.swarms_max`. A value is written as in TOML, as plain text, or as texts with commas between them, whatever
  the key takes; sections that may be there several times are written in TOML:
  `BEEKEEPR_SEEDER__CHANNELS='[{ name = \"news\", manifest = \"https://cdn.example/news/master.m3u8\" }]'`. An empty
  variable counts as absent.
- **Flags** beat both; each role's `--help` names its own.
- **Names** tell units: `_s` seconds, `_bps` bits per second, `_bytes` bytes; `_max` is a limit.
- **Unknown keys** are faults, with the line and the key that was probably meant.
- **While it runs**: channels of the seeder and certificates are read again when their files change; everything else counts
  from the next start.
";

/// The whole page.
pub(super) fn page(sections: &[Section], values: &Values) -> String {
    let mut text = HEAD.to_owned();
    for section in sections {
        let name = &section.name;
        let title = if section.is_list {
            format!("[[{name}]]")
        } else {
            format!("[{name}]")
        };
        text += &format!("\n## `{title}`\n\n{}\n", section.doc);
        if !section.keys.is_empty() {
            text += "\n| key | default | |\n|---|---|---|\n";
        }
        for key in &section.keys {
            text += &row(section, key, values);
        }
    }
    text
}

fn row(section: &Section, key: &Key, values: &Values) -> String {
    let (default, example) = match values.of(section, key) {
        Shown::Default(value) => (shown(&key.name, &value), String::new()),
        Shown::Example(_) if key.is_required => ("required".to_owned(), String::new()),
        Shown::Example(value) => (String::new(), format!(" Example: `{value}`")),
    };
    let doc = format!("{}{example}", key.doc).replace('|', "\\|");
    format!("| `{}` | {default} | {doc} |\n", key.name)
}

fn shown(key: &str, value: &Value) -> String {
    match value {
        Value::Array(list) if list.is_empty() => "none".to_owned(),
        Value::Table(table) if table.is_empty() => "none".to_owned(),
        Value::Integer(bytes) if key.contains("bytes") => format!("`{bytes}` ({})", binary(*bytes)),
        other => format!("`{other}`"),
    }
}

/// 536870912 is 512 MiB.
pub(super) fn binary(bytes: i64) -> String {
    const UNITS: [(&str, i64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let unit = UNITS
        .iter()
        .find(|(_, size)| bytes >= *size && bytes % size == 0);
    unit.map_or_else(
        || format!("{bytes} bytes"),
        |(unit, size)| format!("{} {unit}", bytes / size),
    )
}

#[test]
fn bytes_are_told_in_the_largest_unit_that_fits() {
    assert_eq!(binary(512 << 20), "512 MiB");
    assert_eq!(binary(1000), "1000 bytes");
}
