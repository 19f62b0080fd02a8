//! What loading gives and what it says when something is wrong.

use std::io::Write;
use std::net::SocketAddr;
use std::num::NonZeroU16;

use serde::Deserialize;
use tempfile::NamedTempFile;

use super::*;

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct Whole {
    tracker: Tracker,
    seeder: Seeder,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct Tracker {
    listen: SocketAddr,
    workers: NonZeroU16,
    name: String,
    token: u32,
    mode: Mode,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    Open,
    Closed,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct Seeder {
    stun: Vec<SocketAddr>,
    channels: Vec<Channel>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Channel {
    name: String,
    manifest: String,
}

impl Default for Tracker {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8000".parse().unwrap(),
            workers: NonZeroU16::MIN,
            name: String::new(),
            token: 0,
            mode: Mode::Open,
        }
    }
}

fn load_both(text: &str, env: &[(&str, &str)]) -> Result<Whole, String> {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let env = env
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    load(Some(file.path()), env).map_err(|error| {
        error
            .to_string()
            .replace(file.path().to_str().unwrap(), "FILE")
    })
}

fn load_text(text: &str) -> Result<Whole, String> {
    load_both(text, &[])
}

fn load_env(env: &[(&str, &str)]) -> Result<Whole, String> {
    load_both("", env)
}

#[test]
fn without_file_and_environment_all_is_default() {
    let config: Whole = load(None, std::iter::empty()).unwrap();
    assert_eq!(config, Whole::default());
}

#[test]
fn the_environment_beats_the_file() {
    let text = "[tracker]\nlisten = '127.0.0.1:1'\nworkers = 2\n";
    let config = load_both(text, &[("BEEKEEPR_TRACKER__LISTEN", "127.0.0.1:9")]).unwrap();
    assert_eq!(config.tracker.listen.port(), 9);
    assert_eq!(config.tracker.workers.get(), 2);
}

#[test]
fn a_variable_is_read_as_whatever_the_key_takes() {
    let config = load_env(&[
        ("BEEKEEPR_TRACKER__WORKERS", "3"),
        ("BEEKEEPR_TRACKER__NAME", "12"),
        ("BEEKEEPR_TRACKER__MODE", "closed"),
        ("BEEKEEPR_SEEDER__STUN", "127.0.0.1:1, [::1]:2"),
        (
            "BEEKEEPR_SEEDER__CHANNELS",
            "[{ name = 'a', manifest = 'http://b/c.m3u8' }]",
        ),
    ])
    .unwrap();
    assert_eq!(config.tracker.workers.get(), 3);
    assert_eq!(config.tracker.name, "12");
    assert_eq!(config.tracker.mode, Mode::Closed);
    assert_eq!(config.seeder.stun.len(), 2);
    assert_eq!(config.seeder.channels[0].manifest, "http://b/c.m3u8");
}

#[test]
fn variables_that_are_no_configuration_are_left_alone() {
    let env = [
        ("BEEKEEPR_CONFIG", "x"),
        ("BEEKEEPR_TRACKER_PORT", "tcp://10.0.0.1:80"),
        ("PATH", "/bin"),
        ("BEEKEEPR_TRACKER__LISTEN", ""),
    ];
    assert_eq!(load_env(&env).unwrap(), Whole::default());
}

#[test]
fn a_misspelt_key_is_named_with_the_nearest_one_and_its_line() {
    assert_eq!(
        load_text("[tracker]\n\nlisten_ = '127.0.0.1:1'\n").unwrap_err(),
        "FILE:3: tracker.listen_: no such key; did you mean `listen`?"
    );
}

#[test]
fn a_foreign_key_is_answered_with_the_known_ones() {
    assert_eq!(
        load_text("[database]\n").unwrap_err(),
        "FILE:1: database: no such key; there are: tracker, seeder"
    );
}

#[test]
fn a_misspelt_variable_is_named() {
    assert_eq!(
        load_env(&[("BEEKEEPR_TRACKER__LISTN", "127.0.0.1:1")]).unwrap_err(),
        "BEEKEEPR_TRACKER__LISTN: tracker.listn: no such key; did you mean `listen`?"
    );
    assert_eq!(
        load_env(&[("BEEKEEPR_TRACKER__", "1")]).unwrap_err(),
        "BEEKEEPR_TRACKER__: not the name of a key; expected BEEKEEPR_SECTION__KEY"
    );
}

#[test]
fn all_faults_are_told_at_once() {
    let text = "[tracker]\nlisten = 'localhost'\nworkers = 0\nmode = 'clsed'\n\
                [seeder]\nstun = ['127.0.0.1:1', 'x', 'y']\n\
                [[seeder.channels]]\nname = 7\nmanifst = 'm'\n";
    let env = [("BEEKEEPR_TRACKER__TOKEN", "hunter2")];
    assert_eq!(
        load_both(text, &env)
            .unwrap_err()
            .lines()
            .collect::<Vec<_>>(),
        [
            "the configuration has 8 faults",
            "  FILE:2: tracker.listen = \"localhost\": expected IP:PORT, \
             for example 127.0.0.1:8000 or [::1]:8000",
            "  FILE:3: tracker.workers = 0: expected a whole number from 1 to 65535",
            "  FILE:4: tracker.mode = \"clsed\": no such choice; did you mean `closed`?",
            "  FILE:6: seeder.stun[1] = \"x\": expected IP:PORT, \
             for example 127.0.0.1:8000 or [::1]:8000",
            "  FILE:6: seeder.stun[2] = \"y\": expected IP:PORT, \
             for example 127.0.0.1:8000 or [::1]:8000",
            "  FILE:8: seeder.channels[0].name = 7: expected a text in quotes",
            "  FILE:9: seeder.channels[0].manifst: no such key; did you mean `manifest`?",
            // A value whose key sounds like a secret is not shown.
            "  BEEKEEPR_TRACKER__TOKEN: tracker.token: expected a whole number, not negative",
        ]
    );
}

#[test]
fn every_fault_of_the_syntax_has_its_line() {
    let error = load_text("[tracker]\nworkers = \n\nlisten = '127.0.0.1:1\n").unwrap_err();
    let lines: Vec<_> = error.lines().collect();
    assert!(
        lines[1].starts_with("  FILE:2: ") && lines[2].starts_with("  FILE:4: "),
        "{error}"
    );
    // What the reader made of the broken lines is no fault of the operator's.
    assert_eq!(lines.len(), 3, "{error}");
}

#[test]
fn a_section_that_is_there_twice_is_named() {
    assert_eq!(
        load_text("[tracker]\n[seeder]\n[tracker]\n").unwrap_err(),
        "FILE:3: `tracker` is there twice; keep one of the two"
    );
}

#[test]
fn an_absent_file_is_named() {
    let path = Path::new("/nowhere/beekeepr.toml");
    let error = load::<Whole>(Some(path), std::iter::empty())
        .unwrap_err()
        .to_string();
    assert!(error.contains("/nowhere/beekeepr.toml"), "{error}");
}

#[test]
fn a_variable_below_a_plain_value_is_a_fault_not_a_panic() {
    let error = load_env(&[("BEEKEEPR_TRACKER__LISTEN__X", "1")]).unwrap_err();
    assert!(error.contains("tracker.listen"), "{error}");
}

#[test]
fn a_number_too_large_is_a_fault() {
    let error = load_text("[tracker]\nworkers = 99999999999999999999\n").unwrap_err();
    assert!(error.contains("FILE:2: tracker.workers"), "{error}");
}
