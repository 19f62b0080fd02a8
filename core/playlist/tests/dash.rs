//! MPDs of the kinds that packagers write, and what they mean. The files in manifests/dash are of our own writing;
//! beside each stands what is expected of it, the identities and addresses of which came out of foreign parsers:
//! mpd-parser 1.4.0, which p2p-media-loader 5.x reads MPDs with, and Shaka Player 4.16.50.

#![expect(clippy::panic, reason = "a test that got something else has failed")]

#[path = "dash/adversity.rs"]
mod adversity;
#[path = "dash/index.rs"]
mod index;
#[path = "dash/oracle.rs"]
mod oracle;
#[path = "dash/snapshot.rs"]
mod snapshot;
#[path = "dash/time.rs"]
mod time;

use std::sync::LazyLock;

use beekeepr_playlist::dash::Presentation;
use beekeepr_playlist::{Manifest, read};

const BASE: &str = "https://cdn.example/tv/manifest.mpd?token=secret";

/// A manifest and what is expected of it.
struct Known {
    name: String,
    text: String,
    expected: String,
}

static MANIFESTS: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/manifests/dash");
    let mut all: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("its entries can be read").path())
        .filter(|path| path.extension().is_some_and(|it| it == "mpd"))
        .map(|path| Known {
            name: path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            text: std::fs::read_to_string(&path).expect("it can be read"),
            expected: std::fs::read_to_string(path.with_extension("expected")).unwrap_or_default(),
        })
        .collect();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
});

#[track_caller]
fn presentation(text: &str) -> Presentation {
    match read(text.as_bytes(), BASE) {
        Ok(Manifest::Dash(presentation)) => presentation,
        other => panic!("an MPD expected, got {other:?}"),
    }
}

#[track_caller]
fn error(text: &str) -> String {
    read(text.as_bytes(), BASE)
        .expect_err("an error is expected")
        .to_string()
}

/// An MPD with one video stream. `segments` says where its segments are.
fn mpd(attributes: &str, period: &str, segments: &str) -> String {
    format!(
        "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" {attributes}>\n<Period {period}>\n\
         <AdaptationSet mimeType=\"video/mp4\">\n<Representation id=\"v\" bandwidth=\"1000\">\n{segments}\n\
         </Representation>\n</AdaptationSet>\n</Period>\n</MPD>"
    )
}
