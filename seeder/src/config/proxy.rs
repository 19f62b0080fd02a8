//! A proxy on the way to the origins.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

/// What is shown instead of a password.
const HIDDEN: &str = "(hidden)";

/// Which way requests to origins take. The environment's proxies never count.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Proxy {
    /// Straight to them.
    #[default]
    None,
    /// Over this one: `http://`, `https://`, `socks5://` (names are resolved here) or `socks5h://` (names are resolved by
    /// the proxy), with `user:password@` if it wants them.
    Via(Url),
}

impl Proxy {
    /// The proxy's address.
    pub(crate) fn url(&self) -> Option<&Url> {
        match self {
            Self::None => None,
            Self::Via(url) => Some(url),
        }
    }

    /// Whether the proxy resolves names, so that nobody here sees which address they have.
    pub(crate) fn resolves_names(&self) -> bool {
        self.url().is_some_and(|url| url.scheme() != "socks5")
    }

    /// Puts the password back that was hidden where this was shown.
    pub(crate) fn reveal(&mut self, known: Option<&Self>) -> Result<(), String> {
        let Self::Via(url) = self else {
            return Ok(());
        };
        // Brackets are kept as they are in a password, or encoded.
        if !matches!(url.password(), Some(HIDDEN | "%28hidden%29")) {
            return Ok(());
        }
        let known = known.and_then(Self::url).and_then(Url::password);
        let known = known.ok_or("proxy: its password is hidden, write it out")?;
        let known = known.to_owned();
        url.set_password(Some(&known))
            .map_err(|()| "proxy: has no place for a password".to_owned())
    }
}

impl TryFrom<String> for Proxy {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::None);
        }
        let url = Url::parse(&text).ok();
        let known = ["http", "https", "socks5", "socks5h"];
        let url = url.filter(|url| known.contains(&url.scheme()) && url.has_host());
        url.map(Self::Via).ok_or_else(|| {
            "no address of a proxy, expected http://HOST:PORT, https://, socks5://, socks5h:// or \"none\""
                .to_owned()
        })
    }
}

impl From<Proxy> for String {
    fn from(proxy: Proxy) -> Self {
        match proxy {
            Proxy::None => "none".to_owned(),
            Proxy::Via(mut url) => {
                if url.password().is_some() {
                    // Has a host, so it has a place for a password.
                    let _ = url.set_password(Some(HIDDEN));
                }
                url.into()
            }
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from(self.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(text: &str) -> Proxy {
        Proxy::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn a_password_is_not_shown_and_can_be_put_back() {
        let secret = proxy("http://me:pa%20ss@proxy.example:3128");
        let shown = String::from(secret.clone());
        assert!(!shown.contains("pa%20ss"), "{shown}");
        let mut again = proxy(&shown);
        again.reveal(Some(&secret)).unwrap();
        assert_eq!(again, secret);
        assert!(proxy(&shown).reveal(None).is_err());
    }

    #[test]
    fn other_schemes_are_refused() {
        assert_eq!(proxy("none"), Proxy::None);
        assert!(proxy("socks5h://proxy.example").resolves_names());
        assert!(!proxy("socks5://proxy.example:1080").resolves_names());
        for wrong in [
            "",
            "proxy.example:3128",
            "socks4://proxy.example",
            "ftp://x",
        ] {
            assert!(Proxy::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
