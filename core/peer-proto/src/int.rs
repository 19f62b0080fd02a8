//! Integers: their length in a byte, then sign-magnitude, big-endian.

use crate::kind;

/// The sign, in the first byte of an integer.
const SIGN: u8 = 0x80;

/// Writes an integer with the fewest bytes. It must be within ±[`crate::INT_MAX`].
pub(crate) fn write(out: &mut Vec<u8>, value: i64) {
    let magnitude = value.unsigned_abs();
    let bits = (u64::BITS - magnitude.leading_zeros()) as usize;
    // One bit more for the sign: 53 bits make seven bytes at most.
    let length = bits / 8 + 1;
    out.push((kind::INT << 4) | length as u8);
    let first = out.len();
    let bytes = magnitude.to_be_bytes();
    out.extend_from_slice(&bytes[bytes.len() - length..]);
    if value < 0 {
        out[first] |= SIGN;
    }
}

/// The value of up to eight bytes.
pub(crate) fn read(bytes: &[u8]) -> i64 {
    let Some((&first, rest)) = bytes.split_first() else {
        return 0;
    };
    let magnitude = rest.iter().fold(i64::from(first & !SIGN), |value, &byte| {
        (value << 8) | i64::from(byte)
    });
    if first & SIGN == 0 {
        magnitude
    } else {
        -magnitude
    }
}
