//! A worker's server: whom it answers, and that it never allocates after it is made.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers as well"
)]
#![expect(
    unsafe_code,
    reason = "an allocator is unsafe to write; this one only counts and hands on"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::{IpAddr, SocketAddr};

use beekeepr_stun_core::{
    Arrival, Behaviour, DropReason, Limits, Mappings, Outcome, Place, REPLY_BYTES_MAX,
    REQUEST_BYTES_MAX, ReplyKind, Server, frame,
};

const REQUEST: [u8; 20] = *b"\x00\x01\x00\x00\x21\x12\xa4\x42transactions";
const OWN: &str = "192.0.2.1:3478";
const CLIENT: &str = "203.0.113.9:40000";

const LIMITS: Limits = Limits {
    source_rate_per_s: 1000,
    source_burst: 1000,
    rate_per_s: 1_000_000_000,
    sources: 1024,
};

/// Counts what the thread of a test allocates.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: everything is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: it came from the system's allocator, by `alloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn server(own: &[&str], limits: Limits) -> Server {
    let own: Vec<SocketAddr> = own.iter().map(|text| text.parse().unwrap()).collect();
    Server::new(&own, limits, [1, 2])
}

fn handle(server: &mut Server, message: &[u8], source: &str, asked: Option<&str>) -> Outcome {
    let arrival = Arrival {
        source: source.parse().unwrap(),
        asked: asked.map(|text| text.parse().unwrap()),
        behaviour: None,
    };
    server.handle(0, message, &arrival, &mut [0; REPLY_BYTES_MAX])
}

/// A request with attributes, whose lengths are multiples of four.
fn request(attributes: &[(u16, &[u8])]) -> Vec<u8> {
    let mut bytes = REQUEST.to_vec();
    for (kind, value) in attributes {
        bytes.extend(kind.to_be_bytes());
        bytes.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        bytes.extend(*value);
    }
    let length = u16::try_from(bytes.len() - 20).unwrap();
    bytes[2..4].copy_from_slice(&length.to_be_bytes());
    bytes
}

fn behaviour(here: Place) -> Behaviour {
    let told = [
        "192.0.2.1:3478",
        "192.0.2.1:3479",
        "192.0.2.2:3478",
        "192.0.2.2:3479",
    ];
    Behaviour {
        told: told.map(|text| text.parse().unwrap()),
        here,
    }
}

#[test]
fn a_client_is_answered_at_its_address() {
    let outcome = handle(&mut server(&[OWN], LIMITS), &REQUEST, CLIENT, None);
    let Outcome::Reply { bytes, kind, route } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!((bytes, kind), (32, ReplyKind::Mapped));
    assert_eq!(route.to, CLIENT.parse().unwrap());
}

#[test]
fn an_own_address_is_no_client() {
    let dropped = Outcome::Dropped(DropReason::OwnAddress);
    let mut named = server(&[OWN, "192.0.2.2:3479"], LIMITS);
    for source in [OWN, "192.0.2.2:3479"] {
        assert_eq!(handle(&mut named, &REQUEST, source, None), dropped);
    }
    let mut any = server(&["0.0.0.0:3478"], LIMITS);
    let asked = Some("192.0.2.1");
    assert_eq!(handle(&mut any, &REQUEST, OWN, asked), dropped);
    // Other hosts may use the port, and other programs of this one other ports.
    for source in ["192.0.2.9:3478", "192.0.2.1:9999"] {
        let outcome = handle(&mut any, &REQUEST, source, asked);
        assert!(matches!(outcome, Outcome::Reply { .. }), "{source}");
    }
}

#[test]
fn what_was_sent_to_many_is_not_answered() {
    let mut server = server(&[OWN], LIMITS);
    for asked in ["255.255.255.255", "224.0.0.1", "ff02::1", "0.0.0.0"] {
        let outcome = handle(&mut server, &REQUEST, CLIENT, Some(asked));
        assert_eq!(outcome, Outcome::Dropped(DropReason::Broadcast), "{asked}");
    }
}

#[test]
fn what_is_longer_than_anything_real_is_not_read() {
    let padded = request(&[(0x8022, &[0; REQUEST_BYTES_MAX - 20])]);
    let outcome = handle(&mut server(&[OWN], LIMITS), &padded, CLIENT, None);
    assert_eq!(outcome, Outcome::Dropped(DropReason::Length));
}

#[test]
fn malformed_messages_take_nothing_of_a_sources_share() {
    let limits = Limits {
        source_burst: 1,
        ..LIMITS
    };
    let mut server = server(&[OWN], limits);
    for _ in 0..10 {
        handle(&mut server, b"no STUN", CLIENT, None);
    }
    let first = handle(&mut server, &REQUEST, CLIENT, None);
    assert!(matches!(first, Outcome::Reply { .. }));
    let second = handle(&mut server, &REQUEST, CLIENT, None);
    assert_eq!(second, Outcome::Dropped(DropReason::SourceLimit));
}

#[test]
fn no_answer_with_rfc_5780_is_longer_than_promised() {
    for here in Place::ALL {
        let behaviour = behaviour(here);
        let mut out = [0; REPLY_BYTES_MAX];
        for padding in [0, 4, 500, 1500, REQUEST_BYTES_MAX - 24] {
            let padding = vec![0; padding];
            for (request, longest) in [
                (request(&[]), 68),
                (request(&[(0x0026, &padding)]), 72.max(24 + padding.len())),
            ] {
                let source = CLIENT.parse().unwrap();
                let outcome =
                    beekeepr_stun_core::respond_at(Some(&behaviour), &request, source, &mut out);
                let Outcome::Reply { bytes, .. } = outcome else {
                    panic!("{outcome:?}")
                };
                assert!(bytes <= longest, "{bytes} > {longest}");
            }
        }
    }
}

#[test]
fn padding_and_another_port_are_not_to_be_had_together() {
    let behaviour = behaviour(Place::ALL[0]);
    let both = request(&[(0x0026, &[0; 8]), (0x0027, &[0x20, 0, 0, 0])]);
    let mut out = [0; REPLY_BYTES_MAX];
    let source = CLIENT.parse().unwrap();
    let outcome = beekeepr_stun_core::respond_at(Some(&behaviour), &both, source, &mut out);
    let Outcome::Reply { kind, route, .. } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!((kind, route.to), (ReplyKind::BadRequest, source));
    assert_eq!(out[20..28], [0, 9, 0, 4, 0, 0, 4, 0]);
}

#[test]
fn of_several_wishes_of_a_kind_the_first_counts() {
    let behaviour = behaviour(Place::ALL[0]);
    let change = |flags| (0x0003, [0, 0, 0, flags]);
    let port = |high| (0x0027, [high, 0, 0, 0]);
    let wishes = [change(2), change(4), port(0x20), port(0x30)];
    let wishes: Vec<(u16, &[u8])> = { wishes.iter() }
        .map(|(kind, value)| (*kind, &value[..]))
        .collect();
    let source: SocketAddr = CLIENT.parse().unwrap();
    let mut out = [0; REPLY_BYTES_MAX];
    let outcome =
        beekeepr_stun_core::respond_at(Some(&behaviour), &request(&wishes), source, &mut out);
    let Outcome::Reply { route, .. } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!((route.from.address, route.from.port), (false, true));
    assert_eq!(route.to, SocketAddr::new(source.ip(), 0x2000));
}

#[test]
fn attributes_of_rfc_5780_with_a_wrong_length_drop_the_request() {
    let behaviour = behaviour(Place::ALL[0]);
    for wrong in [(0x0003, &[0; 8][..]), (0x0003, &[]), (0x0027, &[0; 8])] {
        let arrival = Arrival {
            source: CLIENT.parse().unwrap(),
            asked: None,
            behaviour: Some(&behaviour),
        };
        let mut server = server(&[OWN], LIMITS);
        let outcome = server.handle(0, &request(&[wrong]), &arrival, &mut [0; REPLY_BYTES_MAX]);
        assert_eq!(
            outcome,
            Outcome::Dropped(DropReason::Attribute),
            "{wrong:?}"
        );
    }
}

#[test]
fn nothing_is_allocated_for_a_message_whoever_sends_it() {
    let mut server = server(&[OWN], LIMITS);
    let mappings = Mappings::new([5, 6]);
    let behaviour = behaviour(Place::ALL[3]);
    let unknown: Vec<(u16, &[u8])> = (0x4000..0x4020).map(|kind| (kind, &[][..])).collect();
    let messages = [
        request(&[]),
        request(&[(0x0026, &[0; 1400])]),
        request(&[(0x0003, &[0, 0, 0, 6])]),
        request(&unknown),
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
    ];
    let mut out = [0; REPLY_BYTES_MAX];
    let before = ALLOCATIONS.get();
    for number in 0..1_000_000_u32 {
        let source = SocketAddr::new(IpAddr::V4((0x0b00_0000 + number).into()), 4000);
        let arrival = Arrival {
            source,
            asked: Some([192, 0, 2, 1].into()),
            behaviour: (number % 2 == 0).then_some(&behaviour),
        };
        // Mostly a browser's, as everywhere.
        let message = messages.get(number as usize % 64).unwrap_or(&messages[0]);
        let _ = frame(message);
        server.handle(u64::from(number) * 1000, message, &arrival, &mut out);
        mappings.see(number / 100_000, source, number % 3 == 0);
    }
    assert_eq!(ALLOCATIONS.get(), before);
}
