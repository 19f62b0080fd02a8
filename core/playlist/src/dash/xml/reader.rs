//! From text to the tree.

use std::borrow::Cow;

use super::{Document, Node, XmlError, unescape};

/// Nested elements. An MPD has eight levels; an event in one may carry XML of its own.
pub(super) const DEPTH_MAX: usize = 32;

/// Attributes of one element. A root with all its namespaces has about twenty.
pub(super) const ATTRIBUTES_MAX: usize = 128;

/// Elements of a document: ten streams of 43,200 segments, each listed by an element of its own.
pub(super) const ELEMENTS_MAX: usize = 450_000;

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// The elements that have begun and not ended.
    open: Vec<usize>,
    document: Document<'a>,
}

/// Reads a document.
pub(super) fn read(text: &str) -> Result<Document<'_>, XmlError> {
    let mut reader = Reader {
        text,
        at: 0,
        open: Vec::new(),
        document: Document {
            text,
            nodes: Vec::new(),
            attributes: Vec::new(),
        },
    };
    while reader.markup()? {}
    Ok(reader.document)
}

impl<'a> Reader<'a> {
    /// Reads up to the end of the next markup; false at the end of the document.
    fn markup(&mut self) -> Result<bool, XmlError> {
        let rest = self.rest();
        let Some(length) = rest.find('<') else {
            return self.finish(rest);
        };
        self.add_text(Cow::Borrowed(&rest[..length]))?;
        self.at += length;
        let rest = self.rest();
        if rest.starts_with("<!--") {
            self.skip(4, "-->", "the end of the comment, -->")?;
        } else if rest.starts_with("<![CDATA[") {
            let text = self.skip(9, "]]>", "the end of the text, ]]>")?;
            self.add_raw(text);
        } else if rest.starts_with("<!") {
            return self.fail("an element; document types are not accepted");
        } else if rest.starts_with("<?") {
            self.skip(2, "?>", "the end of the instruction, ?>")?;
        } else if rest.starts_with("</") {
            self.close()?;
        } else {
            self.open()?;
        }
        Ok(true)
    }

    fn finish(&self, rest: &str) -> Result<bool, XmlError> {
        if !self.open.is_empty() {
            self.fail("the end of the element; the text may be cut off")
        } else if self.document.nodes.is_empty() || !rest.trim().is_empty() {
            self.fail("one element")
        } else {
            Ok(false)
        }
    }

    fn add_text(&mut self, text: Cow<'a, str>) -> Result<(), XmlError> {
        if text.trim().is_empty() {
            return Ok(());
        }
        if self.open.is_empty() {
            return self.fail("an element");
        }
        match text {
            Cow::Borrowed(text) => self.add_raw_or(unescape(text)),
            owned @ Cow::Owned(_) => self.add_raw_or(owned),
        }
        Ok(())
    }

    fn add_raw(&mut self, text: &'a str) {
        self.add_raw_or(Cow::Borrowed(text));
    }

    /// Text in several pieces is joined.
    fn add_raw_or(&mut self, text: Cow<'a, str>) {
        let open = self.open.last().copied();
        if let Some(node) = open.and_then(|index| self.document.nodes.get_mut(index)) {
            if node.text.is_empty() {
                node.text = text;
            } else {
                node.text.to_mut().push_str(&text);
            }
        }
    }

    /// Goes past `end` and gives what stood before it.
    fn skip(
        &mut self,
        begin: usize,
        end: &str,
        expected: &'static str,
    ) -> Result<&'a str, XmlError> {
        let rest = &self.rest()[begin..];
        let Some(length) = rest.find(end) else {
            return self.fail(expected);
        };
        self.at += begin + length + end.len();
        Ok(&rest[..length])
    }

    fn close(&mut self) -> Result<(), XmlError> {
        let start = self.at;
        self.at += 2;
        let name = self.name()?;
        self.skip_spaces();
        let index = self.open.pop();
        let count = self.document.nodes.len();
        match index.and_then(|index| self.document.nodes.get_mut(index)) {
            Some(node) if node.name == name => node.end = count,
            Some(_) | None => {
                self.at = start;
                return self.fail("the end of the element that began last");
            }
        }
        self.expect(">")
    }

    fn open(&mut self) -> Result<(), XmlError> {
        let offset = self.at;
        let count = self.document.nodes.len();
        if self.open.is_empty() && count > 0 {
            return self.fail("nothing after the end of the document");
        }
        if self.open.len() >= DEPTH_MAX || count >= ELEMENTS_MAX {
            return self.fail("fewer elements, and less nested ones");
        }
        self.at += 1;
        let name = self.name()?;
        let first = self.document.attributes.len();
        let empty = self.attributes()?;
        self.document.nodes.push(Node {
            name,
            text: Cow::Borrowed(""),
            offset,
            attributes: (first, self.document.attributes.len()),
            end: count + 1,
        });
        if !empty {
            self.open.push(count);
        }
        Ok(())
    }

    /// Reads to the end of the tag; true if it ends the element too.
    fn attributes(&mut self) -> Result<bool, XmlError> {
        for _ in 0..=ATTRIBUTES_MAX {
            self.skip_spaces();
            let rest = self.rest();
            if rest.starts_with('>') {
                self.at += 1;
                return Ok(false);
            }
            if rest.starts_with("/>") {
                self.at += 2;
                return Ok(true);
            }
            let name = self.name()?;
            self.skip_spaces();
            self.expect("=")?;
            self.skip_spaces();
            let value = self.value()?;
            self.document.attributes.push((name, value));
        }
        self.fail("fewer attributes")
    }

    fn value(&mut self) -> Result<&'a str, XmlError> {
        let (quote, expected) = match self.rest().as_bytes().first() {
            Some(b'"') => ("\"", "the end of the value, \""),
            Some(b'\'') => ("'", "the end of the value, '"),
            Some(_) | None => return self.fail("a value in quotes"),
        };
        let start = self.at;
        let value = self.skip(1, quote, expected)?;
        if value.contains('<') {
            self.at = start;
            return self.fail(expected);
        }
        Ok(value)
    }

    fn name(&mut self) -> Result<&'a str, XmlError> {
        let rest = self.rest();
        let ends = |byte: &u8| byte.is_ascii_whitespace() || b"/>=<\"'&;".contains(byte);
        let length = rest.bytes().position(|byte| ends(&byte));
        let name = &rest[..length.unwrap_or(rest.len())];
        let starts = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || !byte.is_ascii();
        if !name.bytes().next().is_some_and(starts) {
            return self.fail("a name");
        }
        self.at += name.len();
        Ok(name)
    }

    fn expect(&mut self, text: &'static str) -> Result<(), XmlError> {
        if !self.rest().starts_with(text) {
            return self.fail(text);
        }
        self.at += text.len();
        Ok(())
    }

    fn skip_spaces(&mut self) {
        let rest = self.rest();
        let spaces = rest.bytes().take_while(u8::is_ascii_whitespace).count();
        self.at += spaces;
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn fail<T>(&self, expected: &'static str) -> Result<T, XmlError> {
        Err(XmlError {
            offset: self.at,
            expected,
        })
    }
}
