//! Manifests that servers need not send again (RFC 9110, 13.1).

use std::collections::HashMap;
use std::sync::Mutex;

use reqwest::header::{
    ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use url::Url;

use super::Text;

/// Manifests of one channel that are remembered: as many as it can have streams, on two servers.
const KNOWN_MAX: usize = 128;
/// Longer ones are not remembered, so that a channel's do not take more than 16 MiB.
const TEXT_BYTES_MAX: usize = 128 * 1024;

/// What a server said of its manifest's state.
pub(super) struct Marks {
    etag: Option<HeaderValue>,
    modified: Option<HeaderValue>,
}

/// The manifests that servers have marked.
#[derive(Default)]
pub(super) struct Known(Mutex<HashMap<Url, (Marks, Text)>>);

pub(super) fn marks(headers: &HeaderMap) -> Marks {
    Marks {
        etag: headers.get(ETAG).cloned(),
        modified: headers.get(LAST_MODIFIED).cloned(),
    }
}

impl Known {
    /// Headers that ask for a manifest only if it is another one by now. A date alone is too coarse for live manifests,
    /// which may change twice a second, so without an ETag there are none.
    pub(super) fn conditions(&self, url: &Url) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let Ok(known) = self.0.lock() else {
            return headers;
        };
        if let Some((marks, _)) = known.get(url) {
            headers.extend(marks.etag.clone().map(|etag| (IF_NONE_MATCH, etag)));
            headers.extend(marks.modified.clone().map(|it| (IF_MODIFIED_SINCE, it)));
        }
        headers
    }

    pub(super) fn text(&self, url: &Url) -> Option<Text> {
        let known = self.0.lock().ok()?;
        known.get(url).map(|(_, text)| text.clone())
    }

    pub(super) fn remember(&self, url: &Url, marks: Marks, text: &Text) {
        let Ok(mut known) = self.0.lock() else {
            return;
        };
        if marks.etag.is_none() || text.bytes.len() > TEXT_BYTES_MAX {
            known.remove(url);
            return;
        }
        if known.len() >= KNOWN_MAX && !known.contains_key(url) {
            known.clear();
        }
        known.insert(url.clone(), (marks, text.clone()));
    }
}
