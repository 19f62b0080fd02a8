//! The scanner.

use crate::ReadError;

/// How deep values may nest. Real messages nest four deep (message, offers, offer, description).
const DEPTH_MAX: usize = 16;

/// A place in a message.
#[derive(Clone, Copy, Debug)]
pub struct Scanner<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Scanner<'a> {
    /// Stands before the message's only value.
    ///
    /// # Errors
    /// The message is not UTF-8.
    pub fn new(message: &'a [u8]) -> Result<Self, ReadError> {
        match std::str::from_utf8(message) {
            Ok(text) => Ok(Self {
                text,
                at: 0,
                depth: 0,
            }),
            Err(error) => Err(ReadError::new(
                error.valid_up_to(),
                "a stray byte",
                "UTF-8 text",
            )),
        }
    }

    /// The first byte of the next value or sign, without taking it.
    pub fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.byte() {
            self.at += 1;
        }
        self.byte()
    }

    /// Where the scanner stands.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.at
    }

    /// Takes an object. `field` is called with each key, without its quotes and with its escapes as they
    /// stand, and has to take the value.
    ///
    /// # Errors
    /// Something else is here, the object is not whole, or `field` refused.
    pub fn object(
        &mut self,
        mut field: impl FnMut(&mut Self, &'a str) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        self.enter(b'{', "an object")?;
        if self.peek() != Some(b'}') {
            loop {
                let key = self.string()?;
                self.sign(b':', "a colon")?;
                field(self, inside(key))?;
                if self.peek() != Some(b',') {
                    break;
                }
                self.at += 1;
            }
        }
        self.leave(b'}', "a comma or the end of the object")
    }

    /// Takes an array. `item` is called before each value and has to take it.
    ///
    /// # Errors
    /// Something else is here, the array is not whole, or `item` refused.
    pub fn array(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        self.enter(b'[', "an array")?;
        if self.peek() != Some(b']') {
            loop {
                item(self)?;
                if self.peek() != Some(b',') {
                    break;
                }
                self.at += 1;
            }
        }
        self.leave(b']', "a comma or the end of the array")
    }

    /// Takes a string; it comes with its quotes.
    ///
    /// # Errors
    /// Something else is here, or it is no string that every reader of JSON accepts.
    pub fn string(&mut self) -> Result<&'a str, ReadError> {
        self.sign(b'"', "a string")?;
        let start = self.at - 1;
        loop {
            self.at += plain_bytes(&self.text.as_bytes()[self.at..]);
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(&self.text[start..self.at]);
                }
                Some(b'\\') => self.escape()?,
                _ => return Err(self.unexpected("a character of a string or its end")),
            }
        }
    }

    /// Takes a value of any kind; it comes as it stands in the message.
    ///
    /// # Errors
    /// What is here is no JSON, or nests too deep.
    pub fn value(&mut self) -> Result<&'a str, ReadError> {
        let first = self.peek();
        let start = self.at;
        match first {
            Some(b'{') => self.object(|scanner, _| scanner.value().map(drop))?,
            Some(b'[') => self.array(|scanner| scanner.value().map(drop))?,
            Some(b'"') => return self.string(),
            Some(b'-' | b'0'..=b'9') => return self.number(),
            Some(b't') => self.word("true")?,
            Some(b'f') => self.word("false")?,
            Some(b'n') => self.word("null")?,
            _ => return Err(self.unexpected("a value")),
        }
        Ok(&self.text[start..self.at])
    }

    /// Takes a number; it comes as it stands in the message.
    ///
    /// # Errors
    /// Something else is here.
    pub fn number(&mut self) -> Result<&'a str, ReadError> {
        self.peek();
        let start = self.at;
        self.take_if(b'-');
        if !self.take_if(b'0') {
            self.digits()?;
        }
        if self.take_if(b'.') {
            self.digits()?;
        }
        if self.take_if(b'e') || self.take_if(b'E') {
            let _ = self.take_if(b'+') || self.take_if(b'-');
            self.digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    /// Takes `null` when it is next.
    pub fn null(&mut self) -> bool {
        self.peek() == Some(b'n') && self.word("null").is_ok()
    }

    /// Nothing may follow.
    ///
    /// # Errors
    /// Something does.
    pub fn end(&mut self) -> Result<(), ReadError> {
        if self.peek().is_none() {
            Ok(())
        } else {
            Err(self.unexpected("the end of the message"))
        }
    }

    /// The error that says what is here instead of `expected`.
    pub(crate) fn unexpected(&self, expected: &'static str) -> ReadError {
        let seen = match self.text[self.at..].chars().next() {
            Some(char) => format!("character {char:?}"),
            None => "the end of the message".to_owned(),
        };
        ReadError::new(self.at, seen, expected)
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take_if(&mut self, byte: u8) -> bool {
        let is_next = self.byte() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn sign(&mut self, byte: u8, expected: &'static str) -> Result<(), ReadError> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.unexpected(expected))
        }
    }

    fn enter(&mut self, byte: u8, expected: &'static str) -> Result<(), ReadError> {
        self.sign(byte, expected)?;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(ReadError::new(
                self.at,
                "a deeper level",
                "values at most 16 levels deep",
            ));
        }
        Ok(())
    }

    fn leave(&mut self, byte: u8, expected: &'static str) -> Result<(), ReadError> {
        self.sign(byte, expected)?;
        self.depth -= 1;
        Ok(())
    }

    fn word(&mut self, word: &'static str) -> Result<(), ReadError> {
        if self.text[self.at..].starts_with(word) {
            self.at += word.len();
            Ok(())
        } else {
            Err(self.unexpected("true, false or null"))
        }
    }

    fn digits(&mut self) -> Result<(), ReadError> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.byte() {
            self.at += 1;
        }
        if self.at == start {
            Err(self.unexpected("a digit"))
        } else {
            Ok(())
        }
    }

    /// Takes a backslash and what belongs to it.
    fn escape(&mut self) -> Result<(), ReadError> {
        self.at += 1;
        match self.byte() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 1;
                Ok(())
            }
            Some(b'u') => self.unicode_escape(),
            _ => Err(self.unexpected("one of \"\\/bfnrtu after a backslash")),
        }
    }

    /// Takes `uXXXX`, and the second half when that is the first half of a surrogate pair. JSON.parse
    /// lets lone halves pass, other readers do not, so they are not relayed.
    fn unicode_escape(&mut self) -> Result<(), ReadError> {
        let start = self.at;
        let unpaired = || ReadError::new(start, "half a surrogate pair", "both halves");
        match self.hex_quad()? {
            0xd800..=0xdbff => {
                if !(self.take_if(b'\\') && self.byte() == Some(b'u')) {
                    return Err(unpaired());
                }
                if (0xdc00..=0xdfff).contains(&self.hex_quad()?) {
                    Ok(())
                } else {
                    Err(unpaired())
                }
            }
            0xdc00..=0xdfff => Err(unpaired()),
            _ => Ok(()),
        }
    }

    fn hex_quad(&mut self) -> Result<u32, ReadError> {
        self.at += 1;
        let mut value = 0;
        for _ in 0..4 {
            let Some(digit) = self.byte().and_then(|byte| char::from(byte).to_digit(16)) else {
                return Err(self.unexpected("a hexadecimal digit"));
            };
            value = value * 16 + digit;
            self.at += 1;
        }
        Ok(value)
    }
}

/// A string of JSON without its quotes.
pub(crate) fn inside(raw: &str) -> &str {
    raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default()
}

/// How many bytes stand before the first quote, backslash or control character.
///
/// Eight at a time: session descriptions are most of the traffic.
fn plain_bytes(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let found = specials(u64::from_le_bytes(*chunk));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let is_special = |&byte: &u8| byte == b'"' || byte == b'\\' || byte < 0x20;
    let rest = &bytes[at..];
    at + rest.iter().position(is_special).unwrap_or(rest.len())
}

/// Has the highest bit of the first of eight bytes set that is a quote, a backslash or a control
/// character, and none below it.
///
/// `(x - 0x01..) & !x & 0x80..` has a bit set when a byte of `x` is zero, and with `0x20..` for
/// `0x01..` when one is below 0x20 (Mycroft 1987). There are false alarms above such a byte only.
const fn specials(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let found = (quote.wrapping_sub(ONES) & !quote)
        | (backslash.wrapping_sub(ONES) & !backslash)
        | (word.wrapping_sub(ONES * 0x20) & !word);
    found & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scan(text: &[u8]) -> Result<(), ReadError> {
        let mut scanner = Scanner::new(text)?;
        scanner.value()?;
        scanner.end()
    }

    #[test]
    fn errors_name_the_place_what_is_there_and_what_should_be() {
        let error = scan(br#"{"a":nul}"#).unwrap_err();
        assert_eq!(
            error.to_string(),
            "character 'n' at byte 5, expected true, false or null"
        );
        let error = scan(b"[1,").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the end of the message at byte 3, expected a value"
        );
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert_eq!(scan(nested(DEPTH_MAX).as_bytes()), Ok(()));
        assert!(scan(nested(DEPTH_MAX + 1).as_bytes()).is_err());
        assert!(scan("[".repeat(60_000).as_bytes()).is_err());
    }

    #[test]
    fn lone_surrogates_and_control_characters_are_refused() {
        assert!(scan(br#""\ud83d\ude00""#).is_ok());
        for bad in [
            r#""\ud83d""#,
            r#""\ude00""#,
            r#""\ud83dx""#,
            "\"a\u{1}\"",
            "\"12345678\n\"",
        ] {
            assert!(scan(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }

    /// JSON-like text: random bytes alone would hardly ever get past the first character.
    fn jsonish() -> impl Strategy<Value = Vec<u8>> {
        let pieces = prop::sample::select(vec![
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u00e9", "\\ud83d", "\\ude00", "null",
            "true", "fals", "-", "0", "12", ".5", "e+3", "abcdefgh", "é", " ", "\n", "\u{1}",
        ]);
        prop_oneof![
            prop::collection::vec(any::<u8>(), 0..64),
            prop::collection::vec(pieces, 0..24).prop_map(|list| list.concat().into_bytes()),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_scanner_accepts_exactly_what_serde_json_accepts(text in jsonish()) {
            let foreign = serde_json::from_slice::<serde_json::Value>(&text);
            // Numbers outside of f64 are an error there and none here.
            let out_of_range =
                foreign.as_ref().is_err_and(|error| error.to_string().contains("out of range"));
            prop_assume!(!out_of_range);
            prop_assert_eq!(scan(&text).is_ok(), foreign.is_ok());
        }

        #[test]
        fn eight_at_a_time_finds_what_one_at_a_time_finds(bytes: Vec<u8>) {
            let slow = bytes
                .iter()
                .position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20)
                .unwrap_or(bytes.len());
            prop_assert_eq!(plain_bytes(&bytes), slow);
        }
    }
}
