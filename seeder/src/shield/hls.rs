//! HLS playlists for players of the shield.

use url::Url;

use super::address::Rewriter;
use super::seal::Kind;

/// What is behind the address in a tag.
enum Behind {
    A(Kind),
    /// Keys, and what decides who may watch: players have credentials for it, or shall have none. Not ours to hand out.
    NotOurs,
}

/// Tags with addresses, and the attribute that has it (RFC 8216bis, 4.4).
const TAGS: [(&str, &str, Behind); 11] = [
    ("#EXT-X-MEDIA:", "URI", Behind::A(Kind::Manifests)),
    (
        "#EXT-X-I-FRAME-STREAM-INF:",
        "URI",
        Behind::A(Kind::Manifests),
    ),
    (
        "#EXT-X-RENDITION-REPORT:",
        "URI",
        Behind::A(Kind::Manifests),
    ),
    ("#EXT-X-MAP:", "URI", Behind::A(Kind::Files)),
    ("#EXT-X-PART:", "URI", Behind::A(Kind::Files)),
    ("#EXT-X-PRELOAD-HINT:", "URI", Behind::A(Kind::Files)),
    ("#EXT-X-SESSION-DATA:", "URI", Behind::A(Kind::Files)),
    ("#EXT-X-KEY:", "URI", Behind::NotOurs),
    ("#EXT-X-SESSION-KEY:", "URI", Behind::NotOurs),
    ("#EXT-X-CONTENT-STEERING:", "SERVER-URI", Behind::NotOurs),
    ("#EXT-X-DATERANGE:", "X-ASSET-URI", Behind::NotOurs),
];

/// The playlist with our addresses. `from` is where it came from.
pub(super) fn rewritten(text: &str, from: &Url, rewriter: &Rewriter<'_>) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 2);
    let mut is_variant = false;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        if trimmed.starts_with('#') {
            is_variant = trimmed.starts_with("#EXT-X-STREAM-INF:");
            push_tag(&mut out, line, from, rewriter);
        } else if trimmed.is_empty() {
            out.push_str(line);
        } else {
            let kind = if is_variant {
                Kind::Manifests
            } else {
                Kind::Files
            };
            match rewriter.address(trimmed, from, kind) {
                Some(address) => {
                    out.push_str(&address);
                    out.push('\n');
                }
                None => out.push_str(line),
            }
            is_variant = false;
        }
    }
    out
}

fn push_tag(out: &mut String, line: &str, from: &Url, rewriter: &Rewriter<'_>) {
    let start = line.len() - line.trim_start().len();
    let found = TAGS.iter().find_map(|(tag, attribute, behind)| {
        let attributes = line.get(start..)?.strip_prefix(tag)?;
        let at = start + tag.len();
        let (from, to) = quoted(attributes, attribute)?;
        Some((at + from, at + to, behind))
    });
    let Some((begin, end, behind)) = found else {
        return out.push_str(line);
    };
    let (head, address, tail) = (&line[..begin], &line[begin..end], &line[end..]);
    let address = match behind {
        Behind::A(kind) => rewriter.address(address, from, *kind),
        Behind::NotOurs => Rewriter::direct(address, from),
    }
    .unwrap_or_else(|| address.to_owned());
    for part in [head, &address, tail] {
        out.push_str(part);
    }
}

/// Where the value of a quoted attribute is (RFC 8216bis, 4.2).
fn quoted(attributes: &str, wanted: &str) -> Option<(usize, usize)> {
    let mut at = 0;
    loop {
        let rest = attributes.get(at..)?;
        let equals = rest.find('=')?;
        let name = rest.get(..equals)?.trim();
        let value = at + equals + 1;
        let rest = attributes.get(value..)?;
        let end = match rest.strip_prefix('"') {
            Some(inner) => {
                let end = value + 1 + inner.find('"')?;
                if name == wanted {
                    return Some((value + 1, end));
                }
                end
            }
            None => value,
        };
        at = end + attributes.get(end..)?.find(',')? + 1;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::super::players;
    use super::super::seal::Seal;
    use super::*;

    /// A playlist as players get it, with our addresses opened again.
    fn seen(text: &str, folder: Option<&str>) -> String {
        let from = Url::parse("https://o.example/tv/index.m3u8").unwrap();
        let rewrite = |rewriter: &Rewriter<'_>| rewritten(text, &from, rewriter);
        players::seen(folder, rewrite, &['"', '\n'], |folder, url| {
            let kind = match folder.kind {
                Kind::Files => "",
                Kind::Manifests => "manifest ",
            };
            format!("<{kind}{url}>")
        })
    }

    #[test]
    fn a_multivariant_playlist_leads_to_us() {
        let text = "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"a=b,URI\",URI=\"en\",LANGUAGE=\"en\"\n\
            #EXT-X-SESSION-KEY:METHOD=AES-128,URI=\"/key\"\n\
            #EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2\nhttps://c.example/h?t=1\n";
        assert_eq!(
            seen(text, None),
            "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"a=b,URI\",URI=\"<manifest https://o.example/tv/en>\",LANGUAGE=\"en\"\n\
             #EXT-X-SESSION-KEY:METHOD=AES-128,URI=\"https://o.example/key\"\n\
             #EXT-X-STREAM-INF:BANDWIDTH=1\n<https://o.example/tv/low.m3u8>\n\
             #EXT-X-STREAM-INF:BANDWIDTH=2\n<manifest https://c.example/h?t=1>\n"
        );
    }

    #[test]
    fn a_media_playlist_keeps_what_is_below_it() {
        let text = "#EXTM3U\r\n#EXT-X-MAP:URI=\"init.mp4\"\r\n#EXTINF:2,\r\n1.m4s\r\n\
            #EXT-X-PART:DURATION=1,URI=\"/p/2.1.m4s\"\n#EXTINF:2,\n../2.m4s\n";
        assert_eq!(
            seen(text, Some("https://o.example/tv/")),
            "#EXTM3U\r\n#EXT-X-MAP:URI=\"init.mp4\"\r\n#EXTINF:2,\r\n1.m4s\r\n\
             #EXT-X-PART:DURATION=1,URI=\"<https://o.example/p/2.1.m4s>\"\n#EXTINF:2,\n<https://o.example/2.m4s>\n"
        );
    }

    #[test]
    fn nonsense_passes() {
        for text in [
            "#EXT-X-MAP:URI=\"",
            "#EXT-X-MAP:",
            "#EXT-X-MAP:URI=x,URI=",
            "#EXT-X-KEY:=,=\"\"",
            "\n\n",
            "",
        ] {
            assert_eq!(seen(text, None), text);
        }
    }

    #[test]
    fn no_cut_and_no_character_does_harm() {
        let text = "#EXTM3U\n#EXT-X-MAP:URI=\"é.mp4\",BYTERANGE=\"1@0\"\n#EXT-X-KEY:METHOD=AES-128,URI=\"/k\"\n\
            #EXTINF:2,é\n../é.ts?t=1\n";
        let seal = Seal::new(None).unwrap();
        let rewriter = Rewriter {
            seal: &seal,
            channel: "one",
            folder: None,
            last: Cell::default(),
        };
        let from = Url::parse("https://o.example/tv/index.m3u8").unwrap();
        for (at, _) in text.char_indices() {
            for odd in ["", "\"", "'", "<", ">", "=", ",", "é", "\u{feff}", "\0"] {
                let (head, tail) = text.split_at(at);
                rewritten(&[head, odd].concat(), &from, &rewriter);
                rewritten(&[head, odd, tail].concat(), &from, &rewriter);
            }
        }
    }
}
