//! Frames that nobody should send, a hundred thousand or a million of them.

use std::env;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use beekeepr_model::Random;
use beekeepr_service::Shutdown;
use beekeepr_tracker::{Config, Limits, start};
use prometheus::{Registry, TextEncoder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::witness::{HASHES, Pair};
use crate::{frames, payloads};

/// Frames in an ordinary run; `BEEKEEPR_FUZZ_FRAMES=1000000` makes it a million.
const FRAMES: u64 = 100_000;

/// Connections that flood at a time.
const ATTACKERS: u64 = 4;

/// Most messages on one connection, before a frame that ends it.
const BURST_MAX: usize = 200;

const HANDSHAKE: &[u8] =
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A failing run says its seed; `BEEKEEPR_FUZZ_SEED` repeats what is sent.
#[tokio::test]
async fn fuzzed_frames_harm_nobody() {
    let number = |name: &str| env::var(name).ok().and_then(|it| it.parse::<u64>().ok());
    let frames = number("BEEKEEPR_FUZZ_FRAMES").unwrap_or(FRAMES);
    let seed = number("BEEKEEPR_FUZZ_SEED").unwrap_or(1);
    let config = Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        workers: Some(2),
        // What limits keep out would test nothing else.
        limits: Limits {
            requests_per_connection_per_s: 0,
            ..Limits::default()
        },
        ..Config::default()
    };
    println!("seed {seed}, {frames} frames");
    let (_trigger, shutdown) = Shutdown::new();
    let registry = Registry::new();
    let running = start(config, &registry, shutdown).await.unwrap();
    let address = running.addresses[0];

    let stop = Arc::new(AtomicBool::new(false));
    let mut witnesses = Vec::new();
    for hash in HASHES {
        let pair = Pair::connect(address, hash).await;
        witnesses.push(tokio::spawn(pair.meet_until(Arc::clone(&stop))));
    }
    let attackers: Vec<_> = (0..ATTACKERS)
        .map(|number| tokio::spawn(attack(address, seed ^ (number << 32), frames / ATTACKERS)))
        .collect();
    for attacker in attackers {
        attacker.await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    for witness in witnesses {
        let (mut pair, rounds) = witness.await.unwrap();
        println!("a pair met {rounds} times meanwhile");
        pair.meet().await;
        // What is left of the attackers goes with their connections.
        while metric(&registry, "peers") > 4.0 || metric(&registry, "connections") > 4.0 {
            pair.meet().await;
        }
    }
    println!("messages read: {}", metric(&registry, "messages_total"));
}

/// Sends so many frames over one connection after the other.
async fn attack(address: SocketAddr, seed: u64, frames: u64) {
    let mut random = Random::new(seed);
    let mut sent = 0;
    while sent < frames {
        let mut bytes = HANDSHAKE.to_vec();
        for _ in 0..random.below(BURST_MAX) {
            let payload = payloads::next(&mut random);
            frames::message(&mut random, &mut bytes, &payload);
            sent += 1;
        }
        frames::last(&mut random, &mut bytes);
        sent += 1;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let (mut reader, mut writer) = stream.split();
        // The tracker may close at any time, which is its right.
        let write = async {
            let _ = writer.write_all(&bytes).await;
            let _ = writer.shutdown().await;
        };
        let read = async {
            let mut input = vec![0; 65_536];
            while let Ok(1..) = reader.read(&mut input).await {}
        };
        tokio::join!(write, read);
    }
}

fn metric(registry: &Registry, name: &str) -> f64 {
    let text = TextEncoder::new()
        .encode_to_string(&registry.gather())
        .unwrap();
    let name = format!("beekeepr_tracker_{name} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&name));
    line.unwrap().parse().unwrap()
}
