//! The STUN server as foreign clients see it: Debian's, from the same machine and through real NATs.

#![expect(
    clippy::panic,
    reason = "helpers of tests fail as tests do; clippy knows only the test functions themselves"
)]

use std::process::Command;

use crate::server::Server;

/// The server on two addresses of this machine, and what it says when ready.
fn start() -> (Server, String) {
    let mut stun = Server::start(&[
        "stun",
        "--listen",
        "127.0.0.1:0",
        "--alternate",
        "127.0.0.2:0",
        "--admin-listen",
        "127.0.0.1:0",
    ]);
    let ready = stun.ready();
    (stun, port(&ready, "stun:127.0.0.1:"))
}

/// The port that the ready line names after `host`.
fn port(ready: &str, host: &str) -> String {
    let rest = ready.split_once(host).map(|(_, rest)| rest);
    let digits = rest.and_then(|rest| rest.split([',', ' ']).next());
    digits.expect("a port in the ready line").to_owned()
}

/// All that a client prints.
fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| {
        panic!("cannot run {program}: {error}; `cargo xtask test` installs what is missing")
    });
    [output.stdout, output.stderr]
        .map(|text| String::from_utf8_lossy(&text).into_owned())
        .concat()
}

#[track_caller]
fn assert_says(text: &str, expected: &str) {
    assert!(text.contains(expected), "{expected:?} is not in:\n{text}");
}

#[test]
fn coturns_client_learns_its_address() {
    let (_stun, port) = start();
    let text = output("turnutils_stunclient", &["-p", &port, "127.0.0.1"]);
    assert_says(&text, "UDP reflexive addr: 127.0.0.1:");
}

#[test]
fn coturns_client_gets_answers_from_the_other_address_and_port() {
    let (_stun, port) = start();
    let text = output("turnutils_stunclient", &["-f", "-p", &port, "127.0.0.1"]);
    assert_says(&text, "RFC 5780 response 1");
    assert_says(&text, "RFC 5780 response 2");
}

#[test]
fn coturns_discovery_finds_no_nat_where_there_is_none() {
    let (_stun, port) = start();
    let text = discovery("127.0.0.1", &["-m", "-f", "-p", &port, "-L", "127.0.0.1"]);
    assert_says(&text, "NAT with Endpoint Independent Mapping!");
    assert_says(&text, "NAT with Endpoint Independent Filtering!");
}

#[test]
fn coturns_discovery_gets_its_padding_back() {
    let (_stun, port) = start();
    let text = discovery("127.0.0.1", &["-m", "-P", "-p", &port, "-L", "127.0.0.1"]);
    assert_says(&text, "NAT with Endpoint Independent Mapping!");
}

#[test]
fn coturns_discovery_hears_itself_without_a_nat() {
    let (_stun, port) = start();
    let text = discovery("127.0.0.1", &["-H", "-p", &port, "-L", "127.0.0.1"]);
    assert_says(&text, "Received a request (maybe a successful hairpinning)");
}

#[test]
fn coturns_discovery_gets_an_answer_at_a_second_address() {
    let (_stun, port) = start();
    let second = ["-c", "-A", "127.0.0.3"];
    let text = discovery(
        "127.0.0.1",
        &[&second, &["-p", &port, "-L", "127.0.0.1"][..]].concat(),
    );
    assert_says(&text, "UDP reflexive addr: 127.0.0.3:");
}

#[test]
fn coturns_discovery_gets_an_answer_at_the_port_it_names() {
    let (_stun, port) = start();
    let lifetime = ["-t", "-T", "1"];
    let text = discovery(
        "127.0.0.1",
        &[&lifetime, &["-p", &port, "-L", "127.0.0.1"][..]].concat(),
    );
    assert_says(&text, "RFC 5780 response 2");
}

#[test]
fn coturns_client_learns_its_address_over_ipv6() {
    let mut stun = Server::start(&[
        "stun",
        "--listen",
        "[::1]:0",
        "--admin-listen",
        "127.0.0.1:0",
    ]);
    let port = port(&stun.ready(), "stun:[::1]:");
    let text = output("turnutils_stunclient", &["-p", &port, "::1"]);
    assert_says(&text, "UDP reflexive addr: ::1:");
}

#[test]
fn vovidas_client_of_rfc_3489_finds_the_machine_open() {
    let (_stun, port) = start();
    let text = output("stun", &[&format!("127.0.0.1:{port}"), "-v"]);
    assert_says(&text, "Primary: Open");
}

fn discovery(server: &str, arguments: &[&str]) -> String {
    output("turnutils_natdiscovery", &[arguments, &[server]].concat())
}

/// What coturn's discovery says behind a NAT of this kind.
fn discovery_behind(kind: &str) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/binary/stun/nat.sh");
    let namespaces = ["--map-root-user", "--net", "--mount"];
    let client = ["turnutils_natdiscovery", "-m", "-f", "203.0.113.10"];
    let output = Command::new("unshare")
        .args(namespaces)
        .args(["sh", script, kind])
        .args(client)
        .env("BEEKEEPR", env!("CARGO_BIN_EXE_beekeepr"))
        .output()
        .expect("unshare (package util-linux) is there");
    [output.stdout, output.stderr]
        .map(|text| String::from_utf8_lossy(&text).into_owned())
        .concat()
}

#[test]
fn a_full_cone_nat_is_found_out() {
    let text = discovery_behind("full-cone");
    assert_says(&text, "NAT with Endpoint Independent Mapping!");
    assert_says(&text, "NAT with Endpoint Independent Filtering!");
}

#[test]
fn a_port_restricted_nat_is_found_out() {
    let text = discovery_behind("port-restricted");
    assert_says(&text, "NAT with Endpoint Independent Mapping!");
    assert_says(&text, "NAT with Address and Port Dependent Filtering!");
}

#[test]
fn a_symmetric_nat_is_found_out() {
    let text = discovery_behind("symmetric");
    assert_says(&text, "NAT with Address and Port Dependent Mapping!");
    assert_says(&text, "NAT with Address and Port Dependent Filtering!");
}
