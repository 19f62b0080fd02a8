//! XML in pieces that put together are the text again.

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A start tag, or an element without content. Names are without prefix.
    Open {
        name: &'a str,
        text: &'a str,
        is_empty: bool,
    },
    Close {
        name: &'a str,
        text: &'a str,
    },
    Text(&'a str),
    /// Comments, CDATA, declarations, and what is cut off.
    Other(&'a str),
}

/// All pieces of a text. Nothing is an error: what is no XML is passed on as it is.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, after) = next(rest);
        rest = after;
        Some(piece)
    })
}

fn next(text: &str) -> (Piece<'_>, &str) {
    let Some(tag) = text.strip_prefix('<') else {
        let (text, rest) = text.split_at(text.find('<').unwrap_or(text.len()));
        return (Piece::Text(text), rest);
    };
    for (begin, end) in [("!--", "-->"), ("![CDATA[", "]]>"), ("?", "?>"), ("!", ">")] {
        if tag.starts_with(begin) {
            let length = text.find(end).map_or(text.len(), |at| at + end.len());
            let (other, rest) = text.split_at(length);
            return (Piece::Other(other), rest);
        }
    }
    let Some(end) = end_of_tag(text) else {
        return (Piece::Other(text), "");
    };
    let (tag, rest) = text.split_at(end);
    let inner = tag.trim_start_matches('<').trim_end_matches('>');
    let piece = match inner.strip_prefix('/') {
        Some(inner) => Piece::Close {
            name: name_of(inner),
            text: tag,
        },
        None => Piece::Open {
            name: name_of(inner),
            text: tag,
            is_empty: inner.ends_with('/'),
        },
    };
    (piece, rest)
}

/// Behind the bracket that is in no quotes.
fn end_of_tag(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at + 1),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            (None | Some(_), _) => {}
        }
    }
    None
}

fn name_of(tag: &str) -> &str {
    let end = tag.find(|it: char| it.is_ascii_whitespace() || it == '/');
    let name = &tag[..end.unwrap_or(tag.len())];
    name.rsplit(':').next().unwrap_or(name)
}

/// The attributes of a tag: their names, and where their values begin and end.
pub(super) fn attributes(tag: &str) -> impl Iterator<Item = (&str, usize, usize)> {
    let mut at = tag
        .find(|it: char| it.is_ascii_whitespace())
        .unwrap_or(tag.len());
    std::iter::from_fn(move || {
        let rest = tag.get(at..)?;
        let equals = rest.find('=')?;
        let name = rest.get(..equals)?.trim();
        let after = rest.get(equals + 1..)?;
        let value = after.trim_start();
        let quote = value.chars().next().filter(|it| ['"', '\''].contains(it))?;
        let begin = at + equals + 1 + (after.len() - value.len()) + 1;
        let end = begin + tag.get(begin..)?.find(quote)?;
        at = end + 1;
        Some((name, begin, end))
    })
}

/// A text as it is meant. Only the predefined entities; URLs have no need of others.
pub(super) fn unescaped(text: &str) -> String {
    let mut text = text.to_owned();
    for (entity, character) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&#38;", "&"),
        ("&#x26;", "&"),
        ("&amp;", "&"),
    ] {
        text = text.replace(entity, character);
    }
    text
}

/// A text as it is written, in content and in quotes of either kind.
pub(super) fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('"', "&quot;").replace('\'', "&apos;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_are_the_text() {
        let text = "<?xml?><!-- <a> --><p:MPD x=\"a>b\" y='\"'>t<b/></p:MPD><c";
        let joined: String = pieces(text)
            .map(|piece| match piece {
                Piece::Open { text, .. } | Piece::Close { text, .. } => text,
                Piece::Text(text) | Piece::Other(text) => text,
            })
            .collect();
        assert_eq!(joined, text);
        let names = pieces(text).filter_map(|piece| match piece {
            Piece::Open { name, is_empty, .. } => Some((name, is_empty)),
            Piece::Close { .. } | Piece::Text(_) | Piece::Other(_) => None,
        });
        assert_eq!(names.collect::<Vec<_>>(), [("MPD", false), ("b", true)]);
    }

    #[test]
    fn attributes_are_found_in_quotes_of_both_kinds() {
        let tag = "<S a = \"1\" xlink:href='2\"'\nc=\"\">";
        let found: Vec<_> = attributes(tag)
            .map(|(name, begin, end)| (name, &tag[begin..end]))
            .collect();
        assert_eq!(found, [("a", "1"), ("xlink:href", "2\""), ("c", "")]);
    }
}
