//! What a player is told instead of an address in a manifest.

use std::cell::Cell;

use url::Url;

use super::seal::{Folder, Kind, Seal};

/// Where addresses are rewritten for.
pub(super) struct Rewriter<'a> {
    pub(super) seal: &'a Seal,
    /// The channel's name as part of a path.
    pub(super) channel: &'a str,
    /// The folder below which the player asked for the manifest; none when it asked by the channel's name.
    pub(super) folder: Option<&'a str>,
    /// The folder that was sealed last.
    pub(super) last: Cell<Option<(Folder, String)>>,
}

impl Rewriter<'_> {
    /// None if the address serves as it is, or leads nowhere that we fetch from.
    pub(super) fn address(&self, text: &str, base: &Url, kind: Kind) -> Option<String> {
        let url = base.join(text).ok().filter(is_web)?;
        let is_below_us = self.folder == Some(folder_of(base).0);
        if is_below_us && is_plain(text) && (kind == Kind::Files || is_manifest(url.path())) {
            return None;
        }
        self.sealed(&url, kind)
    }

    /// The address at the origin, for what players have to ask the origin for themselves.
    pub(super) fn direct(text: &str, base: &Url) -> Option<String> {
        let url = base.join(text).ok().filter(is_web)?;
        Some(url.into())
    }

    /// An absolute path of ours.
    pub(super) fn sealed(&self, url: &Url, kind: Kind) -> Option<String> {
        let (folder, file) = folder_of(url);
        let named = is_manifest(url.path());
        let folder = Folder {
            url: folder.to_owned(),
            query: url.query().map(ToOwned::to_owned),
            kind: if named { Kind::Files } else { kind },
        };
        let sealed = self.named(folder)?;
        Some(format!("/{}/{sealed}/{file}", self.channel))
    }

    /// Most addresses of a manifest are in the folder of the one before.
    fn named(&self, folder: Folder) -> Option<String> {
        let last = self.last.take().filter(|(known, _)| *known == folder);
        let last = match last {
            Some(last) => last,
            None => {
                let sealed = self.seal.close(self.channel, &folder)?;
                (folder, sealed)
            }
        };
        let sealed = last.1.clone();
        self.last.set(Some(last));
        Some(sealed)
    }
}

/// An address as folder and file, without query. The folder ends before the first variable of a DASH template.
fn folder_of(url: &Url) -> (&str, &str) {
    let text = url.as_str();
    let text = text
        .get(..text.find(['?', '#']).unwrap_or(text.len()))
        .unwrap_or(text);
    let fixed = text
        .get(..text.find('$').unwrap_or(text.len()))
        .unwrap_or(text);
    let end = fixed.rfind('/').map_or(0, |at| at + 1);
    text.split_at(end)
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.has_host()
}

/// Whether an address is relative and leads below where it stands.
pub(super) fn is_plain(text: &str) -> bool {
    let path = text.split('/').next().unwrap_or(text);
    !text.is_empty()
        && !text.starts_with('/')
        && !path.contains(':')
        && !text.contains(['?', '#', '\\', '{'])
        && !text
            .split('/')
            .any(|part| part.starts_with('.') || part.starts_with("%2"))
}

/// Whether a file is a manifest by its name.
pub(super) fn is_manifest(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    [".m3u8", ".m3u", ".mpd"]
        .iter()
        .any(|end| lower.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOLDER: &str = "https://o.example/tv/";

    fn rewritten(text: &str, folder: Option<&str>) -> Option<String> {
        let seal = Seal::new(None).unwrap();
        let rewriter = Rewriter {
            seal: &seal,
            channel: "one",
            folder,
            last: Cell::default(),
        };
        let base = Url::parse("https://o.example/tv/index.m3u8?token=1").unwrap();
        let path = rewriter.address(text, &base, Kind::Files)?;
        let (sealed, file) = path.strip_prefix("/one/").unwrap().split_once('/').unwrap();
        let folder = seal.open("one", sealed).unwrap();
        Some(folder.file(file).unwrap().into())
    }

    #[test]
    fn what_is_below_the_manifest_stays_as_it_is() {
        for text in ["1.ts", "a/1.ts", "seg-$Number%05d$.m4s"] {
            assert_eq!(rewritten(text, Some(FOLDER)), None, "{text}");
        }
    }

    #[test]
    fn all_else_is_sealed() {
        for (text, whole) in [
            ("../1.ts", "https://o.example/1.ts"),
            ("/1.ts", "https://o.example/1.ts"),
            ("a/../../1.ts", "https://o.example/1.ts"),
            ("1.ts?token=2", "https://o.example/tv/1.ts?token=2"),
            ("//cdn.example/1.ts", "https://cdn.example/1.ts"),
            (
                "http://cdn.example:81/a/1.ts",
                "http://cdn.example:81/a/1.ts",
            ),
        ] {
            assert_eq!(
                rewritten(text, Some(FOLDER)).as_deref(),
                Some(whole),
                "{text}"
            );
            assert_eq!(rewritten(text, None).as_deref(), Some(whole), "{text}");
        }
        let plain = rewritten("1.ts", None);
        assert_eq!(plain.as_deref(), Some("https://o.example/tv/1.ts"));
    }

    #[test]
    fn templates_keep_their_variables() {
        let text = "https://c.example/v/$RepresentationID$/$Number%05d$.m4s?t=1";
        assert_eq!(rewritten(text, None).as_deref(), Some(text));
    }

    #[test]
    fn what_is_no_web_address_is_left_alone() {
        for text in ["data:text/plain,x", "skd://key", "urn:x:y", "javascript:x"] {
            assert_eq!(rewritten(text, None), None, "{text}");
        }
    }
}
