//! Strings and numbers between JSON and Rust.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::scanner::inside;
use crate::{ReadError, Scanner};

/// The text of a string of JSON that a [`Scanner`] has let pass.
#[must_use]
pub fn unescape(raw: &str) -> Cow<'_, str> {
    unescape_key(inside(raw))
}

fn unescape_inside(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        out.push(if char == '\\' {
            escaped(&mut chars)
        } else {
            char
        });
    }
    out
}

/// The text of a name in an object, which a [`Scanner`] gives without its quotes.
#[must_use]
pub fn unescape_key(key: &str) -> Cow<'_, str> {
    if key.contains('\\') {
        Cow::Owned(unescape_inside(key))
    } else {
        Cow::Borrowed(key)
    }
}

/// The character that what follows a backslash stands for. The scanner has checked the escape, so the
/// replacement character for a bad one never shows.
fn escaped(chars: &mut std::str::Chars<'_>) -> char {
    match chars.next() {
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some('u') => unicode(chars),
        Some(char) => char,
        None => char::REPLACEMENT_CHARACTER,
    }
}

fn unicode(chars: &mut std::str::Chars<'_>) -> char {
    let high = quad(chars);
    let code = if (0xd800..0xdc00).contains(&high) {
        // Over the backslash and the `u` of the second half.
        let low = chars.nth(1).map_or(0, |_| quad(chars));
        0x1_0000 + ((high - 0xd800) << 10) + low.saturating_sub(0xdc00)
    } else {
        high
    };
    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn quad(chars: &mut std::str::Chars<'_>) -> u32 {
    let digits = chars.take(4).filter_map(|char| char.to_digit(16));
    digits.fold(0, |value, digit| value * 16 + digit)
}

/// Appends a string with its quotes.
pub fn push_string(out: &mut String, chars: impl Iterator<Item = char>) {
    out.push('"');
    for char in chars {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\u{0}'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(char));
            }
            _ => out.push(char),
        }
    }
    out.push('"');
}

/// Takes a number as a count: fractions are cut, what is too small or too large is moved to the limit.
///
/// # Errors
/// No number is here.
pub fn read_count(scanner: &mut Scanner<'_>) -> Result<u64, ReadError> {
    Ok(count_of(scanner.number()?))
}

/// The whole part of a JSON number. By hand, because reading floating point brings 10 KB of tables
/// into the browser.
fn count_of(number: &str) -> u64 {
    /// u64::MAX has 20 digits; as many zeros behind the last digit written exceed it.
    const ZEROS_MAX: usize = 20;
    if number.starts_with('-') {
        return 0;
    }
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent: i64 = exponent.parse().unwrap_or(match exponent.starts_with('-') {
        true => i64::MIN,
        false => i64::MAX,
    });
    let places = exponent.saturating_add(whole.len() as i64).max(0);
    let places = usize::try_from(places).unwrap_or(usize::MAX);
    let digits = whole
        .bytes()
        .chain(fraction.bytes())
        .map(|digit| u64::from(digit - b'0'));
    let digits = digits.chain(std::iter::repeat_n(0, ZEROS_MAX));
    digits.take(places).fold(0, |count: u64, digit| {
        count.saturating_mul(10).saturating_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn text_survives_the_way_through_json(text: String) {
            let mut raw = String::new();
            push_string(&mut raw, text.chars());
            prop_assert_eq!(unescape(&raw), text.as_str());
            prop_assert_eq!(serde_json::from_str::<String>(&raw).unwrap(), text);
        }
    }

    #[test]
    fn every_escape_is_understood() {
        assert_eq!(
            unescape(r#""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#),
            "\"\\/\u{8}\u{c}\n\r\té😀"
        );
    }

    #[test]
    fn counts_of_any_shape_are_moved_into_range() {
        let read = |text: &str| read_count(&mut Scanner::new(text.as_bytes()).unwrap());
        assert_eq!(read("7"), Ok(7));
        assert_eq!(read("7.9"), Ok(7));
        assert_eq!(read("-3"), Ok(0));
        assert_eq!(read("1e99"), Ok(u64::MAX));
        assert_eq!(read("1.25e1"), Ok(12));
        assert_eq!(read("1e+2"), Ok(100));
        assert_eq!(read("250e-1"), Ok(25));
        assert_eq!(read("0.5"), Ok(0));
        assert_eq!(read("9e-9999999999999999999"), Ok(0));
        assert_eq!(read("18446744073709551616"), Ok(u64::MAX));
        assert!(read("true").is_err());
    }
}
