//! A tracker that wants tokens, and the seeder that must come in.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do; clippy knows only the test functions themselves"
)]

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{fs, thread};

use beekeepr_trust::{Algorithm, Claims, Role, signing_input, with_signature};
use ring::hmac;
use serde_json::Value;

use crate::channels::{admin_of, ask, origin};
use crate::server::Server;

/// The secret that signs, as a key set has it: 32 times "k".
const KEYS: &str =
    r#"{"keys": [{"kty": "oct", "kid": "a", "k": "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s"}]}"#;

fn now_s() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_secs()
}

fn super_peer_token(expires_s: u64) -> String {
    let claims = Claims {
        exp: Some(expires_s),
        role: Role::SuperPeer,
        ..Claims::default()
    };
    let input = signing_input(Algorithm::Hs256, Some("a"), &claims);
    let key = hmac::Key::new(hmac::HMAC_SHA256, &[b'k'; 32]);
    with_signature(&input, hmac::sign(&key, input.as_bytes()).as_ref())
}

fn peers(admin: &str) -> u64 {
    let (_, body) = ask(admin, "GET /v1/swarms", "", "");
    let all: Value = serde_json::from_str(&body).unwrap();
    let swarms = all["swarms"].as_array().unwrap().iter();
    let count = |it: &Value| it["complete"].as_u64().unwrap() + it["incomplete"].as_u64().unwrap();
    swarms.map(count).sum()
}

/// Until the seeder has joined a swarm; the test runner has the patience.
fn wait_for_peers(admin: &str) {
    while peers(admin) == 0 {
        thread::sleep(Duration::from_millis(20));
    }
}

fn metric(admin: &str, name: &str) -> u64 {
    let (_, text) = ask(admin, "GET /metrics", "", "");
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.map_or(0, |value| value.parse().unwrap())
}

fn write_keys(folder: &Path) -> String {
    let file = folder.join("keys.json");
    fs::write(&file, KEYS).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn up_lets_its_own_seeder_and_its_page_in() {
    let folder = tempfile::tempdir().unwrap();
    let keys = write_keys(folder.path());
    let mut up = Server::up(&[
        ("BEEKEEPR_TRACKER__TOKENS__KEYS", &keys),
        ("BEEKEEPR_TRACKER__TOKENS__LIFETIME_S_MAX", "60"),
    ]);
    let ready = up.ready();
    let admin = admin_of(&ready);
    wait_for_peers(&admin);
    let web = ready.split("http://").nth(1).unwrap();
    let web = web.split([',', ' ']).next().unwrap();
    let (_, config) = ask(web, "GET /config.json", "", "");
    let config: Value = serde_json::from_str(&config).unwrap();
    assert_eq!(config["tokens"], "given");
    let path = "GET /token?viewer=0123456789abcdef";
    let (status, token) = ask(web, path, "", "");
    assert_eq!((status, token.split('.').count()), (200, 3));
    // What another page, and another name of this machine, could bring.
    assert_eq!(ask(web, path, "origin: http://evil.example\r\n", "").0, 403);
    assert_eq!(ask(web, path, "x-forwarded-for: 192.0.2.1\r\n", "").0, 403);
    assert_eq!(ask(web, "GET /token?viewer=x", "", "").0, 400);
    assert_eq!(up.interrupt(), Some(0));
}

#[test]
fn a_seeder_stays_with_a_token_that_its_file_has_by_then() {
    let folder = tempfile::tempdir().unwrap();
    let (config, token) = (folder.path().join("a.toml"), folder.path().join("token"));
    let text = format!("[tracker.tokens]\nkeys = {:?}\n", write_keys(folder.path()));
    fs::write(&config, text).unwrap();
    let config = config.to_str().unwrap();
    let free = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
    let mut tracker = Server::start(&[&["tracker", "--config", config], &free[..]].concat());
    let ready = tracker.ready();
    let admin = admin_of(&ready);
    let url = ready.split("listen=").nth(1).unwrap();
    let url = url.split(' ').next().unwrap();

    let expires_s = now_s() + 5;
    fs::write(&token, super_peer_token(expires_s)).unwrap();
    let manifest = format!("http://{}/tv.m3u8", origin(true));
    let seeding = folder.path().join("b.toml");
    let text = format!(
        "[seeder]\ntrackers = [\"{url}\"]\nudp = \"127.0.0.1:0\"\ntoken_file = {token:?}\nlogical_peers = 1\n\
         [[seeder.channels]]\nname = \"tv\"\nmanifest = \"{manifest}\"\n"
    );
    fs::write(&seeding, text).unwrap();
    let line = ["seeder", "--config", seeding.to_str().unwrap()];
    let mut seeder = Server::start(&[&line[..], &["--admin-listen", "127.0.0.1:0"]].concat());
    seeder.ready();
    wait_for_peers(&admin);
    let accepted = metric(&admin, "beekeepr_tracker_connections_accepted_total");
    fs::write(&token, super_peer_token(expires_s + 600)).unwrap();
    // The tracker ends connections whose token has run out.
    while now_s() <= expires_s + 1 {
        assert!(peers(&admin) > 0);
        thread::sleep(Duration::from_millis(100));
    }
    assert!(peers(&admin) > 0);
    assert_eq!(
        metric(&admin, "beekeepr_tracker_connections_accepted_total"),
        accepted
    );
    assert_eq!(seeder.interrupt(), Some(0));
}
