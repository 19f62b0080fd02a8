//! The keys as a file to begin with.

use toml::Value;

use super::page::binary;
use super::source::{Key, Section};
use super::{Shown, Values};

/// Where comments are broken: they and their mark fit on a screen beside something else.
const COLUMNS_MAX: usize = 110;

const HEAD: &str = "\
# Everything that can be configured, with what counts where nothing is said. Made from the code (`cargo xtask docs`).
#
# A line such as `#key = value` is a setting: remove its mark to change it. Keys without a default have an example as
# their value. Every key can also be given in the environment: BEEKEEPR_TRACKER__LISTEN is `listen` in [tracker].
# `beekeepr check --config FILE` says what is wrong with a file.
";

/// The whole file; every key is commented out.
pub(super) fn file(sections: &[Section], values: &Values) -> String {
    let mut text = HEAD.to_owned();
    for section in sections {
        let (mark, name) = (if section.is_optional { "#" } else { "" }, &section.name);
        let title = if section.is_list {
            format!("[[{name}]]")
        } else {
            format!("[{name}]")
        };
        text += &format!("\n\n{}{mark}{title}\n", comment(&section.doc));
        for key in &section.keys {
            text += &setting(section, key, values);
        }
    }
    text
}

fn setting(section: &Section, key: &Key, values: &Values) -> String {
    let (value, more) = match values.of(section, key) {
        Shown::Default(value) => (value, ""),
        Shown::Example(value) if key.is_required => (value, " Required."),
        Shown::Example(value) => (value, ""),
    };
    let bytes = match &value {
        Value::Integer(bytes) if key.name.contains("bytes") => format!(" # {}", binary(*bytes)),
        _ => String::new(),
    };
    format!(
        "\n{}#{} = {value}{bytes}\n",
        comment(&format!("{}{more}", key.doc)),
        key.name
    )
}

fn comment(text: &str) -> String {
    let mut lines = vec![String::from("#")];
    for word in text.split_whitespace() {
        let last = lines.last_mut().unwrap();
        if last.chars().count() + 1 + word.chars().count() > COLUMNS_MAX {
            lines.push(format!("# {word}"));
        } else {
            last.push(' ');
            last.push_str(word);
        }
    }
    lines.join("\n") + "\n"
}

/// The file with every setting in force.
pub(super) fn uncommented(text: &str) -> String {
    let lines = text.lines().map(|line| match line.strip_prefix('#') {
        Some(setting) if setting.starts_with(|it: char| it.is_ascii_lowercase() || it == '[') => {
            setting
        }
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}
