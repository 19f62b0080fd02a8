//! Commands in several messages.

use beekeepr_peer_proto::{
    COMMAND_BYTES_MAX, DecodeError, Fault, Joiner, MESSAGE_BYTES_MIN, encode, is_command_chunk,
};

use crate::{announcement, hex, join, messages, request};

#[test]
fn no_message_exceeds_the_limit_however_small() {
    let command = announcement(0..5000, []);
    for max in [
        0, 1, 8, 9, 10, 11, 12, 16, 17, 63, 64, 65, 71, 72, 73, 200, 5000,
    ] {
        let messages = messages(&command, max);
        let most = messages.iter().map(Vec::len).max();
        assert!(
            most <= Some(max.max(MESSAGE_BYTES_MIN)),
            "limit {max}, {most:?}"
        );
        assert!(
            messages.iter().all(|it| it.len() > 8),
            "empty part, limit {max}"
        );
        assert_eq!(join(&messages), Ok(Some(command.clone())));
    }
}

#[test]
fn a_command_that_just_fits_is_one_message() {
    let command = request(42, 617, 0);
    assert_eq!(messages(&command, 16).len(), 1);
    let two = messages(&command, 15);
    assert_eq!(
        two,
        [&b"cstr\x01i\x01\x2adend"[..], b"dstrr\x02\x02\x69cend"]
    );
}

#[test]
fn the_messages_left_are_counted() {
    let mut messages = encode(&announcement(0..300, []), 100).unwrap();
    for left in (0..4).rev() {
        assert!(messages.next().is_some());
        assert_eq!(messages.len(), left);
    }
    assert_eq!(messages.next(), None);
    let mut single = encode(&request(1, 2, 3), 100).unwrap();
    assert_eq!(single.len(), 1);
    assert!(single.next().is_some() && single.next().is_none());
    assert_eq!(single.len(), 0);
}

#[test]
fn a_command_that_begins_too_early_takes_the_place_of_the_last() {
    let mut joiner = Joiner::new();
    assert_eq!(joiner.push(b"cstr\x01i\x01\x2adend"), Ok(None));
    let whole = &messages(&request(42, 1, 0), 100)[0];
    assert_eq!(joiner.push(whole), Ok(Some(request(42, 1, 0))));
    let not_begun = DecodeError {
        offset: 0,
        fault: Fault::NotBegun,
    };
    assert_eq!(joiner.push(b"dstrr\x01\x01cend"), Err(not_begun));
}

#[test]
fn parts_may_be_empty() {
    let mut joiner = Joiner::new();
    for message in [
        &b"cstrdend"[..],
        b"dstrdend",
        b"dstr\x01i\x01\x2ar\x01\x01dend",
    ] {
        assert_eq!(joiner.push(message), Ok(None));
    }
    assert_eq!(joiner.push(b"dstrcend"), Ok(Some(request(42, 1, 0))));
}

#[test]
fn an_endless_command_is_dropped() {
    let mut joiner = Joiner::new();
    let part = vec![0; COMMAND_BYTES_MAX / 2];
    let begin = [b"cstr", &part[..], b"dend"].concat();
    let more = [b"dstr", &part[..], b"dend"].concat();
    assert_eq!(joiner.push(&begin), Ok(None));
    assert_eq!(joiner.push(&more), Ok(None));
    let error = joiner.push(b"dstr.dend").unwrap_err();
    assert_eq!(error.fault, Fault::CommandBytes(COMMAND_BYTES_MAX + 1));
    let error = joiner.push(&more).unwrap_err();
    assert_eq!(error.fault, Fault::NotBegun);
}

#[test]
fn one_message_beyond_the_limit_is_refused() {
    let body = vec![0; COMMAND_BYTES_MAX + 1];
    let error = Joiner::new().push(&[b"cstr", &body[..], b"cend"].concat());
    assert_eq!(error.unwrap_err().offset, COMMAND_BYTES_MAX);
}

#[test]
fn a_broken_command_does_not_harm_the_next() {
    let mut joiner = Joiner::new();
    let whole = &messages(&request(42, 1, 0), 100)[0];
    for broken in ["", "09", "0169f0", "006c10010100aabb"] {
        let message = [b"cstr", &hex(broken)[..], b"cend"].concat();
        assert!(joiner.push(&message).is_err(), "{broken}");
        assert_eq!(joiner.push(whole), Ok(Some(request(42, 1, 0))));
    }
}

#[test]
fn only_marked_messages_are_commands() {
    for command in [&b"cstrcend"[..], b"dstr..dend", b"cstr.dend", b"dstr.cend"] {
        assert!(is_command_chunk(command));
    }
    for other in [
        &b"cstrcen"[..],
        b"cstr....",
        b"",
        b"....cend",
        b"cstrend",
        b"dstr",
    ] {
        assert!(!is_command_chunk(other));
    }
    let error = Joiner::new().push(b"segment bytes").unwrap_err();
    assert_eq!((error.offset, error.fault), (0, Fault::NotACommand));
}
