//! Strings, ids and numbers between JSON and Rust.

use std::borrow::Cow;
use std::fmt::Write as _;

use beekeepr_model::IdError;

use crate::json::inside;
use crate::{ReadError, json::Scanner};

/// The text of a string of JSON that a [`Scanner`] has let pass.
pub(crate) fn unescape(raw: &str) -> Cow<'_, str> {
    let text = inside(raw);
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        out.push(if char == '\\' {
            escaped(&mut chars)
        } else {
            char
        });
    }
    Cow::Owned(out)
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
pub(crate) fn push_string(out: &mut String, chars: impl Iterator<Item = char>) {
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

/// Takes a string that is an id.
pub(crate) fn read_id<T>(
    scanner: &mut Scanner<'_>,
    from_chars: impl FnOnce(&str) -> Result<T, IdError>,
) -> Result<T, ReadError> {
    scanner.peek();
    let offset = scanner.offset();
    let raw = scanner.string()?;
    from_chars(&unescape(raw)).map_err(|error| id_error(offset, error))
}

/// The message's error for an id's error.
pub(crate) fn id_error(offset: usize, error: IdError) -> ReadError {
    match error {
        IdError::Length(seen) => ReadError::new(
            offset,
            format!("an id of {seen} characters"),
            "20 characters",
        ),
        IdError::Char(seen) => ReadError::new(
            offset,
            format!("an id with {seen:?}"),
            "U+0000 to U+00FF only",
        ),
    }
}

/// Takes a number as a count: fractions are cut, what is too small or too large is moved to the limit.
pub(crate) fn read_count(scanner: &mut Scanner<'_>) -> Result<u64, ReadError> {
    let raw = scanner.number()?;
    Ok(raw
        .parse()
        .unwrap_or_else(|_| raw.parse::<f64>().unwrap_or_default() as u64))
}

/// Takes an object and gives its `sdp`, as a string of JSON.
pub(crate) fn read_sdp<'a>(scanner: &mut Scanner<'a>) -> Result<&'a str, ReadError> {
    scanner.peek();
    let offset = scanner.offset();
    let mut sdp = None;
    scanner.object(|scanner, key| {
        if key == "sdp" {
            sdp = Some(scanner.string()?);
        } else {
            scanner.value()?;
        }
        Ok(())
    })?;
    sdp.ok_or_else(|| ReadError::new(offset, "a description without sdp", "type and sdp"))
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
        assert!(read("true").is_err());
    }
}
