//! Which channels there are to be had.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use url::Url;

use crate::cache::Account;
use crate::metrics::ChannelMetrics;
use crate::origin::Origin;

/// A channel, as far as the shield needs it.
pub(crate) struct Served {
    /// Its name as part of a path.
    path: String,
    pub(super) manifest: Url,
    pub(super) origin: Origin,
    pub(super) account: Arc<Account>,
    pub(super) metrics: ChannelMetrics,
}

/// The channels that run at present. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Directory(Arc<RwLock<HashMap<String, Arc<Served>>>>);

/// A channel's entry; it ends with it.
#[must_use = "the channel is not served any more when this is dropped"]
pub(crate) struct Entry {
    directory: Directory,
    served: Arc<Served>,
}

impl Served {
    pub(crate) fn new(
        name: &str,
        manifest: Url,
        origin: Origin,
        account: Arc<Account>,
        metrics: ChannelMetrics,
    ) -> Self {
        Self {
            path: encoded(name),
            manifest,
            origin,
            account,
            metrics,
        }
    }

    /// Its name as part of a path.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The last part of its manifest's address.
    pub(super) fn file(&self) -> &str {
        let file = self.manifest.path().rsplit('/').next();
        file.filter(|it| !it.is_empty()).unwrap_or("manifest")
    }
}

impl Directory {
    pub(crate) fn enter(&self, served: Served) -> Entry {
        let served = Arc::new(served);
        let mut channels = self.0.write().unwrap_or_else(PoisonError::into_inner);
        channels.insert(served.path.clone(), Arc::clone(&served));
        let directory = self.clone();
        Entry { directory, served }
    }

    /// A channel by its name as part of a path.
    pub(super) fn find(&self, path: &str) -> Option<Arc<Served>> {
        let channels = self.0.read().unwrap_or_else(PoisonError::into_inner);
        channels.get(path).cloned()
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let channels = &self.directory.0;
        let mut channels = channels.write().unwrap_or_else(PoisonError::into_inner);
        // Another channel may have the name by now.
        let known = channels.get(&self.served.path);
        if known.is_some_and(|known| Arc::ptr_eq(known, &self.served)) {
            channels.remove(&self.served.path);
        }
    }
}

/// A name as browsers write it into a path.
fn encoded(name: &str) -> String {
    let mut url = Url::parse("http://shield.example/");
    if let Ok(url) = &mut url
        && let Ok(mut path) = url.path_segments_mut()
    {
        path.push(name);
    }
    let path = url.map_or_else(|_| String::new(), |url| url.path().to_owned());
    path.trim_start_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_browsers_do() {
        assert_eq!(encoded("tv"), "tv");
        assert_eq!(encoded("Das Erste/HD"), "Das%20Erste%2FHD");
    }
}
