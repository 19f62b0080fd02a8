//! Which addresses we say we can be reached at, and which of a peer's we try.

use std::net::{IpAddr, SocketAddr};

/// Addresses that a description of ours names, and addresses of a peer that we try. Each of the
/// latter costs 75 datagrams when nobody answers, so the number bounds what a forged
/// description can make us send to a third party.
const CANDIDATES_MAX: usize = 8;

/// The addresses to advertise for a socket that is bound to `bound`.
///
/// `external` replaces what the machine itself knows: behind a 1:1 NAT the inner addresses would
/// only cost the browsers failing checks, and a private address in a public page makes Chromium ask
/// its user for access to the local network.
pub(super) fn advertised(bound: SocketAddr, external: &[IpAddr]) -> Vec<SocketAddr> {
    let same_family = |ip: &IpAddr| ip.is_ipv4() == bound.is_ipv4();
    let ips: Vec<IpAddr> = if !external.is_empty() {
        external.to_vec()
    } else if bound.ip().is_unspecified() {
        interfaces(same_family)
    } else {
        vec![bound.ip()]
    };
    ips.into_iter()
        .filter(same_family)
        .take(CANDIDATES_MAX)
        .map(|ip| SocketAddr::new(ip, bound.port()))
        .collect()
}

/// The machine's addresses; loopback when it has no other.
fn interfaces(wanted: impl Fn(&IpAddr) -> bool) -> Vec<IpAddr> {
    let all = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        tracing::warn!(%error, "cannot list network interfaces, advertising loopback only");
        Vec::new()
    });
    let (loopback, mut ips): (Vec<IpAddr>, Vec<IpAddr>) = all
        .iter()
        .filter(|interface| !interface.is_link_local())
        .map(if_addrs::Interface::ip)
        .filter(wanted)
        .partition(IpAddr::is_loopback);
    if ips.is_empty() {
        ips = loopback;
    }
    ips
}

/// Which of a peer's addresses may be tried. A description comes from a stranger: what it names
/// must not turn us on our own network. Private and loopback addresses are tried only by a hub
/// that is itself advertised at such an address.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    ipv4: bool,
    private: bool,
    loopback: bool,
}

impl Reach {
    pub(super) fn of(advertised: &[SocketAddr]) -> Self {
        Self {
            ipv4: advertised.iter().any(SocketAddr::is_ipv4),
            private: advertised.iter().any(|own| is_private(own.ip())),
            loopback: advertised.iter().any(|own| own.ip().is_loopback()),
        }
    }

    pub(super) fn choose(self, candidates: &[SocketAddr]) -> Vec<SocketAddr> {
        candidates
            .iter()
            .copied()
            .filter(|candidate| self.allows(candidate.ip()))
            .take(CANDIDATES_MAX)
            .collect()
    }

    fn allows(self, ip: IpAddr) -> bool {
        if ip.is_ipv4() != self.ipv4 || ip.is_unspecified() || ip.is_multicast() {
            false
        } else if ip.is_loopback() {
            self.loopback
        } else if is_private(ip) {
            // Whoever runs everything on one machine also has its addresses in the local network.
            self.private || self.loopback
        } else {
            !matches!(ip, IpAddr::V4(ip) if ip.is_broadcast())
        }
    }
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        // 100.64.0.0/10 is the shared space behind carrier NAT (RFC 6598).
        IpAddr::V4(ip) => {
            ip.is_private()
                || ip.is_link_local()
                || (ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64)
        }
        IpAddr::V6(ip) => {
            ip.is_unique_local() || ip.is_unicast_link_local() || ip.to_ipv4_mapped().is_some()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses<const N: usize>(texts: [&str; N]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn external_addresses_replace_the_own_ones() {
        let external = [
            "203.0.113.1".parse().unwrap(),
            "2001:db8::1".parse().unwrap(),
        ];
        let said = advertised("10.0.0.4:7000".parse().unwrap(), &external);
        assert_eq!(said, addresses(["203.0.113.1:7000"]));
    }

    #[test]
    fn a_bound_address_is_the_only_one() {
        let bound = "127.0.0.1:7000".parse().unwrap();
        assert_eq!(advertised(bound, &[]), [bound]);
    }

    #[test]
    fn every_interface_is_said_when_bound_to_all() {
        let said = advertised("0.0.0.0:7000".parse().unwrap(), &[]);
        assert!(!said.is_empty());
        assert!(said.iter().all(|address| !address.ip().is_unspecified()));
    }

    #[test]
    fn a_public_hub_tries_public_addresses_only() {
        let reach = Reach::of(&addresses(["203.0.113.1:7000"]));
        let chosen = reach.choose(&addresses([
            "127.0.0.1:1",
            "192.168.1.4:1",
            "100.64.0.1:1",
            "224.0.0.1:1",
            "255.255.255.255:1",
            "[2001:db8::1]:1",
            "198.51.100.3:1",
        ]));
        assert_eq!(chosen, addresses(["198.51.100.3:1"]));
    }

    #[test]
    fn a_local_hub_tries_local_addresses() {
        let reach = Reach::of(&addresses(["127.0.0.1:7000"]));
        let local = addresses(["127.0.0.1:1", "192.168.1.4:1"]);
        assert_eq!(reach.choose(&local), local);
    }
}
