//! Channels as an operator handles them: looked at before, changed while the seeder runs.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do; clippy knows only the test functions themselves"
)]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use serde_json::{Value, json};

use crate::server::{Server, said};

/// An origin of one live playlist with its segments. A good one lets pages read and knows ranges.
pub(crate) fn origin(is_good: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            thread::spawn(move || answer(stream, is_good));
        }
    });
    address
}

fn answer(mut stream: TcpStream, is_good: bool) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.extend(byte);
    }
    let head = String::from_utf8(head).ok()?.to_ascii_lowercase();
    let body = match head.split(' ').nth(1)?.ends_with(".m3u8") {
        true => (0..6).fold(
            "#EXTM3U\n#EXT-X-TARGETDURATION:5\n".to_owned(),
            |text, number| format!("{text}#EXTINF:5,\n{number}.ts\n"),
        ),
        false => "x".to_owned(),
    };
    let status = if is_good && head.contains("\r\nrange:") {
        206
    } else {
        200
    };
    let cors = if is_good {
        "access-control-allow-origin: *\r\n"
    } else {
        ""
    };
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status} x\r\ncontent-length: {length}\r\n{cors}connection: close\r\n\r\n{body}"
    );
    stream.write_all(answer.as_bytes()).ok()
}

/// Status and body of a request to the admin listener.
pub(crate) fn ask(admin: &str, request: &str, headers: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(admin).unwrap();
    let length = body.len();
    write!(
        stream,
        "{request} HTTP/1.1\r\nhost: {admin}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    (status, body.to_owned())
}

const JSON: &str = "content-type: application/json\r\n";

pub(crate) fn admin_of(ready: &str) -> String {
    ready.split("admin=http://").nth(1).unwrap().to_owned()
}

fn names(admin: &str) -> Vec<String> {
    let (_, body) = ask(admin, "GET /v1/channels", "", "");
    let all: Value = serde_json::from_str(&body).unwrap();
    let channels = all["channels"].as_array().unwrap().iter();
    channels
        .map(|it| it["name"].as_str().unwrap().to_owned())
        .collect()
}

/// A configuration file of a seeder with these channels.
fn config(channels: &[(&str, SocketAddr)], more: &str) -> String {
    let head =
        format!("{more}\n[seeder]\ntrackers = [\"ws://127.0.0.1:1\"]\nudp = \"127.0.0.1:0\"\n");
    channels.iter().fold(head, |text, (name, origin)| {
        format!(
            "{text}[[seeder.channels]]\nname = \"{name}\"\nmanifest = \"http://{origin}/tv.m3u8\"\n"
        )
    })
}

const ADMIN: [&str; 2] = ["--admin-listen", "127.0.0.1:0"];

#[test]
fn check_says_what_suits_and_what_does_not() {
    let (good, bad) = (origin(true), origin(false));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("beekeepr.toml");
    std::fs::write(&file, config(&[("good", good), ("bad", bad)], "")).unwrap();
    let file = file.to_str().unwrap();
    let (code, text) = said(&["check", "--config", file], &[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("ok    good: HLS, live, streams to seed: 1, segments in the first: 6"),
        "{text}"
    );
    assert!(
        text.contains("segments cannot be had in parts (Range)"),
        "{text}"
    );

    let (code, text) = said(&["check", "--config", file, "--json"], &[]);
    assert_eq!(code, Some(0));
    let found: Value = serde_json::from_str(&text).unwrap();
    let [one, other] = [0, 1].map(|at| &found["channels"][at]);
    assert_eq!(
        (&one["channel"], &one["is_readable"]),
        (&json!("good"), &json!(true))
    );
    assert_eq!(one["problems"], json!([]));
    assert_eq!(other["problems"].as_array().unwrap().len(), 3, "{other}");
}

#[test]
fn a_channel_that_cannot_be_read_fails_the_check() {
    let environment = [("BEEKEEPR_SEEDER__ALLOW_PRIVATE_ORIGINS", "true")];
    let line = [
        "check",
        "--json",
        "--channel",
        "tv=http://127.0.0.1:1/tv.m3u8",
    ];
    let (code, text) = said(&line, &environment);
    assert_eq!(code, Some(1));
    let found: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(found["channels"][0]["is_readable"], false);
}

#[test]
fn channels_come_and_go_over_the_admin_listener() {
    let origin = origin(true);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("beekeepr.toml");
    std::fs::write(&file, config(&[("one", origin)], "")).unwrap();
    let mut seeder =
        Server::start(&[&["seeder", "--config", file.to_str().unwrap()], &ADMIN[..]].concat());
    let admin = admin_of(&seeder.ready());
    let body = json!({ "manifest": format!("http://{origin}/tv.m3u8") }).to_string();
    assert_eq!(ask(&admin, "PUT /v1/channels/two", JSON, &body).0, 201);
    assert_eq!(names(&admin), ["one", "two"]);
    assert_eq!(ask(&admin, "PUT /v1/channels/one", JSON, &body).0, 409);
    // What a page could send.
    let page = format!("{JSON}origin: http://evil.example\r\n");
    assert_eq!(ask(&admin, "PUT /v1/channels/three", &page, &body).0, 403);
    assert_eq!(
        ask(
            &admin,
            "PUT /v1/channels/three",
            "content-type: text/plain\r\n",
            &body
        )
        .0,
        415
    );
    assert_eq!(
        ask(&admin, "DELETE /v1/channels/two", "origin: null\r\n", "").0,
        403
    );
    assert_eq!(ask(&admin, "DELETE /v1/channels/two", "", "").0, 204);
    assert_eq!(names(&admin), ["one"]);
    assert_eq!(seeder.interrupt(), Some(0));
}

#[test]
fn channels_of_the_admin_listener_outlive_a_restart_where_they_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (file, kept) = (
        folder.path().join("beekeepr.toml"),
        folder.path().join("kept.json"),
    );
    let text = config(&[], "") + &format!("channels_state_file = {kept:?}\n");
    std::fs::write(&file, text).unwrap();
    let line = [&["seeder", "--config", file.to_str().unwrap()], &ADMIN[..]].concat();
    let mut seeder = Server::start(&line);
    let admin = admin_of(&seeder.ready());
    let manifest = format!("http://{}/tv.m3u8?key=1", origin(true));
    let body = json!({ "manifest": manifest, "headers": { "x-key": "2" } }).to_string();
    assert_eq!(ask(&admin, "PUT /v1/channels/two", JSON, &body).0, 201);
    assert_eq!(ask(&admin, "PUT /v1/channels/three", JSON, &body).0, 201);
    assert_eq!(ask(&admin, "DELETE /v1/channels/three", "", "").0, 204);
    assert_eq!(seeder.interrupt(), Some(0));
    let mut seeder = Server::start(&line);
    let admin = admin_of(&seeder.ready());
    assert_eq!(names(&admin), ["two"]);
    // Its secrets are still what they were, so the same again changes nothing.
    assert_eq!(ask(&admin, "PUT /v1/channels/two", JSON, &body).0, 200);
    assert_eq!(seeder.interrupt(), Some(0));
}

#[test]
fn the_configuration_file_is_read_again() {
    let origin = origin(true);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("beekeepr.toml");
    std::fs::write(&file, config(&[("one", origin)], "")).unwrap();
    let mut seeder =
        Server::start(&[&["seeder", "--config", file.to_str().unwrap()], &ADMIN[..]].concat());
    let admin = admin_of(&seeder.ready());
    std::fs::write(&file, config(&[("one", origin), ("two", origin)], "")).unwrap();
    seeder.hang_up();
    seeder.log_line("added=\"two\"");
    assert_eq!(names(&admin), ["one", "two"]);
    std::fs::write(&file, "[seeder]\nchanels = []\n").unwrap();
    let line = seeder.log_line("cannot be used");
    assert!(line.contains("seeder.chanels"), "{line}");
    assert_eq!(names(&admin), ["one", "two"]);
    std::fs::write(&file, config(&[("two", origin)], "")).unwrap();
    seeder.log_line("removed=\"one\"");
    assert_eq!(names(&admin), ["two"]);
}

#[test]
fn a_token_guards_the_admin_listener() {
    let folder = tempfile::tempdir().unwrap();
    let (file, token) = (
        folder.path().join("beekeepr.toml"),
        folder.path().join("token"),
    );
    let section = format!("[admin]\ntoken_file = {token:?}\n");
    std::fs::write(&file, config(&[("one", origin(true))], &section)).unwrap();
    let line = [&["seeder", "--config", file.to_str().unwrap()], &ADMIN[..]].concat();
    std::fs::write(&token, "short\n").unwrap();
    let (code, text) = crate::server::refused(&line, &[]);
    assert_eq!(code, Some(78));
    assert!(text.contains("admin.token_file"), "{text}");
    std::fs::write(&token, "0123456789abcdef\n").unwrap();
    let mut seeder = Server::start(&line);
    let admin = admin_of(&seeder.ready());
    assert_eq!(ask(&admin, "GET /v1/channels", "", "").0, 401);
    let bearer = "authorization: Bearer 0123456789abcdef\r\n";
    assert_eq!(ask(&admin, "GET /v1/channels", bearer, "").0, 200);
    assert_eq!(ask(&admin, "GET /readyz", "", "").0, 200);
}
