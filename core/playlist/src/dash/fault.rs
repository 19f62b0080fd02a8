//! What is wrong with an MPD, and where.

use super::scalar;
use super::xml::{Element, XmlError, line_at, line_offset};
use crate::text::quote;
use crate::{Fault, ManifestError};

const REMEDY: &str = "check the packager";

/// Something is wrong with an element.
pub(crate) fn fault(element: Element<'_, '_>, seen: &str, expected: &'static str) -> ManifestError {
    ManifestError::Dash(Fault {
        line: element.line(),
        offset: element.line_offset(),
        seen: quote(seen),
        expected,
        remedy: REMEDY,
    })
}

/// The text is no XML.
pub(crate) fn not_xml(text: &str, error: &XmlError) -> ManifestError {
    ManifestError::Dash(Fault {
        line: line_at(text, error.offset),
        offset: line_offset(text, error.offset),
        seen: quote(text.get(error.offset..).unwrap_or_default()),
        expected: error.expected,
        remedy: REMEDY,
    })
}

/// An attribute as it is written, for an error.
pub(crate) fn seen(element: Element<'_, '_>, name: &str) -> String {
    match element.attribute(name) {
        Some(value) => format!("{} {name}={value}", element.name()),
        None => format!("{} without {name}", element.name()),
    }
}

/// A whole number in an attribute.
pub(crate) fn number(element: Element<'_, '_>, name: &str) -> Result<Option<u64>, ManifestError> {
    read(element, name, scalar::whole, "a whole number")
}

/// A duration in an attribute, in seconds.
pub(crate) fn duration(element: Element<'_, '_>, name: &str) -> Result<Option<f64>, ManifestError> {
    read(element, name, scalar::duration, "a duration such as PT4.5S")
}

/// An attribute, if it is there.
pub(crate) fn read<T>(
    element: Element<'_, '_>,
    name: &str,
    read: impl Fn(&str) -> Option<T>,
    expected: &'static str,
) -> Result<Option<T>, ManifestError> {
    match element.attribute(name) {
        None => Ok(None),
        Some(text) => match read(&text) {
            Some(value) => Ok(Some(value)),
            None => Err(fault(element, &seen(element, name), expected)),
        },
    }
}
