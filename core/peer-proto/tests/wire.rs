//! The wire, byte for byte, against what p2p-media-loader 2.3.1 wrote.

use beekeepr_model::{SegmentId, limits};
use beekeepr_peer_proto::{Command, DecodeError, Joiner, encode, is_command_chunk};
use data_encoding::HEXLOWER;

const MAX: usize = limits::CHANNEL_MESSAGE_BYTES_MAX;

fn ids(range: impl IntoIterator<Item = i64>) -> Vec<SegmentId> {
    range.into_iter().map(SegmentId).collect()
}

fn announcement(
    loaded: impl IntoIterator<Item = i64>,
    loading: impl IntoIterator<Item = i64>,
) -> Command {
    Command::SegmentsAnnouncement {
        loaded: ids(loaded),
        loading: ids(loading),
    }
}

fn request(segment: i64, request: i64, offset: u64) -> Command {
    Command::SegmentRequest {
        segment: SegmentId(segment),
        request,
        offset,
    }
}

fn decode(messages: &[Vec<u8>]) -> Result<Option<Command>, DecodeError> {
    let mut joiner = Joiner::new();
    let (last, before) = messages
        .split_last()
        .expect("a command has at least one message");
    for message in before {
        assert_eq!(joiner.push(message), Ok(None));
    }
    joiner.push(last)
}

#[track_caller]
fn check(command: &Command, hex: &str) {
    let messages = encode(command, MAX);
    assert_eq!(messages.len(), 1);
    assert_eq!(HEXLOWER.encode(&messages[0]), hex);
    assert_eq!(decode(&messages).as_ref(), Ok(&Some(command.clone())));
}

/// A body around which the test puts the marks.
fn push_body(joiner: &mut Joiner, hex: &str) -> Result<Option<Command>, DecodeError> {
    let body = HEXLOWER.decode(hex.as_bytes()).expect("the body is hex");
    joiner.push(&[b"cstr", &body[..], b"cend"].concat())
}

#[test]
fn announcements_match_upstream() {
    check(&announcement([], []), "637374720063656e64");
    check(
        &announcement(10..=13, []),
        "63737472006c100101040a0b0c0d63656e64",
    );
    check(
        &announcement(10..=13, [14]),
        "63737472006c100101040a0b0c0d70100101010e63656e64",
    );
    check(&announcement([], [300]), "63737472007010010201012c63656e64");
    check(
        &announcement(254..=257, [258, 259]),
        "63737472006c10020102feff0201020001701001020102020363656e64",
    );
}

#[test]
fn requests_match_upstream() {
    check(&request(42, 617, 0), "637374720169012a7202026963656e64");
    check(
        &request(42, 617, 131_070),
        "637374720169012a72020269620301fffe63656e64",
    );
    check(&request(0, 0, 0), "637374720169010072010063656e64");
    check(
        &request(859_000_000, 999, 0),
        "6373747201690433334cc0720203e763656e64",
    );
}

#[test]
fn answers_match_upstream() {
    let segment = SegmentId(42);
    let request = 617;
    check(
        &Command::SegmentData {
            segment,
            request,
            size: 446_500,
        },
        "637374720269012a730306d0247202026963656e64",
    );
    check(
        &Command::SegmentDataSendingCompleted { segment, request },
        "637374720369012a7202026963656e64",
    );
    check(
        &Command::SegmentAbsent { segment, request },
        "637374720469012a7202026963656e64",
    );
    check(
        &Command::CancelSegmentRequest { segment, request },
        "637374720569012a7202026963656e64",
    );
}

/// `(value, encoding)`; upstream's serialiser.
const INTS: [(i64, &str); 18] = [
    (0, "0100"),
    (1, "0101"),
    (126, "017e"),
    (127, "017f"),
    (128, "020080"),
    (255, "0200ff"),
    (256, "020100"),
    (32_767, "027fff"),
    (32_768, "03008000"),
    (65_536, "03010000"),
    (2_147_483_647, "047fffffff"),
    (4_294_967_295, "0500ffffffff"),
    (1_099_511_627_776, "06010000000000"),
    (9_007_199_254_740_991, "071fffffffffffff"),
    (-1, "0181"),
    (-127, "01ff"),
    (-128, "028080"),
    (-256, "028100"),
];

#[test]
fn integers_match_upstream() {
    for (value, hex) in INTS {
        check(
            &request(value, 0, 0),
            &format!("637374720169{hex}72010063656e64"),
        );
    }
}

/// `(ids, encoding)`; upstream's serialiser.
const LISTS: [(&[i64], &str); 5] = [
    (&[7], "1001010107"),
    (&[255, 256, 257], "10020101ff0201020001"),
    (&[300, 301, 5, 4], "10020201022c2d01020504"),
    (
        &[1_718_000_000, 1_718_000_001, 1_718_000_002],
        "10010466669903808182",
    ),
    (&[-3, -2, -1, 0], "10020280fdfdfeff010100"),
];

#[test]
fn lists_match_upstream() {
    for (list, hex) in LISTS {
        let command = announcement(list.iter().copied(), []);
        check(&command, &format!("63737472006c{hex}63656e64"));
    }
}

/// Lengths as upstream splits 300 ids in three groups, of which none is a full page here: that is
/// the one thing we write otherwise.
#[test]
fn long_commands_are_split_as_upstream_does() {
    let command = announcement((1000..1279).chain(1280..1301), []);
    for (max, lengths) in [
        (64, &[61, 61, 61, 61, 61, 56][..]),
        (100, &[87, 87, 87, 84]),
        (150, &[113, 113, 111]),
    ] {
        let messages = encode(&command, max);
        let seen: Vec<usize> = messages.iter().map(Vec::len).collect();
        assert_eq!(seen, lengths, "limit of {max} bytes");
        assert!(messages.iter().all(|message| is_command_chunk(message)));
        assert!(messages[0].starts_with(b"cstr") && messages[0].ends_with(b"dend"));
        assert!(messages[1].starts_with(b"dstr") && messages[1].ends_with(b"dend"));
        assert!(messages[messages.len() - 1].ends_with(b"cend"));
        assert_eq!(decode(&messages).as_ref(), Ok(&Some(command.clone())));
    }
}

#[test]
fn no_message_exceeds_the_limit_however_small() {
    let command = announcement(0..5000, []);
    for max in [0, 1, 64, 65, 71, 72, 73, 200] {
        let messages = encode(&command, max);
        assert!(
            messages.iter().all(|message| message.len() <= max.max(64)),
            "limit {max}"
        );
        assert_eq!(decode(&messages).as_ref(), Ok(&Some(command.clone())));
    }
}

#[test]
fn a_full_page_is_written_as_two_groups() {
    let messages = encode(&announcement(0..256, []), MAX);
    assert!(
        HEXLOWER
            .encode(&messages[0])
            .starts_with("63737472006c10020200ff000102")
    );
    assert!(
        HEXLOWER
            .encode(&messages[0])
            .ends_with("fdfe0101ff63656e64")
    );
    assert_eq!(decode(&messages), Ok(Some(announcement(0..256, []))));
}

/// p2p-media-loader up to 4.x writes a page of 256 ids with a count of 0.
#[test]
fn a_full_page_with_a_wrapped_count_is_understood() {
    let low: Vec<u8> = (0..=255).collect();
    let mut joiner = Joiner::new();
    let seen = push_body(
        &mut joiner,
        &format!("006c10010100{}", HEXLOWER.encode(&low)),
    );
    assert_eq!(seen, Ok(Some(announcement(0..256, []))));
}

#[test]
fn a_broken_command_does_not_harm_the_next() {
    let mut joiner = Joiner::new();
    let broken: [(&str, DecodeError); 10] = [
        ("", DecodeError::Truncated),
        ("006c10010100aabb", DecodeError::Truncated),
        ("0169", DecodeError::Truncated),
        ("09", DecodeError::UnknownCommand(9)),
        ("0169f0", DecodeError::UnknownType(15)),
        ("016900", DecodeError::IntLength(0)),
        ("0169082000000000000000", DecodeError::IntRange),
        ("006c10011000", DecodeError::GroupHead),
        ("0169012a", DecodeError::FieldMissing('r')),
        ("0169012a720101620181", DecodeError::FieldValue('b')),
    ];
    for (body, error) in broken {
        assert_eq!(push_body(&mut joiner, body), Err(error), "{body}");
        assert_eq!(
            push_body(&mut joiner, "0169012a720101"),
            Ok(Some(request(42, 1, 0)))
        );
    }
}

#[test]
fn fields_come_in_any_order_and_unknown_ones_are_passed_over() {
    let mut joiner = Joiner::new();
    let seen = push_body(
        &mut joiner,
        "017a200261627201017910010101076901 2a"
            .replace(' ', "")
            .as_str(),
    );
    assert_eq!(seen, Ok(Some(request(42, 1, 0))));
}

#[test]
fn a_command_that_begins_too_early_takes_the_place_of_the_last() {
    let mut joiner = Joiner::new();
    assert_eq!(joiner.push(b"cstr\x01i\x01\x2adend"), Ok(None));
    assert_eq!(
        push_body(&mut joiner, "0169012a720101"),
        Ok(Some(request(42, 1, 0)))
    );
    assert_eq!(
        joiner.push(b"dstrr\x01\x01cend"),
        Err(DecodeError::NotBegun)
    );
}

#[test]
fn an_endless_command_is_dropped() {
    let mut joiner = Joiner::new();
    let part = vec![0; 60_000];
    assert_eq!(
        joiner.push(&[b"cstr", &part[..], b"dend"].concat()),
        Ok(None)
    );
    let more = [b"dstr", &part[..], b"dend"].concat();
    assert_eq!(joiner.push(&more), Ok(None));
    assert_eq!(joiner.push(&more), Err(DecodeError::TooLong));
    assert_eq!(joiner.push(&more), Err(DecodeError::NotBegun));
}

#[test]
fn a_list_too_long_for_one_announcement_keeps_the_newest() {
    let all = 0..100_000;
    let messages = encode(&announcement(all, [100_000]), MAX);
    let Ok(Some(Command::SegmentsAnnouncement { loaded, loading })) = decode(&messages) else {
        panic!("announcement expected");
    };
    assert_eq!(loading, ids([100_000]));
    assert_eq!(loaded.last(), Some(&SegmentId(99_999)));
    assert!(loaded.len() > 30_000 && loaded.len() <= limits::ANNOUNCED_SEGMENTS_MAX);
}

#[test]
fn ids_in_no_order_still_fit_the_groups() {
    let scattered = (0..600).map(|i| (i % 2) * 1000 + i / 2);
    let Ok(Some(Command::SegmentsAnnouncement { mut loaded, .. })) =
        decode(&encode(&announcement(scattered, []), MAX))
    else {
        panic!("announcement expected");
    };
    loaded.sort_unstable();
    assert_eq!(loaded, ids((0..300).chain(1000..1300)));
}

#[test]
fn only_marked_messages_are_commands() {
    assert!(is_command_chunk(b"cstrcend") && is_command_chunk(b"dstr..dend"));
    assert!(
        !is_command_chunk(b"cstrcen") && !is_command_chunk(b"cstr....") && !is_command_chunk(b"")
    );
    assert_eq!(
        Joiner::new().push(b"segment bytes"),
        Err(DecodeError::NotACommand)
    );
}
