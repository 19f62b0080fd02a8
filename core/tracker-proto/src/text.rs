//! Ids and session descriptions between JSON and Rust.

use beekeepr_json::{ReadError, Scanner, unescape};
use beekeepr_model::IdError;

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
