//! What other parts of the same process have to tell.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::beacons::Known;
use crate::documents::Channel;

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

/// What was found of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CheckReport {
    /// Whether it can be seeded at all.
    pub is_readable: bool,
    /// What there is, in one line; the reason if it cannot be read.
    pub summary: String,
    /// What is unsuitable: what was seen, what was expected, what to try.
    pub problems: Vec<String>,
    /// What is good to know and no fault.
    pub notes: Vec<String>,
}

/// What comes of looking at a channel; the text says what in its settings cannot be.
pub type Checked = Result<CheckReport, String>;

/// Somebody who can look at a channel as its seeder would.
pub trait Check: Send + Sync {
    /// Looks at a channel of this name, which need not be seeded.
    fn check(
        &self,
        name: String,
        channel: Channel,
    ) -> Pin<Box<dyn Future<Output = Checked> + Send + '_>>;
}

/// A function that gives what plays a channel.
type Embed = dyn Fn(&str) -> Option<String> + Send + Sync;

/// What plays a channel on other pages.
#[derive(Clone)]
pub struct EmbedSource(Arc<Embed>);

impl EmbedSource {
    /// What a function gives for a channel's name.
    pub fn new(get: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(get))
    }

    pub(crate) fn of(&self, channel: &str) -> Option<String> {
        (self.0)(channel)
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
    /// Who looks at channels.
    pub checker: Option<Arc<dyn Check>>,
    /// What plays them on other pages.
    pub embed: Option<EmbedSource>,
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
