//! Writing and reading the two commands that a busy peer sees most: an announcement of 300 segments,
//! and a request. `tests/interop/wire/bench.mjs` measures the same in p2p-media-loader.

use std::hint::black_box;

use beekeepr_model::{SegmentId, limits};
use beekeepr_peer_proto::{Command, Joiner, encode};
use criterion::Criterion;

const MAX: usize = limits::CHANNEL_MESSAGE_BYTES_MAX;

/// Ten minutes of segments of two seconds, from the middle of a page on.
fn announcement() -> Command {
    Command::SegmentsAnnouncement {
        loaded: (1000..1300).map(SegmentId).collect(),
        loading: Vec::new(),
    }
}

fn request() -> Command {
    Command::SegmentRequest {
        segment: SegmentId(1000),
        request: 617,
        offset: 0,
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for (name, command) in [
        ("announcement of 300", announcement()),
        ("request", request()),
    ] {
        criterion.bench_function(&format!("encode {name}"), |bench| {
            bench.iter(|| encode(black_box(&command), MAX).map(Iterator::last));
        });
        let Ok(messages) = encode(&command, MAX) else {
            continue;
        };
        let messages: Vec<Vec<u8>> = messages.collect();
        let mut joiner = Joiner::new();
        criterion.bench_function(&format!("decode {name}"), |bench| {
            bench.iter(|| joiner.push(black_box(&messages[0])));
        });
    }
    criterion.final_summary();
}
