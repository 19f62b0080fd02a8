//! The golden files.

use std::fs;
use std::path::{Path, PathBuf};

use beekeepr_model::Generation;
use serde_json::Value;
use url::Url;

/// What the generations are called in the files.
const GENERATIONS: [(&str, Generation); 3] = [
    ("v2_index", Generation::V2Index),
    ("v2", Generation::V2),
    ("v3", Generation::V3),
];

/// A manifest and what each generation of clients sees in it.
pub(crate) struct Case {
    pub(crate) name: String,
    /// The address that a viewer asks for.
    pub(crate) requested: String,
    /// The address it comes from.
    pub(crate) answered: String,
    /// The time, for live DASH.
    pub(crate) clock: Option<String>,
    pub(crate) views: Vec<(Generation, View)>,
    file: String,
    /// Of each playlist of an HLS manifest the address it comes from and its file.
    playlists: Vec<(String, String, String)>,
}

/// What one generation of clients sees.
pub(crate) struct View {
    pub(crate) swarm_id: String,
    pub(crate) streams: Vec<Golden>,
}

/// A stream as they see it.
pub(crate) struct Golden {
    pub(crate) key: String,
    pub(crate) swarm: String,
    pub(crate) info_hash: String,
    pub(crate) segments: Vec<(i64, String)>,
}

pub(crate) fn cases() -> Vec<Case> {
    let entries = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.extension().is_some_and(|it| it == "json"));
    let cases: Vec<_> = files.map(|path| case(&path)).collect();
    assert!(cases.len() >= 25, "{} golden files are there", cases.len());
    cases
}

impl Case {
    pub(crate) fn is_dash(&self) -> bool {
        self.name.starts_with("dash-")
    }

    pub(crate) fn manifest(&self) -> Vec<u8> {
        fs::read(folder().join(&self.file)).unwrap()
    }

    /// Where a playlist comes from, and its text.
    pub(crate) fn playlist(&self, address: &str) -> Option<(&str, Vec<u8>)> {
        let (_, answered, file) = self.playlists.iter().find(|(it, ..)| it == address)?;
        Some((answered, fs::read(folder().join(file)).unwrap()))
    }

    /// The bytes of a media file beside the manifest.
    pub(crate) fn bytes_at(&self, address: &str) -> Vec<u8> {
        let name = address.rsplit('/').next().unwrap();
        fs::read(folder().join(&self.name).join(name)).unwrap()
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/golden")
}

fn case(path: &Path) -> Case {
    let file: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let playlists = file["playlists"].as_object().into_iter().flatten();
    let of_playlist =
        |(url, at): (&String, &Value)| (spell(url), text(&at["answered"]), text(&at["file"]));
    Case {
        name: path.file_stem().unwrap().to_string_lossy().into_owned(),
        requested: text(&file["requested"]),
        answered: text(&file["answered"]),
        clock: file["clock"].as_str().map(ToOwned::to_owned),
        views: GENERATIONS
            .map(|(name, generation)| (generation, view(&file[name])))
            .into(),
        file: text(&file["file"]),
        playlists: playlists.map(of_playlist).collect(),
    }
}

fn view(view: &Value) -> View {
    View {
        swarm_id: text(&view["swarm_id"]),
        streams: view["streams"]
            .as_array()
            .unwrap()
            .iter()
            .map(golden)
            .collect(),
    }
}

fn golden(stream: &Value) -> Golden {
    let segment = |it: &Value| (it[0].as_i64().unwrap(), spell(&text(&it[1])));
    Golden {
        key: stream["url"]
            .as_str()
            .map_or_else(|| text(&stream["representation"]), spell),
        swarm: text(&stream["swarm"]),
        info_hash: text(&stream["info_hash"]),
        segments: stream["segments"]
            .as_array()
            .unwrap()
            .iter()
            .map(segment)
            .collect(),
    }
}

/// An address as browsers send it, while clients keep what hls.js and Shaka made of it: nobody but the client itself
/// sees the difference. Behind the last `|` are bytes.
fn spell(address: &str) -> String {
    let is_range = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-')
    };
    let (address, range) = match address.rsplit_once('|') {
        Some((before, range)) if is_range(range) => (before, Some(range)),
        _ => (address, None),
    };
    let mut url = Url::parse(address).unwrap();
    url.set_fragment(None);
    match range {
        Some(range) => format!("{url}|{range}"),
        None => url.into(),
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("a text expected, got {value}"))
        .to_owned()
}
