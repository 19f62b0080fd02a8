//! Channels, as a seeder takes them (docs/protocol/channels.md).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use super::Document;
use crate::store::Kind;

/// What is shown of a secret, and what to send to leave it as it is.
pub const HIDDEN: &str = "(hidden)";

/// Entries of a list or table at most.
const ENTRIES_MAX: usize = 64;

/// Letters of a text at most: addresses with tokens are long, a megabyte is none.
const TEXT_BYTES_MAX: usize = 8 * 1024;

/// With less than that the newest segment itself could fall out of what is seeded.
const PREFETCH_S_MIN: u32 = 10;

/// Servers that can stand in for an origin at most, as with the seeder.
const FAILOVER_MAX: usize = 8;

/// A stream that is shared. Its name is that of the record.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// Its HLS or DASH manifest, `https://...`.
    pub manifest: String,
    /// What viewers configure as `swarmId`. Default: the manifest's address without its query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swarm_id: Option<String>,
    /// Parameters of the query that belong to that default.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub swarm_id_parameters: Vec<String>,
    /// `"all"` (the default), `"top"`, or a list of heights, bitrates and Representation ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renditions: Option<Renditions>,
    /// How far back from the live edge segments are fetched before anybody asks, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefetch_s: Option<u32>,
    /// How many seconds of a stream on demand are fetched before anybody asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_s: Option<u32>,
    /// Headers of requests to the origin; their values are never shown.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Cookies of requests to the origin; their values are never shown.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cookies: BTreeMap<String, String>,
    /// Further hosts that the channel may fetch from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_hosts: Vec<String>,
    /// Servers with the same paths, tried in turn when the manifest's fails.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failover: Vec<String>,
    /// Segments are fetched at this many bits per second on average.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetch_bps_max: Option<u64>,
    /// Proxy on the way to its origins; `"none"` for none. A password in it is never shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
}

/// Which renditions are seeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Renditions {
    /// `"all"` or `"top"`.
    Word(String),
    /// These.
    List(Vec<String>),
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channel").finish_non_exhaustive()
    }
}

impl Document for Channel {
    const KIND: Kind = Kind::Channel;
    // Addresses, headers and cookies carry credentials.
    const IS_SEALED: bool = true;
}

impl Channel {
    /// What viewers hash into the names of its swarms.
    #[must_use]
    pub fn swarm_id(&self) -> String {
        let default = || beekeepr_model::swarm_id(&self.manifest, &self.swarm_id_parameters);
        self.swarm_id.clone().unwrap_or_else(default)
    }

    /// What types cannot express.
    ///
    /// # Errors
    /// The first value that cannot be.
    pub fn check(&self) -> Result<(), String> {
        let manifest = address("manifest", &self.manifest, &["http", "https"])?;
        if manifest.query().is_some_and(|it| it.contains(HIDDEN)) {
            return Err("manifest: its query is hidden, write it out".to_owned());
        }
        for server in &self.failover {
            address("failover", server, &["http", "https"])?;
        }
        if let Some(proxy) = self.proxy.as_deref().filter(|it| *it != "none") {
            address("proxy", proxy, &["http", "https", "socks5", "socks5h"])?;
        }
        if self.prefetch_s.is_some_and(|it| it < PREFETCH_S_MIN) {
            return Err(format!("prefetch_s: expected {PREFETCH_S_MIN} or more"));
        }
        if self.failover.len() > FAILOVER_MAX {
            return Err(format!("failover: expected at most {FAILOVER_MAX} servers"));
        }
        match &self.renditions {
            Some(Renditions::Word(word)) if word != "all" && word != "top" => {
                return Err("renditions: expected \"all\", \"top\" or a list".to_owned());
            }
            Some(Renditions::List(list)) if list.is_empty() => {
                return Err("renditions: the list is empty, nothing would be seeded".to_owned());
            }
            Some(Renditions::Word(_) | Renditions::List(_)) | None => (),
        }
        self.check_sizes()
    }

    fn check_sizes(&self) -> Result<(), String> {
        let counts = [
            self.headers.len(),
            self.cookies.len(),
            self.allowed_hosts.len(),
            self.swarm_id_parameters.len(),
        ];
        if counts.into_iter().any(|it| it > ENTRIES_MAX) {
            return Err(format!("a list has more than {ENTRIES_MAX} entries"));
        }
        let whole = serde_json::to_string(self).map_err(|error| error.to_string())?;
        if whole.len() > TEXT_BYTES_MAX {
            return Err(format!(
                "the channel takes more than {TEXT_BYTES_MAX} bytes"
            ));
        }
        let secrets = self.headers.iter().chain(&self.cookies);
        let broken = secrets
            .filter(|(name, value)| {
                name.is_empty()
                    || [name, value]
                        .iter()
                        .any(|it| it.contains(['\r', '\n', '\0']))
            })
            .map(|(name, _)| name);
        match broken.clone().next() {
            Some(name) => Err(format!("the header or cookie {name:?} cannot be sent")),
            None => Ok(()),
        }
    }

    /// As it may be shown: addresses without their queries and passwords, secrets without their values.
    #[must_use]
    pub fn hidden(&self) -> Self {
        let mut shown = self.clone();
        if let Some(base) = shown
            .manifest
            .find('?')
            .map(|at| shown.manifest[..at].to_owned())
        {
            shown.manifest = format!("{base}?{HIDDEN}");
        }
        for value in shown.headers.values_mut().chain(shown.cookies.values_mut()) {
            HIDDEN.clone_into(value);
        }
        shown.proxy = self.proxy.as_deref().map(hide_password);
        shown
    }

    /// Puts back what was hidden where the channel was shown. It goes to no server that did not get it before: otherwise
    /// who may change a channel could have its secrets sent to a server of their own.
    ///
    /// # Errors
    /// A value is hidden that is not known, or that another server would get.
    pub fn reveal(&mut self, known: Option<&Self>) -> Result<(), String> {
        let sent = self.clone();
        if let Some(known) = known {
            let shown = known.hidden();
            if self.manifest == shown.manifest {
                self.manifest.clone_from(&known.manifest);
            }
            if self.proxy == shown.proxy {
                self.proxy.clone_from(&known.proxy);
            }
        }
        let none = BTreeMap::new();
        let of_known = |of: fn(&Self) -> &BTreeMap<String, String>| known.map_or(&none, of);
        reveal("headers", &mut self.headers, of_known(|it| &it.headers))?;
        reveal("cookies", &mut self.cookies, of_known(|it| &it.cookies))?;
        if self.proxy.as_ref().is_some_and(|it| it.contains(HIDDEN)) {
            return Err("proxy: its password is hidden, write it out".to_owned());
        }
        let known = known.filter(|_| *self != sent);
        match known.and_then(|known| {
            self.servers()
                .find(|it| !known.servers().any(|other| other == *it))
        }) {
            None => Ok(()),
            Some(server) => Err(format!(
                "{server} is a new server for this channel, and some of its secrets are hidden; write them out for the \
                 new server to get them"
            )),
        }
    }

    /// Whom requests go to, secrets and all.
    fn servers(&self) -> impl Iterator<Item = String> {
        let origins = std::iter::once(&self.manifest).chain(&self.failover);
        let origins = origins.map(|url| match Url::parse(url) {
            Ok(url) => url.origin().ascii_serialization(),
            Err(_) => url.clone(),
        });
        origins
            .chain(self.allowed_hosts.iter().cloned())
            .chain(self.proxy.as_deref().map(hide_password))
    }
}

fn reveal(
    key: &str,
    values: &mut BTreeMap<String, String>,
    known: &BTreeMap<String, String>,
) -> Result<(), String> {
    for (name, value) in values.iter_mut().filter(|(_, value)| *value == HIDDEN) {
        let missing = || format!("{key}: the value of {name:?} is hidden, write it out");
        value.clone_from(known.get(name).ok_or_else(missing)?);
    }
    Ok(())
}

fn hide_password(proxy: &str) -> String {
    let Ok(mut url) = Url::parse(proxy) else {
        return proxy.to_owned();
    };
    if url.password().is_none() {
        return proxy.to_owned();
    }
    // Who has a password has a place for one.
    let _ = url.set_password(None);
    let user = url.username().to_owned();
    url.as_str()
        .replacen(&format!("{user}@"), &format!("{user}:{HIDDEN}@"), 1)
}

fn address(key: &str, text: &str, schemes: &[&str]) -> Result<Url, String> {
    Url::parse(text)
        .ok()
        .filter(|url| schemes.contains(&url.scheme()) && url.has_host())
        .ok_or_else(|| {
            format!(
                "{key}: expected an address that begins with {}://",
                schemes.join(":// or ")
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel() -> Channel {
        Channel {
            manifest: "https://cdn.example/tv.m3u8?token=1".into(),
            headers: [("x-key".to_owned(), "sesame".to_owned())].into(),
            proxy: Some("http://user:pw@proxy.example:8080/".into()),
            ..Channel::default()
        }
    }

    #[test]
    fn secrets_are_hidden_and_come_back() {
        let known = channel();
        let shown = known.hidden();
        let text = serde_json::to_string(&shown).unwrap();
        for secret in ["token=1", "sesame", "pw"] {
            assert!(!text.contains(secret), "{text}");
        }
        let mut sent = Channel {
            warm_s: Some(5),
            ..shown.clone()
        };
        sent.reveal(Some(&known)).unwrap();
        assert_eq!(
            sent,
            Channel {
                warm_s: Some(5),
                ..known
            }
        );
        let mut unknown = shown;
        assert!(unknown.reveal(None).unwrap_err().contains("write it out"));
    }

    #[test]
    fn hidden_secrets_go_to_no_new_server() {
        let known = channel();
        let elsewhere: [fn(&mut Channel); 5] = [
            |it| it.manifest = "https://evil.example/tv.m3u8".into(),
            |it| it.manifest = "http://cdn.example/tv.m3u8".into(),
            |it| it.failover = vec!["https://evil.example".into()],
            |it| it.allowed_hosts = vec!["evil.example".into()],
            |it| it.proxy = Some("http://evil.example".into()),
        ];
        for change in elsewhere {
            let mut sent = known.hidden();
            change(&mut sent);
            let error = sent.reveal(Some(&known)).unwrap_err();
            assert!(error.contains("is a new server"), "{error}");
            let mut written = known.clone();
            change(&mut written);
            assert_eq!(written.reveal(Some(&known)), Ok(()));
        }
        let mut less = known.hidden();
        less.proxy = None;
        less.manifest = "https://cdn.example/other.m3u8".into();
        assert_eq!(less.reveal(Some(&known)), Ok(()));
        assert_eq!(less.headers, known.headers);
    }

    #[test]
    fn what_cannot_be_names_its_key() {
        let wrong = [
            (
                Channel {
                    manifest: "ftp://x/a".into(),
                    ..channel()
                },
                "manifest",
            ),
            (
                Channel {
                    manifest: "https://x/?(hidden)".into(),
                    ..channel()
                },
                "manifest",
            ),
            (
                Channel {
                    failover: vec!["cdn".into()],
                    ..channel()
                },
                "failover",
            ),
            (
                Channel {
                    proxy: Some("gopher://x".into()),
                    ..channel()
                },
                "proxy",
            ),
            (
                Channel {
                    prefetch_s: Some(9),
                    ..channel()
                },
                "prefetch_s",
            ),
            (
                Channel {
                    renditions: Some(Renditions::Word("best".into())),
                    ..channel()
                },
                "renditions",
            ),
            (
                Channel {
                    headers: [("a".into(), "b\r\nc".into())].into(),
                    ..channel()
                },
                "\"a\"",
            ),
        ];
        for (channel, key) in wrong {
            let error = channel.check().unwrap_err();
            assert!(error.contains(key), "{key}: {error}");
        }
        channel().check().unwrap();
    }

    #[test]
    fn its_swarm_is_the_manifest_without_its_query_unless_named() {
        assert_eq!(channel().swarm_id(), "https://cdn.example/tv.m3u8");
        let named = Channel {
            swarm_id: Some("tv".into()),
            ..channel()
        };
        assert_eq!(named.swarm_id(), "tv");
    }
}
