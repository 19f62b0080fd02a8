//! That what we have is heard, whenever it is said.

mod bench;

use beekeepr_engine::{Config, ConnKey, Input, Output};
use beekeepr_model::SegmentId;
use beekeepr_peer_proto::{Command, encode};

use bench::{Bench, FOREIGN};

fn announcement(ids: std::ops::Range<i64>) -> Vec<u8> {
    let command = Command::SegmentsAnnouncement {
        loaded: ids.map(SegmentId).collect(),
        loading: Vec::new(),
    };
    let messages = encode(&command, 65_535).expect("the numbers are small");
    messages.into_iter().next().expect("a short one")
}

/// A peer whose offer was answered, and whose channel is open at its end only.
fn opening(bench: &mut Bench) -> ConnKey {
    let conn = bench.offered(FOREIGN).expect("an offer is accepted");
    bench.input(Input::AnswerReady { conn, sdp: "v=0" });
    conn
}

fn announced(bench: &Bench, conn: ConnKey) -> Vec<Vec<SegmentId>> {
    let said = bench.said(conn).into_iter().filter_map(|said| match said {
        Command::SegmentsAnnouncement { loaded, .. } => Some(loaded),
        _ => None,
    });
    said.collect()
}

/// The far end had all of a film and nothing more to announce, ever: what it said as soon as its channel
/// was open was the only time it said it.
#[test]
fn an_announcement_that_overtakes_the_news_of_its_channel_is_not_lost() {
    let mut bench = Bench::new(Config::default());
    bench.load(0);
    let conn = opening(&mut bench);
    let message = &announcement(0..30);
    bench.input(Input::Command { conn, message });
    bench.input(Input::ChannelOpened(conn));
    let asks = |said: &Command| matches!(said, Command::SegmentRequest { .. });
    assert!(bench.said(conn).iter().any(asks));
}

#[test]
fn before_a_channel_is_open_only_so_much_is_kept() {
    let mut bench = Bench::new(Config::default());
    bench.load(0);
    let conn = opening(&mut bench);
    for id in 0..1_000 {
        let message = &announcement(id..id + 1);
        bench.input(Input::Command { conn, message });
    }
    bench.input(Input::ChannelOpened(conn));
    // The eighth is the last that was kept.
    bench.want(9);
    assert!(!bench.is_asked(conn, 9));
    bench.want(7);
    assert!(bench.is_asked(conn, 7));
}

#[test]
fn a_newcomer_is_told_at_once_and_once_more() {
    let mut bench = Bench::new(Config::default());
    bench.load(0);
    let conn = bench.connect(FOREIGN);
    let all = vec![SegmentId(0)];
    assert_eq!(announced(&bench, conn), std::slice::from_ref(&all));
    bench.wait_ms(10_000);
    assert_eq!(announced(&bench, conn), [all.clone(), all]);
}

#[test]
fn everybody_hears_of_a_new_segment_in_the_same_words() {
    let mut bench = Bench::new(Config::default());
    bench.load(0);
    let peers = (0..3u8).map(|number| {
        let mut peer = FOREIGN;
        peer.0[19] = b'a' + number;
        peer
    });
    let conns: Vec<ConnKey> = peers.map(|peer| bench.connect(peer)).collect();
    bench.outputs.clear();
    bench.load(1);
    let messages = |to: ConnKey| {
        let sent = bench.outputs.iter().filter_map(move |output| match output {
            Output::CommandSend { conn, message } if *conn == to => Some(message.clone()),
            _ => None,
        });
        sent.collect::<Vec<_>>()
    };
    let first = messages(conns[0]);
    assert_eq!(first.last(), Some(&announcement(0..2)));
    assert!(conns.iter().all(|&conn| messages(conn) == first));
}
