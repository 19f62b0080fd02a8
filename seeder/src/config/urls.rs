//! Addresses in the configuration, checked where they are read.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::Url;

/// Why a text is not the address it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{seen:?} is no address of {what}, expected {expected}")]
pub struct UrlError {
    seen: String,
    what: &'static str,
    expected: &'static str,
}

/// What is shown of a query.
const HIDDEN: &str = "(hidden)";

/// An `http://` or `https://` URL of an HLS or DASH manifest.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ManifestUrl(Url);

/// An `http://` or `https://` URL of control's list of channels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ControlUrl(Url);

/// An `http://` or `https://` server that stands in for another one; a path is passed over.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OriginUrl(Url);

/// A `ws://` or `wss://` URL of a tracker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TrackerUrl(Url);

impl ManifestUrl {
    /// The URL.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// The URL without query and fragment: what logs may show of it.
    #[must_use]
    pub fn without_query(&self) -> String {
        without_query(&self.0)
    }

    /// Takes the query out of sight.
    pub(super) fn hide(&mut self) {
        if self.0.query().is_some() {
            self.0.set_query(Some(HIDDEN));
        }
    }

    /// Puts the query back that was hidden where this was shown.
    pub(super) fn reveal(&mut self, known: Option<&Self>) -> Result<(), String> {
        if self.0.query() != Some(HIDDEN) {
            return Ok(());
        }
        let known = known.filter(|known| known.without_query() == self.without_query());
        let known = known.ok_or("manifest: its query is hidden, write it out")?;
        self.0.set_query(known.0.query());
        Ok(())
    }
}

impl ControlUrl {
    /// The URL.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0
    }
}

impl OriginUrl {
    /// The URL.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0
    }
}

impl TrackerUrl {
    /// The URL.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0
    }
}

/// A URL as far as logs may show it: queries carry tokens.
pub(crate) fn without_query(url: &Url) -> String {
    let text = url.as_str();
    let end = text.find(['?', '#']).unwrap_or(text.len());
    text[..end].to_owned()
}

fn parse(
    text: &str,
    schemes: [&str; 2],
    what: &'static str,
    expected: &'static str,
) -> Result<Url, UrlError> {
    Url::parse(text)
        .ok()
        .filter(|url| schemes.contains(&url.scheme()) && url.has_host())
        .ok_or_else(|| UrlError {
            seen: text.to_owned(),
            what,
            expected,
        })
}

impl FromStr for ManifestUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let expected = "http://... or https://... of an HLS (.m3u8) or DASH (.mpd) manifest";
        parse(text, ["http", "https"], "a manifest", expected).map(Self)
    }
}

impl FromStr for ControlUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let expected = "http://... or https://... of its list of channels";
        parse(text, ["http", "https"], "control", expected).map(Self)
    }
}

impl FromStr for OriginUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let expected = "http://... or https://... of a server";
        parse(text, ["http", "https"], "an origin", expected).map(Self)
    }
}

impl FromStr for TrackerUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        parse(text, ["ws", "wss"], "a tracker", "ws://... or wss://...").map(Self)
    }
}

macro_rules! text {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = UrlError;

            fn try_from(text: String) -> Result<Self, UrlError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(url: $name) -> Self {
                url.0.into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

text!(ControlUrl);
text!(ManifestUrl);
text!(OriginUrl);
text!(TrackerUrl);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_schemes_are_refused() {
        assert!("https://cdn.example/a.m3u8".parse::<ManifestUrl>().is_ok());
        for wrong in ["ftp://cdn.example/a.m3u8", "a.m3u8", "file:///a.m3u8", ""] {
            let error = wrong.parse::<ManifestUrl>().unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("{wrong:?} is no address of a manifest")),
                "{error}"
            );
        }
        assert!("wss://tracker.example/".parse::<TrackerUrl>().is_ok());
        assert!("https://tracker.example/".parse::<TrackerUrl>().is_err());
    }

    #[test]
    fn a_token_is_cut_off() {
        let url: ManifestUrl = "https://cdn.example/a.m3u8?token=1#x".parse().unwrap();
        assert_eq!(url.without_query(), "https://cdn.example/a.m3u8");
    }
}
