//! Which addresses the seeder may fetch from.
//!
//! Manifests are foreign text: one could send the seeder to a router's admin page or to a cloud's
//! metadata service. So addresses that are not public are refused, wherever they turn up: in a URL,
//! in a redirect, or behind a name, at the time it is resolved for the connection.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// What may be fetched from.
#[derive(Clone, Debug)]
pub(crate) struct Guard(Arc<Rules>);

#[derive(Debug)]
struct Rules {
    any: bool,
    hosts: HashSet<String>,
}

/// A request that the guard does not let out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(
        "host {host} has the private address {address}; if it is meant, add {host:?} to \
         seeder.private_origins"
    )]
    Private { host: String, address: IpAddr },
    #[error("{0:?} is no http:// or https:// address")]
    Scheme(String),
    #[error(
        "host {0} has the name of a private network, and the proxy would look up its address; if it is meant, add {0:?} \
         to seeder.private_origins"
    )]
    PrivateName(String),
    #[error("host {0} is not one of the channel's; if it is meant, add {0:?} to its allowed_hosts")]
    NotAllowed(String),
}

impl Guard {
    /// `any` lets every address pass, `hosts` those of these hosts, as written in URLs.
    pub(crate) fn new(any: bool, hosts: &[String]) -> Self {
        let hosts = hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
        Self(Arc::new(Rules { any, hosts }))
    }

    /// Checks what a URL alone tells. Names are checked when they are resolved.
    pub(crate) fn check(&self, url: &Url) -> Result<(), Refusal> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refusal::Scheme(url.scheme().to_owned()));
        }
        match url.host() {
            Some(Host::Ipv4(ip)) => self.check_address(&ip.to_string(), ip.into()),
            Some(Host::Ipv6(ip)) => self.check_address(&ip.to_string(), ip.into()),
            Some(Host::Domain(_)) => Ok(()),
            None => Err(Refusal::Scheme(url.scheme().to_owned())),
        }
    }

    /// Checks a name that a proxy resolves. Which address it has the proxy alone knows, and may refuse; names that are
    /// only ever private are refused here.
    pub(crate) fn check_unresolved(&self, url: &Url) -> Result<(), Refusal> {
        let Some(Host::Domain(name)) = url.host() else {
            return Ok(());
        };
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        // RFC 6761, RFC 6762, RFC 8375, and what ICANN and clouds keep for it; a name without a dot is a neighbour's.
        let ends = [".localhost", ".local", ".internal", ".home.arpa", ".lan"];
        let is_private = !name.contains('.') || ends.iter().any(|end| name.ends_with(end));
        if is_private && !self.0.any && !self.0.hosts.contains(&name) {
            return Err(Refusal::PrivateName(name));
        }
        Ok(())
    }

    /// The same rules, and this host may have any address.
    pub(crate) fn and_host(&self, host: &str) -> Self {
        let mut hosts = self.0.hosts.clone();
        hosts.insert(host.to_ascii_lowercase());
        Self(Arc::new(Rules {
            any: self.0.any,
            hosts,
        }))
    }

    fn check_address(&self, host: &str, address: IpAddr) -> Result<(), Refusal> {
        let listed = || self.0.hosts.contains(&host.to_ascii_lowercase());
        if self.0.any || is_public(address) || listed() {
            return Ok(());
        }
        Err(Refusal::Private {
            host: host.to_owned(),
            address,
        })
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let host = name.as_str();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host, 0)).await?.collect();
            // One private address among public ones is a sign of rebinding: refuse them all.
            for address in &found {
                guard.check_address(host, address.ip())?;
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

/// Whether an address belongs to the public internet, after IANA's special-purpose registries.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => embedded_v4(ip).map_or_else(|| is_public_v6(ip), is_public_v4),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b)) // carrier-grade translators, RFC 6598
        || (a == 192 && b == 0 && c == 0) // protocol assignments, RFC 6890
        || (a == 198 && (b & 0xfe) == 18); // benchmarks, RFC 2544
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    // Global unicast is 2000::/3 (RFC 4291); Teredo and documentation lie within it.
    (a & 0xe000) == 0x2000 && !(a == 0x2001 && (b == 0 || b == 0x0db8))
}

/// The IPv4 address that a mapped, translated (RFC 6052) or 6to4 (RFC 3056) one leads to.
fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = ip.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match s {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(v4(high, low))
        }
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRIVATE: [&str; 22] = [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.8.8.8",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.8",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[fe80::1]",
        "[fd00::1]",
        "[ff02::1]",
        "[::ffff:10.0.0.1]",
        "[64:ff9b::a00:1]",
        "[2002:a00:1::]",
        "[2001:db8::1]",
        "[2001::1]",
    ];

    fn url(host: &str) -> Url {
        Url::parse(&format!("http://{host}:8080/a.m3u8")).unwrap()
    }

    #[test]
    fn private_addresses_are_refused_and_named() {
        let guard = Guard::new(false, &[]);
        for host in PRIVATE {
            assert!(guard.check(&url(host)).is_err(), "{host}");
        }
        assert_eq!(
            guard.check(&url("10.1.2.3")).unwrap_err().to_string(),
            "host 10.1.2.3 has the private address 10.1.2.3; if it is meant, add \"10.1.2.3\" to \
             seeder.private_origins"
        );
    }

    #[test]
    fn other_spellings_of_loopback_are_refused() {
        let guard = Guard::new(false, &[]);
        for host in [
            "0x7f000001",
            "2130706433",
            "127.1",
            "0177.0.0.1",
            "[::ffff:7f00:1]",
        ] {
            assert!(guard.check(&url(host)).is_err(), "{host}");
        }
    }

    #[test]
    fn public_addresses_pass() {
        let guard = Guard::new(false, &[]);
        for host in [
            "93.184.216.34",
            "172.32.0.1",
            "[2606:2800:220:1::1]",
            "cdn.example",
        ] {
            assert_eq!(guard.check(&url(host)), Ok(()), "{host}");
        }
    }

    #[test]
    fn listed_hosts_and_the_general_permission_pass() {
        let listed = Guard::new(false, &["10.1.2.3".into()]);
        assert_eq!(listed.check(&url("10.1.2.3")), Ok(()));
        assert!(listed.check(&url("10.1.2.4")).is_err());
        assert_eq!(Guard::new(true, &[]).check(&url("10.1.2.4")), Ok(()));
    }

    #[test]
    fn other_schemes_are_refused_even_with_the_general_permission() {
        let guard = Guard::new(true, &[]);
        assert!(
            guard
                .check(&Url::parse("file:///etc/passwd").unwrap())
                .is_err()
        );
    }

    #[tokio::test]
    async fn a_name_with_a_private_address_is_refused_when_it_is_resolved() {
        let guard = Guard::new(false, &[]);
        let outcome = guard.resolve("localhost".parse().unwrap()).await;
        let error = outcome.err().unwrap().to_string();
        assert!(
            error.contains("localhost has the private address"),
            "{error}"
        );
    }

    #[test]
    fn a_proxy_is_not_asked_for_names_that_are_only_ever_private() {
        let guard = Guard::new(false, &["Cache.internal".into()]);
        for private in [
            "localhost",
            "a.localhost.",
            "router",
            "metadata.google.internal",
            "nas.local",
            "x.home.arpa",
        ] {
            let url = Url::parse(&format!("http://{private}/")).unwrap();
            assert!(guard.check_unresolved(&url).is_err(), "{private}");
        }
        for fine in ["cdn.example", "cache.internal", "93.184.216.34"] {
            let url = Url::parse(&format!("http://{fine}/")).unwrap();
            assert_eq!(guard.check_unresolved(&url), Ok(()), "{fine}");
        }
    }

    #[tokio::test]
    async fn a_listed_name_is_resolved() {
        let guard = Guard::new(false, &["LocalHost".into()]);
        assert!(guard.resolve("localhost".parse().unwrap()).await.is_ok());
    }
}
