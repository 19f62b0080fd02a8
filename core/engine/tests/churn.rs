//! Who may stay when others want to come, and who has to go.

mod bench;

use beekeepr_engine::{Config, ConnKey, Input, Output};
use beekeepr_model::{PeerId, SegmentId};
use beekeepr_peer_proto::Command;

use bench::{Bench, FOREIGN};

fn peer(number: u8) -> PeerId {
    let mut id = FOREIGN;
    id.0[19] = b'a' + number;
    id
}

/// A swarm of three peers, of whom only the first two gave something lately.
fn full() -> (Bench, Vec<ConnKey>) {
    let mut bench = Bench::new(Config {
        peers_max: 3,
        ..Config::default()
    });
    bench.load(0);
    let conns: Vec<ConnKey> = (0..3).map(|number| bench.connect(peer(number))).collect();
    bench.wait_ms(100_000);
    for (&conn, id) in conns.iter().zip([28, 29]) {
        bench.plays_at(100_000);
        bench.has(conn, id..id + 1);
        bench.wait_ms(100);
        bench.delivers(conn, id);
    }
    (bench, conns)
}

#[test]
fn in_a_full_swarm_who_gave_and_took_nothing_makes_room() {
    let (mut bench, conns) = full();
    bench.wait_ms(30_000);
    assert!(bench.offered(peer(9)).is_some());
    let closed: Vec<bool> = conns
        .iter()
        .map(|&conn| bench.saw(&Output::ConnClose(conn)))
        .collect();
    assert_eq!(closed, [false, false, true]);
}

#[test]
fn in_a_full_swarm_of_useful_peers_there_is_no_room() {
    let (mut bench, conns) = full();
    let conn = conns[2];
    bench.asks(conn, 0);
    bench.input(Input::Drained { conn, buffered: 0 });
    bench.wait_ms(30_000);
    assert!(bench.offered(peer(9)).is_none());
}

#[test]
fn who_announces_and_always_refuses_is_left_for_a_minute() {
    let mut bench = Bench::new(Config::default());
    bench.load(0);
    let conn = bench.connect(peer(1));
    for _ in 0..900 {
        bench.has(conn, 25..26);
        bench.wait_ms(100);
        let asked = bench.request_of(conn, 25);
        bench
            .outputs
            .retain(|output| matches!(output, Output::ConnClose(_)));
        if let Some((request, _)) = asked {
            let segment = SegmentId(25);
            bench.says(conn, &Command::SegmentAbsent { segment, request });
        }
    }
    assert!(bench.saw(&Output::ConnClose(conn)));
    assert!(bench.offered(peer(1)).is_none());
}
