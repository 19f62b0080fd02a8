//! Files that the build script put into the binary.

/// Paths without leading slash, sorted, and contents.
static ASSETS: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The content of a file.
pub(crate) fn find(path: &str) -> Option<&'static [u8]> {
    let index = ASSETS.binary_search_by_key(&path, |(path, _)| path).ok()?;
    ASSETS.get(index).map(|(_, bytes)| *bytes)
}

/// Whether the browser client was there when this binary was built.
pub(crate) fn has_client() -> bool {
    ASSETS
        .iter()
        .any(|(path, _)| path.starts_with("client/") && path.ends_with(".wasm"))
}

/// Whether hls.js was there when this binary was built.
pub(crate) fn has_hls_js() -> bool {
    find("vendor/hls.min.js").is_some()
}
