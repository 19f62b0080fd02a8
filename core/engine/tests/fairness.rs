//! What peers get of us, and what we put up with from them.

mod bench;

use beekeepr_engine::{Config, ConnKey, Input, LoadError, Output};
use beekeepr_model::{PeerId, SegmentId};
use beekeepr_peer_proto::Command;

use bench::{Bench, FOREIGN, SIZE, key};

fn peer(number: u8) -> PeerId {
    let mut id = FOREIGN;
    id.0[19] = b'a' + number;
    id
}

/// A bench that has segment 0 and as many peers.
fn sharing(config: Config, peers: u8) -> (Bench, Vec<ConnKey>) {
    let mut bench = Bench::new(config);
    bench.load(0);
    let conns = (0..peers)
        .map(|number| bench.connect(peer(number)))
        .collect();
    (bench, conns)
}

#[test]
fn who_asks_beyond_the_slots_is_told_absent_until_one_is_free() {
    let config = Config {
        uploads_max: 2,
        // None of them ends by itself: less than the segment in the 64 KiB window and the burst.
        upload_bps_max: 8_000,
        ..Config::default()
    };
    let (mut bench, conns) = sharing(config, 3);
    for &conn in &conns {
        bench.asks(conn, 0);
    }
    let refused: Vec<bool> = conns.iter().map(|&conn| bench.refused(conn)).collect();
    assert_eq!(refused, [false, false, true]);
    bench.input(Input::ChannelClosed(conns[0]));
    bench.asks(conns[2], 0);
    assert!(!bench.refused(conns[2]));
}

#[test]
fn under_a_limit_of_the_rate_peers_get_equal_shares_and_no_more_than_the_limit() {
    let config = Config {
        upload_bps_max: 160_000,
        ..Config::default()
    };
    let (mut bench, conns) = sharing(config, 2);
    bench.asks(conns[0], 0);
    bench.asks(conns[1], 0);
    let before = [bench.sent(conns[0]), bench.sent(conns[1])];
    for _ in 0..30 {
        bench.wait_ms(100);
        for &conn in &conns {
            bench.input(Input::Drained { conn, buffered: 0 });
        }
    }
    let sent = [bench.sent(conns[0]), bench.sent(conns[1])];
    let total: u64 = sent.iter().sum::<u64>() - before.iter().sum::<u64>();
    // 20 KB a second for 3 s, and 5 KB or a slice that were allowed at once.
    assert!((40_000..=80_000).contains(&total), "{total} bytes in 3 s");
    assert!(sent[0].abs_diff(sent[1]) <= 16 * 1024, "{sent:?}");
}

#[test]
fn an_upload_that_would_crawl_is_refused() {
    let config = Config {
        upload_bps_max: 100_000,
        ..Config::default()
    };
    let (mut bench, conns) = sharing(config, 3);
    for &conn in &conns {
        bench.asks(conn, 0);
    }
    // Two of 40 KB at 100 kbit/s take 6 s already.
    assert!(bench.refused(conns[2]));
}

#[test]
fn uploads_stop_when_they_are_switched_off_and_peers_are_told() {
    let slow = Config {
        upload_bps_max: 8_000,
        ..Config::default()
    };
    let (mut bench, conns) = sharing(slow, 1);
    bench.asks(conns[0], 0);
    let now = bench.now;
    let off = Config {
        upload_disabled: true,
        ..slow
    };
    bench.engine.configure(now, off);
    bench.collect();
    assert!(bench.refused(conns[0]));
    let nothing = Command::SegmentsAnnouncement {
        loaded: Vec::new(),
        loading: Vec::new(),
    };
    assert!(bench.said(conns[0]).contains(&nothing));
    bench.engine.configure(now, slow);
    bench.collect();
    let said = bench.said(conns[0]);
    let back = |said: &Command| matches!(said, Command::SegmentsAnnouncement { loaded, .. } if loaded == &[SegmentId(0)]);
    assert!(said.last().is_some_and(back), "{said:?}");
}

#[test]
fn a_peer_that_drips_is_left_and_the_rest_comes_from_the_origin() {
    let mut bench = Bench::new(Config::default());
    bench.load(0);
    let slow = bench.connect(peer(1));
    bench.has(slow, 9..10);
    bench.want(9);
    bench.sends(slow, 9, SIZE);
    for _ in 0..9 {
        bench.wait_ms(1_000);
        bench.bytes(slow, 100);
    }
    assert_eq!(bench.error(), Some(LoadError::Timeout));
    let rest = bench.outputs.iter().find_map(|output| match output {
        Output::FetchStart {
            segment, offset, ..
        } if *segment == key(9) => Some(*offset),
        _ => None,
    });
    assert!(
        rest.is_some_and(|offset| (700..=900).contains(&offset)),
        "from byte {rest:?}"
    );
}

#[test]
fn a_peer_that_withholds_is_left_for_a_minute() {
    let mut bench = Bench::new(Config::default());
    bench.load(0);
    let conn = bench.connect(peer(1));
    bench.has(conn, 10..30);
    bench.want(12);
    // Three times 2 s of silence, and the waits between them.
    bench.wait_ms(13_000);
    assert!(bench.saw(&Output::ConnClose(conn)));
    bench.outputs.clear();
    assert!(bench.offered(peer(1)).is_none(), "it is back too early");
    bench.wait_ms(60_000);
    assert!(bench.offered(peer(1)).is_some());
}

#[test]
fn wrong_sizes_cost_a_peer_ten_minutes() {
    let mut bench = Bench::new(Config::default());
    bench.load(0);
    let conn = bench.connect(peer(1));
    bench.has(conn, 5..6);
    bench.want(5);
    bench.sends(conn, 5, 0);
    bench.wait_ms(590_000);
    assert!(bench.offered(peer(1)).is_none());
    bench.wait_ms(20_000);
    assert!(bench.offered(peer(1)).is_some());
}

#[test]
fn a_peer_that_always_says_absent_is_asked_ever_more_rarely() {
    let mut bench = Bench::new(Config::default());
    bench.load(0);
    let conn = bench.connect(peer(1));
    bench.want(9);
    let mut asked = 0;
    for _ in 0..200 {
        bench.has(conn, 9..10);
        bench.wait_ms(100);
        if let Some((request, _)) = bench.request_of(conn, 9) {
            bench.outputs.clear();
            asked += 1;
            let segment = SegmentId(9);
            bench.says(conn, &Command::SegmentAbsent { segment, request });
        }
    }
    assert!((4..=9).contains(&asked), "{asked} times in 20 s");
}

#[test]
fn the_fastest_peer_is_asked_when_both_have_it() {
    let config = Config {
        p2p_downloads_max: 1,
        ..Config::default()
    };
    let mut bench = Bench::new(config);
    bench.load(0);
    let (slow, fast) = (bench.connect(peer(1)), bench.connect(peer(2)));
    bench.has(slow, 5..25);
    bench.has(fast, 5..25);
    let mut fast_ones = 0;
    for id in 5..25 {
        let quick = bench.request_of(fast, id).is_some();
        fast_ones += u32::from(quick);
        match quick {
            true => bench.delivers_after(fast, id, 50),
            false => bench.delivers_after(slow, id, 1_500),
        }
    }
    // Both are tried once; of the others one choice in ten is made at random.
    assert!((15..=19).contains(&fast_ones), "{fast_ones} of 20");
}

#[test]
fn segments_come_from_several_peers_at_once() {
    let mut bench = Bench::new(Config::default());
    bench.load(0);
    let conns: Vec<ConnKey> = (1..5).map(|number| bench.connect(peer(number))).collect();
    for &conn in &conns {
        bench.has(conn, 5..15);
    }
    bench.wait_ms(100);
    let asked = |id| {
        conns
            .iter()
            .any(|&conn| bench.request_of(conn, id).is_some())
    };
    assert_eq!((5..15).filter(|&id| asked(id)).count(), 3);
}

#[test]
fn after_a_failed_check_only_the_origin_is_asked() {
    let config = Config {
        check_segments: true,
        ..Config::default()
    };
    let mut bench = Bench::new(config);
    bench.load(0);
    let (bad, good) = (bench.connect(peer(1)), bench.connect(peer(2)));
    bench.has(bad, 5..6);
    bench.want(5);
    bench.delivers(bad, 5);
    bench.input(Input::SegmentChecked {
        segment: key(5),
        valid: false,
    });
    bench.has(good, 5..6);
    bench.plays_at(16_000);
    bench.wait_ms(2_000);
    assert!(bench.request_of(good, 5).is_none());
    assert!(bench.fetch_of(5).is_some());
    assert!(bench.offered(peer(1)).is_none(), "the liar is banned");
}
