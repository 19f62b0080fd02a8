//! The binary as a child process.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do; clippy knows only the test functions themselves"
)]

use std::io::{BufRead as _, BufReader, Lines, Read};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

/// All of `up` on free ports.
const FREE: [(&str, &str); 6] = [
    ("BEEKEEPR_WEB__LISTEN", "127.0.0.1:0"),
    ("BEEKEEPR_TRACKER__LISTEN", "127.0.0.1:0"),
    ("BEEKEEPR_STUN__LISTEN", "127.0.0.1:0"),
    ("BEEKEEPR_SEEDER__UDP", "127.0.0.1:0"),
    ("BEEKEEPR_ADMIN__LISTEN", "127.0.0.1:0"),
    ("BEEKEEPR_CONTROL__LISTEN", "127.0.0.1:0"),
];

/// A running process; killed when dropped.
pub(crate) struct Server {
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    stderr: Lines<BufReader<ChildStderr>>,
}

fn command(arguments: &[&str], env: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_beekeepr"));
    command
        .args(arguments)
        .envs(env.iter().copied())
        .stdin(Stdio::null());
    command
}

/// Runs a command that ends by itself: its exit code and what it said on standard error.
pub(crate) fn refused(arguments: &[&str], env: &[(&str, &str)]) -> (Option<i32>, String) {
    let output = command(arguments, env).output().unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// The same with what it said on standard output.
pub(crate) fn said(arguments: &[&str], env: &[(&str, &str)]) -> (Option<i32>, String) {
    let output = command(arguments, env).output().unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

impl Server {
    /// Starts a role.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::spawn(command(arguments, &[]))
    }

    /// Starts everything on free ports, save for what `env` says.
    pub(crate) fn up(env: &[(&str, &str)]) -> Self {
        Self::spawn(command(&["up"], &[&FREE[..], env].concat()))
    }

    fn spawn(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = lines(child.stdout.take().unwrap());
        let stderr = lines(child.stderr.take().unwrap());
        Self {
            child,
            stdout,
            stderr,
        }
    }

    /// The ready line; waits for it.
    pub(crate) fn ready(&mut self) -> String {
        let line = self
            .stdout
            .by_ref()
            .map_while(Result::ok)
            .find(|it| it.starts_with("ready "));
        line.unwrap_or_else(|| panic!("ended without being ready: {}", self.rest()))
    }

    /// The next log line that contains `text`; waits for it.
    pub(crate) fn log_line(&mut self, text: &str) -> String {
        let line = self
            .stderr
            .by_ref()
            .map_while(Result::ok)
            .find(|it| it.contains(text));
        line.unwrap_or_else(|| panic!("ended without `{text}` in its log"))
    }

    /// Ctrl-C; gives the exit code.
    pub(crate) fn interrupt(&mut self) -> Option<i32> {
        self.signal("-INT");
        self.child.wait().unwrap().code()
    }

    /// SIGHUP.
    pub(crate) fn hang_up(&self) {
        self.signal("-HUP");
    }

    fn signal(&self, name: &str) {
        let kill = Command::new("kill")
            .args([name, &self.child.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
    }

    fn rest(&mut self) -> String {
        self.stderr
            .by_ref()
            .map_while(Result::ok)
            .collect::<Vec<_>>()
            .join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines<R: Read>(stream: R) -> Lines<BufReader<R>> {
    BufReader::new(stream).lines()
}
