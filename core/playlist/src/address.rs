//! Absolute addresses, and how the references of a manifest resolve against them.
//!
//! The rules are those of browsers (WHATWG URL standard) as far as manifests need them. The `url` crate knows all of
//! them, and serves as the oracle in the tests; in the browser its tables weigh more than the whole client
//! (docs/decisions/playlists.md).

mod host;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// The longest address. Servers refuse longer request lines as a rule (nginx and Apache take 8 KiB).
pub const ADDRESS_BYTES_MAX: usize = 8 * 1024;

/// An absolute `http` or `https` address, written as browsers write it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address {
    text: String,
    /// Where the path begins.
    path: u16,
    /// Where the path has ended.
    path_end: u16,
}

/// Why a reference does not resolve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// `data:`, `blob:` and others that are no place on the web.
    Scheme,
    /// Nothing that a browser would connect to; or, for this crate alone, a host in letters beyond ASCII.
    Host,
    /// Longer than [`ADDRESS_BYTES_MAX`].
    TooLong,
}

impl AddressError {
    /// What should stand there.
    #[must_use]
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Scheme => "an http or https address",
            Self::Host => "an address with a host, in ASCII (xn--... for others)",
            Self::TooLong => "an address of at most 8 KiB",
        }
    }
}

impl Address {
    /// Reads an absolute address.
    ///
    /// # Errors
    /// It is none, or relative.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = clean(text)?;
        let (scheme, rest) = split_scheme(&text).ok_or(AddressError::Scheme)?;
        Self::with_authority(web(scheme)?, rest)
    }

    /// Resolves a reference that stands in the manifest of this address.
    ///
    /// # Errors
    /// It leads to no place on the web.
    pub fn join(&self, reference: &str) -> Result<Self, AddressError> {
        let reference = clean(reference)?;
        match split_scheme(&reference) {
            Some((scheme, rest)) => {
                let scheme = web(scheme)?;
                // `https:a.ts` under https is relative, as browsers still have it.
                if scheme == self.scheme() && !rest.starts_with("//") {
                    self.relative(rest)
                } else {
                    Self::with_authority(scheme, rest)
                }
            }
            None => self.relative(&reference),
        }
    }

    /// The whole of it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The value of a parameter of the query, as written.
    #[must_use]
    pub fn query_parameter(&self, name: &str) -> Option<&str> {
        let rest = self.text[usize::from(self.path_end)..].strip_prefix('?')?;
        let query = rest.split('#').next().unwrap_or_default();
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    fn scheme(&self) -> &'static str {
        if self.text.starts_with("https") {
            "https"
        } else {
            "http"
        }
    }

    fn relative(&self, reference: &str) -> Result<Self, AddressError> {
        let (path, path_end) = (usize::from(self.path), usize::from(self.path_end));
        let fragment = self.text.find('#').unwrap_or(self.text.len());
        let mut characters = reference.chars();
        match characters.next() {
            Some('/' | '\\') if characters.next().is_some_and(is_slash) => {
                Self::with_authority(self.scheme(), reference)
            }
            Some('/' | '\\') => self.beneath(path + 1, &reference[1..]),
            Some('?') => Self::finish(self.text[..path_end].to_owned(), path, None, reference),
            None | Some('#') => {
                let text = self.text[..fragment].to_owned();
                Self::finish(text, path, Some(path_end), reference)
            }
            Some(_) => {
                let folder = self.text[..path_end].rfind('/').unwrap_or(path);
                self.beneath(folder + 1, reference)
            }
        }
    }

    /// `folder` is where the folder's slash has ended.
    fn beneath(&self, folder: usize, reference: &str) -> Result<Self, AddressError> {
        let path = usize::from(self.path);
        let mut text = String::with_capacity(folder + reference.len());
        text.push_str(&self.text[..folder]);
        let rest = push_path(&mut text, path, reference);
        Self::finish(text, path, None, rest)
    }

    /// Of an address with another host: `rest` is what follows the scheme, with any number of slashes.
    fn with_authority(scheme: &str, rest: &str) -> Result<Self, AddressError> {
        let rest = rest.trim_start_matches(is_slash);
        let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let mut text = String::with_capacity(scheme.len() + 4 + authority.len() + rest.len());
        text.push_str(scheme);
        text.push_str("://");
        host::push_authority(&mut text, authority, scheme).ok_or(AddressError::Host)?;
        let path = text.len();
        text.push('/');
        let rest = push_path(&mut text, path, rest.strip_prefix(is_slash).unwrap_or(rest));
        Self::finish(text, path, None, rest)
    }

    /// Appends query and fragment.
    fn finish(
        mut text: String,
        path: usize,
        path_end: Option<usize>,
        rest: &str,
    ) -> Result<Self, AddressError> {
        let path_end = path_end.unwrap_or(text.len());
        let (query, fragment) = match rest.split_once('#') {
            Some((query, fragment)) => (query, Some(fragment)),
            None => (rest, None),
        };
        push_encoded(&mut text, query, |byte| {
            matches!(byte, b'"' | b'<' | b'>' | b'\'' | b'#')
        });
        if let Some(fragment) = fragment {
            text.push('#');
            push_encoded(&mut text, fragment, |byte| {
                matches!(byte, b'"' | b'<' | b'>' | b'`')
            });
        }
        if text.len() > ADDRESS_BYTES_MAX {
            return Err(AddressError::TooLong);
        }
        // In bounds: the whole of it has at most 8 KiB.
        let place = |at: usize| u16::try_from(at).map_err(|_| AddressError::TooLong);
        Ok(Self {
            path: place(path)?,
            path_end: place(path_end)?,
            text,
        })
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no address that can be used, expected {}",
            self.expected()
        )
    }
}

impl std::error::Error for AddressError {}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Without what browsers overlook: spaces and control characters at the ends, tabs and line ends anywhere.
fn clean(text: &str) -> Result<Cow<'_, str>, AddressError> {
    if text.len() > ADDRESS_BYTES_MAX {
        return Err(AddressError::TooLong);
    }
    let text = text.trim_matches(|it| it <= ' ');
    let overlooked = ['\t', '\n', '\r'];
    Ok(if text.contains(overlooked) {
        Cow::Owned(text.split(overlooked).collect())
    } else {
        Cow::Borrowed(text)
    })
}

/// What stands before and after the colon of a scheme.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme = scheme.starts_with(|it: char| it.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || b"+-.".contains(&it));
    is_scheme.then_some((scheme, rest))
}

fn web(scheme: &str) -> Result<&'static str, AddressError> {
    let known = ["http", "https"].into_iter();
    let mut same = known.filter(|known| scheme.eq_ignore_ascii_case(known));
    same.next().ok_or(AddressError::Scheme)
}

fn is_slash(character: char) -> bool {
    matches!(character, '/' | '\\')
}

/// Appends the path in `rest` to a text that ends with the folder's slash, which is not before `root`.
/// Gives what follows the path.
fn push_path<'a>(text: &mut String, root: usize, rest: &'a str) -> &'a str {
    let end = rest.find(['?', '#']).unwrap_or(rest.len());
    let (path, rest) = rest.split_at(end);
    for segment in path.split_inclusive(is_slash) {
        let name = segment.strip_suffix(is_slash).unwrap_or(segment);
        match dots(name) {
            1 => {}
            2 => {
                let folder = text[..text.len() - 1].rfind('/').unwrap_or(root);
                text.truncate(folder.max(root) + 1);
            }
            _ => {
                push_encoded(text, name, |byte| {
                    matches!(byte, b'"' | b'<' | b'>' | b'`' | b'{' | b'}')
                });
                if name.len() < segment.len() {
                    text.push('/');
                }
            }
        }
    }
    rest
}

/// 1 for a segment that names the folder itself, 2 for the one above, 0 for any other.
fn dots(segment: &str) -> u8 {
    let mut rest = segment.as_bytes();
    let mut count = 0;
    while !rest.is_empty() && count < 3 {
        rest = match rest {
            [b'.', rest @ ..] | [b'%', b'2', b'e' | b'E', rest @ ..] => rest,
            _ => return 0,
        };
        count += 1;
    }
    if count < 3 { count } else { 0 }
}

/// Appends a text with percent signs for spaces, control characters, all beyond ASCII, and `others`.
fn push_encoded(out: &mut String, text: &str, others: impl Fn(u8) -> bool) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte > b' ' && byte < 0x7f && !others(byte) {
            continue;
        }
        // Runs of plain bytes begin and end beside ASCII, or beside whole characters.
        out.push_str(text.get(plain..at).unwrap_or_default());
        out.push('%');
        out.push(char::from(HEX[usize::from(byte >> 4)]));
        out.push(char::from(HEX[usize::from(byte & 15)]));
        plain = at + 1;
    }
    out.push_str(text.get(plain..).unwrap_or_default());
}
