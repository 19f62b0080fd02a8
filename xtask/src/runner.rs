//! Running checks and tests, and adding up what their runners say.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Command, ExitCode, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};

use crate::shell;

/// What passed and what failed so far.
#[derive(Default)]
pub(crate) struct Tally {
    passed: u64,
    failed: u64,
    /// The runners' own summary lines, repeated at the end.
    summaries: Vec<String>,
}

impl Tally {
    /// A check that either holds or not; it counts as one.
    pub(crate) fn check(&mut self, what: &str, check: impl FnOnce() -> Result<()>) {
        let result = shell::step(what, check);
        self.note(what, &result);
    }

    /// A test runner, whose tests count one by one.
    pub(crate) fn tests(&mut self, what: &str, prepare: impl FnOnce() -> Result<Command>) {
        let mut count = Count::default();
        let result = shell::step(what, || {
            let lines = tee(&mut prepare()?, &mut count)?;
            if count == Count::default() {
                bail!(
                    "no test was run; its last line: {}",
                    lines.unwrap_or_default()
                );
            }
            Ok(())
        });
        self.passed += count.passed;
        self.failed += count.failed;
        if result.is_ok() || count.failed > 0 {
            let summary = format!("{what}: {} passed, {} failed", count.passed, count.failed);
            self.summaries.push(summary);
        }
        // A runner that fails without a failed test broke down itself.
        if count.failed == 0 && result.is_err() {
            self.note(what, &result);
        }
        if let (true, Err(error)) = (count.failed > 0, &result) {
            eprintln!("{error:#}");
        }
    }

    fn note(&mut self, what: &str, result: &Result<()>) {
        match result {
            Ok(()) => {
                self.passed += 1;
                self.summaries.push(format!("{what}: ok"));
            }
            Err(error) => {
                eprintln!("{error:#}");
                self.failed += 1;
                self.summaries.push(format!("{what}: FAILED"));
            }
        }
    }

    /// Prints the sums; the exit code tells whether all is well.
    pub(crate) fn finish(self) -> ExitCode {
        let mut out = std::io::stdout().lock();
        for line in &self.summaries {
            // Whoever closed our output does not want to read it.
            let _ = writeln!(out, "{line}");
        }
        let _ = writeln!(out, "{} passed, {} failed", self.passed, self.failed);
        if self.failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

/// Tests as a runner counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    passed: u64,
    failed: u64,
}

/// Runs a command, shows what it prints and counts by it. Gives its last line.
fn tee(command: &mut Command, count: &mut Count) -> Result<Option<String>> {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start the test runner")?;
    let errors = child.stderr.take();
    let errors = thread::spawn(move || errors.map(show));
    let mut lines = child.stdout.take().map(show).unwrap_or_default();
    lines.extend(errors.join().ok().flatten().unwrap_or_default());
    let status = child.wait()?;
    *count = lines
        .iter()
        .filter_map(|line| read(line))
        .fold(*count, |sum, it| Count {
            passed: sum.passed + it.passed,
            failed: sum.failed + it.failed,
        });
    if !status.success() {
        bail!("the runner ended with {status}");
    }
    Ok(lines.pop())
}

fn show(stream: impl Read) -> Vec<String> {
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    lines.inspect(|line| eprintln!("{line}")).collect()
}

/// What a summary line of nextest, libtest, vitest or `node --test` counts; `None` for any other.
fn read(line: &str) -> Option<Count> {
    let words: Vec<&str> = line
        .split(|it: char| !it.is_alphanumeric() && it != '#')
        .filter(|word| !word.is_empty())
        .collect();
    let before = |word: &str| {
        let at = words.iter().position(|it| *it == word)?;
        words.get(at.checked_sub(1)?)?.parse().ok()
    };
    match words.as_slice() {
        // "Summary [ 1.2s] 34 tests run: 33 passed, 1 failed, 0 skipped"
        ["Summary", ..]
        // "test result: ok. 3 passed; 0 failed; ..."
        | ["test", "result", ..]
        // "Tests  2 failed | 12 passed (14)"
        | ["Tests", ..] => {
            let count = Count {
                passed: before("passed").unwrap_or(0),
                failed: before("failed").unwrap_or(0) + before("timed").unwrap_or(0),
            };
            (count != Count::default()).then_some(count)
        }
        // "ℹ pass 12", "# pass 12"
        [_, "pass", number] | ["pass", number] => {
            Some(Count { passed: number.parse().ok()?, failed: 0 })
        }
        [_, "fail", number] | ["fail", number] => {
            Some(Count { passed: 0, failed: number.parse().ok()? })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, passed: u64, failed: u64) {
        assert_eq!(read(line), Some(Count { passed, failed }), "{line}");
    }

    #[test]
    fn summaries_of_all_runners_are_read() {
        check(
            "     Summary [   1.214s] 34 tests run: 33 passed, 1 failed, 2 skipped",
            33,
            1,
        );
        check(
            "     Summary [   1.2s] 3 tests run: 2 passed (1 slow), 1 timed out, 0 skipped",
            2,
            1,
        );
        check(
            "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured",
            3,
            0,
        );
        check("      Tests  2 failed | 12 passed (14)", 12, 2);
        check("ℹ pass 12", 12, 0);
        check("# fail 1", 0, 1);
    }

    #[test]
    fn other_lines_count_nothing() {
        for line in [
            "",
            "12 passed on the way",
            " Test Files  1 passed (1)",
            "# tests 3",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
