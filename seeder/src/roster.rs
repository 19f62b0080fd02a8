//! The channels that run. They come from three sources and change while the others go on.
//!
//! ```text
//! configuration file  \
//! control              >  sets: one list  ->  apply: who is new, gone or changed  ->  a task for each channel
//! admin API           /
//! ```

mod admin;
mod control;
mod document;
mod kept;
mod sets;
mod store;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use beekeepr_service::{Shutdown, Trigger};
use serde_json::{Value, json};

use self::sets::Sets;
use crate::channel::{self, Common, Status};
use crate::config::{Channel, ConfigError};
use crate::metrics::Metrics;
use crate::rtc::Hub;

pub(crate) use control::follow;
pub use sets::Source;

/// Most channels of one seeder: with 3 logical peers and one tracker each holds 3 sockets, and 2 playlists are some 1.5 MB
/// besides the segments (docs/decisions/origin.md).
pub const CHANNELS_MAX: usize = 512;

/// The running channels. Clones are the same ones.
#[derive(Clone)]
pub struct Roster(Arc<Inner>);

struct Inner {
    common: Common,
    metrics: Metrics,
    hub: Hub,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    sets: Sets,
    /// In the order in which their sources list them.
    running: Vec<Running>,
    /// Channels that are leaving their swarms.
    leaving: Vec<(String, Shutdown)>,
    control: Option<control::State>,
}

/// One channel at work.
struct Running {
    source: Source,
    settings: Channel,
    status: Arc<Status>,
    /// Dropped, the channel is removed.
    _end: Trigger,
    ended: Shutdown,
}

/// What has changed, by names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Those that were not there.
    pub added: Vec<String>,
    /// Those that have other settings: they begin anew.
    pub changed: Vec<String>,
    /// Those that are no more.
    pub removed: Vec<String>,
    /// Names that are not followed from this source, as they belong to another one, or are too many.
    pub set_aside: Vec<String>,
}

impl Changes {
    /// Whether all runs as before.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }
}

impl Roster {
    pub(crate) fn new(common: Common, metrics: Metrics, hub: Hub) -> Self {
        Self(Arc::new(Inner {
            common,
            metrics,
            hub,
            state: Mutex::default(),
        }))
    }

    /// The configuration file's channels are these from now on; those of other sources stay.
    ///
    /// # Errors
    /// Settings that make no sense, or two channels of one name. All goes on as before then.
    pub fn set_file(&self, channels: Vec<Channel>) -> Result<Changes, ConfigError> {
        self.0.common.config.check_channels(&channels)?;
        Ok(self.set(Source::File, channels))
    }

    /// What there is to say of the channels: an array with an object for each. Addresses are without their queries, which
    /// carry tokens.
    #[must_use]
    pub fn json(&self) -> String {
        let state = self.lock();
        let channels: Vec<Value> = state.running.iter().map(Running::json).collect();
        let mut all = json!({ "channels": channels });
        if let Some(control) = &state.control {
            all["channels_from"] = control.json();
        }
        all.to_string()
    }

    /// The settings of the running channels, in the order in which their sources list them.
    #[must_use]
    pub fn channels(&self) -> Vec<Channel> {
        let state = self.lock();
        state.running.iter().map(|it| it.settings.clone()).collect()
    }

    /// Returns when all channels have left their swarms, which they do when the process is to end.
    pub(crate) async fn ended(&self) {
        let ends: Vec<Shutdown> = {
            let state = self.lock();
            let running = state.running.iter().map(|it| it.ended.clone());
            let leaving = state.leaving.iter().map(|(_, ended)| ended.clone());
            running.chain(leaving).collect()
        };
        for end in ends {
            end.requested().await;
        }
    }

    /// A source's channels, checked before, are these from now on.
    fn set(&self, source: Source, channels: Vec<Channel>) -> Changes {
        let mut state = self.lock();
        state.sets.put_all(source, channels);
        self.apply(&mut state, source)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // What a panic elsewhere leaves is put right by the next change.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes what runs what the sets say.
    fn apply(&self, state: &mut State, by: Source) -> Changes {
        let mut changes = Changes::default();
        if self.0.common.shutdown.is_requested() {
            return changes;
        }
        let (wanted, set_aside) = state.sets.merged();
        changes.set_aside = set_aside;
        let mut old = std::mem::take(&mut state.running);
        for (source, settings) in wanted {
            let name = settings.name.clone();
            let known = old.iter().position(|it| it.settings.name == name);
            match known.map(|at| old.remove(at)) {
                Some(known) if known.settings == settings => {
                    state.running.push(Running { source, ..known });
                    continue;
                }
                Some(known) => {
                    changes.changed.push(name.clone());
                    state.leaving.push((name, known.leave()));
                }
                None => changes.added.push(name),
            }
            let running = self.start(state, source, settings);
            state.running.push(running);
        }
        for gone in old {
            let name = gone.settings.name.clone();
            changes.removed.push(name.clone());
            state.leaving.push((name, gone.leave()));
        }
        tell(&changes, by);
        changes
    }

    fn start(&self, state: &mut State, source: Source, settings: Channel) -> Running {
        state.leaving.retain(|(_, ended)| !ended.is_requested());
        let of_name = state
            .leaving
            .iter()
            .filter(|(name, _)| *name == settings.name);
        let before: Vec<Shutdown> = of_name.map(|(_, ended)| ended.clone()).collect();
        let (end, removed) = Shutdown::new();
        let (has_ended, ended) = Shutdown::new();
        let metrics = self.0.metrics.channel(&settings.name);
        let status = Arc::new(Status::new(&settings, metrics));
        let running = Running {
            source,
            settings: settings.clone(),
            status: Arc::clone(&status),
            _end: end,
            ended,
        };
        let roster = self.clone();
        tokio::spawn(async move {
            // The one of the same name before it sets the same metrics.
            for ended in before {
                ended.requested().await;
            }
            let name = settings.name.clone();
            let inner = &roster.0;
            let hub = inner.hub.register();
            channel::run(inner.common.clone(), settings, status, hub, removed).await;
            roster.forget(&name, &has_ended);
        });
        running
    }

    /// A channel's task has come to its end.
    fn forget(&self, name: &str, has_ended: &Trigger) {
        let state = self.lock();
        has_ended.request();
        let is_back = state.running.iter().any(|it| it.settings.name == name);
        if !is_back {
            self.0.metrics.forget(name);
        }
    }
}

impl Running {
    /// Has it leave its swarms; the end of that.
    fn leave(self) -> Shutdown {
        self.ended
    }

    fn json(&self) -> Value {
        let mut json = self.status.json();
        json["source"] = self.source.name().into();
        json
    }
}

/// One line for a change.
fn tell(changes: &Changes, by: Source) {
    if !changes.is_empty() {
        tracing::info!(
            source = by.name(),
            added = changes.added.join(", "),
            changed = changes.changed.join(", "),
            removed = changes.removed.join(", "),
            "channels have changed"
        );
    }
    if !changes.set_aside.is_empty() {
        tracing::warn!(
            source = by.name(),
            "channels are not followed, as their names belong to another source or there are more than {CHANNELS_MAX}: {}",
            changes.set_aside.join(", ")
        );
    }
}

impl fmt::Debug for Roster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Roster").finish_non_exhaustive()
    }
}
