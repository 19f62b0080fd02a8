//! What packages are made of.

use crate::channels::{admin_of, ask};
use crate::server::{Server, said};

#[test]
fn every_shell_gets_completions_of_every_role() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, script) = said(&["completions", shell], &[]);
        assert_eq!(code, Some(0), "{shell}");
        for word in ["tracker", "stun", "seeder", "healthcheck", "admin-listen"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("man");
    let (code, _) = said(&["man", path.to_str().unwrap()], &[]);
    assert_eq!(code, Some(0));
    for page in ["beekeepr", "beekeepr-tracker", "beekeepr-config-print"] {
        let text = std::fs::read_to_string(path.join(format!("{page}.1"))).unwrap();
        assert!(text.contains(".SH SYNOPSIS"), "{page}");
    }
}

#[test]
fn the_page_alone_names_the_servers_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("beekeepr.toml");
    std::fs::write(
        &file,
        "[tracker]\nlisten = \"0.0.0.0:8000\"\n[stun]\nlisten = [\"0.0.0.0:3478\"]\n",
    )
    .unwrap();
    let line = [
        "page",
        "--config",
        file.to_str().unwrap(),
        "--listen",
        "127.0.0.1:0",
    ];
    let mut page = Server::start(&[&line[..], &["--admin-listen", "127.0.0.1:0"]].concat());
    let ready = page.ready();
    let address = ready.split("listen=http://").nth(1).unwrap();
    let address = address.split(' ').next().unwrap();
    let (status, config) = ask(address, "GET /config.json", "", "");
    assert_eq!(status, 200);
    let config: serde_json::Value = serde_json::from_str(&config).unwrap();
    assert_eq!(config["trackers"][0], "ws://0.0.0.0:8000");
    assert_eq!(config["stun"][0], "stun:0.0.0.0:3478");
    let manifest = config["channels"][0]["manifest"].as_str().unwrap();
    assert_eq!(manifest, format!("http://{address}/demo/live/master.m3u8"));
    assert_eq!(ask(&admin_of(&ready), "GET /readyz", "", "").0, 200);
    assert_eq!(page.interrupt(), Some(0));
}
