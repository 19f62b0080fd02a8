//! Tokens that come from no file.

use std::fmt;
use std::sync::Arc;

/// Makes a token for the trackers whenever one is needed. Clones are the same one.
#[derive(Clone)]
pub struct TokenSource(Arc<dyn Fn() -> String + Send + Sync>);

impl TokenSource {
    /// `make` is called for each connection to a tracker, and before a token runs out.
    pub fn new(make: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(make))
    }

    pub(crate) fn token(&self) -> String {
        (self.0)()
    }
}

impl PartialEq for TokenSource {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for TokenSource {}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSource").finish_non_exhaustive()
    }
}
