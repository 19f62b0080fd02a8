//! Shapes of files, and words that must not be in them.

use std::fs;

use anyhow::Result;

use crate::shell;

/// Wider lines do not fit beside each other on a screen; tables in Markdown may be wider.
const COLUMNS_MAX: usize = 140;
/// Longer files hold more than one thing. The anchors we measure ourselves by have their 90th
/// percentile at 248 to 1024 lines.
const LINES_MAX: usize = 800;
/// Whatever is larger (media, pictures) does not belong into the history.
const BYTES_MAX: u64 = 400_000;

/// Files that people write, by their ends.
const CODE: [&str; 7] = ["rs", "ts", "js", "mjs", "css", "html", "toml"];

/// Words that core's code must not contain; clippy.toml in core bans the calls, this the imports.
const NOT_IN_CORE: [&str; 8] = [
    "std::fs",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "tokio",
    "serde_json",
    "rand::",
];

/// Marks of unfinished work. In two parts so that this file passes its own check.
const UNFINISHED: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];

/// One line for each fault, with file and line.
pub(super) fn check() -> Result<Vec<String>> {
    // Files that git knows or would take; git is there wherever a clone is.
    let list = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let list = shell::output(&mut shell::command("git", &list))?;
    let mut faults = Vec::new();
    for path in list.lines() {
        let full = shell::root().join(path);
        // Deleted, but git has not been told yet.
        let Ok(metadata) = fs::metadata(&full) else {
            continue;
        };
        if metadata.len() > BYTES_MAX {
            faults.push(format!(
                "{path}: {} bytes, at most {BYTES_MAX} may be",
                metadata.len()
            ));
        }
        let is_code = path
            .rsplit('.')
            .next()
            .is_some_and(|end| CODE.contains(&end));
        // MPEG transport streams end in .ts as well; they are no text.
        let text = is_code.then(|| fs::read_to_string(full).ok()).flatten();
        faults.extend(text.iter().flat_map(|text| check_text(path, text)));
    }
    Ok(faults)
}

fn check_text(path: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let is_core = path.starts_with("core/") && path.contains("/src/") && !path.contains("/tests");
    let mut in_tests = false;
    for (index, line) in text.lines().enumerate() {
        let mut fault = |what: &str| faults.push(format!("{path}:{}: {what}", index + 1));
        in_tests |= line.starts_with("#[cfg(test)]");
        if line.chars().count() > COLUMNS_MAX {
            fault(&format!("more than {COLUMNS_MAX} columns"));
        }
        for word in UNFINISHED {
            if line.contains(word) {
                fault(&format!("`{word}`: finish it or file an issue"));
            }
        }
        let is_comment = line.trim_start().starts_with("//");
        if is_core && !in_tests && !is_comment {
            for word in NOT_IN_CORE.iter().filter(|word| line.contains(**word)) {
                fault(&format!(
                    "`{word}` in core: it comes in as a value from a shell"
                ));
            }
        }
    }
    if text.lines().count() > LINES_MAX {
        faults.push(format!(
            "{path}: more than {LINES_MAX} lines; split it by what it does"
        ));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_must_not_import_the_outside_world() {
        let faults = check_text("core/model/src/lib.rs", "use std::thread;\n");
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(
            faults[0].starts_with("core/model/src/lib.rs:1: "),
            "{faults:?}"
        );
        assert!(check_text("tracker/src/lib.rs", "use std::thread;\n").is_empty());
    }

    #[test]
    fn cores_tests_and_comments_may_name_it() {
        let text = "// no tokio here\n#[cfg(test)]\nmod tests { use serde_json; }\n";
        assert!(check_text("core/model/src/lib.rs", text).is_empty());
    }

    #[test]
    fn wide_lines_and_long_files_are_named() {
        let wide = "x".repeat(COLUMNS_MAX + 1);
        assert_eq!(check_text("a.rs", &wide).len(), 1);
        assert_eq!(check_text("a.rs", &"\n".repeat(LINES_MAX + 1)).len(), 1);
    }
}
