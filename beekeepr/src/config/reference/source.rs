//! The configuration's keys with their descriptions, from the doc comments of the types that read it.

use std::fs;
use std::path::{Path, PathBuf};

use syn::{
    Attribute, Expr, Fields, GenericArgument, Item, ItemStruct, Lit, Meta, PathArguments, Type,
};

use crate::documents;

/// Folders with types of the configuration.
const CRATES: [&str; 6] = [
    "service",
    "tracker",
    "stun-server",
    "seeder",
    "control",
    "beekeepr",
];

/// What marks a type that reads a section: nothing but its fields is a key.
const MARK: &str = "deny_unknown_fields";

/// A section with its keys.
#[derive(Debug)]
pub(super) struct Section {
    /// `tracker.limits`
    pub(super) name: String,
    pub(super) doc: String,
    /// May be there several times: `[[seeder.channels]]`.
    pub(super) is_list: bool,
    /// Means something else when it is absent: `[seeder.disk]`, and everything below such a section.
    pub(super) is_optional: bool,
    pub(super) keys: Vec<Key>,
}

/// A key that is no section.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) doc: String,
    /// The section cannot be without it.
    pub(super) is_required: bool,
}

/// All sections, in the order of the types.
pub(super) fn sections() -> Vec<Section> {
    let sources = Sources::read();
    let root = sources.find(Path::new("beekeepr/src/config.rs"), "Config");
    let mut found = Vec::new();
    for field in fields(root) {
        let (outer, path) = unwrap(&field.ty);
        let (file, item) = sources
            .resolve(Path::new("beekeepr/src/config.rs"), &path)
            .unwrap();
        let name = field.ident.as_ref().unwrap().to_string();
        let place = Place {
            name,
            doc: doc(&field.attrs),
            outer,
            is_below_optional: false,
        };
        sources.collect(file, item, place, &mut found);
    }
    found
}

struct Sources(Vec<(PathBuf, ItemStruct)>);

impl Sources {
    fn read() -> Self {
        let mut files = Vec::new();
        for name in CRATES {
            rust_files(&documents::root().join(name).join("src"), &mut files);
        }
        files.sort();
        let structs = files.into_iter().flat_map(|file| {
            let text = fs::read_to_string(&file).unwrap();
            let items = if text.contains(MARK) {
                syn::parse_file(&text).unwrap().items
            } else {
                Vec::new()
            };
            let file = file.strip_prefix(documents::root()).unwrap().to_owned();
            items.into_iter().filter_map(move |item| match item {
                Item::Struct(item) if has_serde(&item.attrs, MARK) => Some((file.clone(), item)),
                _ => None,
            })
        });
        Self(structs.collect())
    }

    fn find(&self, file: &Path, name: &str) -> &ItemStruct {
        let mut all = self.0.iter();
        &all.find(|(path, item)| path == file && item.ident == name)
            .unwrap()
            .1
    }

    /// The section type that a path in `file` means; nothing for other types. A module's name is a file's name here, and a
    /// type without one is in the same file or elsewhere in the same crate.
    fn resolve(&self, file: &Path, path: &[String]) -> Option<(&Path, &ItemStruct)> {
        let (name, module) = match path {
            [.., module, name] => (name, Some(module.as_str())),
            [name] => (name, None),
            [] => return None,
        };
        let folder = file.iter().next();
        let fits = |path: &Path| match module.map(|it| (it, it.strip_prefix("beekeepr_"))) {
            Some((_, Some(own))) => {
                path.starts_with(own.replace('_', "-")) && path.ends_with("config.rs")
            }
            Some((module, None)) => is_module(path, module),
            None => path == file,
        };
        let named: Vec<_> = self
            .0
            .iter()
            .filter(|(_, item)| item.ident == name)
            .collect();
        let near = || named.iter().find(|(path, _)| path.iter().next() == folder);
        // `LogConfig` comes with a `use` from the crate that all share.
        let shared = || named.iter().find(|(path, _)| path.starts_with("service"));
        let exact = named.iter().find(|(path, _)| fits(path));
        let found = if module.is_some() {
            exact
        } else {
            exact.or_else(near).or_else(shared)
        };
        found.map(|(path, item)| (path.as_path(), item))
    }

    fn collect(&self, file: &Path, item: &ItemStruct, place: Place, found: &mut Vec<Section>) {
        let Place {
            name,
            doc: of_place,
            outer,
            is_below_optional,
        } = place;
        let is_optional = is_below_optional || outer != Outer::None;
        let has_default = has_serde(&item.attrs, "default");
        let mut keys = Vec::new();
        let mut inner = Vec::new();
        for field in fields(item) {
            let key = field.ident.as_ref().unwrap().to_string();
            let (outer, path) = unwrap(&field.ty);
            match self.resolve(file, &path) {
                Some((file, item)) => {
                    let name = format!("{name}.{key}");
                    let place = Place {
                        name,
                        doc: doc(&field.attrs),
                        outer,
                        is_below_optional: is_optional,
                    };
                    inner.push((file, item, place));
                }
                None => keys.push(Key {
                    name: key,
                    doc: doc(&field.attrs),
                    is_required: !has_default
                        && !has_serde(&field.attrs, "default")
                        && outer != Outer::Option,
                }),
            }
        }
        let doc = format!("{of_place} {}", after_title(&doc(&item.attrs)))
            .trim()
            .to_owned();
        found.push(Section {
            name,
            doc,
            is_list: outer == Outer::List,
            is_optional,
            keys,
        });
        for (file, item, place) in inner {
            self.collect(file, item, place, found);
        }
    }
}

/// `beacons` is beacons.rs or beacons/mod.rs.
fn is_module(path: &Path, module: &str) -> bool {
    let name = if path.ends_with("mod.rs") {
        path.parent()
    } else {
        Some(path)
    };
    name.and_then(Path::file_stem)
        .is_some_and(|it| it == module)
}

/// Where a section's type stands.
struct Place {
    name: String,
    /// What the field says that has the type.
    doc: String,
    outer: Outer,
    is_below_optional: bool,
}

/// What is around a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outer {
    None,
    Option,
    List,
}

/// `Option<tls::Config>` is an option of `["tls", "Config"]`.
fn unwrap(ty: &Type) -> (Outer, Vec<String>) {
    let Type::Path(path) = ty else {
        return (Outer::None, Vec::new());
    };
    let last = path.path.segments.last().unwrap();
    let outer = match last.ident.to_string().as_str() {
        "Option" => Outer::Option,
        "Vec" => Outer::List,
        _ => Outer::None,
    };
    match &last.arguments {
        PathArguments::AngleBracketed(inner) if outer != Outer::None => {
            let inner = inner.args.iter().find_map(|it| match it {
                GenericArgument::Type(ty) => Some(unwrap(ty).1),
                _ => None,
            });
            (outer, inner.unwrap_or_default())
        }
        _ => (
            outer,
            path.path
                .segments
                .iter()
                .map(|it| it.ident.to_string())
                .collect(),
        ),
    }
}

/// Those that are keys.
fn fields(item: &ItemStruct) -> impl Iterator<Item = &syn::Field> {
    let Fields::Named(fields) = &item.fields else {
        unreachable!("{} has no named fields", item.ident)
    };
    fields
        .named
        .iter()
        .filter(|field| !has_serde(&field.attrs, "skip"))
}

/// Whether `#[serde(..., word, ...)]` is there, with a value or without.
fn has_serde(attributes: &[Attribute], word: &str) -> bool {
    let of_serde = attributes.iter().filter_map(|it| match &it.meta {
        Meta::List(list) if list.path.is_ident("serde") => Some(list.tokens.to_string()),
        _ => None,
    });
    let mut words =
        of_serde.flat_map(|it| it.split(',').map(ToOwned::to_owned).collect::<Vec<_>>());
    words.any(|it| it.split('=').next().is_some_and(|it| it.trim() == word))
}

/// The doc comment as one paragraph.
fn doc(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|it| match &it.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value().trim().to_owned()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join(" ")
}

/// What a type's description says after its first sentence, which is its title.
fn after_title(doc: &str) -> &str {
    doc.split_once(". ").map_or("", |(_, rest)| rest)
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    // A crate that is not there has no keys.
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|it| it == "rs") && !path.ends_with("tests.rs") {
            files.push(path);
        }
    }
}
