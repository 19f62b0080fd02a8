//! What a super-peer says and sends to those who ask, rule by rule.

mod bench;

use beekeepr_engine::{Config, ConnKey, Input, ListedSegment, Output, Role};
use beekeepr_model::{PeerId, SegmentId};
use beekeepr_peer_proto::Command;

use bench::{Bench, FOREIGN, SIZE, STREAM};

fn peer(number: u8) -> PeerId {
    let mut id = FOREIGN;
    (id.0[18], id.0[19]) = (b'a' + number / 20, b'a' + number % 20);
    id
}

/// A super-peer that has all 30 segments of a stream on demand, 40,000 bytes and 4 s each.
fn seeder(config: Config) -> Bench {
    let config = Config {
        role: Role::SuperPeer,
        warm_segments: 30,
        http_downloads_max: 30,
        ..config
    };
    let mut bench = Bench::new(config);
    for id in 0..30 {
        bench.brings(id);
    }
    bench
}

fn list(bench: &mut Bench, live: bool, ids: std::ops::Range<i64>) {
    let segments: Vec<ListedSegment> = ids
        .map(|id| ListedSegment {
            id: SegmentId(id),
            start_ms: id * 4_000,
            end_ms: (id + 1) * 4_000,
        })
        .collect();
    bench.input(Input::SegmentsListed {
        stream: STREAM,
        live,
        segments: &segments,
    });
}

fn asks(bench: &mut Bench, conn: ConnKey, id: i64, request: i64, offset: u64) {
    let segment = SegmentId(id);
    bench.says(
        conn,
        &Command::SegmentRequest {
            segment,
            request,
            offset,
        },
    );
}

/// Everything that was sent to a peer after its announcement, in order: commands, and bytes as
/// (segment, offset, bytes).
#[derive(Debug, PartialEq)]
enum Sent {
    Said(Command),
    Bytes(i64, u64, u32),
}

fn sent(bench: &Bench, to: ConnKey) -> Vec<Sent> {
    let mut said = bench.said(to).into_iter();
    let all = bench.outputs.iter().filter_map(|output| match output {
        Output::CommandSend { conn, .. } if *conn == to => said.next().map(Sent::Said),
        Output::SliceSend {
            conn,
            segment,
            offset,
            bytes,
        } if *conn == to => Some(Sent::Bytes(segment.id.0, *offset, *bytes)),
        _ => None,
    });
    let is_announcement =
        |it: &Sent| matches!(it, Sent::Said(Command::SegmentsAnnouncement { .. }));
    all.filter(|it| !is_announcement(it)).collect()
}

fn data(id: i64, request: i64, size: u64) -> Sent {
    let segment = SegmentId(id);
    Sent::Said(Command::SegmentData {
        segment,
        request,
        size,
    })
}

fn completed(id: i64, request: i64) -> Sent {
    let segment = SegmentId(id);
    Sent::Said(Command::SegmentDataSendingCompleted { segment, request })
}

fn absent(id: i64, request: i64) -> Sent {
    let segment = SegmentId(id);
    Sent::Said(Command::SegmentAbsent { segment, request })
}

#[test]
fn a_segment_is_announced_with_its_size_sent_whole_and_completed() {
    let mut bench = seeder(Config::default());
    let conn = bench.connect(FOREIGN);
    asks(&mut bench, conn, 3, 617, 0);
    let expected = [
        data(3, 617, SIZE),
        Sent::Bytes(3, 0, 16_384),
        Sent::Bytes(3, 16_384, 16_384),
        Sent::Bytes(3, 32_768, 7_232),
        completed(3, 617),
    ];
    assert_eq!(sent(&bench, conn), expected);
}

#[test]
fn from_an_offset_only_the_rest_is_sent() {
    let mut bench = seeder(Config::default());
    let conn = bench.connect(FOREIGN);
    asks(&mut bench, conn, 3, 1, 39_000);
    let expected = [
        data(3, 1, 1_000),
        Sent::Bytes(3, 39_000, 1_000),
        completed(3, 1),
    ];
    assert_eq!(sent(&bench, conn), expected);
}

#[test]
fn no_size_of_zero_is_ever_announced() {
    let mut bench = seeder(Config::default());
    let conn = bench.connect(FOREIGN);
    for offset in [SIZE, SIZE + 1, 1 << 50] {
        asks(&mut bench, conn, 3, 1, offset);
    }
    let expected = [absent(3, 1), absent(3, 1), absent(3, 1)];
    assert_eq!(sent(&bench, conn), expected);
}

#[test]
fn the_unknown_is_absent_at_once() {
    let mut bench = seeder(Config::default());
    let conn = bench.connect(FOREIGN);
    for id in [30, -1, 1 << 40] {
        asks(&mut bench, conn, id, 9, 0);
    }
    let expected = [absent(30, 9), absent(-1, 9), absent(1 << 40, 9)];
    assert_eq!(sent(&bench, conn), expected);
}

/// Slices that stay in the channel: it takes 64 KiB of a segment of 40 KB and a half of the next.
fn with_a_full_channel() -> (Bench, ConnKey) {
    let mut bench = seeder(Config::default());
    let conn = bench.connect(FOREIGN);
    asks(&mut bench, conn, 1, 1, 0);
    asks(&mut bench, conn, 2, 2, 0);
    assert_eq!(bench.sent(conn), 40_000 + 32_768);
    bench.outputs.clear();
    (bench, conn)
}

#[test]
fn a_new_request_takes_the_place_of_the_one_that_runs() {
    let (mut bench, conn) = with_a_full_channel();
    asks(&mut bench, conn, 5, 3, 0);
    bench.input(Input::Drained { conn, buffered: 0 });
    let sent = sent(&bench, conn);
    assert_eq!((&sent[0], &sent[4]), (&data(5, 3, SIZE), &completed(5, 3)));
    let is_other = |it: &Sent| matches!(it, Sent::Bytes(id, ..) if *id != 5);
    assert!(!sent.iter().any(is_other), "{sent:?}");
}

#[test]
fn a_cancelled_upload_ends_without_a_word() {
    let (mut bench, conn) = with_a_full_channel();
    let (segment, request) = (SegmentId(2), 2);
    bench.says(conn, &Command::CancelSegmentRequest { segment, request });
    bench.input(Input::Drained { conn, buffered: 0 });
    assert_eq!(sent(&bench, conn), []);
}

#[test]
fn cancelling_another_request_cancels_nothing() {
    let (mut bench, conn) = with_a_full_channel();
    for (id, request) in [(2, 1), (1, 2)] {
        let segment = SegmentId(id);
        bench.says(conn, &Command::CancelSegmentRequest { segment, request });
    }
    bench.input(Input::Drained { conn, buffered: 0 });
    let expected = [Sent::Bytes(2, 32_768, 7_232), completed(2, 2)];
    assert_eq!(sent(&bench, conn), expected);
}

#[test]
fn a_channel_is_never_given_more_than_its_window() {
    let mut bench = seeder(Config::default());
    let conn = bench.connect(FOREIGN);
    for id in 0..10 {
        asks(&mut bench, conn, id, id, 0);
    }
    assert!(bench.sent(conn) < 64 * 1024 + 16 * 1024);
}

#[test]
fn a_page_of_256_ids_is_never_written_as_one_group() {
    let mut bench = seeder(Config::default());
    list(&mut bench, false, 0..600);
    let conn = bench.connect(FOREIGN);
    let mut messages = bench.outputs.iter().filter_map(|output| match output {
        Output::CommandSend { conn: to, message } if *to == conn => Some(message),
        _ => None,
    });
    let message = messages.next_back().expect("an announcement");
    // `cstr`, the command, `l`, type and number of groups; then each group's length in the low byte of
    // an integer of one or two bytes.
    assert_eq!(message[..7], *b"cstr\0l\x10");
    let (mut at, mut lengths) = (8, Vec::new());
    for _ in 0..message[7] {
        let bytes = usize::from(message[at]);
        let length = message[at + bytes];
        lengths.push(length);
        at += 1 + bytes + usize::from(length);
    }
    assert_eq!(lengths.iter().map(|&it| u32::from(it)).sum::<u32>(), 600);
    assert!(lengths.iter().all(|&it| it > 0), "{lengths:?}");
    assert_eq!(message[at..], *b"cend");
}

#[test]
fn what_the_origin_does_not_give_in_time_is_absent() {
    let config = Config {
        role: Role::SuperPeer,
        warm_segments: 0,
        http_silence_ms: 60_000,
        ..Config::default()
    };
    let mut bench = Bench::new(config);
    let conn = bench.connect(FOREIGN);
    asks(&mut bench, conn, 3, 1, 0);
    bench.wait_ms(1_000);
    assert_eq!(sent(&bench, conn), []);
    bench.wait_ms(600);
    assert_eq!(sent(&bench, conn), [absent(3, 1)]);
    // It is fetched all the same: whoever asks next gets it.
    bench.brings(3);
    asks(&mut bench, conn, 3, 2, 0);
    assert_eq!(sent(&bench, conn)[1], data(3, 2, SIZE));
}

#[test]
fn a_channel_that_takes_nothing_is_closed() {
    let (mut bench, conn) = with_a_full_channel();
    bench.wait_ms(19_000);
    assert!(!bench.saw(&Output::ConnClose(conn)));
    bench.wait_ms(2_000);
    assert!(bench.saw(&Output::ConnClose(conn)));
}

/// A browser tells when its channel has run low, and then nothing until it is given more.
#[test]
fn a_viewer_who_asks_for_nothing_more_is_kept() {
    let mut bench = seeder(Config::default());
    let conn = bench.connect(FOREIGN);
    asks(&mut bench, conn, 1, 1, 0);
    bench.input(Input::Drained {
        conn,
        buffered: 30_000,
    });
    bench.wait_ms(60_000);
    assert!(!bench.saw(&Output::ConnClose(conn)));
}

#[test]
fn a_viewer_who_drips_loses_its_slot_and_keeps_its_connection() {
    let (mut bench, conn) = with_a_full_channel();
    for step in 0..21 {
        bench.wait_ms(1_000);
        let buffered = 65_536 + 7_232 - step * 10;
        bench.input(Input::Drained { conn, buffered });
    }
    assert_eq!(sent(&bench, conn), [absent(2, 2)]);
    assert!(!bench.saw(&Output::ConnClose(conn)));
    assert_eq!(bench.engine.uploads(), 0);
}

#[test]
fn each_viewer_gets_no_more_than_its_own_limit() {
    let limited = Config {
        peer_upload_bps_max: 160_000,
        ..Config::default()
    };
    let mut bench = seeder(limited);
    let (one, other) = (bench.connect(peer(1)), bench.connect(peer(2)));
    let begin = bench.now;
    let mut next = 0;
    while bench.now.since_ms(begin) < 4_000 {
        for conn in [one, other] {
            if !bench
                .said(conn)
                .iter()
                .rev()
                .take(1)
                .any(|it| matches!(it, Command::SegmentData { .. }))
            {
                next += 1;
                asks(&mut bench, conn, next % 30, next, 0);
            }
            bench.input(Input::Drained { conn, buffered: 0 });
        }
        bench.wait_ms(100);
    }
    for conn in [one, other] {
        // 20 KB a second, the burst of a quarter second, and one slice more.
        let bytes = bench.sent(conn);
        assert!(
            (64_000..=80_000 + 5_000 + 16_384).contains(&bytes),
            "{bytes}"
        );
    }
}

/// Six viewers ask for different segments of 4 s at 160 kbit/s for all.
#[test]
fn beyond_the_limit_requests_are_refused_and_the_rest_is_in_time() {
    let limited = Config {
        upload_bps_max: 160_000,
        ..Config::default()
    };
    let mut bench = seeder(limited);
    let conns: Vec<ConnKey> = (0..6).map(|number| bench.connect(peer(number))).collect();
    for (id, &conn) in conns.iter().enumerate() {
        asks(&mut bench, conn, id as i64, 1, 0);
    }
    // 40 KB take 2 s; two of them 4 s, which is how long a segment lasts.
    let refused: Vec<bool> = conns.iter().map(|&conn| bench.refused(conn)).collect();
    assert_eq!(refused.iter().filter(|&&it| !it).count(), 2, "{refused:?}");
    for _ in 0..40 {
        bench.wait_ms(100);
        for &conn in &conns {
            bench.input(Input::Drained { conn, buffered: 0 });
        }
    }
    let done = |conn: &&ConnKey| {
        sent(&bench, **conn)
            .iter()
            .any(|it| matches!(it, Sent::Said(Command::SegmentDataSendingCompleted { .. })))
    };
    assert_eq!(conns.iter().filter(done).count(), 2);
}

#[test]
fn half_of_the_limit_is_kept_for_the_newest_segments() {
    let limited = Config {
        upload_bps_max: 160_000,
        ..Config::default()
    };
    let mut bench = seeder(limited);
    list(&mut bench, true, 0..30);
    let conns: Vec<ConnKey> = (0..3).map(|number| bench.connect(peer(number))).collect();
    asks(&mut bench, conns[0], 3, 1, 0);
    asks(&mut bench, conns[1], 4, 1, 0);
    asks(&mut bench, conns[2], 29, 1, 0);
    let refused: Vec<bool> = conns.iter().map(|&conn| bench.refused(conn)).collect();
    assert_eq!(refused, [false, true, false]);
}

#[test]
fn under_overload_new_viewers_are_not_let_in() {
    let limited = Config {
        upload_bps_max: 160_000,
        ..Config::default()
    };
    let mut bench = seeder(limited);
    let conns: Vec<ConnKey> = (0..12).map(|number| bench.connect(peer(number))).collect();
    for (id, &conn) in conns.iter().enumerate() {
        asks(&mut bench, conn, id as i64, 1, 0);
    }
    assert_eq!(bench.offered(peer(100)), None);
    // Nobody asks any more: the load of ten seconds ago says nothing.
    bench.wait_ms(10_000);
    assert!(bench.offered(peer(100)).is_some());
}

/// All channels are slow at the same time: that is our line or our processor.
#[test]
fn when_nearly_all_channels_are_slow_fewer_uploads_are_begun() {
    let mut bench = seeder(Config::default());
    let conns: Vec<ConnKey> = (0..20).map(|number| bench.connect(peer(number))).collect();
    let ask_all = |bench: &mut Bench, request| {
        for (id, &conn) in conns.iter().enumerate() {
            asks(bench, conn, id as i64, request, 0);
            asks(bench, conn, id as i64 + 1, request, 0);
        }
    };
    ask_all(&mut bench, 1);
    assert_eq!(bench.engine.uploads(), 20);
    bench.wait_ms(1_000);
    bench.outputs.clear();
    ask_all(&mut bench, 2);
    let refused = conns.iter().filter(|&&conn| bench.refused(conn)).count();
    assert!((4..=16).contains(&refused), "{refused} of 20 refused");
    // It is over: channels run low at once.
    for _ in 0..60 {
        for &conn in &conns {
            bench.input(Input::Drained { conn, buffered: 0 });
        }
        bench.wait_ms(500);
    }
    bench.outputs.clear();
    ask_all(&mut bench, 3);
    let refused = conns.iter().filter(|&&conn| bench.refused(conn)).count();
    assert_eq!(refused, 0);
}

#[test]
fn a_few_viewers_with_slow_lines_change_nothing_for_others() {
    let mut bench = seeder(Config::default());
    let conns: Vec<ConnKey> = (0..6).map(|number| bench.connect(peer(number))).collect();
    for &conn in &conns[..5] {
        asks(&mut bench, conn, 1, 1, 0);
        asks(&mut bench, conn, 2, 1, 0);
    }
    bench.wait_ms(5_000);
    asks(&mut bench, conns[5], 1, 1, 0);
    assert!(!bench.refused(conns[5]));
    assert!(bench.offered(peer(50)).is_some());
}

/// Live viewers ask once for each segment; what their channels last said they held is no work left over.
#[test]
fn viewers_who_rest_between_segments_are_no_overload() {
    let mut bench = seeder(Config::default());
    let conns: Vec<ConnKey> = (0..20).map(|number| bench.connect(peer(number))).collect();
    for request in 1..6 {
        bench.outputs.clear();
        for &conn in &conns {
            asks(&mut bench, conn, request, request, 0);
        }
        let refused = conns.iter().filter(|&&conn| bench.refused(conn)).count();
        assert_eq!(refused, 0, "of 20 requests of round {request}");
        bench.wait_ms(20);
        for &conn in &conns {
            let buffered = 20_000;
            bench.input(Input::Drained { conn, buffered });
        }
        assert_eq!(bench.engine.upload_queue_bytes(), 0);
        bench.wait_ms(10_000);
    }
}
