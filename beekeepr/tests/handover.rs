//! A tracker that is replaced by a new process while clients come.

#![cfg(test)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

const HANDSHAKE: &[u8] =
    b"GET / HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A tracker's process, and where it says that it is.
struct Tracker {
    process: Child,
    listen: String,
    admin: String,
}

impl Tracker {
    fn start(listen: &str, admin: &str, handover: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_beekeepr"))
            .args([
                "tracker",
                "--workers",
                "2",
                "--listen",
                listen,
                "--admin-listen",
                admin,
            ])
            .env("BEEKEEPR_TRACKER__HANDOVER", handover)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = process.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let field = |name: &str| {
            let value = line.split_once(name).unwrap().1;
            value.split_whitespace().next().unwrap().to_owned()
        };
        let (listen, admin) = (field("listen=ws://"), field("admin=http://"));
        Self {
            process,
            listen,
            admin,
        }
    }
}

impl Drop for Tracker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn handshake(address: &str) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(HANDSHAKE)?;
    let mut status = [0; 12];
    stream.read_exact(&mut status)?;
    assert_eq!(&status, b"HTTP/1.1 101");
    Ok(())
}

#[test]
fn a_new_process_takes_over_without_a_refused_handshake() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("handover");
    let mut old = Tracker::start("127.0.0.1:0", "127.0.0.1:0", &path);
    let is_over = Arc::new(AtomicBool::new(false));
    let client = thread::spawn({
        let (address, is_over) = (old.listen.clone(), Arc::clone(&is_over));
        move || {
            let mut handshakes = 0;
            while !is_over.load(Ordering::Relaxed) {
                handshake(&address).unwrap();
                handshakes += 1;
            }
            handshakes
        }
    });
    let new = Tracker::start(&old.listen, &old.admin, &path);
    assert_eq!((&new.listen, &new.admin), (&old.listen, &old.admin));
    assert!(
        old.process.wait().unwrap().success(),
        "the old process ends by itself"
    );
    for _ in 0..10 {
        handshake(&new.listen).unwrap();
    }
    is_over.store(true, Ordering::Relaxed);
    assert!(client.join().unwrap() > 0);
    let mut probe = TcpStream::connect(&new.admin).unwrap();
    probe
        .write_all(b"GET /readyz HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut text = String::new();
    probe.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
}
