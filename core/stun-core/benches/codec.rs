//! Reading a request and building its answer: ours beside `stun-types` and `stun`, doing the same.

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::hint::black_box;
use std::net::SocketAddr;

use beekeepr_stun_core::{Arrival, Limits, REPLY_BYTES_MAX, Server, respond};
use criterion::{Criterion, criterion_group, criterion_main};
use stun::attributes::ATTR_FINGERPRINT;
use stun::fingerprint::FINGERPRINT;
use stun::message::{BINDING_REQUEST, BINDING_SUCCESS, Message as StunMessage, Setter as _};
use stun_types::attribute::{AttributeType, XorMappedAddress};
use stun_types::message::{
    BINDING, Message, MessageClass, MessageWrite as _, MessageWriteExt as _, MessageWriteMutSlice,
};

const BROWSER: [u8; 20] = *b"\x00\x01\x00\x00\x21\x12\xa4\x42transactions";
const SOURCE: SocketAddr = SocketAddr::new(
    std::net::IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 9)),
    40_000,
);

/// 44 bytes, with SOFTWARE and FINGERPRINT, as clients other than browsers send them.
fn with_fingerprint() -> Vec<u8> {
    let mut message = StunMessage::new();
    message.set_type(BINDING_REQUEST);
    message.write_header();
    message.add(stun::attributes::ATTR_SOFTWARE, b"some client1");
    FINGERPRINT.add_to(&mut message).unwrap();
    message.raw
}

fn by_stun_types(request: &[u8], out: &mut [u8]) -> usize {
    let request = Message::from_bytes(request).unwrap();
    assert!(request.method() == BINDING && request.class() == MessageClass::Request);
    let mut reply = Message::builder_success(&request, MessageWriteMutSlice::new(out));
    let address = XorMappedAddress::new(SOURCE, request.transaction_id());
    reply.add_attribute(&address).unwrap();
    if request.has_attribute(AttributeType::new(0x8028)) {
        reply.add_fingerprint().unwrap();
    }
    reply.finish()
}

/// Its messages are made to be used again, so they are.
fn by_stun(bytes: &[u8], request: &mut StunMessage, reply: &mut StunMessage) -> usize {
    request.raw.clear();
    request.raw.extend_from_slice(bytes);
    request.decode().unwrap();
    assert_eq!(request.typ, BINDING_REQUEST);
    reply.reset();
    reply.transaction_id = request.transaction_id;
    reply.set_type(BINDING_SUCCESS);
    reply.write_header();
    let address = stun::xoraddr::XorMappedAddress {
        ip: SOURCE.ip(),
        port: SOURCE.port(),
    };
    address.add_to(reply).unwrap();
    if request.contains(ATTR_FINGERPRINT) {
        FINGERPRINT.check(request).unwrap();
        FINGERPRINT.add_to(reply).unwrap();
    }
    reply.raw.len()
}

fn codec(criterion: &mut Criterion) {
    let requests = [
        ("browser", BROWSER.to_vec()),
        ("fingerprint", with_fingerprint()),
    ];
    for (name, request) in requests {
        let mut group = criterion.benchmark_group(name);
        let mut out = [0; REPLY_BYTES_MAX];
        group.bench_function("ours", |bencher| {
            bencher.iter(|| respond(black_box(&request), SOURCE, &mut out));
        });
        group.bench_function("ours with limits", |bencher| {
            let limits = Limits {
                source_rate_per_s: 5000,
                source_burst: 50_000,
                rate_per_s: 1_000_000,
                sources: 65_536,
            };
            let mut server = Server::new(&["192.0.2.1:3478".parse().unwrap()], limits, [1, 2]);
            let arrival = Arrival {
                source: SOURCE,
                asked: None,
                behaviour: None,
            };
            let mut now_ns = 0;
            bencher.iter(|| {
                now_ns += 1_000_000;
                server.handle(now_ns, black_box(&request), &arrival, &mut out)
            });
        });
        group.bench_function("stun-types", |bencher| {
            bencher.iter(|| by_stun_types(black_box(&request), &mut out));
        });
        group.bench_function("stun", |bencher| {
            let (mut read, mut written) = (StunMessage::new(), StunMessage::new());
            bencher.iter(|| by_stun(black_box(&request), &mut read, &mut written));
        });
        group.finish();
    }
}

criterion_group!(benches, codec);
criterion_main!(benches);
