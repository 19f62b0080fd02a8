//! Lists of ids: pages, their order, and how many there may be.

use beekeepr_model::{SegmentId, limits};
use beekeepr_peer_proto::{Command, Fault, INT_MAX};

use crate::{announcement, body, hex, ids, read};

fn loaded(body: &[u8]) -> Vec<SegmentId> {
    match read(body) {
        Ok(Command::SegmentsAnnouncement { loaded, .. }) => loaded,
        other => panic!("announcement expected, got {other:?}"),
    }
}

/// The body of an announcement of these ids, without what every such body begins with.
fn written(list: impl IntoIterator<Item = i64>) -> Vec<u8> {
    body(&announcement(list, []))[3..].to_vec()
}

#[test]
fn pages_around_the_full_one() {
    let groups: [(i64, &str, &str); 3] = [
        (255, "01 0200ff 00", "fcfdfe"),
        (256, "02 0200ff 00", "fe 0101 ff"),
        (257, "03 0200ff 00", "fe 0101 ff 020101 00"),
    ];
    for (count, begin, end) in groups {
        let seen = written(0..count);
        assert!(seen.starts_with(&hex(begin)), "{count}: {seen:02x?}");
        assert!(seen.ends_with(&hex(end)), "{count}: {seen:02x?}");
        assert_eq!(loaded(&body(&announcement(0..count, []))), ids(0..count));
    }
}

/// p2p-media-loader up to 4.x writes a page of 256 ids with a count of 0.
#[test]
fn a_full_page_with_a_wrapped_count_is_understood() {
    let lows: Vec<u8> = (0..=255).collect();
    for (head, first) in [("0100", 0), ("020500", 0x500), ("028300", -0x300)] {
        let body = [&hex("00 6c 1002")[..], &hex(head), &lows, &hex("0101 07")].concat();
        assert_eq!(
            loaded(&body),
            ids((first..first + 256).chain([7])),
            "{head}"
        );
    }
}

#[test]
fn scattered_ids_are_gathered_by_their_pages_first_occurrence() {
    assert_eq!(written([300, 5, 301, 4]), hex("02 020102 2c2d 0102 0504"));
    let many = (0..600).map(|it| (it % 2) * 0x1000 + it / 2);
    let pages = (0..256).chain(0x1000..0x1100);
    let rest = (256..300).chain(0x1100..0x112c);
    // Per page as they came: 255 of the first, one more of it, then the same of the second.
    assert_eq!(
        loaded(&body(&announcement(many, []))),
        ids(pages.chain(rest))
    );
}

#[test]
fn doubles_stay() {
    assert_eq!(written([7, 7, 6]), hex("01 0103 070706"));
    let same = vec![7; 300];
    assert_eq!(loaded(&body(&announcement(same.clone(), []))), ids(same));
}

#[test]
fn a_list_too_long_for_one_announcement_keeps_the_newest() {
    let body = body(&announcement(0..100_000, [100_000]));
    let Ok(Command::SegmentsAnnouncement { loaded, loading }) = read(&body) else {
        panic!("announcement expected");
    };
    assert_eq!(loading, ids([100_000]));
    assert_eq!(loaded.last(), Some(&SegmentId(99_999)));
    assert!(loaded.len() > 30_000 && loaded.len() <= limits::ANNOUNCED_SEGMENTS_MAX);
}

#[test]
fn of_too_many_pages_the_highest_are_written() {
    let pages = (0..400).map(|it| (it * 131 % 400) * 0x100);
    let expected = (145..400).map(|page| page * 0x100);
    assert_eq!(loaded(&body(&announcement(pages, []))), ids(expected));
}

#[test]
fn the_outermost_ids_are_carried() {
    let list = [-INT_MAX, 1 - INT_MAX, -1, 0, INT_MAX - 1, INT_MAX];
    assert_eq!(loaded(&body(&announcement(list, []))), ids(list));
}

/// The page of the lowest ids begins one below them.
#[test]
fn an_id_below_the_lowest_is_refused() {
    let error = read(&hex("00 6c 1001 079fffffffffffff 00")).unwrap_err();
    assert_eq!(
        (error.offset, error.fault),
        (4, Fault::IntRange(-INT_MAX - 1))
    );
}

#[test]
fn more_segments_than_the_limit_are_refused() {
    let lows = [0; 255];
    let group = [&hex("0200ff")[..], &lows].concat();
    let list = [&hex("10aa")[..], &group.repeat(170)].concat();
    let error = read(&[b"\0l", &list[..]].concat()).unwrap_err();
    assert_eq!(
        (error.offset, error.fault),
        (4 + 169 * 258, Fault::SegmentCount(43_350))
    );
    let half = [&hex("1056")[..], &group.repeat(86)].concat();
    let error = read(&[b"\0l", &half[..], b"p", &half].concat()).unwrap_err();
    assert_eq!(error.fault, Fault::SegmentCount(43_860));
}
