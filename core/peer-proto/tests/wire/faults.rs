//! What cannot be read or written is named: where, what was seen, what was expected.

use beekeepr_model::SegmentId;
use beekeepr_peer_proto::{Command, EncodeError, Fault, INT_MAX, encode};

use crate::{MAX, announcement, hex, read, request};

#[track_caller]
fn check(body: &str, offset: usize, fault: Fault) {
    let error = read(&hex(body)).unwrap_err();
    assert_eq!((error.offset, error.fault), (offset, fault), "{body}");
}

#[test]
fn what_ends_early() {
    let truncated = |left, wanted| Fault::Truncated { left, wanted };
    check("", 0, truncated(0, 1));
    check("01 69", 2, truncated(0, 1));
    check("01 69 02 00", 3, truncated(1, 2));
    check("00 6c 10", 3, truncated(0, 1));
    check("00 6c 1001", 4, truncated(0, 1));
    check("00 6c 1001 0103 aabb", 6, truncated(2, 3));
    check("00 6c 1001 0100 aabb", 6, truncated(2, 256));
    check("01 78 20", 3, truncated(0, 1));
    check("01 78 2102 aabb", 4, truncated(2, 258));
    check("01 78 05 aabb", 2, truncated(3, 6));
}

#[test]
fn what_is_unknown() {
    check("09", 0, Fault::CommandNumber(9));
    check("06 69 0101", 0, Fault::CommandNumber(6));
    check("01 78 f0", 2, Fault::ValueType(15));
    check("01 78 30", 2, Fault::ValueType(3));
    check("00 6c 1001 1000", 4, Fault::GroupType(1));
    check("00 78 1001 2000", 4, Fault::GroupType(2));
}

#[test]
fn what_has_the_wrong_type() {
    let fault = |field, seen, expected| Fault::FieldType {
        field,
        seen,
        expected,
    };
    check("00 6c 0101", 2, fault('l', 0, 1));
    check("00 70 2000", 2, fault('p', 2, 1));
    check("01 69 1000", 2, fault('i', 1, 0));
    check("01 69 f0", 2, fault('i', 15, 0));
    check("02 69 0101 73 2000", 5, fault('s', 2, 0));
}

#[test]
fn integers_out_of_bounds() {
    check("01 69 00", 2, Fault::IntBytes(0));
    check("01 69 09 000000000000000001", 2, Fault::IntBytes(9));
    check("01 69 07 20000000000000", 2, Fault::IntRange(INT_MAX + 1));
    check("01 69 07 a0000000000000", 2, Fault::IntRange(-INT_MAX - 1));
    check("01 69 08 7fffffffffffffff", 2, Fault::IntRange(i64::MAX));
    check("01 69 08 ffffffffffffffff", 2, Fault::IntRange(-i64::MAX));
    check("01 69 0101 72 0101 62 0181", 8, negative('b', -1));
    check("02 69 0101 72 0101 73 0182", 8, negative('s', -2));
}

fn negative(field: char, seen: i64) -> Fault {
    Fault::Negative { field, seen }
}

#[test]
fn fields_that_are_missing() {
    check("01 69 012a", 4, Fault::FieldMissing('r'));
    check("05 72 012a", 4, Fault::FieldMissing('i'));
    check("02 69 0101 72 0101", 7, Fault::FieldMissing('s'));
}

#[test]
fn the_text_names_place_seen_and_expected() {
    let text = |body: &str| read(&hex(body)).unwrap_err().to_string();
    assert_eq!(
        text("01 69 f0"),
        "cannot read a command at byte 2: field i of type 15, expected type 0"
    );
    assert_eq!(
        text("00 6c 1001 0103 aabb"),
        "cannot read a command at byte 6: 2 bytes left, expected 3"
    );
    assert_eq!(
        text("02 69 0101 72 0101"),
        "cannot read a command at byte 7: no field s, expected one"
    );
}

#[test]
fn fields_come_in_any_order() {
    assert_eq!(
        read(&hex("01 62 0105 72 0101 69 012a")),
        Ok(request(42, 1, 5))
    );
}

#[test]
fn of_a_field_twice_the_last_counts() {
    assert_eq!(
        read(&hex("01 69 0107 72 0101 69 012a")),
        Ok(request(42, 1, 0))
    );
    assert_eq!(
        read(&hex("00 6c 1001 0101 07 6c 1001 0101 08")),
        Ok(announcement([8], []))
    );
}

/// Of a type that the same letter has elsewhere, of integers too long for us, of lists.
#[test]
fn fields_that_a_command_does_not_have_are_passed_over() {
    for field in [
        "7a 2002 6162",
        "79 1001 0101 07",
        "73 1000",
        "6c 0101",
        "78 00",
        "78 0f 000102030405060708090a0b0c0d0e",
        "69 0107",
    ] {
        let body = hex(&format!("01 {field} 69 012a 72 0101"));
        assert_eq!(read(&body), Ok(request(42, 1, 0)), "{field}");
    }
    let body = hex("00 73 2000 6c 1001 0101 07");
    assert_eq!(read(&body), Ok(announcement([7], [])));
}

#[test]
fn numbers_beyond_javascripts_are_not_written() {
    let segment = SegmentId(1);
    let (request, size) = (1, 1 << 53);
    let data = Command::SegmentData {
        segment,
        request,
        size,
    };
    let large = INT_MAX + 1;
    for (command, field, seen) in [
        (crate::request(INT_MAX + 1, 0, 0), 'i', large),
        (crate::request(-INT_MAX - 1, 0, 0), 'i', -large),
        (crate::request(0, i64::MIN, 0), 'r', i64::MIN),
        (crate::request(0, 0, u64::MAX), 'b', i64::MAX),
        (data, 's', large),
        (announcement([1, INT_MAX + 1, 2], []), 'l', large),
        (announcement([], [i64::MIN]), 'p', i64::MIN),
    ] {
        let error = encode(&command, MAX).map(drop).unwrap_err();
        assert_eq!(error, EncodeError { field, seen });
    }
    let error = encode(&announcement([INT_MAX + 1], []), MAX).unwrap_err();
    assert_eq!(
        error.to_string(),
        "field l of 9007199254740992, expected at most 2^53 - 1 in size"
    );
}
