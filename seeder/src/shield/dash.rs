//! DASH manifests for players of the shield.
//!
//! Only addresses are touched, in the text as it came: what a reader of ours does not know a player may. Relative addresses
//! stay, below a BaseURL that leads to us.

mod xml;

use url::Url;

use self::xml::{Piece, escaped, pieces, unescaped};
use super::address::{Rewriter, is_plain};
use super::seal::Kind;

/// Deepest nesting that is followed; manifests have 8 levels.
const DEPTH_MAX: usize = 64;

/// Attributes with addresses of media (ISO/IEC 23009-1, 5.3.9).
const MEDIA: [(&str, &[&str]); 6] = [
    (
        "SegmentTemplate",
        &["media", "initialization", "index", "bitstreamSwitching"],
    ),
    ("SegmentURL", &["media", "index"]),
    ("Initialization", &["sourceURL"]),
    ("RepresentationIndex", &["sourceURL"]),
    ("BitstreamSwitching", &["sourceURL"]),
    ("Initialisation", &["sourceURL"]),
];

/// Attributes with other addresses, which players ask for at the origin.
const DIRECT: [(&str, &str); 2] = [("UTCTiming", "value"), ("*", "xlink:href")];

/// An element that is open.
struct Level {
    /// What addresses in it count from.
    base: Url,
    /// Whether its BaseURL was seen.
    is_based: bool,
}

/// The manifest with our addresses. `from` is where it came from.
pub(super) fn rewritten(text: &str, from: &Url, rewriter: &Rewriter<'_>) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    let mut levels: Vec<Level> = Vec::new();
    // Where a BaseURL of ours goes, if the manifest has none of its own.
    let mut base_at = None;
    let mut is_dropping = false;
    let mut inside = String::new();
    for piece in pieces(text) {
        match piece {
            Piece::Open {
                name,
                text,
                is_empty,
            } => {
                name.clone_into(&mut inside);
                if name == "PatchLocation" {
                    // A patch would bring addresses that nobody has rewritten; without one the manifest is loaded anew.
                    is_dropping = !is_empty;
                    continue;
                }
                let base = levels.last().map_or(from, |level| &level.base);
                push_tag(&mut out, name, text, base, rewriter);
                if !is_empty && levels.len() < DEPTH_MAX {
                    let level = Level {
                        base: base.clone(),
                        is_based: false,
                    };
                    levels.push(level);
                }
                if name == "MPD" && levels.len() == 1 {
                    base_at = Some(out.len());
                }
            }
            Piece::Close { name, text } => {
                inside.clear();
                if std::mem::take(&mut is_dropping) && name == "PatchLocation" {
                    continue;
                }
                levels.pop();
                out.push_str(text);
            }
            Piece::Text(_) if is_dropping => {}
            Piece::Text(text) if inside == "BaseURL" => {
                // Its own level and its parent's.
                if levels.len() == 2 {
                    base_at = None;
                }
                push_base(&mut out, text, &mut levels, rewriter);
            }
            Piece::Text(text) if inside == "Location" => {
                let address = rewriter.address(&unescaped(text.trim()), from, Kind::Manifests);
                out.push_str(&address.map_or_else(|| text.to_owned(), |it| escaped(&it)));
            }
            Piece::Text(text) | Piece::Other(text) => out.push_str(text),
        }
    }
    if let Some(at) = base_at.filter(|_| rewriter.folder.is_none())
        && let Some(folder) = from
            .join(".")
            .ok()
            .and_then(|it| rewriter.sealed(&it, Kind::Files))
    {
        out.insert_str(at, &format!("<BaseURL>{}</BaseURL>", escaped(&folder)));
    }
    out
}

/// The text of a BaseURL. Those of the MPD itself lead to us, and so does what is relative to them.
fn push_base(out: &mut String, text: &str, levels: &mut [Level], rewriter: &Rewriter<'_>) {
    let is_top = levels.len() == 2;
    let Some((_, outer)) = levels.split_last_mut() else {
        return out.push_str(text);
    };
    let Some(parent) = outer.last_mut() else {
        return out.push_str(text);
    };
    let address = unescaped(text.trim());
    // What is beside it is another place of the same, from which nothing else follows.
    let base = if parent.is_based {
        None
    } else {
        parent.base.join(&address).ok()
    };
    let stays = is_plain(&address) && (!is_top || rewriter.folder.is_some());
    let ours = rewriter
        .address(&address, &parent.base, Kind::Files)
        .filter(|_| !stays);
    out.push_str(&ours.map_or_else(|| text.to_owned(), |it| escaped(&it)));
    parent.is_based = true;
    if let Some(base) = base {
        parent.base = base;
    }
}

fn push_tag(out: &mut String, name: &str, tag: &str, base: &Url, rewriter: &Rewriter<'_>) {
    let mut at = 0;
    for (attribute, begin, end) in xml::attributes(tag) {
        let value = unescaped(&tag[begin..end]);
        let is_media = MEDIA
            .iter()
            .any(|(element, names)| *element == name && names.contains(&attribute));
        let is_direct = DIRECT
            .iter()
            .any(|(element, known)| [name, "*"].contains(element) && *known == attribute);
        let new = if is_media && !is_plain(&value) {
            rewriter.address(&value, base, Kind::Files)
        } else if is_direct {
            // Lists of addresses and times are none, and stay.
            Rewriter::direct(&value, base).filter(|_| value.contains('/'))
        } else {
            None
        };
        if let Some(new) = new {
            out.push_str(&tag[at..begin]);
            out.push_str(&escaped(&new));
            at = end;
        }
    }
    out.push_str(&tag[at..]);
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::super::players;
    use super::super::seal::Seal;
    use super::*;

    /// A manifest as players get it, with our addresses opened again.
    fn seen(text: &str, folder: Option<&str>) -> String {
        let from = Url::parse("https://o.example/tv/index.mpd").unwrap();
        let rewrite = |rewriter: &Rewriter<'_>| rewritten(text, &from, rewriter);
        let ends = ['"', '\'', '>', '<'];
        players::seen(folder, rewrite, &ends, |_, url| format!("[{url}]"))
    }

    #[test]
    fn without_a_base_url_there_is_one_that_leads_to_us() {
        let text = "<?xml version=\"1.0\"?><!-- <MPD> --><MPD type=\"static\"><Period>\
            <SegmentTemplate media=\"$Number$.m4s\"/></Period></MPD>";
        let ours = text.replacen(
            "static\">",
            "static\"><BaseURL>[https://o.example/tv/]</BaseURL>",
            1,
        );
        assert_eq!(seen(text, None), ours);
        assert_eq!(seen(text, Some("https://o.example/tv/")), text);
    }

    #[test]
    fn base_urls_of_all_levels_lead_to_us() {
        let text = "<MPD><BaseURL>a/</BaseURL><BaseURL>https://c.example/b/</BaseURL><Period><BaseURL>v/</BaseURL>\
            <AdaptationSet><BaseURL>/w/</BaseURL><SegmentTemplate media='../x/$Time$.m4s' initialization=\"i.mp4\"/>\
            </AdaptationSet></Period></MPD>";
        assert_eq!(
            seen(text, None),
            "<MPD><BaseURL>[https://o.example/tv/a/]</BaseURL><BaseURL>[https://c.example/b/]</BaseURL>\
             <Period><BaseURL>v/</BaseURL>\
             <AdaptationSet><BaseURL>[https://o.example/w/]</BaseURL>\
             <SegmentTemplate media='[https://o.example/x/$Time$.m4s]' initialization=\"i.mp4\"/>\
             </AdaptationSet></Period></MPD>"
        );
    }

    #[test]
    fn queries_are_sealed_and_entities_are_read() {
        let text =
            "<MPD><Period><SegmentTemplate media=\"$Number$.m4s?a=1&amp;b=2\"/></Period></MPD>";
        let seen = seen(text, Some("https://o.example/tv/"));
        assert!(
            seen.contains("media=\"[https://o.example/tv/$Number$.m4s?a=1&b=2]\""),
            "{seen}"
        );
    }

    #[test]
    fn manifests_are_ours_patches_are_gone_and_clocks_are_the_origins() {
        let text = "<MPD><PatchLocation ttl=\"1\">p.mpp</PatchLocation><Location>/next.mpd</Location>\
            <UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:http-iso:2014\" value=\"/time\"/></MPD>";
        assert_eq!(
            seen(text, Some("https://o.example/tv/")),
            "<MPD><Location>[https://o.example/next.mpd]</Location>\
             <UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:http-iso:2014\" value=\"https://o.example/time\"/></MPD>"
        );
    }

    #[test]
    fn nonsense_passes() {
        for text in [
            "<",
            "<MPD",
            "<MPD a=\"",
            "</x></y>",
            "<!--",
            "<a b='<c>'/>",
            "<![CDATA[<MPD>",
            "x",
        ] {
            assert_eq!(seen(text, Some("https://o.example/tv/")), text);
        }
    }

    #[test]
    fn no_cut_and_no_character_does_harm() {
        let text = "<MPD type=\"dynamic\"><BaseURL>a/</BaseURL><Location>/é.mpd</Location>\
            <SegmentTemplate media='../é?$Time$' x = \"&amp;\"/></MPD>";
        let seal = Seal::new(None).unwrap();
        let rewriter = Rewriter {
            seal: &seal,
            channel: "one",
            folder: None,
            last: Cell::default(),
        };
        let from = Url::parse("https://o.example/tv/index.mpd").unwrap();
        for (at, _) in text.char_indices() {
            for odd in ["", "\"", "'", "<", ">", "=", ",", "é", "\u{feff}", "\0"] {
                let (head, tail) = text.split_at(at);
                rewritten(&[head, odd].concat(), &from, &rewriter);
                rewritten(&[head, odd, tail].concat(), &from, &rewriter);
            }
        }
    }
}
