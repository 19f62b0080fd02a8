//! `stun:` and `stuns:` (RFC 7064).

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// Ports when none is given (RFC 7064 section 3.2).
const PORT: u16 = 3478;
const TLS_PORT: u16 = 5349;

/// How a server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Udp,
    Tcp,
    Tls,
}

/// A STUN server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StunUrl {
    /// A name or an IP address, without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) transport: Transport,
}

impl StunUrl {
    /// One that listens here; the unspecified address is not one to ask, so loopback takes its place.
    pub(super) fn of(transport: Transport, listen: SocketAddr) -> Self {
        let ip = match listen.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]),
            ip => ip,
        };
        Self {
            host: ip.to_string(),
            port: listen.port(),
            transport,
        }
    }
}

impl FromStr for StunUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is no STUN URL; expected stun:HOST:PORT, stun:HOST:PORT?transport=tcp or \
                 stuns:HOST:PORT"
            )
        };
        let (scheme, rest) = text.split_once(':').ok_or_else(wrong)?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let transport = match (scheme, query) {
            ("stun", "" | "transport=udp") => Transport::Udp,
            ("stun", "transport=tcp") => Transport::Tcp,
            ("stuns", "" | "transport=tcp") => Transport::Tls,
            _ => return Err(wrong()),
        };
        let default = if transport == Transport::Tls {
            TLS_PORT
        } else {
            PORT
        };
        let (host, port) = split(place, default).ok_or_else(wrong)?;
        Ok(Self {
            host,
            port,
            transport,
        })
    }
}

/// Host and port; an IPv6 address is in brackets.
fn split(place: &str, default: u16) -> Option<(String, u16)> {
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => match place.find(':') {
            Some(colon) => place.split_at(colon),
            None => (place, ""),
        },
    };
    let port = match port {
        "" => default,
        given => given
            .strip_prefix(':')?
            .parse()
            .ok()
            .filter(|port| *port != 0)?,
    };
    let is_host = !host.is_empty() && !host.contains(['/', '@', ' ']);
    is_host.then(|| (host.to_owned(), port))
}

impl fmt::Display for StunUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            host,
            port,
            transport,
        } = self;
        let scheme = if *transport == Transport::Tls {
            "stuns"
        } else {
            "stun"
        };
        let query = if *transport == Transport::Tcp {
            "?transport=tcp"
        } else {
            ""
        };
        if host.contains(':') {
            write!(formatter, "{scheme}:[{host}]:{port}{query}")
        } else {
            write!(formatter, "{scheme}:{host}:{port}{query}")
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_with_its_default_port() {
        for (text, shown) in [
            ("stun:stun.example", "stun:stun.example:3478"),
            ("stun:192.0.2.1:19302", "stun:192.0.2.1:19302"),
            ("stun:[2001:db8::1]", "stun:[2001:db8::1]:3478"),
            ("stun:h:1?transport=tcp", "stun:h:1?transport=tcp"),
            ("stuns:stun.example", "stuns:stun.example:5349"),
        ] {
            assert_eq!(text.parse::<StunUrl>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_url_says_what_is_expected() {
        for text in [
            "",
            "stun:",
            "turn:h",
            "stun://h",
            "stun:h:0",
            "stun:h:x",
            "stun:[::1",
            "h:1",
        ] {
            let error = text.parse::<StunUrl>().unwrap_err();
            assert!(error.contains("expected stun:HOST:PORT"), "{text}");
        }
    }
}
