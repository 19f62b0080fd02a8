//! What a channel may fetch, and with which credentials.

use reqwest::header::{COOKIE, HeaderName, HeaderValue};
use url::Url;

use crate::config::{Channel, OriginUrl, Proxy, Secret};

/// A channel's rules. Two channels with the same ones get the same bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Access {
    headers: Vec<(HeaderName, HeaderValue)>,
    /// The manifest's host and those that stand in for it.
    own: Vec<String>,
    /// Further ones, `*.` at the front for all below.
    allowed: Vec<String>,
    /// Whether headers stay on encrypted connections: the manifest's is one.
    is_secure: bool,
    /// The way there: elsewhere on the network other bytes may come of the same address.
    proxy: Proxy,
}

impl Access {
    /// The error says what cannot be sent.
    pub(crate) fn new(channel: &Channel) -> Result<Self, String> {
        let manifest = channel.manifest.url();
        let stand_ins = channel.failover.iter().map(OriginUrl::url);
        let own = stand_ins.chain([manifest]).filter_map(host_of).collect();
        let lower = |host: &String| host.to_ascii_lowercase();
        Ok(Self {
            headers: headers(channel)?,
            own,
            allowed: channel.allowed_hosts.iter().map(lower).collect(),
            is_secure: manifest.scheme() == "https",
            proxy: channel.proxy.clone().unwrap_or_default(),
        })
    }

    /// The same over this proxy, unless the channel says otherwise.
    pub(crate) fn over(self, channel: &Channel, proxy: &Proxy) -> Self {
        let proxy = channel.proxy.as_ref().unwrap_or(proxy).clone();
        Self { proxy, ..self }
    }

    /// The way to the servers.
    pub(super) fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// Whether a proxy asks for the addresses of names, so that they are not seen here.
    pub(super) fn is_resolved_elsewhere(&self) -> bool {
        self.proxy.resolves_names()
    }

    /// Whether the channel may fetch from there at all.
    pub(crate) fn permits(&self, url: &Url) -> bool {
        self.allowed.is_empty() || self.is_known(url)
    }

    /// The headers for a server: none for one that they are not meant for.
    pub(crate) fn headers_for(&self, url: &Url) -> &[(HeaderName, HeaderValue)] {
        let is_kept_secret = !self.is_secure || url.scheme() == "https";
        if is_kept_secret && self.is_known(url) {
            &self.headers
        } else {
            &[]
        }
    }

    fn is_known(&self, url: &Url) -> bool {
        let Some(host) = host_of(url) else {
            return false;
        };
        let mut patterns = self.own.iter().chain(&self.allowed);
        patterns.any(|pattern| match pattern.strip_prefix('*') {
            // What is left begins with a dot.
            Some(end) => end.starts_with('.') && host.ends_with(end),
            None => *pattern == host,
        })
    }
}

fn host_of(url: &Url) -> Option<String> {
    url.host_str().map(str::to_ascii_lowercase)
}

fn headers(channel: &Channel) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    let mut headers = Vec::with_capacity(channel.headers.len() + 1);
    for (name, value) in &channel.headers {
        let named = HeaderName::try_from(name.as_str());
        let named = named.map_err(|_| format!("headers: {name:?} is no name of a header"))?;
        headers.push((named, secret(name, value)?));
    }
    if !channel.cookies.is_empty() {
        let pair = |(name, Secret(value)): (&String, &Secret)| format!("{name}={value}");
        let pairs: Vec<String> = channel.cookies.iter().map(pair).collect();
        headers.push((COOKIE, secret("cookie", &Secret(pairs.join("; ")))?));
    }
    Ok(headers)
}

fn secret(name: &str, Secret(value): &Secret) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::try_from(value.as_str())
        .map_err(|_| format!("headers: the value of {name:?} has characters that none may have"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel() -> Channel {
        let manifest = "https://cdn.example/tv.m3u8".parse().unwrap();
        let mut channel = Channel::new("tv".into(), manifest);
        channel.headers.insert("x-key".into(), Secret("1".into()));
        channel.cookies.insert("a".into(), Secret("2".into()));
        channel.cookies.insert("b".into(), Secret("3".into()));
        channel.failover = vec!["https://backup.example".parse().unwrap()];
        channel
    }

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn headers_go_to_the_channels_own_hosts_alone() {
        let access = Access::new(&channel()).unwrap();
        for own in ["https://CDN.example/seg", "https://backup.example:444/seg"] {
            assert_eq!(access.headers_for(&url(own)).len(), 2, "{own}");
        }
        for foreign in [
            "https://other.example/",
            "https://a.cdn.example/",
            "http://cdn.example/",
        ] {
            assert!(access.headers_for(&url(foreign)).is_empty(), "{foreign}");
        }
        let cookie = &access.headers_for(&url("https://cdn.example/"))[1].1;
        assert_eq!(cookie.to_str().unwrap(), "a=2; b=3");
    }

    #[test]
    fn listed_hosts_shut_out_all_others() {
        let allowed_hosts = vec!["*.edge.example".into(), "one.example".into()];
        let access = Access::new(&Channel {
            allowed_hosts,
            ..channel()
        });
        let access = access.unwrap();
        for fine in ["a.edge.example", "one.example", "cdn.example"] {
            assert!(access.permits(&url(&format!("https://{fine}/"))), "{fine}");
        }
        for refused in [
            "edge.example",
            "evil-edge.example",
            "two.example",
            "127.0.0.1",
        ] {
            assert!(
                !access.permits(&url(&format!("https://{refused}/"))),
                "{refused}"
            );
        }
    }
}
