//! Where in the network a peer is, as far as the shell knows.

use std::net::IpAddr;

/// The block of addresses that usually has one owner: /24 of IPv4, /64 of IPv6. Who wants to be many
/// peers at little cost has them in few blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network(u64);

impl Network {
    /// The block of an address. An IPv4 address that is written as IPv6 counts as IPv4.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(four) => Self(u64::from(four.to_bits() >> 8)),
            // Global IPv6 begins with 2 or 3, so no block of it has the number of one of IPv4.
            IpAddr::V6(six) => Self((six.to_bits() >> 64) as u64),
        }
    }
}

/// What the choice of peers knows of a peer's place. The default knows nothing and is near nobody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Its block of addresses, for diversity.
    pub network: Option<Network>,
    /// The operator's group that it is in, by its number in the configuration.
    pub group: Option<u16>,
    /// Its autonomous system.
    pub asn: Option<u32>,
    /// Its country, ISO 3166-1 alpha-2.
    pub country: Option<[u8; 2]>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        Network::of(text.parse().unwrap())
    }

    #[test]
    fn neighbours_share_a_network() {
        assert_eq!(network("192.0.2.1"), network("192.0.2.254"));
        assert_ne!(network("192.0.2.1"), network("192.0.3.1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.9"));
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
    }
}
