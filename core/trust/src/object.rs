//! Objects of JSON in which no name may occur twice.

use std::borrow::Cow;

use beekeepr_json::{ReadError, Scanner, unescape, unescape_key};

use crate::TokenError;

/// Most members of an object: far more than any issuer puts into a token.
const MEMBERS_MAX: usize = 64;

/// Takes an object that is the whole text. `member` is called with each name and has to take the value.
pub(crate) fn read_object<'a>(
    text: &'a [u8],
    mut member: impl FnMut(&mut Scanner<'a>, &str) -> Result<(), ReadError>,
) -> Result<(), TokenError> {
    let mut scanner = Scanner::new(text)?;
    let mut names: Vec<Cow<'a, str>> = Vec::new();
    let mut duplicate = None;
    scanner.object(|scanner, key| {
        let name = unescape_key(key);
        if names.contains(&name) {
            duplicate.get_or_insert_with(|| name.clone().into_owned());
        }
        if names.len() >= MEMBERS_MAX {
            let offset = scanner.offset();
            return Err(ReadError::new(offset, "another member", "at most 64"));
        }
        member(scanner, &name)?;
        names.push(name);
        Ok(())
    })?;
    scanner.end()?;
    match duplicate {
        Some(name) => Err(TokenError::Duplicate(name)),
        None => Ok(()),
    }
}

/// A string's text.
pub(crate) fn read_text(scanner: &mut Scanner<'_>) -> Result<String, ReadError> {
    scanner.string().map(|raw| unescape(raw).into_owned())
}

/// A string's text, or those of an array of strings: at most `max`.
pub(crate) fn read_texts(scanner: &mut Scanner<'_>, max: usize) -> Result<Vec<String>, ReadError> {
    if scanner.peek() != Some(b'[') {
        return read_text(scanner).map(|text| vec![text]);
    }
    let mut list = Vec::new();
    scanner.array(|scanner| {
        if list.len() >= max {
            let offset = scanner.offset();
            return Err(ReadError::new(offset, "another entry", "a shorter list"));
        }
        list.push(read_text(scanner)?);
        Ok(())
    })?;
    Ok(list)
}

/// True or false.
pub(crate) fn read_bool(scanner: &mut Scanner<'_>) -> Result<bool, ReadError> {
    scanner.peek();
    let offset = scanner.offset();
    match scanner.value()? {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(ReadError::new(offset, "another value", "true or false")),
    }
}
