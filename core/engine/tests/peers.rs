//! One engine against peers that say what a test wants them to say.

mod bench;

use beekeepr_engine::{
    Config, ConnKey, FetchKey, Input, LoadError, Output, TrackerKey, read_tracker_text,
};
use beekeepr_model::SegmentId;
use beekeepr_peer_proto::Command;

use bench::{Bench, FOREIGN, SIZE, key};

/// A bench whose peer was asked for segment 5 and said that it will send it.
fn receiving() -> (Bench, ConnKey, i64) {
    let mut bench = Bench::new(Config::default());
    bench.load(0);
    let conn = bench.connect(FOREIGN);
    bench.has(conn, 5..6);
    bench.want(5);
    let (request, _) = bench
        .request_of(conn, 5)
        .expect("a segment with time is asked of the peer");
    bench.says(
        conn,
        &Command::SegmentData {
            segment: SegmentId(5),
            request,
            size: SIZE,
        },
    );
    (bench, conn, request)
}

#[test]
fn a_segment_with_time_comes_from_the_peer_that_has_it() {
    let (mut bench, conn, request) = receiving();
    assert!(bench.bytes(conn, 30_000) && bench.bytes(conn, 10_000));
    let segment = SegmentId(5);
    bench.says(
        conn,
        &Command::SegmentDataSendingCompleted { segment, request },
    );
    let ready = |output: &Output| matches!(output, Output::SegmentReady { segment, .. } if *segment == key(5));
    assert!(bench.outputs.iter().any(ready));
    assert_eq!(bench.fetch_of(5), None);
}

#[test]
fn a_peer_that_garbles_its_announcements_is_kept() {
    let (mut bench, conn, request) = receiving();
    for _ in 0..20 {
        // A page of 256 ids, of which one is missing.
        let message = [b"cstr\0l\x10\x01\x01\0", &[7; 255][..], b"cend"].concat();
        bench.input(Input::Command {
            conn,
            message: &message,
        });
    }
    assert!(!bench.saw(&Output::ConnClose(conn)));
    assert!(bench.bytes(conn, SIZE as usize));
    let segment = SegmentId(5);
    bench.says(
        conn,
        &Command::SegmentDataSendingCompleted { segment, request },
    );
    assert_eq!(bench.error(), None);
}

#[test]
fn more_bytes_than_promised_end_the_connection() {
    let (mut bench, conn, _) = receiving();
    assert!(!bench.bytes(conn, SIZE as usize + 1));
    assert!(bench.saw(&Output::ConnClose(conn)));
    assert_eq!(bench.error(), Some(LoadError::PeerLength));
}

#[test]
fn fewer_bytes_than_promised_end_the_connection() {
    let (mut bench, conn, request) = receiving();
    bench.bytes(conn, 100);
    let segment = SegmentId(5);
    bench.says(
        conn,
        &Command::SegmentDataSendingCompleted { segment, request },
    );
    assert!(bench.saw(&Output::ConnClose(conn)) && bench.saw(&Output::SegmentDropped(key(5))));
}

#[test]
fn an_empty_or_huge_segment_is_refused() {
    for size in [0, 33 * 1024 * 1024, 1 << 40] {
        let mut bench = Bench::new(Config::default());
        bench.load(0);
        let conn = bench.connect(FOREIGN);
        bench.has(conn, 5..6);
        bench.want(5);
        let (request, _) = bench.request_of(conn, 5).expect("the peer is asked");
        bench.says(
            conn,
            &Command::SegmentData {
                segment: SegmentId(5),
                request,
                size,
            },
        );
        assert!(bench.saw(&Output::ConnClose(conn)), "size {size}");
    }
}

#[test]
fn bytes_that_nobody_asked_for_are_thrown_away() {
    let mut bench = Bench::new(Config::default());
    bench.load(0);
    let conn = bench.connect(FOREIGN);
    let data = Command::SegmentData {
        segment: SegmentId(3),
        request: 1,
        size: SIZE,
    };
    bench.says(conn, &data);
    assert!(!bench.bytes(conn, 1_000));
    assert!(!bench.saw(&Output::ConnClose(conn)));
}

#[test]
fn a_silent_peer_loses_the_segment_and_http_brings_the_rest() {
    let (mut bench, conn, _) = receiving();
    bench.bytes(conn, 30_000);
    bench.wait_ms(2_200);
    assert_eq!(bench.error(), Some(LoadError::Timeout));
    // 20 s ahead of the playhead the peer is asked again; when it is urgent HTTP takes over.
    bench.input(Input::Playback {
        position_ms: 19_000,
        rate_milli: 1000,
    });
    bench.wait_ms(1_000);
    let resumed = |output: &Output| matches!(output, Output::FetchStart { segment, offset: 30_000, .. } if *segment == key(5));
    assert!(bench.outputs.iter().any(resumed), "{:?}", bench.outputs);
}

#[test]
fn a_segment_that_is_needed_now_does_not_wait_for_anybody() {
    let mut bench = Bench::new(Config::default());
    bench.load(0);
    bench.connect(FOREIGN);
    bench.want(0);
    bench.input(Input::Playback {
        position_ms: 3_900,
        rate_milli: 1000,
    });
    bench.want(1);
    assert!(bench.fetch_of(1).is_some());
}

#[test]
fn a_request_is_answered_with_the_exact_bytes() {
    let mut bench = Bench::new(Config::default());
    bench.load(0);
    let conn = bench.connect(FOREIGN);
    let ask = Command::SegmentRequest {
        segment: SegmentId(0),
        request: 7,
        offset: 10_000,
    };
    bench.says(conn, &ask);
    bench.input(Input::Drained { conn, buffered: 0 });
    let sent: u64 = bench
        .outputs
        .iter()
        .map(|output| match output {
            Output::SliceSend { bytes, .. } => u64::from(*bytes),
            _ => 0,
        })
        .sum();
    assert_eq!(sent, SIZE - 10_000);
    let said = bench.said(conn);
    let size = SIZE - 10_000;
    let segment = SegmentId(0);
    assert!(said.contains(&Command::SegmentData {
        segment,
        request: 7,
        size
    }));
    assert!(said.contains(&Command::SegmentDataSendingCompleted {
        segment,
        request: 7
    }));
}

#[test]
fn what_cannot_be_sent_is_absent() {
    let cases = [(Config::default(), 3, 0), (Config::default(), 0, SIZE)];
    let leech = Config {
        upload_disabled: true,
        ..Config::default()
    };
    for (config, id, offset) in cases.into_iter().chain([(leech, 0, 0)]) {
        let mut bench = Bench::new(config);
        bench.load(0);
        let conn = bench.connect(FOREIGN);
        let segment = SegmentId(id);
        bench.says(
            conn,
            &Command::SegmentRequest {
                segment,
                request: 7,
                offset,
            },
        );
        assert!(bench.said(conn).contains(&Command::SegmentAbsent {
            segment,
            request: 7
        }));
    }
}

#[test]
fn an_upload_pauses_while_the_channel_is_full() {
    let mut bench = Bench::new(Config::default());
    bench.want(0);
    let fetch = bench
        .fetch_of(0)
        .expect("an urgent segment is fetched at once");
    bench.input(Input::FetchStarted {
        fetch,
        offset: 0,
        total: Some(1 << 20),
    });
    bench.input(Input::FetchProgress {
        fetch,
        bytes: 1 << 20,
    });
    bench.input(Input::FetchDone { fetch });
    let conn = bench.connect(FOREIGN);
    let ask = Command::SegmentRequest {
        segment: SegmentId(0),
        request: 7,
        offset: 0,
    };
    bench.says(conn, &ask);
    let sent = |bench: &Bench| {
        bench
            .outputs
            .iter()
            .filter(|output| matches!(output, Output::SliceSend { .. }))
            .count()
    };
    assert_eq!(sent(&bench), 4, "64 KiB in slices of 16 KiB");
    bench.input(Input::Drained {
        conn,
        buffered: 32 * 1024,
    });
    assert_eq!(sent(&bench), 6);
}

#[test]
fn a_segment_that_fails_the_check_costs_the_peer_its_connection() {
    let config = Config {
        check_segments: true,
        ..Config::default()
    };
    let mut bench = Bench::new(config);
    bench.load(0);
    let conn = bench.connect(FOREIGN);
    bench.has(conn, 5..6);
    bench.want(5);
    let (request, _) = bench.request_of(conn, 5).expect("the peer is asked");
    let segment = SegmentId(5);
    bench.says(
        conn,
        &Command::SegmentData {
            segment,
            request,
            size: SIZE,
        },
    );
    bench.bytes(conn, SIZE as usize);
    bench.says(
        conn,
        &Command::SegmentDataSendingCompleted { segment, request },
    );
    assert!(bench.saw(&Output::SegmentCheck(key(5))));
    bench.input(Input::SegmentChecked {
        segment: key(5),
        valid: false,
    });
    assert!(bench.saw(&Output::ConnClose(conn)) && bench.saw(&Output::SegmentDropped(key(5))));
    assert_eq!(bench.error(), Some(LoadError::Invalid));
}

#[test]
fn http_failures_are_repeated_and_then_given_to_the_player() {
    let mut bench = Bench::new(Config::default());
    bench.want(0);
    for _ in 0..3 {
        let fetch = bench.fetch_of(0).expect("it is fetched");
        bench.input(Input::FetchFailed { fetch, status: 503 });
        bench.wait_ms(3_000);
    }
    assert!(bench.saw(&Output::SegmentFailed {
        segment: key(0),
        status: 503
    }));
}

#[test]
fn noise_from_trackers_and_peers_changes_nothing() {
    let mut bench = Bench::new(Config::default());
    bench.load(0);
    let conn = bench.connect(FOREIGN);
    let tracker = TrackerKey(0);
    for noise in [
        &b""[..],
        b"null",
        b"[1]",
        b"{\"action\":1}",
        b"\xff\xfe",
        b"cstr\x00cend",
    ] {
        bench.input(Input::TrackerMessage {
            tracker,
            message: &read_tracker_text(noise),
        });
        bench.input(Input::Command {
            conn,
            message: noise,
        });
    }
    bench.input(Input::TrackerMessage {
        tracker: TrackerKey(99),
        message: &read_tracker_text(b"{}"),
    });
    bench.input(Input::TrackerClosed(TrackerKey(99)));
    bench.input(Input::Drained {
        conn: ConnKey(99),
        buffered: 0,
    });
    bench.input(Input::FetchDone {
        fetch: FetchKey(99),
    });
    bench.has(conn, 5..6);
    bench.want(5);
    assert!(bench.request_of(conn, 5).is_some());
}

#[test]
fn offers_that_were_made_for_a_lost_tracker_run_out() {
    let mut bench = Bench::new(Config::default());
    bench.load(0);
    bench.input(Input::TrackerOpened(TrackerKey(0)));
    let made = |bench: &Bench| -> Vec<ConnKey> {
        let conns = bench.outputs.iter().filter_map(|output| match output {
            Output::OfferCreate(conn) => Some(*conn),
            _ => None,
        });
        conns.collect()
    };
    let first = made(&bench)[0];
    bench.input(Input::OfferReady {
        conn: first,
        sdp: "v=0",
    });
    bench.input(Input::TrackerClosed(TrackerKey(0)));
    bench.wait_ms(16_000);
    for conn in made(&bench) {
        assert!(
            bench.saw(&Output::ConnClose(conn)),
            "{conn:?} is still open"
        );
    }
}
