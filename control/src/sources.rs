//! What other parts of the same process have to tell.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use crate::beacons::Known;

/// JSON, made anew for each who asks.
#[derive(Clone)]
pub struct Source(Arc<dyn Fn() -> Pin<Box<dyn Future<Output = String> + Send>> + Send + Sync>);

impl Source {
    /// What a function gives.
    pub fn new<F>(get: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = String> + Send + 'static,
    {
        Self(Arc::new(move || Box::pin(get())))
    }

    /// The JSON.
    pub(crate) async fn get(&self) -> String {
        (self.0)().await
    }
}

/// Channels that are not in the store, those of the configuration file for example.
#[derive(Clone)]
pub struct ChannelSource(Arc<dyn Fn() -> Vec<Known> + Send + Sync>);

impl ChannelSource {
    /// What a function gives.
    pub fn new(get: impl Fn() -> Vec<Known> + Send + Sync + 'static) -> Self {
        Self(Arc::new(get))
    }

    pub(crate) fn get(&self) -> Vec<Known> {
        (self.0)()
    }
}

/// What there is in this process.
#[derive(Clone, Default)]
pub struct Sources {
    /// The tracker's largest swarms.
    pub swarms: Option<Source>,
    /// The seeder's channels.
    pub super_peers: Option<Source>,
    /// Channels that the store does not have.
    pub channels: Option<ChannelSource>,
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sources(..)")
    }
}

impl PartialEq for Sources {
    /// They are no settings.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
