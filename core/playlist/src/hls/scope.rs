//! What addresses and quoted texts of a playlist refer to: its base and its variables.

use std::borrow::Cow;

use super::attributes::Attributes;
use super::lines::{Flaw, Line};
use crate::{ADDRESS_BYTES_MAX, Address, AddressError, Variables};

/// Most variables of a playlist. RFC 8216bis names none; examples have up to three, one for each part of an address.
const VARIABLES_MAX: usize = 64;

/// The longest text after replacing variables: what would be too long for an address.
const TEXT_BYTES_MAX: usize = ADDRESS_BYTES_MAX;

pub(super) struct Scope<'a> {
    pub(super) base: &'a Address,
    pub(super) variables: Variables,
    /// Those of the multivariant playlist.
    imported: Option<&'a Variables>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(base: &'a Address, imported: Option<&'a Variables>) -> Self {
        Self {
            base,
            variables: Variables::default(),
            imported,
        }
    }

    /// EXT-X-DEFINE (RFC 8216bis, 4.4.2.3).
    pub(super) fn define(
        &mut self,
        line: Line<'_>,
        attributes: Attributes<'_>,
    ) -> Result<(), Flaw> {
        let (name, value) = self.definition(line, attributes)?;
        if self.variables.0.len() == VARIABLES_MAX {
            return Err(line.fault("at most 64 variables", "define fewer"));
        }
        self.variables.0.push((name.to_owned(), value));
        Ok(())
    }

    fn definition<'t>(
        &self,
        line: Line<'_>,
        attributes: Attributes<'t>,
    ) -> Result<(&'t str, String), Flaw> {
        if let Some(name) = attributes.get("NAME") {
            return Ok((name, attributes.get("VALUE").unwrap_or_default().to_owned()));
        }
        if let Some(name) = attributes.get("IMPORT") {
            let value = self.imported.and_then(|variables| variables.get(name));
            let value = value.ok_or_else(|| {
                line.fault(
                    "a variable of the multivariant playlist",
                    "define it there, and give that playlist's address for the channel",
                )
            })?;
            return Ok((name, value.to_owned()));
        }
        let name = attributes
            .get("QUERYPARAM")
            .ok_or_else(|| line.fault("NAME, IMPORT or QUERYPARAM", "name the variable"))?;
        let value = self.base.query_parameter(name).ok_or_else(|| {
            line.fault(
                "a parameter of the playlist's address",
                "add it to the address",
            )
        })?;
        Ok((name, percent_decoded(value)))
    }

    /// A quoted text or an address with its variables replaced.
    pub(super) fn text<'t>(&self, line: Line<'_>, text: &'t str) -> Result<Cow<'t, str>, Flaw> {
        let Some((mut before, mut rest)) = split_variable(text) else {
            return Ok(Cow::Borrowed(text));
        };
        let mut out = String::new();
        loop {
            let (name, after) = rest
                .split_once('}')
                .ok_or_else(|| line.fault("} after the name of a variable", "close it"))?;
            let value = self.variables.get(name).ok_or_else(|| {
                line.fault("variables that EXT-X-DEFINE has named before", "define it")
            })?;
            if out.len() + before.len() + value.len() > TEXT_BYTES_MAX {
                return Err(line.fault(AddressError::TooLong.expected(), "shorten the variables"));
            }
            out.push_str(before);
            out.push_str(value);
            let Some(next) = split_variable(after) else {
                out.push_str(after);
                return Ok(Cow::Owned(out));
            };
            (before, rest) = next;
        }
    }

    /// An address that has to be one.
    pub(super) fn address(&self, line: Line<'_>, reference: &str) -> Result<Address, Flaw> {
        let reference = self.text(line, reference)?;
        self.base
            .join(&reference)
            .map_err(|error| line.fault(error.expected(), "correct the address"))
    }

    /// The address in an attribute; `None` for one that we need not know, `data:` and the like.
    pub(super) fn attribute(
        &self,
        line: Line<'_>,
        attributes: Attributes<'_>,
    ) -> Result<Option<Address>, Flaw> {
        let Some(reference) = attributes.get("URI") else {
            return Ok(None);
        };
        let reference = self.text(line, reference)?;
        Ok(self.base.join(&reference).ok())
    }
}

/// What stands before and after the first `{$`.
fn split_variable(text: &str) -> Option<(&str, &str)> {
    // Not by searching for both at once: the standard library's search for strings is 1 KB in the browser.
    let at = text
        .bytes()
        .zip(text.bytes().skip(1))
        .position(|pair| pair == (b'{', b'$'))?;
    Some((&text[..at], &text[at + 2..]))
}

fn percent_decoded(text: &str) -> String {
    let hex = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|it| u8::try_from(it).ok())
    };
    let mut rest = text.as_bytes();
    let mut out = Vec::with_capacity(rest.len());
    while let [byte, after @ ..] = rest {
        rest = after;
        let code = match (byte, after) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match code {
            Some((high, low)) => {
                out.push(high << 4 | low);
                rest = &after[2..];
            }
            None => out.push(*byte),
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}
