//! What players get, for the tests: manifests with our addresses opened again.

use std::cell::Cell;

use url::Url;

use super::address::Rewriter;
use super::seal::{Folder, Seal};

/// What `rewrite` makes of a manifest that was asked for below `folder`. Each address of ours, which ends where one of
/// `ends` stands, is replaced by what `show` says of it.
pub(super) fn seen(
    folder: Option<&str>,
    rewrite: impl FnOnce(&Rewriter<'_>) -> String,
    ends: &[char],
    show: impl Fn(&Folder, Url) -> String,
) -> String {
    let seal = Seal::new(None).unwrap();
    let rewriter = Rewriter {
        seal: &seal,
        channel: "one",
        folder,
        last: Cell::default(),
    };
    let mut seen = String::new();
    for part in rewrite(&rewriter).split_inclusive(ends) {
        let opened = part.strip_prefix("/one/").and_then(|path| {
            let (sealed, file) = path.split_once('/')?;
            let (file, end) = file.split_at(file.len() - 1);
            let folder = seal.open("one", sealed)?;
            Some(show(&folder, folder.file(file)?) + end)
        });
        seen.push_str(opened.as_deref().unwrap_or(part));
    }
    seen
}
