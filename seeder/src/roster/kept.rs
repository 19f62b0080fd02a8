//! The admin API's channels over a restart, in the form of control's list (docs/protocol/channels.md).

use serde_json::json;

use super::{Roster, Source, State, document, store};
use crate::config::Channel;

impl Roster {
    /// Takes up what was kept. What cannot be used is one line in the log, and nothing is lost but that.
    pub(crate) fn restore(&self) {
        let config = &self.0.common.config;
        let Some(path) = &config.channels_state_file else {
            return;
        };
        let kept = store::load(path).map_err(|error| error.to_string());
        let read = kept.and_then(|kept| {
            kept.map(|kept| document::read(&kept, &[], config))
                .transpose()
        });
        let path = path.display();
        match read {
            Ok(None) => {}
            Ok(Some(read)) => {
                if !read.faults.is_empty() {
                    let faults = read.faults.join("; ");
                    tracing::warn!("channels in {path} cannot be followed any more: {faults}");
                }
                self.set(Source::Api, read.channels);
            }
            Err(error) => {
                tracing::warn!("cannot use what was kept of channels in {path}: {error}");
            }
        }
    }

    /// Keeps what there is now.
    pub(super) fn keep(&self, state: &State) {
        let Some(path) = &self.0.common.config.channels_state_file else {
            return;
        };
        let channels = state.sets.of(Source::Api).iter().map(Channel::revealed);
        let document =
            json!({ "version": document::VERSION, "channels": channels.collect::<Vec<_>>() });
        // A few KiB, now and then: no reason for a thread.
        if let Err(error) = store::save(path, document.to_string().as_bytes()) {
            let path = path.display();
            tracing::warn!("cannot keep channels in {path}: {error}");
        }
    }
}
