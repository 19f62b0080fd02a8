//! One channel's settings.

use std::collections::BTreeMap;
use std::fmt;

use beekeepr_model::{Generation, swarm_id};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use url::Url;

use super::ConfigError;
use super::proxy::Proxy;
use super::urls::{ManifestUrl, OriginUrl};
use crate::origin::Access;

/// Most servers that can stand in for an origin; each is tried in turn while viewers wait.
const FAILOVER_MAX: usize = 8;

/// Letters of a name: it is shown in tables and is a label of metrics.
const NAME_CHARS_MAX: usize = 64;

/// With less than that the newest segment itself could fall out of the window that is seeded.
const PREFETCH_S_MIN: u32 = 10;

/// One stream to seed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// Its name in logs and metrics: 1 to 64 letters, digits, spaces, `.`, `-` and `_`, with a letter or digit at the front
    /// and no space at the end.
    pub name: String,
    /// Its HLS or DASH manifest.
    pub manifest: ManifestUrl,
    /// What viewers configure as `swarmId`. Default: the manifest's URL without its query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swarm_id: Option<String>,
    /// Parameters of the query that belong to that default, as they tell one stream from another; viewers of ours name
    /// them as `swarmIdParameters`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub swarm_id_parameters: Vec<String>,
    /// Which renditions to seed: `"all"` (where nothing is said), `"top"` (the highest bitrate), or a list of heights
    /// (`"720p"`), bitrates as the manifest has them (`"1700000"`) and DASH Representation ids. Audio renditions are
    /// seeded in any case.
    #[serde(default, skip_serializing_if = "Renditions::is_all")]
    pub renditions: Renditions,
    /// How far back from the live edge segments are fetched before anybody asks, in seconds; older ones that the playlist
    /// still lists are fetched when a viewer asks for them. At least 10.
    #[serde(default = "prefetch_s_default")]
    pub prefetch_s: u32,
    /// How many seconds of a stream on demand are fetched before anybody asks; 0 for none.
    #[serde(default = "warm_s_default")]
    pub warm_s: u32,
    /// Headers of requests to the manifest's host, to `failover` and `allowed_hosts`, and to no other host.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Secret>,
    /// Cookies, sent where `headers` are.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cookies: BTreeMap<String, Secret>,
    /// Further hosts that the channel may fetch from, `cdn.example` or `*.cdn.example`. Empty: any host, and `headers` go
    /// to none of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_hosts: Vec<String>,
    /// Servers with the same paths as the manifest's, `https://backup.example`, tried in turn when it fails.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failover: Vec<OriginUrl>,
    /// Segments are fetched at this many bits per second on average; 0 for as fast as they come.
    #[serde(default)]
    pub fetch_bps_max: u64,
    /// Proxy on the way to its origins; `"none"` for none. Default: `seeder.proxy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Proxy>,
}

fn prefetch_s_default() -> u32 {
    300
}

fn warm_s_default() -> u32 {
    30
}

/// Which renditions to seed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum Renditions {
    /// Every one.
    #[default]
    All,
    /// The one with the highest bitrate.
    Top,
    /// Those with one of these heights, bitrates or ids.
    List(Vec<String>),
}

/// As it stands in the file.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Word(String),
    List(Vec<String>),
}

impl Renditions {
    fn is_all(&self) -> bool {
        *self == Self::All
    }
}

impl TryFrom<Written> for Renditions {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written::Word(word) if word == "all" => Ok(Self::All),
            Written::Word(word) if word == "top" => Ok(Self::Top),
            Written::List(list) if !list.is_empty() => Ok(Self::List(list)),
            Written::Word(_) | Written::List(_) => {
                let expected = "\"all\", \"top\" or a list such as [\"720p\"]";
                Err(format!("renditions: expected {expected}"))
            }
        }
    }
}

impl From<Renditions> for Written {
    fn from(renditions: Renditions) -> Self {
        match renditions {
            Renditions::All => Self::Word("all".to_owned()),
            Renditions::Top => Self::Word("top".to_owned()),
            Renditions::List(list) => Self::List(list),
        }
    }
}

/// A text that is shown to nobody: not in logs, not by `beekeepr config print`.
#[derive(Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

/// What is shown instead.
const HIDDEN: &str = "(hidden)";

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(HIDDEN)
    }
}

impl Channel {
    /// A channel with everything else as it is by default.
    #[must_use]
    pub fn new(name: String, manifest: ManifestUrl) -> Self {
        Self {
            name,
            manifest,
            swarm_id: None,
            swarm_id_parameters: Vec::new(),
            renditions: Renditions::All,
            prefetch_s: prefetch_s_default(),
            warm_s: warm_s_default(),
            headers: BTreeMap::new(),
            cookies: BTreeMap::new(),
            allowed_hosts: Vec::new(),
            failover: Vec::new(),
            fetch_bps_max: 0,
            proxy: None,
        }
    }

    /// What viewers of this channel hash into the names of its swarms, unless its manifest is redirected.
    #[must_use]
    pub fn swarm_id(&self) -> String {
        self.swarm_id_at(self.manifest.url().as_str())
    }

    /// The same for those who take the manifest's address from `answered`: all up to p2p-media-loader 4.x, and our own.
    pub(crate) fn swarm_id_for(&self, generation: Generation, answered: &Url) -> String {
        match generation {
            Generation::V2Index | Generation::V2 => self.swarm_id_at(answered.as_str()),
            Generation::V3 => self.swarm_id(),
        }
    }

    fn swarm_id_at(&self, address: &str) -> String {
        let default = || swarm_id(address, &self.swarm_id_parameters);
        self.swarm_id.clone().unwrap_or_else(default)
    }

    /// As it may be shown: addresses without their queries, which carry tokens; secrets do not show themselves.
    pub(crate) fn hidden(&self) -> Self {
        let mut shown = self.clone();
        shown.manifest.hide();
        shown
    }

    /// With its secrets, for a file that nobody else may read.
    pub(crate) fn revealed(&self) -> Value {
        let plain = |secrets: &BTreeMap<String, Secret>| {
            let pairs = secrets.iter();
            let pairs = pairs.map(|(name, Secret(value))| (name.clone(), value.clone().into()));
            Value::Object(pairs.collect())
        };
        let mut whole = serde_json::to_value(self).unwrap_or_default();
        whole["headers"] = plain(&self.headers);
        whole["cookies"] = plain(&self.cookies);
        if let Some(url) = self.proxy.as_ref().and_then(Proxy::url) {
            whole["proxy"] = url.as_str().into();
        }
        whole
    }

    /// Puts back what was hidden where the channel was shown.
    pub(crate) fn reveal(&mut self, known: Option<&Self>) -> Result<(), String> {
        self.manifest.reveal(known.map(|it| &it.manifest))?;
        if let Some(proxy) = &mut self.proxy {
            proxy.reveal(known.and_then(|it| it.proxy.as_ref()))?;
        }
        reveal("headers", &mut self.headers, known.map(|it| &it.headers))?;
        reveal("cookies", &mut self.cookies, known.map(|it| &it.cookies))
    }

    /// What types cannot express.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let fault = |problem: String| ConfigError::Channel {
            name: self.name.clone(),
            problem,
        };
        if !is_name(&self.name) {
            let expected =
                "1 to 64 letters, digits, spaces, dots, - and _, beginning with a letter or digit";
            return Err(fault(format!("the name is not one, expected {expected}")));
        }
        if self.failover.len() > FAILOVER_MAX {
            return Err(fault(format!(
                "failover has {} servers, expected at most {FAILOVER_MAX}",
                self.failover.len()
            )));
        }
        if self.prefetch_s < PREFETCH_S_MIN {
            return Err(fault(format!(
                "prefetch_s is {}, expected {PREFETCH_S_MIN} or more",
                self.prefetch_s
            )));
        }
        Access::new(self).map(drop).map_err(fault)
    }
}

fn reveal(
    key: &str,
    secrets: &mut BTreeMap<String, Secret>,
    known: Option<&BTreeMap<String, Secret>>,
) -> Result<(), String> {
    for (name, secret) in secrets.iter_mut().filter(|(_, it)| it.0 == HIDDEN) {
        let known = known.and_then(|known| known.get(name));
        let missing = || format!("{key}: the value of {name:?} is hidden, write it out");
        secret.clone_from(known.ok_or_else(missing)?);
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    let is_inner = |it: char| it.is_alphanumeric() || matches!(it, ' ' | '.' | '-' | '_');
    let begins = name.chars().next().is_some_and(char::is_alphanumeric);
    let is_short = name.chars().count() <= NAME_CHARS_MAX;
    begins && is_short && name.chars().all(is_inner) && !name.ends_with(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(name: &str) -> Channel {
        let manifest = "https://cdn.example/tv.m3u8?token=1".parse().unwrap();
        Channel::new(name.to_owned(), manifest)
    }

    #[test]
    fn the_swarm_id_is_the_manifest_without_its_query() {
        assert_eq!(channel("tv").swarm_id(), "https://cdn.example/tv.m3u8");
        let named = Channel {
            swarm_id: Some("tv".into()),
            ..channel("tv")
        };
        assert_eq!(named.swarm_id(), "tv");
        let by_number = Channel {
            manifest: "https://cdn.example/play?token=1&id=7".parse().unwrap(),
            swarm_id_parameters: vec!["id".into()],
            ..channel("tv")
        };
        assert_eq!(by_number.swarm_id(), "https://cdn.example/play?id=7");
    }

    #[test]
    fn a_redirect_counts_for_those_who_look_at_where_the_manifest_came_from() {
        let answered = "https://edge-7.example/tv.m3u8?session=2".parse().unwrap();
        let ids =
            Generation::ALL.map(|generation| channel("tv").swarm_id_for(generation, &answered));
        let edge = "https://edge-7.example/tv.m3u8";
        assert_eq!(ids, [edge, edge, "https://cdn.example/tv.m3u8"]);
        let named = Channel {
            swarm_id: Some("tv".into()),
            ..channel("tv")
        };
        assert_eq!(named.swarm_id_for(Generation::V2, &answered), "tv");
    }

    #[test]
    fn renditions_are_a_word_or_a_list() {
        let read = |json: &str| serde_json::from_str::<Renditions>(json);
        assert_eq!(read("\"all\"").unwrap(), Renditions::All);
        assert_eq!(read("\"top\"").unwrap(), Renditions::Top);
        let list = Renditions::List(vec!["720p".into()]);
        assert_eq!(read("[\"720p\"]").unwrap(), list);
        let error = read("\"best\"").unwrap_err().to_string();
        assert!(
            error.contains("expected \"all\", \"top\" or a list"),
            "{error}"
        );
        assert!(read("[]").is_err());
    }

    #[test]
    fn secrets_are_not_shown() {
        let mut secret = channel("tv");
        let value = Secret("Bearer abc".into());
        secret.headers.insert("authorization".into(), value);
        let shown = format!("{secret:?}{}", serde_json::to_string(&secret).unwrap());
        assert!(!shown.contains("abc"), "{shown}");
    }

    #[test]
    fn what_was_shown_can_be_given_back() {
        let mut secret = channel("tv");
        secret.headers.insert("x-key".into(), Secret("abc".into()));
        let shown = serde_json::to_string(&secret.hidden()).unwrap();
        assert!(
            !shown.contains("token") && !shown.contains("abc"),
            "{shown}"
        );
        let mut again: Channel = serde_json::from_str(&shown).unwrap();
        assert!(again.clone().reveal(None).is_err());
        again.reveal(Some(&secret)).unwrap();
        assert_eq!(again, secret);
    }

    #[test]
    fn what_is_kept_has_its_secrets() {
        let mut channel = channel("tv");
        channel.headers.insert("x-key".into(), Secret("abc".into()));
        channel.cookies.insert("id".into(), Secret("7".into()));
        let proxy = "http://me:word@proxy.example:3128/".to_owned();
        channel.proxy = Some(Proxy::try_from(proxy).unwrap());
        let again: Channel = serde_json::from_value(channel.revealed()).unwrap();
        assert_eq!(again, channel);
    }

    #[test]
    fn names_fit_into_paths_and_labels() {
        for fine in ["tv", "Demo on demand", "\u{e9}t\u{e9}-1.b_c", "1"] {
            assert_eq!(channel(fine).check(), Ok(()), "{fine}");
        }
        let long = "x".repeat(65);
        for wrong in ["", " a", "a ", "a/b", ".", "a\n", "a\"b", &long] {
            assert!(channel(wrong).check().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_header_that_cannot_be_sent_is_a_fault_that_names_the_channel() {
        let mut faulty = channel("tv");
        faulty
            .headers
            .insert("x y".into(), Secret(String::from("1")));
        let error = faulty.check().unwrap_err().to_string();
        assert!(error.contains("\"tv\"") && error.contains("x y"), "{error}");
    }
}
