//! The part of XML 1.0 that manifests use, read into a flat tree that borrows the text.
//!
//! No document type, so no entities but the five of XML itself and none that could grow; no validation, no
//! namespaces: elements go by their local names. Everything is bounded.

mod reader;

use std::borrow::Cow;

/// A document: its elements in the order in which they begin.
pub(crate) struct Document<'a> {
    text: &'a str,
    nodes: Vec<Node<'a>>,
    attributes: Vec<(&'a str, &'a str)>,
}

struct Node<'a> {
    name: &'a str,
    text: Cow<'a, str>,
    /// Its place in the text.
    offset: usize,
    attributes: (usize, usize),
    /// One past its last descendant.
    end: usize,
}

/// Where a text is no XML, and what was expected there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct XmlError {
    /// In bytes from the start.
    pub(crate) offset: usize,
    pub(crate) expected: &'static str,
}

/// An element of a document.
#[derive(Clone, Copy)]
pub(crate) struct Element<'d, 'a> {
    document: &'d Document<'a>,
    index: usize,
}

impl<'a> Document<'a> {
    pub(crate) fn read(text: &'a str) -> Result<Self, XmlError> {
        reader::read(text)
    }

    pub(crate) fn root(&self) -> Element<'_, 'a> {
        Element {
            document: self,
            index: 0,
        }
    }
}

impl<'d, 'a> Element<'d, 'a> {
    /// Its name without the prefix.
    pub(crate) fn name(self) -> &'a str {
        local(self.node().name)
    }

    /// Names the element within its document.
    pub(crate) fn index(self) -> usize {
        self.index
    }

    /// The value of an attribute without spaces around it; `None` for an empty one.
    pub(crate) fn attribute(self, name: &str) -> Option<Cow<'a, str>> {
        self.find(|written| written == name)
    }

    /// The value of an attribute as it is written, references and all.
    pub(crate) fn written(self, name: &str) -> Option<&'a str> {
        self.value(|known| known == name)
    }

    /// As [`Self::attribute`], of an attribute with a prefix, whatever that may be.
    pub(crate) fn prefixed(self, name: &str) -> Option<Cow<'a, str>> {
        self.find(|written| written.contains(':') && local(written) == name)
    }

    fn find(self, wanted: impl Fn(&str) -> bool) -> Option<Cow<'a, str>> {
        self.value(wanted).map(unescape)
    }

    fn value(self, wanted: impl Fn(&str) -> bool) -> Option<&'a str> {
        let (first, end) = self.node().attributes;
        let all = self.document.attributes.get(first..end)?;
        let (_, value) = all.iter().find(|(name, _)| wanted(name))?;
        let value = value.trim();
        (!value.is_empty()).then_some(value)
    }

    /// The text within it, without spaces around it.
    pub(crate) fn text(self) -> &'d str {
        self.node().text.trim()
    }

    pub(crate) fn children(self) -> impl Iterator<Item = Element<'d, 'a>> {
        let end = self.node().end;
        let mut next = self.index + 1;
        std::iter::from_fn(move || {
            let child = (next < end).then_some(Element {
                document: self.document,
                index: next,
            })?;
            next = child.node().end;
            Some(child)
        })
    }

    pub(crate) fn all(self, name: &'static str) -> impl Iterator<Item = Element<'d, 'a>> {
        self.children().filter(move |child| child.name() == name)
    }

    pub(crate) fn child(self, name: &'static str) -> Option<Element<'d, 'a>> {
        self.all(name).next()
    }

    /// The line on which it begins, from 1.
    pub(crate) fn line(self) -> usize {
        line_at(self.document.text, self.node().offset)
    }

    /// Where that line begins, in bytes.
    pub(crate) fn line_offset(self) -> usize {
        line_offset(self.document.text, self.node().offset)
    }

    fn node(self) -> &'d Node<'a> {
        &self.document.nodes[self.index]
    }
}

/// The line of a place in a text, from 1.
pub(crate) fn line_at(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    1 + before.filter(|&&byte| byte == b'\n').count()
}

/// Where the line of a place in a text begins.
pub(crate) fn line_offset(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or_default();
    let end = before.iter().rposition(|&byte| byte == b'\n');
    end.map_or(0, |end| end + 1)
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// Replaces the references of XML by their characters, and leaves others as they are.
fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let reference = after.split_once(';');
        match reference.and_then(|(name, rest)| Some((character(name)?, rest))) {
            Some((character, after)) => {
                out.push(character);
                rest = after;
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn character(name: &str) -> Option<char> {
    let code = |digits: &str, radix| u32::from_str_radix(digits, radix).ok();
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(digits) => code(digits, 16),
                None => code(number, 10),
            };
            char::from_u32(code?)
        }
    }
}

#[cfg(test)]
mod tests;
