//! `/v1/channels` on the admin listener: what runs, and channels that come and go.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::LazyLock;

use beekeepr_service::admin::{Reply, Request, Verb};
use serde_json::Value;

use super::{CHANNELS_MAX, Roster, Running, Source, State};
use crate::config::Channel;

/// Etags tell nothing of the secrets in the settings, and are other ones after a restart.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

impl Roster {
    /// Answers a request for `/v1/channels` (docs/operating-seeder.md).
    #[must_use]
    pub fn answer(&self, request: &Request) -> Reply {
        match (request.verb, request.name.as_deref()) {
            (Verb::Get, None) => Reply::json(200, self.json()),
            (Verb::Get, Some(name)) => shown(&self.lock(), name, 200),
            (Verb::Put, Some(name)) => self.put(name, request).unwrap_or_else(|refused| refused),
            (Verb::Delete, Some(name)) => {
                let deleted = self.delete(name, request);
                deleted.unwrap_or_else(|refused| refused)
            }
            (Verb::Put | Verb::Delete, None) => {
                let detail = "all channels at once cannot be changed, expected /v1/channels/NAME";
                Reply::problem(405, detail)
            }
        }
    }

    fn put(&self, name: &str, request: &Request) -> Result<Reply, Reply> {
        let mut state = self.lock();
        check_state(&state, name, request)?;
        let known = owned(&state, name)?;
        let mut channel = read(name, &request.body)?;
        let unprocessable = |error: String| Reply::problem(422, &error);
        channel.reveal(known.as_ref()).map_err(unprocessable)?;
        let config = &self.0.common.config;
        let checked = config.check_channels(std::slice::from_ref(&channel));
        checked.map_err(|error| unprocessable(error.to_string()))?;
        if known.is_none() && state.sets.len() >= CHANNELS_MAX {
            let detail =
                format!("there are {CHANNELS_MAX} channels, which is the most; delete one");
            return Err(Reply::problem(409, &detail));
        }
        state.sets.put(Source::Api, channel);
        self.apply(&mut state, Source::Api);
        self.keep(&state);
        let status = if known.is_some() { 200 } else { 201 };
        Ok(shown(&state, name, status))
    }

    fn delete(&self, name: &str, request: &Request) -> Result<Reply, Reply> {
        let mut state = self.lock();
        check_state(&state, name, request)?;
        if owned(&state, name)?.is_none() {
            return Err(absent(name));
        }
        state.sets.remove(Source::Api, name);
        self.apply(&mut state, Source::Api);
        self.keep(&state);
        Ok(Reply::empty())
    }
}

/// What is known of a name that the API may change.
fn owned(state: &State, name: &str) -> Result<Option<Channel>, Reply> {
    match state.sets.owner(name) {
        None => Ok(None),
        Some((Source::Api, known)) => Ok(Some(known.clone())),
        Some((source, _)) => {
            let where_to = match source {
                Source::File | Source::Api => "the configuration file",
                Source::Control => "control",
            };
            let detail = format!("channel {name:?} comes from {where_to}; change it there");
            Err(Reply::problem(409, &detail))
        }
    }
}

/// Whether the channel is in the state that the request is made for (RFC 9110, 13.1).
fn check_state(state: &State, name: &str, request: &Request) -> Result<(), Reply> {
    let etag = running(state, name).map(Running::etag);
    let fits = |wanted: &str| match &etag {
        Some(etag) => wanted == "*" || wanted.split(',').any(|it| it.trim() == etag),
        None => false,
    };
    let is_other = request.if_match.as_deref().is_some_and(|it| !fits(it));
    if is_other || request.if_none_match.as_deref().is_some_and(fits) {
        let detail = "the channel is not in the state that the request is for; read it again";
        return Err(Reply::problem(412, detail));
    }
    Ok(())
}

fn running<'a>(state: &'a State, name: &str) -> Option<&'a Running> {
    state.running.iter().find(|it| it.settings.name == name)
}

fn absent(name: &str) -> Reply {
    Reply::problem(404, &format!("there is no channel {name:?}"))
}

fn shown(state: &State, name: &str, status: u16) -> Reply {
    let Some(channel) = running(state, name) else {
        return absent(name);
    };
    let mut json = channel.json();
    json["config"] = serde_json::to_value(channel.settings.hidden()).unwrap_or_default();
    Reply::json(status, json.to_string()).with_etag(channel.etag())
}

/// The channel in a body: as in the configuration file, with the name of the path.
fn read(name: &str, body: &[u8]) -> Result<Channel, Reply> {
    let refused = |text: String| Reply::problem(400, &text);
    let mut value: Value = serde_json::from_slice(body)
        .map_err(|error| refused(format!("the body is no JSON: {error}")))?;
    let Value::Object(fields) = &mut value else {
        return Err(refused(
            "expected an object such as {\"manifest\": \"https://cdn.example/tv.m3u8\"}".to_owned(),
        ));
    };
    let named = fields.entry("name").or_insert_with(|| name.into());
    if named != name {
        let detail = format!("the body names {named}, the path {name:?}; make them the same");
        return Err(Reply::problem(422, &detail));
    }
    serde_path_to_error::deserialize(value).map_err(|error| Reply::problem(422, &error.to_string()))
}

impl Running {
    fn etag(&self) -> String {
        format!("\"{:016x}\"", HASHER.hash_one(&self.settings))
    }
}
